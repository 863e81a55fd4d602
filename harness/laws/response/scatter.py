"""What roundings do to the residuals of a trajectory, and to a sum of them over its steps; numbers as in
rounding.py.

A variance is a square, of what may be 2^-53 of a number, times the square of an adjoint: it leaves the range
of float64 where no number of the launch does, as that of exp(400) in log(1 + exp x). There it is formed in
the wide type.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from noether.mechanics.wide import WIDE

LEAST, MOST = np.finfo(np.float64).tiny, np.finfo(np.float64).max
ARRAYS = ("variance", "known", "same", "loose", "store")


def in_range(form: Callable, *numbers: np.ndarray):
    """form(*numbers), of float64 numbers in float64; in the wide type where one of its operations over- or
    underflows."""
    left: list[str] = []
    told = np.errstate(over="call", under="call", call=lambda error, flag: left.append(error))
    with np.errstate(divide="ignore", invalid="ignore"), told:
        found = form(*numbers)
    if not left:
        return found
    with np.errstate(all="ignore"):  # of lanes that overflow, which are outside
        return form(*(np.asarray(x, WIDE) for x in numbers))


@dataclass
class Scatter:
    """What roundings do to the residual r of each step; (steps, lanes) each.

    variance  of what is chance, another in every step
    known     the errors of (7)
    kept      (size, place) of the errors of (6): standard deviation, and what they are the same for
    same      whether a step begins where the one before did
    loose     what of variance is a bound and no expectation: the errors of exp and log
    store     variance of what is known of the store of q, were it chance
    """

    variance: np.ndarray
    known: np.ndarray
    kept: list[tuple[np.ndarray, np.ndarray]]
    same: np.ndarray
    loose: np.ndarray
    store: np.ndarray

    def part(self, lanes: np.ndarray) -> Scatter:
        """Of some lanes, (lanes,) bool."""
        kept = [(size[:, lanes], at[:, lanes]) for size, at in self.kept]
        variance, known, same, loose, store = (getattr(self, n)[:, lanes] for n in ARRAYS)
        return Scatter(variance, known, kept, same, loose, store)

    @classmethod
    def joined(cls, parts: list[Scatter]) -> Scatter:
        """Lanes side by side; an error that is kept in one part is nothing in the others."""
        ends = np.cumsum([0, *(p.variance.shape[1] for p in parts)])
        kept = []
        for begin, end, p in zip(ends, ends[1:], parts, strict=False):
            for pair in p.kept:
                kept.append(tuple(np.zeros((len(x), ends[-1]), x.dtype) for x in pair))
                for whole, x in zip(kept[-1], pair, strict=True):
                    whole[:, begin:end] = x
        variance, known, same, loose, store = (
            np.concatenate([getattr(p, n) for p in parts], axis=1) for n in ARRAYS
        )
        return cls(variance, known, kept, same, loose, store)

    @np.errstate(over="ignore")
    def add_bound(self, own: np.ndarray) -> None:
        """Another error, at most `own` and as good as uniform."""
        own = own.astype(self.variance.dtype)
        self.variance, self.loose = self.variance + own * own / 3, self.loose + own * own / 3

    @property
    def shared(self) -> float:
        """The correlation of two steps of a lane, squared, on average: what is the same in both."""
        with np.errstate(all="ignore"):
            share = np.where(self.of_step > 0, 1 - self.variance / self.of_step, 0.0)
        return float(np.mean(np.where(self.same, 1.0, share * share)))

    @property
    def of_step(self) -> np.ndarray:
        """Variance of r_n about its known part, one step by itself."""
        whole = lambda *sizes: self.variance + sum((x * x for x in sizes), np.zeros_like(self.variance))
        return in_range(whole, *(size for size, _ in self.kept))

    def of_sum(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(lanes,) variance of sum_n x_n r_n about its known part, and the known part."""
        near = narrowed(x)
        return in_range(self.summed, x if near is None else near)

    def summed(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The same, in the type of x."""
        total = coherent(x, self.variance, self.same)
        for size, at in self.kept:
            for m in np.unique(at[size != 0]):
                total = total + np.where(at == m, x * size, 0.0).sum(axis=0) ** 2
        return total, (x * self.known).sum(axis=0)


def narrowed(x: np.ndarray) -> np.ndarray | None:
    """x in float64; None where some of it is outside of its range."""
    with np.errstate(all="ignore"):
        near, size = x.astype(np.float64), np.abs(x)
    return near if ((size == 0) | (size >= LEAST) & (size <= MOST)).all() else None


def repeats(q: np.ndarray, v: np.ndarray) -> np.ndarray:
    """(steps, lanes) whether a step begins where the one before did; q, v (steps + 1, d, lanes)."""
    same = np.zeros((len(q) - 1, q.shape[2]), bool)
    same[1:] = ((q[1:-1] == q[:-2]) & (v[1:-1] == v[:-2])).all(axis=1)
    return same


def coherent(x: np.ndarray, variance: np.ndarray, same: np.ndarray) -> np.ndarray:
    """(lanes,) variance of sum_n x_n r_n; x, variance, same (steps, lanes).

    A step from the same state as the step before makes the same errors: a narrow store that stands still
    repeats them,
    and their sum grows with the number of steps and not with its root.  (6)
    """
    total, run, before = np.zeros((3, x.shape[1]), x.dtype)
    for now, again, size in zip(x, same, variance, strict=True):
        total = total + np.where(again, 0.0, run * run * before)
        run, before = np.where(again, run, 0.0) + now, size
    return total + run * run * before
