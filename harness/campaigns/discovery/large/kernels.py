"""The null spaces of many small systems of the same shape, each by the gap that nullspace.py asks for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from noether.campaigns.discovery.nullspace import GAP
from noether.system.threads import one_thread

SECOND = GAP**0.75
"""How far what is broken weakly stands below the rest, as in nullspace.py `nearly`."""


@dataclass(frozen=True)
class Kernels:
    """The null spaces of systems (m, n, c), each measured for itself.

    values  (m, c) singular values over the largest of the system, falling
    rows    (m, c, c) the fields, as the values
    floor   what rounding leaves of a zero, as in nullspace.py `solved`
    """

    values: np.ndarray
    rows: np.ndarray
    floor: float

    @cached_property
    def kept(self) -> np.ndarray:
        """(m,) how many of the last values are zero but for rounding."""
        return (self.values <= self.floor).sum(axis=1)

    @cached_property
    def largest_kept(self) -> np.ndarray:
        """(m,) the largest value of a field that is kept, which counts as 2^-52 at least."""
        return np.maximum(np.where(self.values <= self.floor, self.values, 0.0).max(axis=1), 2.0**-52)

    @cached_property
    def smallest_broken(self) -> np.ndarray:
        """(m,) the smallest value of a field that is not kept; infinite where all are."""
        return np.where(self.values > self.floor, self.values, np.inf).min(axis=1)

    @cached_property
    def is_clear(self) -> np.ndarray:
        """(m,) whether the gap between kept and broken is as wide as a decision needs."""
        return self.smallest_broken >= GAP * self.largest_kept

    @cached_property
    def is_weak(self) -> np.ndarray:
        """(m,) whether the smallest broken value lies below a second gap."""
        last = self.values.shape[1] - self.kept - 1
        at = np.arange(len(self.values))
        above = self.values[at, np.maximum(last - 1, 0)]
        return (last >= 1) & (above >= SECOND * self.values[at, np.maximum(last, 0)])

    def null(self, at: int) -> np.ndarray:
        """The fields of one system that are kept, (kept, c)."""
        return self.rows[at, self.values.shape[1] - self.kept[at] :]

    @cached_property
    def accuracy(self) -> np.ndarray:
        """(m,) how far null vectors may be turned, as Spectrum.accuracy."""
        return np.maximum(self.largest_kept, self.floor) / np.minimum(self.smallest_broken, 1.0)


def kernels(systems: np.ndarray) -> Kernels:
    """The null spaces of systems (m, n, c), n >= c."""
    with one_thread():
        _, values, rows = np.linalg.svd(systems, full_matrices=False)
    largest = values[:, :1]
    relative = np.divide(values, largest, out=np.zeros_like(values), where=largest > 0)
    return Kernels(relative, rows, 2.0**-52 * max(systems.shape[1:]))


def tolerance(accuracy: float) -> float:
    """Of entries of null vectors, as in algebra.py `divided`."""
    return min(1e-2, max(1e-9, 1e3 * float(accuracy)))
