"""Entropy mirror descent on the positive orthant: a Bregman kinetic energy.

    f(q) = (sum_i c_i q_i^2 + q_1 q_2) / (sum_i q_i)^2,  d = 4,  q > 0      invariant under q -> e^s q
    h(q) = sum_i q_i log q_i - q_i                                          grad h = log q
    c = (1/2, 1, 3/2, 2);   xi(q) = q

    rule                                        charge
    mirror flow        d/dt log q = -grad f     sum_i q_i conserved
    mirror descent     log q' = log q - eta g   <log q' - log q, q> = -eta <g, q>, zero here

The state that is stored is log q: exponentiated updates leave nothing to clip.
Breaking: b = q_1 + q_2 q_3 / 2.
Source: Tanaka, Kunin (2021), Eq. 10; Wibisono, Wilson, Jordan (2016).
"""

from noether.cases.case import BREGMAN, Case, Metric, scale

D = 4
COEFFICIENTS = (0.5, 1.0, 1.5, 2.0)


def loss(q, xp):
    total = sum(q)
    return (sum(c * x * x for c, x in zip(COEFFICIENTS, q, strict=True)) + q[0] * q[1]) / (total * total)


def breaking(q, xp):
    return q[0] + q[1] * q[2] / 2


def entropy(q, xp):
    return sum(x * xp.log(x) - x for x in q)


ENTROPY_MIRROR = Case(
    name="entropy-mirror",
    title="entropy mirror descent on the positive orthant, d = 4: scale",
    source="Tanaka, Kunin (2021), Eq. 10",
    loss=loss,
    breaking=breaking,
    box=((0.25, 1.5),) * D,
    pace=1.0,
    symmetries=(scale(D),),
    metric=Metric(BREGMAN, potential=entropy),
    scale_free=True,
)
