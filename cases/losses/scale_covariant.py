"""Rayleigh quotient under a metric that scales with it: no source at all.

    f(q) the Rayleigh quotient of d = 4 (cases/losses/rayleigh.py)            invariant under q -> e^s q
    G(q) = I / |q|^2 + kappa diag(w),  w = (1, 1/2, 1/4, 1/8)
    xi(q) = q

    kappa    Lie derivative of G along xi     charge J = <G qdot, q> m
    0        zero: a Killing field            J = e^{-mu t / m} J_0
    > 0      2 kappa w_i                      source kappa m sum_i w_i qdot_i^2

The same loss as under the Euclidean metric, where the source is most of what moves J: the symmetry is the
loss's, the law that its charge obeys is the learning rule's. At kappa = 0 what Dxi gives, xi.dG takes back.
Breaking: b = |q|^2 / 8 + q_1.
Source: Tanaka, Kunin (2021), Theorem 1; the metric is theory.md#T5.
"""

from noether.cases.case import DIAGONAL, Case, Metric, scale
from noether.cases.losses.rayleigh import breaking, loss

D = 4
WEIGHTS = (1.0, 0.5, 0.25, 0.125)


def covariant(q, kappa, xp):
    size = sum(x * x for x in q)
    return [1 / size + kappa * w for w in WEIGHTS]


SCALE_COVARIANT = Case(
    name="scale-covariant",
    title=f"Rayleigh quotient, metric I/|q|^2 + kappa diag(w), d = {D}: scale without a source",
    source="Tanaka, Kunin (2021), Theorem 1, with a metric of our own",
    loss=loss,
    breaking=breaking,
    box=((0.5, 1.25), (-1.25, -0.5), (0.5, 1.25), (-1.25, -0.5)),
    pace=1.0,
    symmetries=(scale(D),),
    metric=Metric(DIAGONAL, entries=covariant),
    scale_free=True,
)
