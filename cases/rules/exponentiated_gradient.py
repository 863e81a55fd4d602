"""Exponentiated gradient: mirror descent on the simplex, where q sums to 1.

    v' = -eta g(exp z)
    z' = y - log sum exp y,  y = z + v',  z = log q

The logarithm of the sum is m + log sum exp(y - m) with m the largest of y, so that nothing overflows.
Source: Kivinen, Warmuth (1997), equation (3.4).
"""

from noether.cases.rule import Rule
from noether.cases.rules.mirror_descent import PULLED, place


def log_sum_exp(y, xp):
    top = y[0]
    for x in y[1:]:
        top = xp.maximum(top, x)
    total = xp.exp(y[0] - top)
    for x in y[1:]:
        total = total + xp.exp(x - top)
    return top + xp.log(total)


def update(z, buffers, g, p, xp):
    w = [xp.store_buffer(-(p.eta * x)) for x in g]
    y = [zi + wi for zi, wi in zip(z, w, strict=True)]
    total = log_sum_exp(y, xp)
    return [xp.store(x - total) for x in y], [w]


def terms(z, buffers, new, g, p, xp):
    total = log_sum_exp([zi + wi for zi, wi in zip(z, new[0], strict=True)], xp)
    parts = {"q": z, "v'": new[0], "log Z": [-total] * len(z)}
    return parts, [{"the gradient": [-p.eta * x for x in g]}]


EXPONENTIATED_GRADIENT = Rule(
    name="exponentiated-gradient",
    step=("v' = -eta g(exp z)", "z' = y - log sum exp y,  y = z + v'"),
    source="Kivinen, Warmuth (1997), equation (3.4)",
    update=update,
    terms=terms,
    place=place,
    covector=PULLED,
    metric="bregman",
)
