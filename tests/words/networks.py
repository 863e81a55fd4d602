"""Products and networks: rescalings, mixings of hidden units."""

from __future__ import annotations

import numpy as np

from words.statement import ONE_OF_EACH, PETALS, Words, dot, exp, log, norms

WORDS: dict[str, Words] = {}


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
