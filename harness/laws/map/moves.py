"""The step of each column as predicted, from the gradients that a run met, and what its update rounds.

memory      m_n = (1 - a) sum_j a^(n-j) g_j, s_n likewise of g_j^2, all of them summed at once        (1)
Adagrad     y = -eta g / (sqrt(sum_j g_j^2) + s)
RMSProp     y = -eta g / (sqrt(s_n) + s)
Adam        y = -eta u,  u = m_n / (1 - b^n) / (sqrt(s_n / (1 - a^n)) + s)
LAMB        y = -eta |q| u / |u|
signs       y = -eta sign(g), of Signum and Lion too: starts are chosen so that no component changes sign
others      linear in v' as it is stored, or the terms of the rule in 64 bits
"""

from __future__ import annotations

import numpy as np

from noether.laws.exact.terms import dot
from noether.laws.map.charges import U, accumulated
from noether.laws.map.stepping import FLOAT64, Run
from noether.laws.map.table import FIRST, RMS, SECOND, STABILITY
from noether.mechanics.trajectory import Trajectory

WIDE = np.longdouble
ROOM = 1 + 2.0**-40
"""For products of roundings, which the bounds leave out."""
SIGNS, MEMORIES = ("sign", "Signum", "Lion"), ("Adagrad", "RMSProp", "Adam", "LAMB")
BY_TERMS = ("QHM", "normalised", "LARS", "orthogonal", "Muon")
"""Columns whose step is that of the rule's own terms: they keep nothing beside their covector."""


def followed(run: Run) -> Trajectory:
    """A run as the exact laws see it; its gradient in 64 bits."""
    made = lambda: Trajectory(run.case, run.column.rule, FLOAT64, run.z, run.v, run.params)
    return run.once("trajectory", made)


def weighted(x: np.ndarray, keeps: float) -> np.ndarray:
    """(1) of x."""
    return (1 - WIDE(keeps)) * accumulated(x, WIDE(keeps))


def adaptive(run: Run, *, rms=RMS, first=FIRST, second=SECOND, stability=STABILITY, unbiased=True):
    """The steps of a column with a memory, and bounds on what the update rounds before its store; (n, d,
    lanes) each."""
    g, eta, name = run.g, run.eta, run.column.name
    n = np.arange(1, len(g) + 1)[:, None, None].astype(WIDE)
    if name in ("Adagrad", "RMSProp"):
        s = np.cumsum(g * g, axis=0) if name == "Adagrad" else weighted(g * g, rms)
        # A sum of n terms rounds each of them n times, an average forgets them.
        roundings = 12 + (n if name == "Adagrad" else 3 / (1 - rms))
        below = np.sqrt(s) + WIDE(stability)
        return -eta * g / below, U * (eta * abs(g) / below) * roundings
    correct = (1 - WIDE(first) ** n, 1 - WIDE(second) ** n) if unbiased else (1, 1)
    below = np.sqrt(weighted(g * g, second) / correct[1]) + WIDE(stability)
    u, heard = (weighted(x, first) / correct[0] / below for x in (g, abs(g)))
    # A weighted sum rounds each of its terms thrice a step and forgets them; the bias corrections, root and
    # quotient a dozen times.
    error = U * heard * (12 + 3 / (1 - max(second, first)))
    if name == "Adam":
        return -eta * u, eta * error
    length = lambda x: np.sqrt(dot(x, x))[:, None]
    size, q = length(u), length(run.q[:-1])
    # |u| is off by |error| at most, its sum of d squares, root and quotient and |q| by some roundings each.
    relative = length(error) / size + (2 * u.shape[1] + 12) * U
    return -eta * q * u / size, eta * q * (error + relative * abs(u)) / size


def stepped(run: Run, **law) -> tuple[np.ndarray, np.ndarray]:
    """y, as predicted, and a bound on |q' - q - y|; (n, d, lanes).  law  keywords of `adaptive`"""
    return run.once(("step", *law.items()), lambda: predicted(run, **law))


def predicted(run: Run, **law) -> tuple[np.ndarray, np.ndarray]:
    """`stepped`, made anew."""
    eta, beta, k = run.eta, run.beta, run.k
    g, name, before, after = run.g, run.column.name, run.q[:-1], abs(run.q[1:])
    if name in MEMORIES:
        y, error = adaptive(run, **law)
        return y, error + U * after
    if name == "entropy mirror":
        # log q' = log q - eta g: a product and a sum, of which the exponential is taken.
        return before * np.expm1(-eta * g), after * U * (3 * abs(eta * g) + abs(run.z[1:])) * ROOM
    if name == "natural gradient":
        y = -eta * before * g
        return y, U * (3 * abs(y) + after) * ROOM
    if name in SIGNS:
        return -eta * np.sign(g), U * after * ROOM
    if name in BY_TERMS:
        return followed(run).predicted_move, followed(run).predicted_sigma
    delta, sigma = rounded(run)
    if name == "Nesterov":
        return beta * run.v[1:] - eta * g, sigma
    if name == "gradient descent":
        return -eta * g, sigma + delta
    return run.v[1:] - (eta * k * before if run.column.decoupled else 0), sigma


def rounded(run: Run) -> tuple[np.ndarray, np.ndarray]:
    """delta, sigma of theory.md#R0 in float64, of a gradient that is known as it was used; (n, d, lanes)."""
    if run.column.name in BY_TERMS:
        return followed(run).delta_p, followed(run).sigma
    eta, beta, k = run.eta, run.beta, run.k
    v, w, g, q, after = abs(run.v[:-1]), abs(run.v[1:]), abs(run.g), abs(run.q[:-1]), abs(run.q[1:])
    delta, sigma = beta * v + 2 * eta * g + w, after
    if run.column.decoupled:
        sigma = sigma + (3 * eta * k + (1 - eta * k)) * q
    if run.column.rule.looks_ahead:
        sigma = sigma + 2 * beta * w + 3 * eta * g
    return U * delta * ROOM, U * sigma * ROOM
