"""Two-layer linear network U V^T: rescale and the general linear group.

    f(U, V) = |U V^T - Y|^2 / 2,   U, V in R^{2 x 2}      invariant under (U, V) -> (U M, V M^{-T})
    xi(U, V) = (U B, -V B^T) for any 2 x 2 matrix B

    B              symmetry           charge of gradient flow        momentum
    I              rescale            |U|^2 - |V|^2                  source m (|Udot|^2 - |Vdot|^2)
    symmetric      general-linear     <B, U^T U - V^T V>             source likewise
    antisymmetric  rotation (O(2))    none                           J decays without a source

q holds U row by row, then V.
Breaking: b = |U|^2 / 2 + V_22^2 / 4 + U_11 V_22 / 2.
Source: Tanaka, Kunin (2021), Table 1, rescale; Marcotte, Gribonval, Peyre (2023), section 3.
"""

import numpy as np

from cases.case import Case, linear

R = 2
TARGET = ((1.0, 0.25), (-0.5, 0.75))


def loss(q, xp):
    U, V = [q[0:2], q[2:4]], [q[4:6], q[6:8]]
    residuals = [sum(u * v for u, v in zip(U[i], V[j], strict=True)) - TARGET[i][j] for i in range(R) for j in range(R)]
    return sum(r * r for r in residuals) / 2


def breaking(q, xp):
    return sum(x * x for x in q[:4]) / 2 + q[7] * q[7] / 4 + q[0] * q[7] / 2


def mixing(B, name):
    """xi(U, V) = (U B, -V B^T) as a matrix on q."""
    B = np.array(B, dtype=float)
    rows = np.eye(R)
    A = np.block([[np.kron(rows, B.T), np.zeros((4, 4))], [np.zeros((4, 4)), np.kron(rows, -B)]])
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
