"""Two coupled vectors: one rotation turns both, so(3).

    f(a, b) = (|a|^2 - 1)^2 / 4 + (|b|^2 - 1)^2 / 4 + <a, b> / 2,   a, b in R^3
    invariant under (a, b) -> (R a, R b), R in SO(3), but not under a rotation of one of them
    xi_ij(a, b) = (a_i e_j - a_j e_i, b_i e_j - b_j e_i)

    metric       charge J                                  kinetic symmetry breaking
    euclidean    the total angular momentum, component ij  none: xi is a Killing field

The two angular momenta exchange: each alone is no charge, their sum decays as beta^n.
Breaking: b = a_1 + b_2 b_3 / 2.
Source: Tanaka, Kunin (2021), Table 1, rotation; the loss is two spins, derived here.
"""

import numpy as np

from noether.cases.case import Case, linear, rotation


def loss(q, xp):
    a, b = q[:3], q[3:]
    r, s = sum(x * x for x in a) - 1, sum(x * x for x in b) - 1
    return (r * r + s * s) / 4 + sum(x * y for x, y in zip(a, b, strict=True)) / 2


def breaking(q, xp):
    return q[0] + q[4] * q[5] / 2


def both(i: int, j: int):
    """xi_ij"""
    turn = rotation(3, i, j)
    return linear(np.kron(np.eye(2), turn.matrix), turn.name)


COUPLED_VECTORS = Case(
    name="coupled-vectors",
    title="two coupled vectors of R^3: joint rotation, so(3)",
    source="Tanaka, Kunin (2021), Table 1; derived here",
    loss=loss,
    breaking=breaking,
    box=((0.25, 0.875), (-0.875, -0.25), (0.25, 0.875), (-0.25, 0.5), (0.25, 0.875), (-0.875, -0.25)),
    pace=1.0,
    symmetries=(both(0, 1), both(1, 2), both(0, 2)),
)
