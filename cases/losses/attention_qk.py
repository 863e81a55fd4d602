"""Attention scores x Q K^T x: the general linear group of the head.

    s_ij = x_i^T Q K^T x_j,   p_i = softmax_j s_ij,   f = sum_i ( sum_j p_ij y_j - t_i )^2 / 2,
    Q, K in R^{2 x 2}
    invariant under (Q, K) -> (Q M, K M^{-T});   xi(Q, K) = (Q B, -K B^T) for any 2 x 2 matrix B

    B              symmetry           charge of gradient flow        momentum
    I              rescale            |Q|^2 - |K|^2                  source m (|Qdot|^2 - |Kdot|^2)
    E_12 + E_21    general-linear     <B, Q^T Q - K^T K>             source m <B, Qdot^T Qdot - Kdot^T Kdot>
    E_12 - E_21    rotation (O(2))    none                           J decays without a source

q holds Q row by row, then K. Scores are differences to key 1, which is exact for a softmax and keeps exp in
range. Tokens are three irises (petals, centred at (1, 1)); y_j = -1, 0, 1 their values; each query of the
first two must find the third, t = 1.
Breaking: b = |Q|^2 / 2 + K_22^2 / 4 + Q_11 K_22 / 2.
Source: Vaswani et al. (2017), Eq. 1; Marcotte, Gribonval, Peyre (2023). Data: Fisher (1936).
"""

from noether.cases.case import Case
from noether.cases.losses.irises import CENTRED
from noether.cases.losses.linear_network import breaking, mixing

TOKENS = CENTRED[::2]
VALUES = (-1, 0, 1)


def loss(q, xp):
    Q, K = [q[0:2], q[2:4]], [q[4:6], q[6:8]]
    project = lambda M, x: [M[0][r] * x[0] + M[1][r] * x[1] for r in range(2)]
    keys = [project(K, x) for x in TOKENS]
    total = 0
    for x in TOKENS[:2]:
        query = project(Q, x)
        s = [query[0] * (k[0] - keys[0][0]) + query[1] * (k[1] - keys[0][1]) for k in keys[1:]]
        p = [xp.exp(x) for x in s]
        found = (VALUES[0] + sum(y * x for y, x in zip(VALUES[1:], p, strict=True) if y)) / (1 + sum(p))
        total = total + (found - 1) ** 2
    return total / 2


ATTENTION_QK = Case(
    name="attention-qk",
    title="attention scores x Q K^T x, 2 x 2, three irises: rescale, GL(2), O(2)",
    source="Vaswani et al. (2017), Eq. 1; Marcotte et al. (2023)",
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
