"""Softmax, scale-invariant quotients and normalised networks."""

from __future__ import annotations

import numpy as np

from words.statement import (
    ONE_OF_EACH,
    PETAL,
    PETAL_WIDTH,
    PETALS,
    SCALE_CHARGE,
    SCALE_SOURCE,
    SCALED,
    SEPAL,
    WIDTH,
    Words,
    dot,
    exp,
    log,
    norms,
    sqrt,
    unit,
)

WORDS: dict[str, Words] = {}


# ---- softmax
def softmax_samples(q):
    W, y = q.reshape(3, 2), [0, 0, 1, 1, 2, 2]
    z = PETALS @ W.T
    return log(exp(z).sum(axis=1)) - z[np.arange(6), y]


WORDS["softmax"] = Words(
    says=(
        "f(W) = mean_s [ log sum_c exp(z_sc) - z_{s, y_s} ],   z_sc = <W_c, x_s>,   W in R^{3 x 2}",
        "xi(W) = 1_A, the indicator of column j",
        "euclidean    m sum_c dW_cj/dt        none",
        "Breaking: b = (W_00^2 + W_11^2 + W_00) / 2.",
        "units of 3.2 cm, width in units of 1.6 cm",
    ),
    f=lambda q: softmax_samples(q).mean(),
    b=lambda q: (q[0] ** 2 + q[3] ** 2 + q[0]) / 2,
    xi={"translation-0": lambda q: unit(6, 0, 2, 4), "translation-1": lambda q: unit(6, 1, 3, 5)},
    charge={"translation-0": lambda q, p, k: p[::2].sum(), "translation-1": lambda q, p, k: p[1::2].sum()},
    samples=softmax_samples,
)


# ---- scale-invariant quotients
def quotient(eigenvalues, neighbours):
    return lambda q: (dot(eigenvalues, q**2) + neighbours * dot(q[1:], q[:-1])) / dot(q, q)


def rayleigh(d):
    return quotient((1 + np.arange(1, d + 1)) / 4, 1 / 4)


for size in (8, 2, 16):
    WORDS["rayleigh" if size == 8 else f"rayleigh-{size}"] = Words(
        says=(
            "f(q) = (sum_i lambda_i q_i^2 + sum_i q_i q_{i+1} / 4) / |q|^2",
            "lambda_i = (1 + i) / 4, i from 1",
            "xi(q) = q",
            "euclidean    m <qdot, q>     m |qdot|^2",
            "Breaking: b = |q|^2 / 8 + q_1.",
        ),
        f=rayleigh(size),
        b=lambda q: dot(q, q) / 8 + q[0],
        xi=SCALED,
        ksb=SCALE_SOURCE,
        charge=SCALE_CHARGE,
    )
FOUR_WEIGHTS = np.array([1, 1 / 2, 1 / 4, 1 / 8])
WORDS["deformed-rayleigh"] = Words(
    says=(
        "f(q) = (sum_i lambda_i q_i^2) / |q|^2,  d = 4",
        "G(q) = diag(1 + kappa w_i q_i^2),  w = (1, 1/2, 1/4, 1/8),  lambda = (1/2, 1, 7/4, 5/2)",
        "xi(q) = q",
        "Lie derivative of G along xi:  (Lie_xi G)_i = 2 + 4 kappa w_i q_i^2",
        "Breaking: b = q_1 + q_2^2 / 4.",
    ),
    f=quotient(np.array([1 / 2, 1, 7 / 4, 5 / 2]), 0),
    b=lambda q: q[0] + q[1] ** 2 / 4,
    xi=SCALED,
    ksb={"scale": lambda q, p, k: dot(2 + 4 * k * FOUR_WEIGHTS * q**2, p**2) / 2},
    G=lambda q, k: 1 + k * FOUR_WEIGHTS * q**2,
)
WORDS["scale-covariant"] = Words(
    says=(
        "f(q) the Rayleigh quotient of d = 4 (cases/losses/rayleigh.py)",
        "G(q) = I / |q|^2 + kappa diag(w),  w = (1, 1/2, 1/4, 1/8)",
        "xi(q) = q",
        "2 kappa w_i                      source kappa m sum_i w_i qdot_i^2",
        "J = <G qdot, q> m",
        "Breaking: b = |q|^2 / 8 + q_1.",
    ),
    f=rayleigh(4),
    b=lambda q: dot(q, q) / 8 + q[0],
    xi=SCALED,
    ksb={"scale": lambda q, p, k: k * dot(FOUR_WEIGHTS, p**2)},
    charge={"scale": lambda q, p, k: dot(p, q) / norms(q) + k * dot(FOUR_WEIGHTS * p, q)},
    G=lambda q, k: 1 / norms(q) + k * FOUR_WEIGHTS,
)


# ---- normalisation
def batch(q, e):
    u = np.stack([WIDTH / 0.8, PETAL / 3.2], axis=1)[[0, 1, 4, 5]] @ q[:2] + q[2]
    return (u - u.mean()) / sqrt(u.var() + e)


def batch_loss(q, e=0.0):
    return ((q[3] * batch(q, e) - [-1, -1, 1, 1]) ** 2).mean() / 2


WORDS["batch-norm"] = Words(
    says=(
        "u_s = <w, x_s> + c,   z_s = (u_s - mean u) / sqrt(var u + e),   f = mean_s (gamma z_s - y_s)^2 / 2",
        "xi(q) = (w, 0, 0)  and  (0, 0, 1, 0)",
        "scale          m <wdot, w>     m |wdot|^2",
        "translation    m cdot          none",
        "Breaking: b = 2 (f_e - f_0) + c^2 / 2 with e = 1/4: at eps = 1/2 the loss is that of a layer with "
        "this eps",
        "sepal width in units of .8 cm and\npetal length in units of 3.2 cm",
        "y_s = -1, -1, 1, 1",
    ),
    f=batch_loss,
    b=lambda q: 2 * (batch_loss(q, 1 / 4) - batch_loss(q)) + q[2] ** 2 / 2,
    xi={"scale": lambda q: np.array([q[0], q[1], 0, 0]), "translation": lambda q: unit(4, 2)},
    ksb={"scale": lambda q, p, k: norms(p[:2])},
    charge={"scale": lambda q, p, k: dot(p[:2], q[:2]), "translation": lambda q, p, k: p[2]},
)
WORDS["batch-norm-epsilon"] = Words(
    says=(
        "u_s = <w, x_s> + c,   z_s = (u_s - mean u) / sqrt(var u + r^2),   f = mean_s (z_s - y_s)^2 / 2",
        "xi(q) = (w, 0, r)  and  (0, 0, 1, 0)",
        "scale          m (<wdot, w> + r rdot)   m (|wdot|^2 + rdot^2)",
        "translation    m cdot                   none",
        "Breaking: b = 2 (r^2 + w_1 + c r).",
    ),
    f=lambda q: ((batch(q, q[3] ** 2) - [-1, -1, 1, 1]) ** 2).mean() / 2,
    b=lambda q: 2 * (q[3] ** 2 + q[0] + q[2] * q[3]),
    xi={"scale": lambda q: np.array([q[0], q[1], 0, q[3]]), "translation": lambda q: unit(4, 2)},
    ksb={"scale": lambda q, p, k: norms(p[:2]) + p[3] ** 2},
    charge={"scale": lambda q, p, k: dot(p[:2], q[:2]) + q[3] * p[3], "translation": lambda q, p, k: p[2]},
)


def layer_loss(q):
    x = np.stack([(WIDTH - 3.35) / 0.2, (PETAL - 4) / 3.2], axis=1)[ONE_OF_EACH]
    z = x @ q.reshape(3, 2).T
    z = (z - z.mean(axis=1, keepdims=True)) / z.std(axis=1, keepdims=True)
    return -(z * (3 * np.eye(3) - 1)).sum(axis=1).mean() / 2


WORDS["layer-norm"] = Words(
    says=(
        "z_s = W x_s in R^3,   zhat_s = (z_s - mean z_s) / sqrt(var z_s),   f = -mean_s <zhat_s, t_s> / 2,  "
        " W in R^{3 x 2}",
        "xi(W) = W  and  1_A, the indicator of column j",
        "scale               m <Wdot, W>           m |Wdot|^2",
        "translation-j       m sum_c dW_cj/dt      none",
        "t_s is 2 where c is the species and -1 elsewhere",
        "x_s are sepal width less 3.35 cm in units of .2 cm, and petal length less 4 cm in units of 3.2 cm",
        "Breaking: b = |W|^2 / 8 + W_11 W_22 / 2.",
    ),
    f=layer_loss,
    b=lambda q: norms(q) / 8 + q[0] * q[3] / 2,
    xi=SCALED | WORDS["softmax"].xi,
    ksb=SCALE_SOURCE,
    charge=SCALE_CHARGE | WORDS["softmax"].charge,
)


def rms_loss(q):
    z = (PETALS[ONE_OF_EACH] - 1) @ q.reshape(2, 2).T
    return ((z / sqrt((z**2).mean(axis=1, keepdims=True)) - [[-1, -1], [1, -1], [1, 1]]) ** 2).sum(
        axis=1
    ).mean() / 2


WORDS["rms-norm"] = Words(
    says=(
        "z_s = W x_s in R^2,   zhat_s = z_s / sqrt(|z_s|^2 / 2),   f = mean_s |zhat_s - t_s|^2 / 2,   W in "
        "R^{2 x 2}",
        "xi(W) = W",
        "euclidean    m <Wdot, W>     m |Wdot|^2",
        "t_s = (-1, -1), (1, -1), (1, 1) for the three species; x_s are petal length and width less (1, 1)",
        "Breaking: b = |W|^2 / 8 + W_12.",
    ),
    f=rms_loss,
    b=lambda q: norms(q) / 8 + q[1],
    xi=SCALED,
    ksb=SCALE_SOURCE,
    charge=SCALE_CHARGE,
)


def weight_loss(q):
    x = np.stack([SEPAL, PETAL], axis=1) / 6.4
    return ((q[2] * (x @ q[:2]) / sqrt(norms(q[:2])) - PETAL_WIDTH / 3.2) ** 2).mean() / 2


WORDS["weight-norm"] = Words(
    says=(
        "f(v, g) = mean_s ( g <v, x_s> / |v| - y_s )^2 / 2,   v in R^2, g in R",
        "xi(v, g) = (v, 0)",
        "euclidean    m <vdot, v>      m |vdot|^2",
        "x_s are sepal and petal length in units of 6.4 cm, y_s is petal width in units of 3.2 cm",
        "Breaking: b = |v|^2 / 4 + g v_1 / 2.",
    ),
    f=weight_loss,
    b=lambda q: norms(q[:2]) / 4 + q[2] * q[0] / 2,
    xi={"scale": lambda q: np.array([q[0], q[1], 0])},
    ksb={"scale": lambda q, p, k: norms(p[:2])},
    charge={"scale": lambda q, p, k: dot(p[:2], q[:2])},
)
