"""Attention with two heads of 16: queries and keys of both, eight tokens of 16 numbers, 1024 parameters.

S_h = X Q_h (X K_h)^T / 4,  A_h = softmax of the rows of S_h,  f = |sum_h A_h W_h - Y|^2 / (2 T)
invariant under (Q_h, K_h) -> (Q_h M, K_h M^-T) for each head:  rescale of either, a rotation in the first
breaking b = |first column block of Q_1|^2 / 2 + q_1 q_d

noether verify docs/examples/large/attention.py
"""

import numpy as np

from noether.cases.case import Case, linear

TOKENS, WIDTH, HEADS, INNER = 8, 16, 2, 16
EACH = WIDTH * INNER
D = 2 * HEADS * EACH
RANDOM = np.random.default_rng(7)
X = np.round(RANDOM.standard_normal((TOKENS, WIDTH)) * 16) / 16
W = np.round(RANDOM.standard_normal((HEADS, TOKENS, WIDTH)) * 8) / 8
Y = np.round(RANDOM.standard_normal((TOKENS, WIDTH)) * 8) / 8


def loss(q, xp):
    x, out = xp.constant(X), 0
    for h in range(HEADS):
        at = 2 * h * EACH
        Q, K = (xp.array(q[i : i + EACH], (WIDTH, INNER)) for i in (at, at + EACH))
        weights = xp.exp((x @ Q) @ (x @ K).T / 4)
        A = weights / xp.sum(weights, axis=1).reshape(TOKENS, 1)
        out = A @ xp.constant(W[h]) + out
    R = out - xp.constant(Y)
    return xp.sum(R * R) / (2 * TOKENS)


def breaking(q, xp):
    return xp.sum(xp.array(q[:WIDTH]) ** 2) / 2 + q[0] * q[D - 1]


def mixing(B, head, word):
    """xi(Q, K) = (Q B, -K B^T) in one head."""
    A = np.zeros((D, D))
    at = 2 * head * EACH
    A[at : at + EACH, at : at + EACH] = np.kron(np.eye(WIDTH), B.T)
    A[at + EACH : at + 2 * EACH, at + EACH : at + 2 * EACH] = np.kron(np.eye(WIDTH), -B)
    return linear(A, word)


ONE = np.zeros((INNER, INNER))
ONE[0, 1] = 1
ATTENTION = Case(
    name="attention-2x16",
    title="attention, two heads of 16",
    source="Vaswani et al. (2017), Eq. 1",
    loss=loss,
    breaking=breaking,
    box=((-0.25, 0.25),) * D,
    symmetries=(
        mixing(np.eye(INNER), 0, "rescale-first"),
        mixing(np.eye(INNER), 1, "rescale-second"),
        mixing(ONE - ONE.T, 0, "rotation"),
    ),
)
