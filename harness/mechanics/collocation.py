"""A solver of differential equations: Radau IIA collocation with s stages, of order 2s - 1.

    X_i = x_0 + h sum_j a_ij F(X_j),   x_1 = X_s   (c_s = 1: stiffly accurate, L-stable)          (1)

The second method beside SciPy's: another family, another order, another step choice, lanes in one batch, each
with its own times. The Jacobian is exact to rounding (complex step), so no formula of it can be wrong twice.
Source: Hairer, Wanner, Solving Ordinary Differential Equations II (1996), section IV.5.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.polynomial import legendre

STEP = 1e-30  # of the complex step: its square is 0 beside 1, so the derivative has no truncation error
ITERATIONS, REPEATS, HALVINGS = 30, 60, 6
LOST = 1e6  # times the state: no iteration comes back from there to a solution that was meant


@cache
def radau(stages: int) -> tuple[np.ndarray, np.ndarray]:
    """The c (s,) and A (s, s) of (1): c are the zeros of P_s - P_{s-1} on [0, 1], A integrates polynomials
    exactly."""
    roots = np.sort(legendre.legroots([0.0] * (stages - 1) + [-1.0, 1.0]).real)
    roots[-1] = 1.0
    c = (roots + 1) / 2
    basis = legendre.legvander(roots, stages - 1)
    integrals = np.stack(
        [legendre.legval(roots, legendre.legint(row, lbnd=-1)) / 2 for row in np.eye(stages)], axis=1
    )
    A = np.linalg.solve(basis.T, integrals.T).T
    # The order conditions that define it: sum_j a_ij c_j^{k-1} = c_i^k / k.
    # Entries are below 1 and the Legendre basis at Radau points has condition < 10: s^2 * 10 u = 7e-14 for s
    # = 8.
    for k in range(1, stages + 1):
        assert np.allclose(A @ c ** (k - 1), c**k / k, rtol=0, atol=1e-13)
    return c, A


@cache
def diagonal(stages: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The eigenvalues of A, P and P^-1: Newton's s n equations fall into s systems of n (Butcher 1976).

    Of each conjugate pair one is kept, its column of P doubled: the real part of the sum is the whole. P is
    ill conditioned (1e4 at 8 stages); it only steers Newton, whose residual is formed with A itself.
    """
    values, P = np.linalg.eig(radau(stages)[1])
    keep = values.imag >= 0
    return values[keep], P[:, keep] * np.where(values[keep].imag > 0, 2, 1), np.linalg.inv(P)[keep]


def jacobian(rates: Callable, x: np.ndarray) -> np.ndarray:
    """The derivatives (lanes, n, n) of rates, which takes and gives (n, lanes)."""
    n, lanes = x.shape
    moved = np.repeat(x.astype(complex)[:, None, :], n, axis=1)
    moved[np.arange(n), np.arange(n)] += 1j * STEP
    return rates(moved).imag.transpose(2, 0, 1) / STEP


def march(
    rates: Callable, sources: Callable, x0, z0, rate, times: np.ndarray, stages: int, settle=None
) -> tuple:
    """Solve from each output time to the next; returns the coordinates and damped integrals at `times`.

    rates    (2d, ..., lanes) -> the same;  sources -> (k, ..., lanes)
    x0       (2d, lanes)
    z0       (k, lanes), z' = -rate z + source with rate (k, lanes)
    times    (n, lanes)
    settle   what solves the stages of a step: `newton`, or `settled` where no rate is fast

    Returns x (n, 2d, lanes) and z (n, k, lanes). Raises FloatingPointError when the stages do not settle.
    """
    xs, zs = [x0], [z0]
    for h in np.diff(times, axis=0):
        x, z = advance(rates, sources, xs[-1], zs[-1], rate, h, stages, HALVINGS, settle or newton)
        xs.append(x)
        zs.append(z)
    return np.array(xs), np.array(zs)


def advance(
    rates: Callable, sources: Callable, x, z, rate, h: np.ndarray, stages: int, halvings: int, settle
) -> tuple:
    """x and z one step (1) of h (lanes,) later; the step is halved where its stages do not settle.

    Raises FloatingPointError where it does not after `halvings` of them.
    """
    X = settle(rates, x, h, stages)
    if X is not None:
        return X[:, -1], damped(radau(stages)[1], h, rate, z, sources(X))
    if halvings == 0:
        raise FloatingPointError(
            f"collocation: the stages do not settle at h = {h.max():.3g}, x up to {np.max(np.abs(x)):.3g}"
        )
    for _ in range(2):
        x, z = advance(rates, sources, x, z, rate, h / 2, stages, halvings - 1, settle)
    return x, z


def newton(rates: Callable, x: np.ndarray, h: np.ndarray, stages: int) -> np.ndarray | None:
    """The stages of (1), (n, s, lanes), solved to their rounding; None where Newton does not settle."""
    A, (values, P, back), n = radau(stages)[1], diagonal(stages), len(x)
    slopes = (h[:, None] * values)[..., None, None] * jacobian(rates, x)[:, None]  # (lanes, s, n, n)
    inverse = np.linalg.inv(np.eye(n) - slopes)
    X, last = np.repeat(x[:, None, :], stages, axis=1), np.inf
    room = 1 + np.max(np.abs(x), axis=0)
    for _ in range(ITERATIONS):
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # a lost iteration is seen below
            force = rates(X)
        residual = x[:, None, :] + h * (A @ force) - X
        apart = (inverse @ (back @ residual.transpose(2, 1, 0))[..., None])[..., 0]
        change = (P @ apart).real.transpose(2, 1, 0)
        X = X + change
        size = np.max(np.abs(change) / room)
        if not size < LOST:
            return None
        if size == 0 or (size < 1e-12 and size > last / 2):
            return X
        last = size
    return None


def settled(rates: Callable, x: np.ndarray, h: np.ndarray, stages: int) -> np.ndarray | None:
    """The stages of (1) by simple iteration, which needs no derivatives; None where it does not settle.

    It settles where h times the largest rate is below 10, the inverse of the spectral radius of A for 8
    stages. A rate may be singular at the start of a step, as 1/t, where no stage is.
    """
    A, X, last = radau(stages)[1], np.repeat(x[:, None, :], stages, axis=1), np.inf
    room = 1 + np.max(np.abs(x), axis=0)
    for _ in range(REPEATS):
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # a lost iteration is seen below
            before, X = X, x[:, None, :] + h * (A @ rates(X))
        size = np.max(np.abs(X - before) / room)
        if not size < LOST:
            return None
        if size == 0 or (size < 1e-12 and size > last / 2):
            return X
        last = size
    return None


def damped(A: np.ndarray, h: np.ndarray, rate: np.ndarray, z: np.ndarray, source: np.ndarray) -> np.ndarray:
    """The step (1) for z' = -rate z + source, which is linear: source (k, s, lanes) -> z (k, lanes)."""
    if not len(z):
        return z
    matrix = np.eye(len(A)) + (h * rate)[..., None, None] * A
    right = z[:, None, :] + h * (A @ source)
    return np.linalg.solve(matrix, right.transpose(0, 2, 1)[..., None])[..., -1, 0]
