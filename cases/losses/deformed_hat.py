"""Mexican hat with unequal learning rates: rotations that the metric breaks by kappa alone.

    f(q) = (|q|^2 - 1)^2 / 4,  d = 3 (cases/losses/mexican_hat.py)            invariant under SO(3)
    G(q) = diag(1 + kappa w_i),  w = (1, 1/2, 1/4)
    xi_ij(q) = q_i e_j - q_j e_i

    kappa    d_s T                                          charge J = m <G qdot, xi>
    0        zero: a Killing field                          the angular momentum decays without a source
    > 0      kappa m (w_j - w_i) qdot_i qdot_j              moves by it

A rate per parameter is the plainest preconditioner, and enough to break a rotation. The metric does not
depend on q: all of the source comes from Dxi, none from xi.dG, and it is proportional to kappa.
Breaking: b = q_1 + q_2 q_3 / 2.
Source: Tanaka, Kunin (2021), Theorem 1, with a metric of our own.
"""

from noether.cases.case import DIAGONAL, Case, Metric, rotation
from noether.cases.losses.mexican_hat import breaking, loss

D = 3
WEIGHTS = (1.0, 0.5, 0.25)


def rates(q, kappa, xp):
    return [1 + kappa * w for w in WEIGHTS]


DEFORMED_HAT = Case(
    name="deformed-hat",
    title=f"Mexican hat, metric I + kappa diag(w), d = {D}: rotation",
    source="Tanaka, Kunin (2021), Theorem 1, with a metric of our own",
    loss=loss,
    breaking=breaking,
    box=((0.25, 0.875), (-0.875, -0.25), (0.25, 0.875)),
    pace=1.0,
    symmetries=(rotation(D, 0, 1), rotation(D, 1, 2), rotation(D, 0, 2)),
    metric=Metric(DIAGONAL, entries=rates),
)
