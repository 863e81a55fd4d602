"""Linear networks U V^T of 64, 256 and 1024 parameters, written with arrays.

f(U, V) = |U V^T - Y|^2 / (2 n),  U and V of n rows and r columns
invariant under (U, V) -> (U M, V M^-T):  rescale M = e^s, a mixing and a rotation of two hidden units
breaking b = |U|^2 / (2 n) + U_11 V_nr / 2

noether verify docs/examples/large/linear_network.py:D1024
"""

import numpy as np

from noether.cases.case import Case, linear

SIZES = {64: (4, 8), 256: (8, 16), 1024: (32, 16)}
TARGETS = {d: (np.arange(n * n).reshape(n, n) * 7 % 11 - 5) / 8.0 for d, (n, _) in SIZES.items()}


def error(q, xp, d):
    n, r = SIZES[d]
    R = xp.array(q[: n * r], (n, r)) @ xp.array(q[n * r :], (n, r)).T - xp.constant(TARGETS[d])
    return xp.sum(R * R) / (2 * n)


def pull(q, xp, d):
    n, r = SIZES[d]
    return xp.sum(xp.array(q[: n * r]) ** 2) / (2 * n) + q[0] * q[d - 1] / 2


def loss_64(q, xp):
    return error(q, xp, 64)


def breaking_64(q, xp):
    return pull(q, xp, 64)


def loss_256(q, xp):
    return error(q, xp, 256)


def breaking_256(q, xp):
    return pull(q, xp, 256)


def loss_1024(q, xp):
    return error(q, xp, 1024)


def breaking_1024(q, xp):
    return pull(q, xp, 1024)


def mixing(d, B, word):
    """xi(U, V) = (U B, -V B^T)."""
    n, _ = SIZES[d]
    first, second = np.diag([1.0] * n + [0.0] * n), np.diag([0.0] * n + [1.0] * n)
    return linear(np.kron(first, B.T) - np.kron(second, B), word)


def symmetries(d):
    _, r = SIZES[d]
    one = np.zeros((r, r))
    one[0, 1] = 1
    named = {"rescale": np.eye(r), "general-linear": one + one.T, "rotation": one - one.T}
    return tuple(mixing(d, B, word) for word, B in named.items())


def about(d):
    n, r = SIZES[d]
    title, source = f"linear network {n} x {r} x {n}", "Marcotte, Gribonval, Peyre (2023), section 3"
    return dict(title=title, source=source, box=((0.05, 0.5),) * d, symmetries=symmetries(d))


D64 = Case(name="linear-4-8-4", loss=loss_64, breaking=breaking_64, **about(64))
D256 = Case(name="linear-8-16-8", loss=loss_256, breaking=breaking_256, **about(256))
D1024 = Case(name="linear-32-16-32", loss=loss_1024, breaking=breaking_1024, **about(1024))
