"""Rayleigh quotient under a deformed metric: kinetic breaking of swept size.

    f(q) = (sum_i lambda_i q_i^2) / |q|^2,  d = 4           invariant under q -> e^s q
    G(q) = diag(1 + kappa w_i q_i^2),  w = (1, 1/2, 1/4, 1/8),  lambda = (1/2, 1, 7/4, 5/2)
    xi(q) = q

    Lie derivative of G along xi:  (Lie_xi G)_i = 2 + 4 kappa w_i q_i^2

so T1's right-hand side has a part that is there at kappa = 0 and a part proportional to kappa, of which
half comes from Dxi and half from xi.dG: a harness that drops either is caught.
Breaking: b = q_1 + q_2^2 / 4.
Source: derived here from Tanaka, Kunin (2021), Theorem 1.
"""

from noether.cases.case import DIAGONAL, Case, Metric, scale

D = 4
EIGENVALUES = (0.5, 1.0, 1.75, 2.5)
WEIGHTS = (1.0, 0.5, 0.25, 0.125)


def loss(q, xp):
    return sum(c * x * x for c, x in zip(EIGENVALUES, q, strict=True)) / sum(x * x for x in q)


def breaking(q, xp):
    return q[0] + q[1] * q[1] / 4


def metric(q, kappa, xp):
    return [1 + kappa * w * x * x for w, x in zip(WEIGHTS, q, strict=True)]


DEFORMED_RAYLEIGH = Case(
    name="deformed-rayleigh",
    title=f"Rayleigh quotient, metric I + kappa diag(w q^2), d = {D}: scale",
    source="Tanaka, Kunin (2021), Theorem 1, with a metric of our own",
    loss=loss,
    breaking=breaking,
    box=((0.5, 1.25), (-1.25, -0.5), (0.5, 1.25), (-1.25, -0.5)),
    pace=1.0,
    symmetries=(scale(D),),
    metric=Metric(DIAGONAL, entries=metric),
    scale_free=True,
)
