"""What each case of the catalogue says of itself, a second time: vectors and matrices where the case has
loops.

A `Words` quotes the lines of the case's docstring that state its loss, breaking, generators and metric, and
says each as a function of numpy arrays. Nothing is imported from cases/, data included. q is a vector of d, p
a velocity.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

# Fisher (1936), samples 1, 2, 51, 52, 101, 102, in cm: sepal length and width, petal length and width.
IRISES = np.array(
    [
        [5.1, 3.5, 1.4, 0.2],
        [4.9, 3.0, 1.4, 0.2],
        [7.0, 3.2, 4.7, 1.4],
        [6.4, 3.2, 4.5, 1.5],
        [6.3, 3.3, 6.0, 2.5],
        [5.8, 2.7, 5.1, 1.9],
    ]
)
SEPAL, WIDTH, PETAL, PETAL_WIDTH = IRISES.T
PETALS = np.stack([PETAL / 3.2, PETAL_WIDTH / 1.6], axis=1)
ONE_OF_EACH = [0, 2, 4]
log, exp, sqrt, dot = np.log, np.exp, np.sqrt, np.dot


@dataclass(frozen=True)
class Words:
    """says: what must stand in the docstring, word for word. f, b: of q. xi: name -> vector of q.

    ksb     name -> d_s T / m of (q, p, kappa); where it is left out none, a Killing field
    charge  name -> J / m of (q, p, kappa), where the docstring's table has it
    flow    name -> the charge of gradient flow, of q
    G       entries of the metric, of (q, kappa); dh  the gradient of a Bregman potential
    samples losses of single samples; kinks  arguments of every step
    """

    says: tuple[str, ...]
    f: Callable
    b: Callable
    xi: dict[str, Callable]
    ksb: dict[str, Callable] = field(default_factory=dict)
    charge: dict[str, Callable] = field(default_factory=dict)
    flow: dict[str, Callable] = field(default_factory=dict)
    G: Callable | None = None
    dh: Callable | None = None
    samples: Callable | None = None
    kinks: Callable | None = None


def unit(d: int, *at: int) -> np.ndarray:
    e = np.zeros(d)
    e[list(at)] = 1
    return e


def identity(q):
    return q


def norms(p):
    return dot(p, p)


# ---- softmax


def softmax_samples(q):
    W, y = q.reshape(3, 2), [0, 0, 1, 1, 2, 2]
    z = PETALS @ W.T
    return log(exp(z).sum(axis=1)) - z[np.arange(6), y]


WORDS: dict[str, Words] = {}
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


SCALED = {"scale": identity}
SCALE_SOURCE = {"scale": lambda q, p, k: norms(p)}
SCALE_CHARGE = {"scale": lambda q, p, k: dot(p, q)}
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


# ---- rotations


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
    "Breaking: b = q_1 + q_{d-1} q_d / 2, which at d = 3 breaks all three rotations; beyond d = 4 sum_i i "
    "q_i^2 / 8 besides.",
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


# ---- products and networks

WORDS["product"] = Words(
    says=(
        "f(u, v) = (u v - 1)^2 / 2",
        "xi(u, v) = (u, -v)",
        "euclidean    m (u udot - v vdot)          m (udot^2 - vdot^2)",
        "gradient flow keeps u^2 - v^2",
        "Breaking: b = u + v^2 / 4.",
    ),
    f=lambda q: (np.prod(q) - 1) ** 2 / 2,
    b=lambda q: q[0] + q[1] ** 2 / 4,
    xi={"rescale": lambda q: np.array([q[0], -q[1]])},
    ksb={"rescale": lambda q, p, k: p[0] ** 2 - p[1] ** 2},
    charge={"rescale": lambda q, p, k: q[0] * p[0] - q[1] * p[1]},
    flow={"rescale": lambda q: q[0] ** 2 - q[1] ** 2},
)


def E(r, i, j):
    out = np.zeros((r, r))
    out[i - 1, j - 1] = 1
    return out


def mixers(r):
    """The matrices B that are declared for r columns."""
    out = {"rescale": np.eye(r)}
    if r > 1:
        out["general-linear"] = E(r, 1, 2) + E(r, 2, 1)
        out |= {
            "rotation" if r == 2 else f"rotation-{i}{i + 1}": E(r, i, i + 1) - E(r, i + 1, i)
            for i in range(1, r)
        }
    return out


def factored(n, m, r, says, f, second_transposed=False):
    """(U, V) -> (U M, V M^-T), U n x r, V m x r, or, transposed, (V M, M^-1 O): xi, source and charge of
    gradient flow of each B."""

    def split(q):
        U, V = q[: n * r].reshape(n, r), q[n * r :]
        return (U, V.reshape(r, m).T) if second_transposed else (U, V.reshape(m, r))

    def generator(B):
        def xi(q):
            U, V = split(q)
            second = -V @ B.T
            return np.concatenate([(U @ B).ravel(), (second.T if second_transposed else second).ravel()])

        return xi

    def pairing(B):
        def charge(q):
            U, V = split(q)
            return np.trace(B.T @ (U.T @ U - V.T @ V))

        return charge

    even = {name: B for name, B in mixers(r).items() if (B == B.T).all()}
    return Words(
        says=says,
        f=lambda q: f(*split(q)),
        b=lambda q: norms(q[: n * r]) / 2 + q[-1] ** 2 / 4 + q[0] * q[-1] / 2,
        xi={name: generator(B) for name, B in mixers(r).items()},
        ksb={name: lambda q, p, k, B=B: pairing(B)(p) for name, B in even.items()},
        flow={name: pairing(B) for name, B in even.items()},
    )


TARGET = np.array([[1, 1 / 4], [-1 / 2, 3 / 4]])
LINEAR = (
    "f(U, V) = |U V^T - Y|^2 / 2,   U in R^{n x r}, V in R^{l x r}",
    "xi(U, V) = (U B, -V B^T) for any r x r matrix B;   Y = ((1, 1/4), (-1/2, 3/4)), of l = 1 its first "
    "column",
    "I              rescale            |U|^2 - |V|^2                  source m (|Udot|^2 - |Vdot|^2)",
    "E_12 + E_21    general-linear     <B, U^T U - V^T V>             source m <B, Udot^T Udot - Vdot^T "
    "Vdot>",
    "Breaking: b = |U|^2 / 2 + v^2 / 4 + U_11 v / 2, v the last entry of V.",
)
for name, (n, m, r) in {
    "linear-network": (2, 2, 2),
    "linear-network-1": (2, 2, 1),
    "linear-network-3": (2, 1, 3),
}.items():
    said = f"{n} x {r}, {m} x {r}"
    WORDS[name] = factored(
        n, m, r, (*LINEAR, said), lambda U, V: ((U @ V.T - TARGET[:, : len(V)]) ** 2).sum() / 2
    )


def qk_loss(Q, K):
    x, y = PETALS[ONE_OF_EACH] - 1, np.array([-1, 0, 1])
    weights = exp(x @ Q @ K.T @ x.T)
    return ((((weights / weights.sum(axis=1, keepdims=True)) @ y)[:2] - 1) ** 2).sum() / 2


WORDS["attention-qk"] = factored(
    2,
    2,
    2,
    (
        "s_ij = x_i^T Q K^T x_j,   p_i = softmax_j s_ij,   f = sum_i ( sum_j p_ij y_j - t_i )^2 / 2",
        "xi(Q, K) = (Q B, -K B^T) for any 2 x 2 matrix B",
        "I              rescale            |Q|^2 - |K|^2                  source m (|Qdot|^2 - |Kdot|^2)",
        "E_12 + E_21    general-linear     <B, Q^T Q - K^T K>",
        "y_j = -1, 0, 1 their values; each query of the first two must\nfind the third, t = 1",
        "Breaking: b = |Q|^2 / 2 + K_22^2 / 4 + Q_11 K_22 / 2.",
    ),
    qk_loss,
)


def vo_loss(V, O):
    x, t = PETALS[[0, 2, 4, 1]] - 1, np.array([-1, 1, 1, -1])
    h = np.round(128 * np.cumsum(x, axis=0) / np.arange(1, 5)[:, None]) / 128
    return log(1 + exp(-t * (h @ V @ O @ np.array([1, -1 / 2])))).sum() / 2


WORDS["attention-vo"] = factored(
    2,
    2,
    2,
    (
        "h_i = sum_j P_ij x_j,   z_i = h_i^T V O c,   f = sum_i log(1 + exp(-t_i z_i)) / 2,",
        "xi(V, O) = (V B, -B O) for any 2 x 2 matrix B",
        "to the nearest 128th. c = (1, -1/2)",
        "I              rescale            |V|^2 - |O|^2                  source m (|Vdot|^2 - |Odot|^2)",
        "E_12 + E_21    general-linear     <B, V^T V - O O^T>",
        "t_i = -1, 1, 1, -1",
        "Breaking: b = |V|^2 / 2 + O_22^2 / 4 + V_11 O_22 / 2.",
    ),
    lambda V, OT: vo_loss(V, OT.T),
    second_transposed=True,
)


def per_unit(d, weights):
    """One diagonal generator per hidden unit of three parameters, its source, its charge of gradient flow."""
    at = {
        f"rescale-{j}": np.concatenate([(j == i) * np.array(weights) for i in range(d // 3)])
        for j in range(d // 3)
    }
    return dict(
        xi={n: lambda q, w=w: w * q for n, w in at.items()},
        ksb={n: lambda q, p, k, w=w: dot(w, p**2) for n, w in at.items()},
        charge={n: lambda q, p, k, w=w: dot(w * q, p) for n, w in at.items()},
        flow={n: lambda q, w=w: dot(w, q**2) for n, w in at.items()},
    )


def quadratic_loss(q):
    x = np.array([[1, 1], [1, -1], [1, 1 / 2], [1 / 2, 1]])
    units = q.reshape(2, 3)
    return (((x @ units[:, :2].T) ** 2 @ units[:, 2] - x.prod(axis=1)) ** 2).mean() / 2


WORDS["quadratic-network"] = Words(
    (
        "f = mean_s ( sum_j a_j <w_j, x_s>^2 - y_s )^2 / 2,   j = 1, 2,   w_j in R^2",
        "xi_j(q) = (w_j, -2 a_j) in the places of unit j",
        "y = x_1 x_2 on (1, 1), (1, -1), (1, 1/2), (1/2, 1)",
        "euclidean    m (<wdot, w> - 2 adot a)     m (|wdot|^2 - 2 adot^2)          |w|^2 - 2 a^2",
        "Breaking: b = |w_1|^2 / 4 + a_1 a_2 / 2 + w_21.",
    ),
    quadratic_loss,
    lambda q: norms(q[:2]) / 4 + q[2] * q[5] / 2 + q[3],
    **per_unit(6, (1, 1, -2)),
)
LEAKY_X = np.array([-3 / 2, -1, 1, 3 / 2])


def leaky_arguments(q):
    return np.outer(q[[0, 3]], LEAKY_X) + q[[1, 4]][:, None]


def leaky_loss(q):
    u = leaky_arguments(q)
    return ((q[[2, 5]] @ np.maximum(u, u / 4) - abs(LEAKY_X)) ** 2).mean() / 2


WORDS["leaky-network"] = Words(
    (
        "f = mean_s ( sum_j a_j phi(w_j x_s + c_j) - y_s )^2 / 2,   phi(u) = u where u > 0, else u / 4;   j "
        "= 1, 2",
        "xi_j(q) = (w_j, c_j, -a_j) in the places of unit j",
        "m (wdot w + cdot c - adot a)           m (wdot^2 + cdot^2 - adot^2)        w^2 + c^2 - a^2",
        "y = |x| on x = -3/2, -1, 1, 3/2",
        "Breaking: b = w_1^2 / 4 + a_1 a_2 / 2 + c_2.",
    ),
    leaky_loss,
    lambda q: q[0] ** 2 / 4 + q[2] * q[5] / 2 + q[4],
    kinks=lambda q: leaky_arguments(q).ravel(),
    **per_unit(6, (1, 1, -1)),
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


# ---- other metrics


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
