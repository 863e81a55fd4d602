"""Lanes drawn from uniform numbers, and the scales at which a case may be drawn."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from noether.cases.case import Case
from noether.cases.rule import Rule
from noether.kernels.programs import trace
from noether.kernels.programs.precision import Precision
from noether.mechanics import bounds
from noether.mechanics.domain import MARGIN, NORMAL, OVERFLOW
from noether.mechanics.sweep import KICK, STEP_EXPONENTS, pace

NAMED = ("eta", "eta_low", "beta", "k", "eps", "scale", "kick", "choice")
"""The units of a lane; after them d units of the start and d of the kick."""


SIGNIFICAND = {"float64": 53, "float32": 24, "float16": 11, "bfloat16": 8}


MOMENTUM, DECAY = "momentum", "decay"


def units(case: Case) -> int:
    """How many uniform numbers in [0, 1) it takes to draw a lane of a case."""
    return len(NAMED) + 2 * case.dim


class Lanes:
    """Lanes in the making: the units by name, and what the ordinary regime makes of them.

    q, v (d, lanes), eta, beta, k, eps (lanes,): float64, not yet rounded. q is the parameter, not its
    logarithm.
    """

    def __init__(self, case: Case, rule: Rule, precision: Precision, u: np.ndarray):
        if u.ndim != 2 or len(u) != units(case):
            raise ValueError(
                f"units are {u.shape}, must be ({units(case)}, lanes) for a case of {case.dim} parameters"
            )
        self.case, self.rule, self.precision = case, rule, precision
        self.u = dict(zip(NAMED, u, strict=False))
        start, kick = np.split(u[len(NAMED) :], 2)
        low, high = np.array(case.box, dtype=float).T[:, :, None]
        self.q = low + (high - low) * start
        least, most = STEP_EXPONENTS[precision.name]
        self.eta = (
            pace(case)
            * 2.0 ** -np.floor(least + between(self.u["eta"], 0, most - least + 3))
            * (1 + self.u["eta_low"] / 4)
        )
        self.beta = between(np.sqrt(self.u["beta"]), 0, 0.99)
        self.k = some(self.u["k"], 0.4, lambda x: between(x, 0, 0.5))
        self.eps = some(self.u["eps"], 0.4, lambda x: 2.0 ** between(x, -50, -1))
        # uniform with variance 1, and a size of its own: a tenth of the lanes starts at rest, the others up
        # to twice the usual kick
        size = some(self.u["kick"], 0.1, lambda x: 2 * x)
        self.v = size * case.kick * (high - low).max() * KICK[precision.name] * np.sqrt(12) * (kick - 0.5)

    def scaled(self, exponent: np.ndarray) -> None:
        """Start and kick times 2^exponent, (lanes,) or (d, lanes); whole exponents keep every bit of the
        significand."""
        factor = np.exp2(np.rint(exponent))
        self.q, self.v = self.q * factor, self.v * factor

    def pull(self) -> np.ndarray:
        """The largest component of the gradient at the start, (lanes,) float64; 0 where it is no number."""
        program = trace.gradient(self.case)
        with np.errstate(all="ignore"):
            g = np.abs(program.run(list(self.q), self.eps, Precision("float64"))).max(axis=0)
        return np.where(np.isfinite(g), g, 0.0)

    def follow(self, low: float, high: float) -> None:
        """Set eta such that the first gradient step is 2^low .. 2^high of the start (of 1 for log q)."""
        size = np.ones_like(self.eta) if self.rule.log_state else np.abs(self.q).max(axis=0)
        pull = self.pull()
        with np.errstate(all="ignore"):
            relative = (
                size
                / pull
                * 2.0 ** -np.floor(between(self.u["eta"], -high, 1 - low))
                * (1 + self.u["eta_low"] / 4)
            )
        self.eta = np.where((pull > 0) & np.isfinite(relative), relative, self.eta)


def between(u, low, high):
    """A unit of [0, 1) stretched to [low, high)."""
    return low + (high - low) * u


def some(u, share: float, value: Callable):
    """0 for the first `share` of the unit, value(the rest stretched to [0, 1)) after it."""
    return np.where(u < share, 0.0, value(np.clip((u - share) / (1 - share), 0, None)))


@cache
def stiffness(case: Case, log_state: bool = False) -> float:
    """Largest |Hessian| of the symmetric loss at 64 points of the box, by central differences of the traced
    gradient.

    In log q for the mirror rule: there it is d grad / d log q.
    """
    program, n, h = trace.gradient(case), 64, 2.0**-17
    q = case.draw(np.random.default_rng(0), n)
    q = np.log(q) if log_state else q

    def g(at):
        return np.stack(program.run(list(np.exp(at) if log_state else at), np.zeros(n), Precision("float64")))

    step = np.eye(case.dim)[:, :, None] * h
    columns = [(g(q + e) - g(q - e)) / (2 * h) for e in step]
    return float(np.linalg.norm(np.moveaxis(np.stack(columns, axis=1), -1, 0), 2, axis=(1, 2)).max())


def sample(case: Case) -> np.ndarray:
    """The points of the box that `reach` measures with, (d, 8). Points nearer to an axis underflow a little
    sooner."""
    return case.draw(np.random.default_rng(1), 8)


@cache
def reach(case: Case, precision: Precision) -> tuple[int, int, int]:
    """The exponents (abyss, floor, ceiling) up to which a case can be scaled; abyss <= floor <= 0 <= ceiling.

    The box times 2^s keeps every operation and store normal for s >= floor, and finite and not rounded to 0
    for abyss <= s <= ceiling.
    """
    exponents = np.arange(-1080, 1025)
    box = sample(case)
    points = box.shape[1]
    with np.errstate(all="ignore"):
        q = box[:, None, :] * np.exp2(exponents.astype(float))[None, :, None]
        flat = q.reshape(case.dim, -1)
        least, most = bounds.value_range(trace.gradient(case), flat, np.zeros(flat.shape[1]))
        stored = np.abs(q).min(axis=(0, 2)), np.abs(q).max(axis=(0, 2))
    least, most = (x.reshape(len(exponents), points) for x in (least, most))
    kind, store = precision.rounded, precision.q_store
    normal = (least.min(axis=1) >= MARGIN * NORMAL[kind]) & (stored[0] >= MARGIN * NORMAL[store])
    finite = (
        (most.max(axis=1) < OVERFLOW[kind] / MARGIN**2)
        & (stored[1] < OVERFLOW[store] / MARGIN**2)
        & (stored[0] >= MARGIN * precision.tiny_q)
    )

    def run(good, way):
        s = 0
        while exponents[0] <= s + way <= exponents[-1] and good[s + way - exponents[0]]:
            s += way
        return s

    floor, ceiling = run(normal & finite, -1), run(finite, 1)
    return min(run(finite, -1), floor), floor, ceiling
