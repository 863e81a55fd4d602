"""What a discovery for many parameters will take, before anything is done, and what is too much.

The figures are those of an AMD EPYC with AVX-512: docs/measurements/2026-11-28-discovery.md has what was
measured beside them. A busy machine takes longer.
"""

from __future__ import annotations

from dataclasses import dataclass

from noether.campaigns.discovery.large.gradients import Traced
from noether.campaigns.discovery.large.sample import FEWEST, USUAL, iterations, points
from noether.system.usage import UsageError

WITHIN = 600.0
"""Seconds that a discovery may take by its estimate."""
MEMORY = 1.0
"""Gigabytes that it may take."""
GEMM = 5e10
"""Operations a second of products of matrices."""
PAIR = 7e-5
"""Seconds for a pair of parameters."""
OPERATION = 1.5e-8
"""Seconds for an operation of a loss at a point, the sweep back included."""
BASE = 0.25
"""Gigabytes of Python, of what it imports and of a sweep."""


@dataclass(frozen=True)
class Estimate:
    """Seconds and gigabytes; most: the seconds where many iterations are needed."""

    seconds: float
    most: float
    gigabytes: float

    def told(self) -> str:
        return f"about {spoken(self.seconds)}, at most {spoken(self.most)}, and {self.gigabytes:.2g} GB"


def estimate(dim: int, operations: int, known: int = 0, moves: int = 0) -> Estimate:
    """Of a loss of so many parameters and operations, with symmetries that are known already."""
    unknowns = (dim - moves) * (dim + 1)
    rows = points(dim, moves, known)
    pairs = 0.0 if known or moves else PAIR * dim * dim / 2
    gradients = OPERATION * operations * rows
    each = 4 * rows * unknowns / GEMM
    most = max(FEWEST, iterations(rows, unknowns)) * each
    begin = pairs + gradients
    return Estimate(begin + USUAL * each, begin + most, BASE + 8 * rows * (2 * dim + 1) / 1e9)


def check(ready: Traced, within: float, memory: float) -> Estimate:
    """The estimate for a loss. Raises UsageError where it is more than is allowed."""
    loss, made = ready.loss, estimate(ready.loss.dim, len(ready.program.ops))
    subject = f"{loss.origin.label}: {loss.name} has {loss.dim} parameters: its affine symmetries take"
    if made.gigabytes > memory:
        raise UsageError(f"{subject} {made.told()}; --memory GB allows more than {memory:g} GB")
    if made.seconds > within:
        raise UsageError(f"{subject} {made.told()}; --within SECONDS allows more than {within:g} s")
    return made


def spoken(seconds: float) -> str:
    """A time in words, in two digits."""
    unit, name = (1, "s") if seconds < 120 else (60, "minutes") if seconds < 7200 else (3600, "hours")
    return f"{float(f'{seconds / unit:.2g}'):g} {name}"
