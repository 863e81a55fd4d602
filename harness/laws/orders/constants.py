"""The constants in front of orders of massive models, from equations without a small parameter (theory.md
section 5).

With F = phi g + kappa q, F' its derivative and m = eta M, c = mu + eta c_1, lambda = eta l, the solution of
(1) of models.py is, past the layer, X + eta Y + O(eta^2) with

    X' = -F/mu,   Y' = -F'Y/mu - M F'F/mu^3 + (c_1 + l H) F/mu^2,   Y(0) = M/mu (qdot(0) + F/mu)  (1)

so a run whose right model has Y_r leaves a model of order 1 by eta (Y_r - Y). Heavy ball leaves its right
model by eta^2 Z,

    Z' = -F'Z/mu + (F''(F, F) + F'F'F)/(6 mu^3),   Z(0) = -F'F/(4 mu^2)  (2)

from the next terms of q_{n+1} - (1+beta) q_n + beta q_{n-1} = -eta F and of the two layers, whatever the
start velocity.

Measured: E_j = e_j / eta_j^p, R_j = 2 E_j - E_{j-1}, S_j = (4 R_j - R_{j-1})/3 for the terms of order 1 and 2
that follow.

    |S_J - C| <= max_i 8^-i |S_{J-i} - S_{J-i-1}| + (8 n_J + 6 n_{J-1} + n_{J-2})/3,                   (3)
    i = 0, 1, 2,   n_j = noise_j/eta_j^p

What S_J leaves is of order eta^3, a seventh of its last change; the changes before forecast the last by
eighths. J is where the bound is smallest, which the residual has no part in: beyond, the rounding of many
steps over eta^p exceeds what they gain. Where the last change is larger than the noise, than half of the one
before and than a quarter of the one before that, what is left is not of order eta^3: nothing is known.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from noether.kernels.programs.trace import gradient as program
from noether.laws.orders.faults import CONSTANT
from noether.laws.orders.models import FIELDS, Massive
from noether.laws.orders.power import norm
from noether.laws.orders.records import Limit, constant_record
from noether.laws.orders.runs import FINAL, QUIET, SHORT, Cell, U, step_sizes
from noether.laws.orders.units import EPS
from noether.mechanics.collocation import march
from noether.mechanics.symbolic import curvature, gradient, hessian_product
from noether.verdicts.record import Record

FAULT = 1 / 64  # by which a constant is changed as its fault
FEWEST = 5  # of step sizes
THIN = 1 / 64  # of the constant: a bound above it decides nothing


def known(case) -> bool:
    """Whether second derivatives of this gradient are taken in a moment."""
    return program(case).length <= SHORT


class Parts(NamedTuple):
    """What (1) knows of a massive model."""

    mu: float
    c1: float
    M: float
    l: float
    kappa: float
    phi: float
    qdot: np.ndarray

    @classmethod
    def of(cls, model: Massive, q0: np.ndarray, eta: np.ndarray) -> Parts:
        """Of a model over step sizes (sizes,); q0, qdot (d, starts)."""
        m, c, lam, kappa, phi = (model.field(name, eta.shape) for name in FIELDS[:-1])
        c1 = (c[0] - c[1]) / (eta[0] - eta[1])
        qdot = model.field("qdot", (*q0.shape, 1))[..., 0]
        return cls(c[0] - c1 * eta[0], c1, m[0] / eta[0], lam[0] / eta[0], kappa[0], phi[0], qdot)


def first(case, models: list[Parts], q0: np.ndarray, final: float) -> list[np.ndarray]:
    """Y of (1) of several models with one mu, kappa, phi."""
    g, H, d, n = gradient(case), hessian_product(case), len(q0), q0.shape[1]
    mu, kappa, phi = models[0].mu, models[0].kappa, models[0].phi
    c1, M, lam = (np.repeat([getattr(m, name) for m in models], n) for name in ("c1", "M", "l"))

    def rates(x):
        q, y = np.split(x, 2)
        F = phi * g(q, EPS) + kappa * q
        along = lambda w: phi * H(q, EPS, w) + kappa * w
        bent = (c1 * F + lam * phi * H(q, EPS, F)) / mu**2
        return np.concatenate([-F / mu, -along(y) / mu - M * along(F) / mu**3 + bent])

    F0 = phi * g(q0, EPS) + kappa * q0
    y0 = np.concatenate([m.M / mu * (m.qdot + F0 / mu) for m in models], axis=1)
    x = smooth(rates, np.concatenate([np.tile(q0, len(models)), y0]), final)
    return np.split(x[d:], len(models), axis=1)


def drift(case, mu: float, kappa: float, M: float, q0: np.ndarray) -> np.ndarray:
    """e/eta of a run without a layer against mu qdot = -F: Y of (1) from qdot(0) = -F/mu, M the mass over
    eta; (d, starts)."""
    F0 = gradient(case)(q0, EPS) + kappa * q0
    return first(case, [Parts(mu, 0.0, M, 0.0, kappa, 1.0, -F0 / mu)], q0, FINAL)[0]


@dataclass(frozen=True)
class Second:
    """Of (2) at the final time, (d, starts) each: X, Z, their derivatives and the third derivative of X."""

    x: np.ndarray
    z: np.ndarray
    dx: np.ndarray
    dz: np.ndarray
    jerk: np.ndarray


def differences(case) -> Callable:
    """curvature(case) by differences of order 4: h^4 of the derivatives of g, and u/h^2 of g, about 1e-10."""
    g = gradient(case)

    def both(q, eps, w):
        size, h = np.linalg.norm(w, axis=0), Accuracy.h
        one, G = w / np.maximum(size, 1e-300), lambda x: g(x, eps)
        far, near = (G(q + by * one) + G(q - by * one) for by in (2 * h, h))
        return size * along(G, q, one), size**2 * (16 * near - far - 30 * G(q)) / (12 * h * h)

    return both


def second(case, mu: float, kappa: float, q0: np.ndarray, final: float, eps: float = EPS) -> Second:
    """Along X of (1), for F = g + kappa q."""
    g, bend = gradient(case), curvature(case) if known(case) else differences(case)

    def turned(q, w):
        Hw, third = bend(q, eps, w)
        return Hw + kappa * w, third

    def rates(x):
        q, z = np.split(x, 2)
        F = g(q, eps) + kappa * q
        FF, third = turned(q, F)
        return np.concatenate([-F / mu, -turned(q, z)[0] / mu + (third + turned(q, FF)[0]) / (6 * mu**3)])

    F0 = g(q0, eps) + kappa * q0
    end = smooth(rates, np.concatenate([q0, -turned(q0, F0)[0] / (4 * mu**2)]), final)
    x, z = np.split(end, 2)
    dx, dz = np.split(rates(end), 2)
    return Second(x, z, dx, dz, -6 * (dz + turned(x, z)[0] / mu))


class Accuracy:
    """Of equations without a small parameter: collocation of order 2 stages - 1, differences of step h."""

    stages, h = 8, 2.0**-10


def twice(make: Callable) -> tuple:
    """What make() gives, and the same of two orders less and from differences twice as wide: their distance
    bounds its error."""
    fine = make()
    Accuracy.stages, Accuracy.h = 7, 2.0**-9
    try:
        return fine, make()
    finally:
        Accuracy.stages, Accuracy.h = 8, 2.0**-10


def along(V: Callable, q, w):
    """V'(q) w by a difference of order 4: its error is h^4 of the fifth derivative, and u/h of V."""
    h = Accuracy.h
    return (8 * (V(q + h * w) - V(q - h * w)) - (V(q + 2 * h * w) - V(q - 2 * h * w))) / (12 * h)


def smooth(rates, x0: np.ndarray, final: float) -> np.ndarray:
    """x(final) of equations without a layer: order 15 in 8 steps, far below what (3) leaves."""
    none = np.zeros((0, x0.shape[1]))
    times = np.linspace(0, final, 9)[:, None] * np.ones(x0.shape[1])
    return march(rates, lambda X: X[:0], x0, none, none, times, Accuracy.stages)[0][-1]


def extrapolated(E: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """S_J of (3), (...), and by how much the last of S moved, the latest first, without noise; E (...,
    sizes), at least FEWEST of them."""
    R = 2 * E[..., 1:] - E[..., :-1]
    S = (4 * R[..., 1:] - R[..., :-1]) / 3
    return S[..., -1], norm(np.diff(S))[::-1][:3]


def left_by(moved: np.ndarray) -> float:
    """How far S_J may be from the limit by its last changes, the first part of (3)."""
    return float(np.max(moved / 8.0 ** np.arange(len(moved))))


def bounded_limit(E: np.ndarray, noise: np.ndarray) -> tuple[Limit, int]:
    """S_J with the bound (3), and J + 1; noise (sizes,) of E. The bound is inf where no J has enough step
    sizes before it."""
    found = [(Limit(E[..., -1], float("inf"), False), E.shape[-1])]
    for many in range(FEWEST, E.shape[-1] + 1):
        S, moved = extrapolated(E[..., :many])
        n = noise[:many]
        noisy = float((8 * n[-1] + 6 * n[-2] + n[-3]) / 3)
        falls = moved[0] <= max(moved[1] / 2, *(x / 4 for x in moved[2:]), noisy)
        found.append((Limit(S, left_by(moved) + noisy, bool(falls)), many))
    return min((x for x in found if not np.isnan(x[0].bound)), key=lambda x: x[0].bound)


def noise_of(reference_error, size, eta, order: int, rounded=None) -> np.ndarray:
    """n_j of (3); rounded: how many steps did, where it is not FINAL / eta."""
    rounds = FINAL / eta if rounded is None else rounded
    return (norm(reference_error) + U * rounds * norm(size)) / eta**order


def limit_of(
    cell: Cell, off, reference_error, size, order: int, eta, rounded
) -> tuple[Limit, int, np.ndarray]:
    """The limit of off/eta^order, J + 1, and eta.

    A run that is no number at the smallest size has none, though its model has, whose solver refuses what is
    no number: it is lost.
    """
    eta = step_sizes(cell) if eta is None else eta
    if np.all(np.isfinite(reference_error[..., -1])) and not np.all(np.isfinite(off[..., -1])):
        return Limit(off[..., -1], float("inf"), falls=False, lost=True), len(eta), eta
    E, noise = off / eta**order, noise_of(reference_error, size, eta, order, rounded)
    return *bounded_limit(E, noise), eta


@QUIET
def judged(
    cell: Cell,
    off,
    reference_error,
    size,
    order: int,
    predicted: tuple,
    note: str,
    *,
    eta=None,
    small: str = "eta",
    rounded=None,
    **facts,
) -> list[Record]:
    """(3) for off (d, starts, sizes) and C (d, starts), and the same for a constant that is FAULT too large.

    predicted: C `twice`; the distance of the two is in the bound.
    small, rounded: as of records.judge
    """
    C, rough = predicted
    found, *_ = limit_of(cell, off, reference_error, size, order, eta, rounded)
    found = found._replace(bound=found.bound + float(np.linalg.norm(C - rough)))
    claims, note = ((None, 1.0), (CONSTANT, 1 + FAULT)), f"{note}: error over {small}^{order}"
    return [
        constant_record(cell, found, factor * C, THIN, note, fault=fault, **facts) for fault, factor in claims
    ]


@QUIET
def vanishing(
    cell: Cell,
    off,
    reference_error,
    size,
    order: int,
    responses: dict,
    note: str,
    *,
    eta=None,
    small: str = "eta",
    rounded=None,
    **facts,
) -> Record:
    """(3) with C = 0 for e/eta^order of an error that is stated to be of the next order.

    small, rounded: as of records.judge
    A coefficient 1 + x times as large adds x S_D to S and at most x B_D to the bound: beyond x = (B +
    |S|)/(|S_D| - B_D) that is violated.
    """
    (found, many, eta), rooms = limit_of(cell, off, reference_error, size, order, eta, rounded), {}
    for name, D in responses.items():
        moves, moved = extrapolated((D / eta**order)[..., :many])
        rooms[name] = float(np.linalg.norm(moves)) - left_by(moved)
    note = f"{note}: error over {small}^{order} as {small} goes to 0"
    return constant_record(cell, found, np.zeros(found.value.shape), THIN, note, rooms=rooms, **facts)
