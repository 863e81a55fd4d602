"""LARS: heavy ball whose step is a share of the size of a layer. All parameters are one layer here.

    ratio = trust |q| / (|g| + k |q| + stability)
    v' = beta v - eta ratio (g + k q)
    q' = q + v'

Without momentum a step is at most the share eta trust of |q|, and this share exactly where k and stability
are 0. From q = 0 nothing moves, as published; implementations take the ratio 1 there.
Source: You, Gitman, Ginsburg (2017), equation (6) and algorithm 1; the stability is the eps of apex's LARC,
whose other option, clipping, is not here.
"""

from noether.cases.matrices import norm
from noether.cases.rule import Covector, Parameter, Rule, with_decay
from noether.cases.rules.normalised_gradient import STABILITY
from noether.cases.step_sizes import Length

TRUST = Parameter("trust", "the coefficient of the trust ratio", choices=(2**-4, 2**-3, 2**-2))


def ratio(q, g, p, xp):
    """The trust ratio, that the force g + k q is multiplied by."""
    size = norm(q, xp)
    return p.trust * size / (norm(g, xp) + p.k * size + p.stability)


def length(q, new, g, p, xp):
    """How long what enters v is: the share eta trust of |q|, less what k and the stability take off."""
    return p.eta * ratio(q, g, p, xp) * norm(with_decay(q, g, p, xp), xp)


def update(q, buffers, g, p, xp):
    (v,) = buffers
    rate = p.eta * ratio(q, g, p, xp)
    w = [xp.store_buffer(p.beta * vi - rate * f) for vi, f in zip(v, with_decay(q, g, p, xp), strict=True)]
    return [xp.store(qi + wi) for qi, wi in zip(q, w, strict=True)], [w]


def terms(q, buffers, new, g, p, xp):
    of_q, of_g = (xp.sqrt(sum(y * y for y in x)) for x in (q, g))
    rate = p.eta * p.trust / (p.stability + p.k * of_q + of_g) * of_q
    parts = {
        "the momentum term": [p.beta * x for x in buffers[0]],
        "the gradient": [-rate * x for x in g],
        "the decay": [-rate * p.k * x for x in q],
    }
    return {"q": q, "v'": new[0]}, [parts]


LARS = Rule(
    name="lars",
    step=(
        "ratio = trust |q| / (|g| + k |q| + stability)",
        "v' = beta v - eta ratio (g + k q)",
        "q' = q + v'",
    ),
    source="You, Gitman, Ginsburg (2017), equation (6); the stability of apex's LARC",
    update=update,
    terms=terms,
    extra=(STABILITY, TRUST),
    covector=Covector("v", lambda p: p.beta, lambda p: p.eta, with_decay, ratio),
    length=Length(length, of="pull"),
)
