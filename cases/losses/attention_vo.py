"""Attention values and output, V O, behind a frozen pattern: the other general linear group of a head.

    h_i = sum_j P_ij x_j,   z_i = h_i^T V O c,   f = sum_i log(1 + exp(-t_i z_i)) / 2,   V, O in R^{2 x 2}
    invariant under (V, O) -> (V M, M^{-1} O);   xi(V, O) = (V B, -B O) for any 2 x 2 matrix B

    B              symmetry           charge of gradient flow        momentum
    I              rescale            |V|^2 - |O|^2                  source m (|Vdot|^2 - |Odot|^2)
    E_12 + E_21    general-linear     <B, V^T V - O O^T>             source m <B, Vdot^T Vdot - Odot Odot^T>
    E_12 - E_21    rotation (O(2))    none                           J decays without a source

P is causal and uniform: token i reads the mean of the tokens up to it, to the nearest 128th. c = (1, -1/2)
reads the output out.
q holds V row by row, then O row by row. Tokens are four irises (petals, centred at (1, 1)), t_i = -1, 1, 1,
-1.
Breaking: b = |V|^2 / 2 + O_22^2 / 4 + V_11 O_22 / 2.
Source: Vaswani et al. (2017), section 3.2; Marcotte, Gribonval, Peyre (2023). Data: Fisher (1936).
"""

import numpy as np

from noether.cases.case import Case, linear
from noether.cases.losses.irises import CENTRED
from noether.cases.losses.linear_network import breaking

TOKENS = (CENTRED[0], CENTRED[2], CENTRED[4], CENTRED[1])
SIGNS = (-1, 1, 1, -1)
# Means of 1, 2, 3, 4 tokens, in units of 1/128: binary fractions.
READ = tuple(
    tuple(round(128 * sum(x[j] for x in TOKENS[: i + 1]) / (i + 1)) / 128 for j in range(2)) for i in range(4)
)


def loss(q, xp):
    V, O = [q[0:2], q[2:4]], [q[4:6], q[6:8]]
    out = [row[0] - row[1] / 2 for row in O]
    reader = [sum(v * o for v, o in zip(row, out, strict=True)) for row in V]
    total = 0
    for h, t in zip(READ, SIGNS, strict=True):
        z = reader[0] * (-t * h[0]) + reader[1] * (-t * h[1])
        total = total + xp.log(1 + xp.exp(z))
    return total / 2


def mixing(B, name):
    """xi(V, O) = (V B, -B O) as a matrix on q."""
    B, rows, none = np.array(B, dtype=float), np.eye(2), np.zeros((4, 4))
    return linear(np.block([[np.kron(rows, B.T), none], [none, -np.kron(B, rows)]]), name)


ATTENTION_VO = Case(
    name="attention-vo",
    title="attention values and output V O, 2 x 2, four irises: rescale, GL(2), O(2)",
    source="Vaswani et al. (2017); Marcotte et al. (2023)",
    loss=loss,
    breaking=breaking,
    box=((0.25, 1.0), (-0.75, 0.25)) * 4,
    pace=1.0,
    symmetries=(
        mixing([[1, 0], [0, 1]], "rescale"),
        mixing([[0, 1], [1, 0]], "general-linear"),
        mixing([[0, 1], [-1, 0]], "rotation"),
    ),
)
