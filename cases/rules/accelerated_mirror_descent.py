"""Accelerated mirror descent with the entropy, on the positive orthant.

    a  = v - (n / r) eta g(exp z)
    z' = z + y,  y = log(c exp a + (1 - c) exp(-eta g)),  c = r / (r + n),  rest = 1 - c,  r = 3
    v' = a - y

This is x' = c z~' + (1 - c) x~' with x = exp z, where z~ takes a step of mirror descent from itself, with the
growing step size n eta / r, and x~ a plain one from x, of size eta; n counts steps from 1. What is stored is
z = log x and v = log z~ - log x: v = 0 is the published start z~ = x, and v + z, the dual variable, moves by
the gradient alone. v is the momentum of the Bregman Lagrangian (theory.md#T2). The logarithm of the mixture
is formed from the larger exponent, so that nothing overflows.
The published rate asks of the plain step a regulariser between two quadratic ones, which the entropy is away
from 0 only.
Source: Krichene, Bayen, Bartlett (2015), algorithm 1, n as in the code that they published, with both steps
under the entropy.
"""

from noether.cases.rule import Rule
from noether.cases.rules.mirror_descent import place

R = 3


def known(n, p):
    return {"growth": n / R, "c": R / (R + n), "rest": n / (R + n)}


def mixture(a, b, p, xp):
    """log(c exp a + rest exp b)."""
    top = xp.maximum(a, b)
    return top + xp.log(p.c * xp.exp(a - top) + p.rest * xp.exp(b - top))


def update(z, buffers, g, p, xp):
    (v,) = buffers
    pull = [p.eta * x for x in g]
    ahead = [vi - p.growth * x for vi, x in zip(v, pull, strict=True)]
    y = [mixture(a, -x, p, xp) for a, x in zip(ahead, pull, strict=True)]
    w = [xp.store_buffer(a - yi) for a, yi in zip(ahead, y, strict=True)]
    return [xp.store(zi + yi) for zi, yi in zip(z, y, strict=True)], [w]


def terms(z, buffers, new, g, p, xp):
    v = buffers[0]
    fast, slow = [-p.eta * p.growth * x for x in g], [-p.eta * x for x in g]
    y = [mixture(vi + a, b, p, xp) for vi, a, b in zip(v, fast, slow, strict=True)]
    return {"q": z, "the mixture": y}, [{"v": v, "the gradient": fast, "the mixture": [-x for x in y]}]


ACCELERATED_MIRROR_DESCENT = Rule(
    name="accelerated-mirror-descent",
    step=(
        "a = v - (n / r) eta g(exp z),  y = log(c exp a + (1 - c) exp(-eta g)),  c = r / (r + n)",
        "z' = z + y,  z = log q",
        "v' = a - y",
    ),
    source="Krichene, Bayen, Bartlett (2015), algorithm 1, with the entropy",
    update=update,
    terms=terms,
    known=known,
    place=place,
    metric="bregman",
)
