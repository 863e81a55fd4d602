"""Lion: the sign of a momentum that looks ahead of the one that is kept, with decoupled decay.

    c  = beta m + (1 - beta) g
    q' = (q - eta k q) - eta sign(c)
    m' = beta2 m + (1 - beta2) g

m is the momentum and a covector as the gradient is: m' = beta2 m + (1 - beta2) g. c is not stored. The sign
of 0 is 0. All components move by eta, whatever the size of the gradient, so that q enters |q|_inf <= 1/k at
the rate 1 - eta k and stays: |q'_i| - 1/k <= (1 - eta k) (|q_i| - 1/k).
Source: Chen et al. (2023), algorithm 2, with its names beta1 = beta, lambda = k.
"""

from noether.cases.rule import Covector, Parameter, Rule, plain_force
from noether.cases.step_sizes import BY_SIGNS

BETA2 = Parameter("beta2", "memory of the momentum that is kept", low=0.9, high=0.999)


def update(q, buffers, g, p, xp):
    (m,) = buffers
    c = [p.beta * mi + (1 - p.beta) * gi for mi, gi in zip(m, g, strict=True)]
    kept = [xp.store_buffer(p.beta2 * mi + (1 - p.beta2) * gi) for mi, gi in zip(m, g, strict=True)]
    moved = [(qi - p.eta * p.k * qi) - xp.sign(ci) * p.eta for qi, ci in zip(q, c, strict=True)]
    return [xp.store(x) for x in moved], [kept]


def terms(q, buffers, new, g, p, xp):
    m, shrink = buffers[0], 1 - p.eta * p.k
    ahead = [gi + p.beta * (mi - gi) for mi, gi in zip(m, g, strict=True)]
    of_q = {"q": [shrink * x for x in q], "the sign": [-p.eta * xp.sign(x) for x in ahead]}
    return of_q, [averaged(m, g, p.beta2)]


def averaged(m, g, beta):
    """The terms of m' = beta m + (1 - beta) g."""
    return {"the momentum term": [beta * x for x in m], "the gradient": [(1 - beta) * x for x in g]}


LION = Rule(
    name="lion",
    step=(
        "c = beta m + (1 - beta) g",
        "q' = (q - eta k q) - eta sign(c)",
        "m' = beta2 m + (1 - beta2) g",
    ),
    source="Chen et al. (2023), algorithm 2",
    update=update,
    terms=terms,
    buffers=("m",),
    extra=(BETA2,),
    covector=Covector("m", lambda p: p.beta2, lambda p: -(1 - p.beta2), plain_force),
    metric="maximum",
    bounded=BY_SIGNS,
)
