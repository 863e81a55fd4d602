"""Mirror flow of a power, h = sum q^3 / 3, on the positive orthant: a Bregman kinetic energy without a
kernel.

    f(q) = (sum_i c_i q_i^2 + q_1 q_2 / 2) / (sum_i q_i)^2,  d = 3,  q > 0      invariant under q -> e^s q
    h(q) = sum_i q_i^p / p,  p = 3                                          grad h = q^2, hess h = 2 q
    c = (1/2, 1, 2);   xi(q) = q

    rule                                          charge
    mirror flow          d/dt q^2 = -grad f       sum_i q_i^p conserved
    Bregman Lagrangian   Delta = Q^2 - q^2        J = <Delta, q>, Q = q + m qdot (theory.md#T2)

Homogeneous potentials of degree p interpolate between the Euclidean rule (p = 2) and sign descent (p to
infinity). Continuous laws only: the kernels of mirror descent store log q, which is grad h of the entropy
alone.
Breaking: b = q_1 / 2 + q_2 q_3 / 8. A power is no barrier: starts lie so far inside that no trajectory
reaches q = 0.
Source: Gentile (2003), p-norm algorithms; Tanaka, Kunin (2021), Eq. 10.
"""

from noether.cases.case import BREGMAN, Case, Metric, scale

D, P = 3, 3
COEFFICIENTS = (0.5, 1.0, 2.0)


def loss(q, xp):
    total = sum(q)
    return (sum(c * x * x for c, x in zip(COEFFICIENTS, q, strict=True)) + q[0] * q[1] / 2) / (total * total)


def breaking(q, xp):
    return q[0] / 2 + q[1] * q[2] / 8


def power(q, xp):
    return sum(x**P for x in q) / P


POWER_MIRROR = Case(
    name="power-mirror",
    title=f"mirror flow of sum q^{P}/{P} on the positive orthant, d = {D}: scale",
    source="Gentile (2003); Tanaka, Kunin (2021), Eq. 10",
    loss=loss,
    breaking=breaking,
    box=((2.0, 3.0),) * D,
    pace=1.0,
    symmetries=(scale(D),),
    metric=Metric(BREGMAN, potential=power),
    scale_free=True,
)
