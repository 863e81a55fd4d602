"""Two-layer network with quadratic activation: one rescale per hidden unit.

    f = mean_s ( sum_j a_j <w_j, x_s>^2 - y_s )^2 / 2,   j = 1, 2,   w_j in R^2
    q = (w_1, a_1, w_2, a_2);   invariant under (w_j, a_j) -> (e^s w_j, e^-2s a_j) for each unit
    xi_j(q) = (w_j, -2 a_j) in the places of unit j

    metric       charge J                     kinetic symmetry breaking        charge of gradient flow
    euclidean    m (<wdot, w> - 2 adot a)     m (|wdot|^2 - 2 adot^2)          |w|^2 - 2 a^2

y = x_1 x_2 on (1, 1), (1, -1), (1, 1/2), (1/2, 1), among them the two of exclusive or: a quadratic form with
one eigenvalue of each sign.
Breaking: b = |w_1|^2 / 4 + a_1 a_2 / 2 + w_21.
Source: Marcotte, Gribonval, Peyre (2023), section 3, homogeneous activations; data by the formula.
"""

import numpy as np

from noether.cases.case import Case, linear

POINTS = ((1, 1), (1, -1), (1, 0.5), (0.5, 1))


def loss(q, xp):
    total = 0
    for x, y in POINTS:
        first, second = q[0] * x + q[1] * y, q[3] * x + q[4] * y
        r = q[2] * (first * first) + q[5] * (second * second) - x * y
        total = total + r * r
    return total / (2 * len(POINTS))


def breaking(q, xp):
    return (q[0] * q[0] + q[1] * q[1]) / 4 + q[2] * q[5] / 2 + q[3]


def rescale(unit: int):
    """xi_j"""
    weights = np.zeros(6)
    weights[3 * unit : 3 * unit + 3] = 1, 1, -2
    return linear(np.diag(weights), f"rescale-{unit}")


QUADRATIC_NETWORK = Case(
    name="quadratic-network",
    title="two units with quadratic activation: a rescale per unit",
    source="Marcotte, Gribonval, Peyre (2023), section 3",
    loss=loss,
    breaking=breaking,
    box=((0.25, 0.75), (0.25, 0.75), (0.25, 0.75), (0.25, 0.75), (-0.75, -0.25), (-0.75, -0.25)),
    pace=0.25,
    symmetries=(rescale(0), rescale(1)),
)
