"""LAMB: Adam's direction, with a step that is a share of the size of a layer. All parameters are one layer.

    m' = beta m + (1 - beta) g
    s' = beta2 s + (1 - beta2) g g
    u  = (m' / c1) / (sqrt(s' / c2) + stability) + k q,  c1 = 1 - beta^n,  c2 = 1 - beta2^n
    q' = q - eta |q| u / |u|

Every step is the share eta of |q|. A |u| below FLOOR counts as FLOOR, so that u = 0 moves nothing, and from
q = 0 nothing moves, both as published; implementations take |q| / |u| = 1 there.
Source: You et al. (2020), algorithm 2 with phi(z) = z; so timm.optim.Lamb with max_grad_norm=None.
"""

from noether.cases.matrices import norm
from noether.cases.rule import Rule
from noether.cases.rules.adam import (
    BETA2,
    MOMENT_WITHOUT_DECAY,
    STABILITY,
    first_moment,
    power,
    second_moment,
    squared,
)
from noether.cases.rules.lion import averaged
from noether.cases.step_sizes import Length

FLOOR = 2.0**-14  # the smallest normal number of half precision


def known(n, p):
    return {"c1": 1 - power(p.beta, n), "c2": 1 - power(p.beta2, n)}


def update(q, buffers, g, p, xp):
    m, s = first_moment(buffers[0], g, p, xp), second_moment(buffers[1], g, p, xp)
    adam = [(mi / p.c1) / (xp.sqrt(si / p.c2) + p.stability) for mi, si in zip(m, s, strict=True)]
    u = [ai + p.k * qi for qi, ai in zip(q, adam, strict=True)]
    rate = p.eta * (norm(q, xp) / xp.maximum(norm(u, xp), FLOOR))
    return [xp.store(qi - rate * ui) for qi, ui in zip(q, u, strict=True)], [m, s]


def length(q, new, g, p, xp):
    """How long a step is: the share eta of |q|, and less only where |u| is below FLOOR."""
    m, s = new
    below = [xp.sqrt(x / p.c2) + p.stability for x in s]
    u = norm([mi / p.c1 / bi + p.k * qi for qi, mi, bi in zip(q, m, below, strict=True)], xp)
    return p.eta * norm(q, xp) * (u / xp.maximum(u, FLOOR))


def terms(q, buffers, new, g, p, xp):
    hats = [[x / p.c1 for x in new[0]], [x / p.c2 for x in new[1]]]
    adam = [mi / (p.stability + xp.sqrt(si)) for mi, si in zip(*hats, strict=True)]
    decay = [p.k * x for x in q]
    size = xp.sqrt(sum((a + b) * (a + b) for a, b in zip(adam, decay, strict=True)))
    rate = p.eta / xp.maximum(size, FLOOR) * xp.sqrt(sum(x * x for x in q))
    return (
        {"q": q, "Adam's step": [-rate * x for x in adam], "the decay": [-rate * x for x in decay]},
        [averaged(buffers[0], g, p.beta), squared(buffers[1], g, p)],
    )


LAMB = Rule(
    name="lamb",
    step=(
        "m' = beta m + (1 - beta) g,  s' = beta2 s + (1 - beta2) g g",
        "u = (m' / c1) / (sqrt(s' / c2) + stability) + k q,  c1 = 1 - beta^n,  c2 = 1 - beta2^n",
        "q' = q - eta |q| u / |u|",
    ),
    source="You et al. (2020), algorithm 2",
    update=update,
    terms=terms,
    buffers=("m", "s"),
    extra=(BETA2, STABILITY),
    known=known,
    covector=MOMENT_WITHOUT_DECAY,
    length=Length(length),
    metric="adaptive",
)
