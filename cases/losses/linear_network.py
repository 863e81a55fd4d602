"""Two-layer linear network U V^T: rescale and the general linear group.

    f(U, V) = |U V^T - Y|^2 / 2,   U in R^{n x r}, V in R^{l x r}
    invariant under (U, V) -> (U M, V M^{-T})
    xi(U, V) = (U B, -V B^T) for any r x r matrix B;   Y = ((1, 1/4), (-1/2, 3/4)), of l = 1 its first column

    B              symmetry           charge of gradient flow        momentum
    I              rescale            |U|^2 - |V|^2                  source m (|Udot|^2 - |Vdot|^2)
    E_12 + E_21    general-linear     <B, U^T U - V^T V>             source m <B, Udot^T Udot - Vdot^T Vdot>
    E_ij - E_ji    rotation (O(r))    none                           J decays without a source

    name               n x r, l x r      symmetries declared
    linear-network     2 x 2, 2 x 2      rescale, general-linear, rotation
    linear-network-1   2 x 1, 2 x 1      rescale; U V^T has rank 1 and cannot reach Y
    linear-network-3   2 x 3, 1 x 3      rescale, general-linear, two rotations: more columns than rows

q holds U row by row, then V.
Breaking: b = |U|^2 / 2 + v^2 / 4 + U_11 v / 2, v the last entry of V.
Source: Tanaka, Kunin (2021), Table 1, rescale; Marcotte, Gribonval, Peyre (2023), section 3.
"""

import numpy as np

from noether.cases.case import Case, linear

R = 2
TARGET = ((1.0, 0.25), (-0.5, 0.75))
COLUMN = ((1.0,), (-0.5,))


def squared_error(q, r, target):
    """|U V^T - Y|^2 / 2"""
    n, m = len(target), len(target[0])
    U, V = [q[i * r : (i + 1) * r] for i in range(n)], [q[(n + j) * r : (n + j + 1) * r] for j in range(m)]
    residuals = [
        sum(u * v for u, v in zip(U[i], V[j], strict=True)) - target[i][j] for i in range(n) for j in range(m)
    ]
    return sum(r * r for r in residuals) / 2


def pull(q, count):
    """b, U has `count` entries."""
    return sum(x * x for x in q[:count]) / 2 + q[-1] * q[-1] / 4 + q[0] * q[-1] / 2


def loss(q, xp):
    return squared_error(q, R, TARGET)


def breaking(q, xp):
    return pull(q, 4)


def loss_1(q, xp):
    return squared_error(q, 1, TARGET)


def breaking_1(q, xp):
    return pull(q, 2)


def loss_3(q, xp):
    return squared_error(q, 3, COLUMN)


def breaking_3(q, xp):
    return pull(q, 6)


def mixing(B, name, n=2, m=2):
    """xi(U, V) = (U B, -V B^T) as a matrix on q; U has n rows, V has m."""
    B = np.array(B, dtype=float)
    r = len(B)
    A = np.block(
        [
            [np.kron(np.eye(n), B.T), np.zeros((n * r, m * r))],
            [np.zeros((m * r, n * r)), np.kron(np.eye(m), -B)],
        ]
    )
    return linear(A, name)


LINEAR_NETWORK = Case(
    name="linear-network",
    title="two-layer linear network U V^T, 2 x 2: rescale, GL(2), O(2)",
    source="Tanaka, Kunin (2021), Table 1; Marcotte et al. (2023)",
    loss=loss,
    breaking=breaking,
    box=((0.25, 1.0), (-0.75, 0.25)) * 4,
    pace=0.25,
    symmetries=(
        mixing([[1, 0], [0, 1]], "rescale"),
        mixing([[0, 1], [1, 0]], "general-linear"),
        mixing([[0, 1], [-1, 0]], "rotation"),
    ),
)

LINEAR_NETWORK_1 = Case(
    name="linear-network-1",
    title="two-layer linear network U V^T, r = 1: rescale",
    source="Tanaka, Kunin (2021), Table 1; Marcotte et al. (2023)",
    loss=loss_1,
    breaking=breaking_1,
    box=((0.25, 1.0), (-0.75, 0.25)) * 2,
    pace=0.25,
    symmetries=(mixing([[1]], "rescale"),),
)

LINEAR_NETWORK_3 = Case(
    name="linear-network-3",
    title="two-layer linear network U V^T, 2 x 3 and 1 x 3: rescale, GL(3), O(3)",
    source="Tanaka, Kunin (2021), Table 1; Marcotte et al. (2023)",
    loss=loss_3,
    breaking=breaking_3,
    box=((0.25, 1.0), (-0.75, 0.25), (0.25, 0.75)) * 3,
    pace=0.25,
    symmetries=(
        mixing(np.eye(3), "rescale", 2, 1),
        mixing([[0, 1, 0], [1, 0, 0], [0, 0, 0]], "general-linear", 2, 1),
        mixing([[0, 1, 0], [-1, 0, 0], [0, 0, 0]], "rotation-12", 2, 1),
        mixing([[0, 0, 0], [0, 0, 1], [0, -1, 0]], "rotation-23", 2, 1),
    ),
)
