"""Normalised gradient descent: steps of one length, along the gradient.

    v' = -eta g / (|g| + stability)
    q' = q + v'

Where g is 0 nothing moves, for stability keeps the denominator above 0. It also breaks what the rule is made
for, that the size of the gradient does not count: a step is shorter than eta by the share
stability / (|g| + stability).
v' is parallel to the gradient, so that a symmetry of the loss still has <v', xi(q)> = 0.
Source: Nesterov (1984) without a stability; Cortes (2006), equation (3), for its flow.
"""

from noether.cases.matrices import norm
from noether.cases.rule import Covector, Parameter, Rule, plain_force
from noether.cases.step_sizes import Length

STABILITY = Parameter("stability", "what is added to a denominator", choices=(2**-11, 2**-7, 2**-3))
"""None is below the root of the smallest number of half precision, 2^-12, below which a norm is 0 in it."""


def unit(g, p, xp):
    """g / (|g| + stability)."""
    size = norm(g, xp) + p.stability
    return [x / size for x in g]


def one_over_size(q, g, p, xp):
    """What the gradient is multiplied by."""
    return 1 / (norm(g, xp) + p.stability)


def length(q, new, g, p, xp):
    """How long a step is: eta times the share of the gradient in its denominator. 1 less the share of the
    stability is the same, and nothing but rounding where the gradient is far below it."""
    size = norm(g, xp)
    return p.eta * (size / (size + p.stability))


def update(q, buffers, g, p, xp):
    w = [xp.store_buffer(-(p.eta * x)) for x in unit(g, p, xp)]
    return [xp.store(qi + wi) for qi, wi in zip(q, w, strict=True)], [w]


def terms(q, buffers, new, g, p, xp):
    rate = p.eta / (p.stability + xp.sqrt(sum(x * x for x in g)))
    return {"q": q, "v'": new[0]}, [{"the direction of the gradient": [-rate * x for x in g]}]


NORMALISED_GRADIENT = Rule(
    name="normalised-gradient",
    step=("v' = -eta g / (|g| + stability)", "q' = q + v'"),
    source="Nesterov (1984); Cortes (2006), equation (3)",
    update=update,
    terms=terms,
    extra=(STABILITY,),
    covector=Covector("v", lambda p: 0, lambda p: p.eta, plain_force, one_over_size),
    length=Length(length),
)
