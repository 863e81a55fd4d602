"""Cases with a metric of their own: Bregman potentials and Fisher metrics."""

from __future__ import annotations

import numpy as np

from words.statement import SCALED, Words, dot, exp, log, unit

WORDS: dict[str, Words] = {}


def simplex_loss(q):
    p = np.array([[8, 2, 1], [3, 6, 3], [1, 2, 12], [2, 5, 4]]) / 16
    return log(q.sum()) - log(p[:, [0, 0, 1, 1, 2]] @ q).mean()


WORDS["entropy-mirror"] = Words(
    says=(
        "f(q) = (sum_i c_i q_i^2 + q_1 q_2) / (sum_i q_i)^2,  d = 4,  q > 0",
        "h(q) = sum_i q_i log q_i - q_i                                          grad h = log q",
        "c = (1/2, 1, 3/2, 2);   xi(q) = q",
        "Breaking: b = q_1 + q_2 q_3 / 2.",
    ),
    f=lambda q: (dot([1 / 2, 1, 3 / 2, 2], q**2) + q[0] * q[1]) / q.sum() ** 2,
    b=lambda q: q[0] + q[1] * q[2] / 2,
    xi=SCALED,
    dh=log,
)
WORDS["entropy-simplex"] = Words(
    says=(
        "f(q) = log(sum_i q_i) - mean_s log( sum_i q_i p_i(s) ),   d = 5, q > 0, p_1 = p_2 and p_3 = p_4",
        "h(q) = sum_i q_i log q_i - q_i                                          grad h = log q",
        "invariant under q -> q + s (e_1 - e_2) and q -> q + s (e_3 - e_4)",
        "p(s) = (8, 2, 1), (3, 6, 3), (1, 2, 12), (2, 5, 4) sixteenths under the pair 1-2, the pair 3-4 and "
        "5.",
        "Breaking: b = q_1^2 + q_3 q_4 / 2 + q_3.",
    ),
    f=simplex_loss,
    b=lambda q: q[0] ** 2 + q[2] * q[3] / 2 + q[2],
    xi={
        "translation-12": lambda q: unit(5, 0) - unit(5, 1),
        "translation-34": lambda q: unit(5, 2) - unit(5, 3),
    },
    dh=log,
)
WORDS["power-mirror"] = Words(
    says=(
        "f(q) = (sum_i c_i q_i^2 + q_1 q_2 / 2) / (sum_i q_i)^2,  d = 3,  q > 0",
        "h(q) = sum_i q_i^p / p,  p = 3                                          grad h = q^2, hess h = 2 q",
        "c = (1/2, 1, 2);   xi(q) = q",
        "Breaking: b = q_1 / 2 + q_2 q_3 / 8.",
    ),
    f=lambda q: (dot([1 / 2, 1, 2], q**2) + q[0] * q[1] / 2) / q.sum() ** 2,
    b=lambda q: q[0] / 2 + q[1] * q[2] / 8,
    xi=SCALED,
    dh=lambda q: q**2,
)


def gaussian_metric(q, k):
    return np.array([exp(-2 * q[1]), 2, exp(-2 * q[3]), 2]) + k


def damping(q, p, k):
    return k * (p[0] ** 2 + p[2] ** 2)


WORDS["gaussian-fisher"] = Words(
    says=(
        "f(q) = ( (mu_1 - mu_2) e^{-u_1} - 1 )^2 / 2,   q = (mu_1, u_1, mu_2, u_2),  u = log sigma",
        "G(q) = diag(e^{-2 u_1}, 2, e^{-2 u_2}, 2) + kappa I",
        "translation    (1, 0, 1, 0)           zero",
        "scale          (mu_1, 1, mu_2, 1)     zero",
        "spread         (0, 0, 0, 1)           (0, 0, -2 e^{-2 u_2}, 0)",
        "spread-scale   (mu_1, 1, mu_2, 0)     (0, 0, 2 e^{-2 u_2}, 0)",
        "(Lie G) = 2 kappa (1, 0, 1, 0)",
        "Breaking: b = mu_1 / 2 + u_2 mu_2 / 4 + u_1^2 / 4.",
    ),
    f=lambda q: ((q[0] - q[2]) / exp(q[1]) - 1) ** 2 / 2,
    b=lambda q: q[0] / 2 + q[3] * q[2] / 4 + q[1] ** 2 / 4,
    xi={
        "translation": lambda q: unit(4, 0, 2),
        "scale": lambda q: np.array([q[0], 1, q[2], 1]),
        "spread": lambda q: unit(4, 3),
        "spread-scale": lambda q: np.array([q[0], 1, q[2], 0]),
    },
    ksb={
        "scale": damping,
        "spread": lambda q, p, k: -exp(-2 * q[3]) * p[2] ** 2,
        "spread-scale": lambda q, p, k: exp(-2 * q[3]) * p[2] ** 2 + damping(q, p, k),
    },
    G=gaussian_metric,
)
WORDS["categorical-fisher"] = Words(
    says=(
        "f(q) = log(sum_i q_i) - sum_i p_i log q_i,   d = 4, q > 0",
        "G(q) = diag(1 / q_i) + kappa I",
        "xi(q) = q",
        "Lie derivative of G along xi:  1 / q_i + 2 kappa",
        "against p = (1, 2, 4, 1) / 8",
        "Breaking: b = q_1 + q_2 q_3 / 4.",
    ),
    f=lambda q: log(q.sum()) - dot([1 / 8, 2 / 8, 4 / 8, 1 / 8], log(q)),
    b=lambda q: q[0] + q[1] * q[2] / 4,
    xi=SCALED,
    ksb={"scale": lambda q, p, k: dot(1 / q + 2 * k, p**2) / 2},
    charge={"scale": lambda q, p, k: p.sum() + k * dot(p, q)},
    G=lambda q, k: 1 / q + k,
)
