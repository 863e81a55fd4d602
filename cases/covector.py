"""What a learning rule has beside its lines: parameters of its own, and the covector of its charge."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Parameter:
    """A parameter that a rule has beside COMMON.

    choices  the values that a sweep draws from; where there are none, it draws from low to high
    low, high  the domain, both included
    """

    name: str
    what: str
    low: float = 0.0
    high: float = 1.0
    choices: tuple[float, ...] = ()

    def at(self, u: np.ndarray) -> np.ndarray:
        """The values that numbers in [0, 1) stand for."""
        if self.choices:
            return np.array(self.choices)[(u * len(self.choices)).astype(int)]
        return self.low + (self.high - self.low) * u

    def draw(self, rng: np.random.Generator, lanes: int) -> np.ndarray:
        """Values for so many lanes, (lanes,) float64."""
        return rng.choice(self.choices, lanes) if self.choices else rng.uniform(self.low, self.high, lanes)


@dataclass(frozen=True)
class Covector:
    """The covector p whose product with a generator is the charge: p' = a p - b f.

    buffer  the name of the buffer that is p
    kept    kept(p) -> a;  pull  pull(p) -> b
    force   force(q, g, p, xp) -> f, a list of d numbers, linear in q and g together
    scale   scale(q, g, p, xp) -> a number that b is multiplied by, where the size of a force counts
    """

    buffer: str
    kept: Callable
    pull: Callable
    force: Callable
    scale: Callable | None = None

    def pulled(self, q, g, p, xp, part=None) -> list:
        """b f of a gradient g, or of a part of it: what that part has in p'."""
        b = self.pull(p) * (1 if self.scale is None else self.scale(q, g, p, xp))
        return [b * x for x in self.force(q, g if part is None else part, p, xp)]


def with_decay(q, g, p, xp):
    """The force g + k q of coupled decay."""
    return [gi + p.k * qi for qi, gi in zip(q, g, strict=True)]


def plain_force(q, g, p, xp):
    """The force g."""
    return g


HEAVY = Covector("v", kept=lambda p: p.beta, pull=lambda p: p.eta, force=with_decay)
"""v' = beta v - eta (g + k q)."""
LIGHT = Covector("v", kept=lambda p: 0, pull=lambda p: p.eta, force=with_decay)
"""v' = -eta (g + k q): v is what a step without momentum moves by."""
