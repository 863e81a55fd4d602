"""What every exact law is made of: residual, record, and the sums over components from which their terms are
formed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from noether.cases.case import Case, Symmetry
from noether.cases.rule import Rule
from noether.laws.law import Law
from noether.mechanics.trajectory import Trajectory
from noether.verdicts.record import ROUNDING

MOTION = 16.0  # a charge, or a path, below this many bounds proves nothing


@dataclass
class Residual:
    """measured - predicted, its bound and the size of what it is about; (steps, lanes) or (steps, d,
    lanes).

    at_most  whether measured must be at most predicted, not equal: what is below spends nothing
    """

    measured: np.ndarray
    predicted: np.ndarray
    bound: np.ndarray
    signal: np.ndarray
    at_most: bool = False


@dataclass(frozen=True, kw_only=True)
class ExactLaw(Law):
    """An exact law of a launch, which every cell of a launch judges.

    suits     suits(rule, symmetry) -> bool, known before anything runs
    residual  residual(trajectory, symmetry, **flaws) -> Residual
    home      (case, rule): a small one, on which each run plants known values for the law
              (harness/runs/known_places.py)
    lag       how many steps it looks back
    some      some(trajectory, symmetry) -> (lanes,) bool, where a law that suits covers some lanes only
    screened  whether the screen of a fuzzing run evaluates it too: not where D0 beside it sees the same at
              less cost
    reads_buffer  whether it reads the buffer v, not positions alone
    beside    whether what it judges are the buffers beside the covector
    at_most   whether it states a largest value: a right launch may stay far below it
    narrow    whether it says something of 16-bit stores: a term of second order in the step vanishes in
              their rounding
    about_path  whether a path that is long enough is all the evidence it needs
    witness   witness(trajectory, lane, step, lanes, worst, reason) -> (asked, worst, reason): one more judge,
              heard where the law would hold
    """

    kind: str = ROUNDING
    suits: Callable
    residual: Callable
    home: tuple[str, str] = ("", "")
    lag: int = 1
    reads_buffer: bool = False
    beside: bool = False
    at_most: bool = False
    some: Callable | None = None
    about_symmetry: bool = True
    narrow: bool = True
    screened: bool = True
    about_path: bool = False
    witness: Callable | None = None

    def covers(self, t: Trajectory, symmetry) -> np.ndarray:
        """(lanes,) where the law speaks of this trajectory."""
        fits = self.suits(t.rule, symmetry) and self.reads(t.precision.q_store)
        return self.some(t, symmetry) if fits and self.some else np.full(t.lanes, fits)

    def reads(self, precision: str) -> bool:
        """Whether its terms stand above the rounding of a store, by the name of the type or of the
        precision."""
        return self.narrow or precision in ("float64", "float32")

    def concerns(self, case: Case, rule: Rule, precision: str = "float64") -> bool:
        """Whether the law says anything of a case under a rule, in a precision."""
        return self.reads(precision) and any(
            self.suits(rule, s) for s in (case.symmetries if self.about_symmetry else (None,))
        )


def dot(x, y):
    """The sum over components, axis 1, of a product."""
    return (x * y).sum(axis=1)


def act(M, x):
    """M x for x (n, d, lanes), by the entries that are not zero: they are few, and longdouble has no fast
    product."""
    out = np.zeros_like(x)
    for rows, columns, numbers in rounds(M):
        out[:, rows] += numbers[:, None].astype(x.dtype) * x[:, columns]
    return out


def rounds(M) -> list[tuple]:
    """The entries of a matrix as `entries` has them; those of a matrix that nobody can write to are kept."""
    if M.flags.writeable:
        return entries(M)
    key = (M.ctypes.data, M.shape, M.strides)
    if key not in KEPT:
        while len(KEPT) >= FEW:
            KEPT.pop(next(iter(KEPT)))
        KEPT[key] = (M, entries(M))  # with the matrix: its place in memory is no other's as long as it lives
    return KEPT[key][1]


KEPT: dict[tuple, tuple] = {}
FEW = 12
"""Matrices whose entries are kept, three a symmetry: of 1024 parameters each has 8 MB."""


def entries(M) -> list[tuple]:
    """The entries of a matrix that are not zero: (rows, columns, numbers), the first of each row, then the
    second, and so on."""
    i, j = np.nonzero(M)
    turn = np.arange(len(i)) - np.searchsorted(i, i)  # i is in order
    of = [turn == k for k in range(int(turn.max(initial=-1)) + 1)]
    return [(i[some], j[some], M[i[some], j[some]]) for some in of]


def xi(symmetry: Symmetry, q):
    """The generator of a symmetry along q, of the shape of q."""
    return act(symmetry.matrix, q) + symmetry.shift[:, None].astype(q.dtype)


def formed(t: Trajectory, times: int, *terms):
    """Bound on the rounding of a residual formed from these terms, each rounded so many `times`, but for
    |residual| itself."""
    return times * t.unit * sum(np.abs(x) for x in terms) + t.floor


def depth(symmetry: Symmetry) -> int:
    """How often a term of a charge is rounded: in A q, in the sum over components, and a dozen operations
    around them."""
    return len(symmetry.a) + int(np.count_nonzero(symmetry.matrix, axis=1).max()) + 12


def size(x, y):
    """The sum over components of |x_i| |y_i|: what <x, y> would be without cancellation."""
    return dot(np.abs(x), np.abs(y))
