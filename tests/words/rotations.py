"""Losses that rotations keep."""

from __future__ import annotations

import numpy as np

from words.statement import Words, dot, unit

WORDS: dict[str, Words] = {}


def turn(d, i, j):
    return lambda q: q[i] * unit(d, j) - q[j] * unit(d, i)


def momentum(i, j):
    return lambda q, p, k: q[i] * p[j] - q[j] * p[i]


def hat(q):
    return (dot(q, q) - 1) ** 2 / 4


HAT = (
    "f(q) = (|q|^2 - 1)^2 / 4                            invariant under SO(d)",
    "xi_ij(q) = q_i e_j - q_j e_i",
    "euclidean    m <qdot, xi(q)>   none",
    "Breaking: b = q_1 + q_{d-1} q_d / 2, which at d = 3 breaks all three rotations. At d = 8 there is a "
    "second term: sum_i i q_i^2 / 8.",
)
HAT_PAIRS = {
    2: {"rotation": (0, 1)},
    3: {f"rotation-{i}{j}": (i, j) for i, j in ((0, 1), (1, 2), (0, 2))},
    8: {f"rotation-{i}{i + 1}": (i, i + 1) for i in range(7)},
}
for size, pairs in HAT_PAIRS.items():
    WORDS["mexican-hat" if size == 3 else f"mexican-hat-{size}"] = Words(
        says=HAT,
        f=hat,
        b=lambda q, far=size > 4: q[0] + q[-2] * q[-1] / 2 + far * dot(np.arange(1, len(q) + 1), q**2) / 8,
        xi={name: turn(size, *at) for name, at in pairs.items()},
        charge={name: momentum(*at) for name, at in pairs.items()},
    )
HAT_WEIGHTS = np.array([1, 1 / 2, 1 / 4])
WORDS["deformed-hat"] = Words(
    says=(
        "f(q) = (|q|^2 - 1)^2 / 4,  d = 3",
        "G(q) = diag(1 + kappa w_i),  w = (1, 1/2, 1/4)",
        "xi_ij(q) = q_i e_j - q_j e_i",
        "kappa m (w_j - w_i) qdot_i qdot_j",
        "J = m <G qdot, xi>",
        "Breaking: b = q_1 + q_2 q_3 / 2.",
    ),
    f=hat,
    b=lambda q: q[0] + q[1] * q[2] / 2,
    xi={name: turn(3, *at) for name, at in HAT_PAIRS[3].items()},
    ksb={
        name: lambda q, p, k, i=i, j=j: k * (HAT_WEIGHTS[j] - HAT_WEIGHTS[i]) * p[i] * p[j]
        for name, (i, j) in HAT_PAIRS[3].items()
    },
    charge={
        name: lambda q, p, k, i=i, j=j: (
            q[i] * p[j] * (1 + k * HAT_WEIGHTS[j]) - q[j] * p[i] * (1 + k * HAT_WEIGHTS[i])
        )
        for name, (i, j) in HAT_PAIRS[3].items()
    },
    G=lambda q, k: 1 + k * HAT_WEIGHTS,
)
WORDS["coupled-vectors"] = Words(
    says=(
        "f(a, b) = (|a|^2 - 1)^2 / 4 + (|b|^2 - 1)^2 / 4 + <a, b> / 2,   a, b in R^3",
        "xi_ij(a, b) = (a_i e_j - a_j e_i, b_i e_j - b_j e_i)",
        "the total angular momentum, component ij  none",
        "Breaking: b = a_1 + b_2 b_3 / 2.",
    ),
    f=lambda q: hat(q[:3]) + hat(q[3:]) + dot(q[:3], q[3:]) / 2,
    b=lambda q: q[0] + q[4] * q[5] / 2,
    xi={
        name: lambda q, i=i, j=j: np.concatenate([turn(3, i, j)(q[:3]), turn(3, i, j)(q[3:])])
        for name, (i, j) in HAT_PAIRS[3].items()
    },
    charge={
        name: lambda q, p, k, i=i, j=j: (
            np.cross(q[:3], p[:3])[3 - i - j] * (1 if j == i + 1 else -1)
            + np.cross(q[3:], p[3:])[3 - i - j] * (1 if j == i + 1 else -1)
        )
        for name, (i, j) in HAT_PAIRS[3].items()
    },
)


def complexes(q):
    return q[0] + 1j * q[1], q[2] + 1j * q[3]


def phase_loss(q):
    z, w = complexes(q)
    return (abs(z) ** 2 - 1) ** 2 / 4 + (abs(w) ** 2 - 1) ** 2 / 4 - (z**2 * w.conjugate()).real / 2


def phase_turn(q):
    z, w = complexes(q)
    return np.array([(1j * z).real, (1j * z).imag, (2j * w).real, (2j * w).imag])


def phase_charge(q, p, k):
    (z, w), (zdot, wdot) = complexes(q), complexes(p)
    return (z.conjugate() * zdot + 2 * w.conjugate() * wdot).imag


WORDS["complex-phase"] = Words(
    says=(
        "f(z, w) = (|z|^2 - 1)^2 / 4 + (|w|^2 - 1)^2 / 4 - Re(z^2 wbar) / 2",
        "xi(z, w) = (i z, 2 i w)",
        "m Im(zbar zdot + 2 wbar wdot)     none",
        "Breaking: b = Re z + Im z Im w / 2.",
    ),
    f=phase_loss,
    b=lambda q: q[0] + q[1] * q[3] / 2,
    xi={"phase": phase_turn},
    charge={"phase": phase_charge},
)
WORDS["free-particle"] = Words(
    says=(
        "f(q) = q_3^2 / 2,   d = 3",
        "xi(q) = e_1,  e_2  and  q_1 e_2 - q_2 e_1",
        "the momentum m qdot_1       none",
        "the momentum m qdot_2       none",
        "m (q_1 qdot_2 - q_2 qdot_1) none",
        "Breaking: b = (q_1^2 + q_2 q_3) / 2 + q_2^2 / 4.",
    ),
    f=lambda q: q[2] ** 2 / 2,
    b=lambda q: (q[0] ** 2 + q[1] * q[2]) / 2 + q[1] ** 2 / 4,
    xi={
        "translation-1": lambda q: unit(3, 0),
        "translation-2": lambda q: unit(3, 1),
        "rotation-01": turn(3, 0, 1),
    },
    charge={
        "translation-1": lambda q, p, k: p[0],
        "translation-2": lambda q, p, k: p[1],
        "rotation-01": momentum(0, 1),
    },
)
