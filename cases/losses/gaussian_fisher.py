"""Two Gaussians under their Fisher metric: translation and scale, in part Killing fields.

    f(q) = ( (mu_1 - mu_2) e^{-u_1} - 1 )^2 / 2,   q = (mu_1, u_1, mu_2, u_2),  u = log sigma
    G(q) = diag(e^{-2 u_1}, 2, e^{-2 u_2}, 2) + kappa I, the Fisher information of one sample each; kappa
    damps it

    symmetry       xi(q)                  Lie derivative of G at kappa = 0
    translation    (1, 0, 1, 0)           zero: a Killing field
    scale          (mu_1, 1, mu_2, 1)     zero: a Killing field, affine
    spread         (0, 0, 0, 1)           (0, 0, -2 e^{-2 u_2}, 0): the kinetic energy breaks it
    spread-scale   (mu_1, 1, mu_2, 0)     (0, 0, 2 e^{-2 u_2}, 0), the scale less the spread

f is the error of an effect size in units of the first standard deviation, which the second does not enter.
Damping, as natural gradient is run in practice, breaks the scale of the metric: (Lie G) = 2 kappa (1, 0, 1,
0).
Breaking: b = mu_1 / 2 + u_2 mu_2 / 4 + u_1^2 / 4.
Source: Rao (1945) for the metric; Glass (1976) for the effect size; Tanaka, Kunin (2021), Theorem 1.
"""

from noether.cases.case import DIAGONAL, Case, Metric, Symmetry, translation


def loss(q, xp):
    r = (q[0] - q[2]) * xp.exp(-q[1]) - 1
    return r * r / 2


def breaking(q, xp):
    return q[0] / 2 + q[3] * q[2] / 4 + q[1] * q[1] / 4


def fisher(q, kappa, xp):
    return [xp.exp(-2 * q[1]) + kappa, 2 + kappa, xp.exp(-2 * q[3]) + kappa, 2 + kappa]


MEANS = ((1, 0, 0, 0), (0, 0, 0, 0), (0, 0, 1, 0), (0, 0, 0, 0))

GAUSSIAN_FISHER = Case(
    name="gaussian-fisher",
    title="two Gaussians, Fisher metric: translation, scale, spread",
    source="Rao (1945); Glass (1976); Tanaka, Kunin (2021), Theorem 1",
    loss=loss,
    breaking=breaking,
    box=((0.25, 1.0), (-0.25, 0.5), (-1.0, -0.25), (-0.5, 0.25)),
    symmetries=(
        translation((1, 0, 1, 0)),
        Symmetry("scale", MEANS, (0, 1, 0, 1)),
        translation((0, 0, 0, 1), "spread"),
        Symmetry("spread-scale", MEANS, (0, 1, 0, 0)),
    ),
    pace=0.25,
    metric=Metric(DIAGONAL, entries=fisher),
)
