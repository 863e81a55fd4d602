"""What every exact law is made of: residual, record, and the sums over components from which their terms are
formed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from noether.cases.case import Case, Symmetry
from noether.cases.rule import Rule
from noether.laws.law import Law
from noether.mechanics.operation_rounding import SLACK
from noether.mechanics.trajectory import Trajectory
from noether.mechanics.wide import WIDE
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

    @property
    def counted(self) -> np.ndarray:
        """What is measured; where it must be at most what is predicted and is below, what is predicted."""
        return np.maximum(self.measured, self.predicted) if self.at_most else self.measured


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
    if x.ndim == y.ndim == 3 and x.dtype == y.dtype == WIDE and x.itemsize > 8:
        return np.einsum("sdl,sdl->sl", x, y)  # without an array of products: a third of the time
    return (x * y).sum(axis=1)  # in float64 einsum may fuse a product and a sum


def act(M, x):
    """M x for x (n, d, lanes), by the entries that are not zero: they are few, and longdouble has no fast
    product."""
    out = np.zeros_like(x)
    for rows, columns, numbers in rounds(M):
        some = x[:, columns]
        out[:, rows] += some if numbers is None else numbers[:, None].astype(x.dtype) * some
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
    second, and so on; numbers None where all are 1."""
    i, j = np.nonzero(M)
    turn = np.arange(len(i)) - np.searchsorted(i, i)  # i is in order
    of = [(i[some], j[some]) for some in (turn == k for k in range(int(turn.max(initial=-1)) + 1))]
    unless_one = lambda numbers: None if (numbers == 1).all() else numbers
    return [(evenly(rows), evenly(columns), unless_one(M[rows, columns])) for rows, columns in of]


def evenly(at: np.ndarray):
    """Places as a slice where they are evenly apart: of a slice nothing is copied."""
    apart = {*np.diff(at).tolist()} or {1}
    step = apart.pop()
    if apart or not step:
        return at
    end = int(at[-1]) + step
    return slice(int(at[0]), end if end >= 0 else None, step)


def xi(symmetry: Symmetry, q):
    """The generator of a symmetry along q, of the shape of q."""
    return act(symmetry.matrix, q) + symmetry.shift[:, None].astype(q.dtype)


def along(t: Trajectory, symmetry: Symmetry) -> np.ndarray:
    """The generator at every state of a trajectory, kept with it: every law of a charge reads it."""
    kept = t.__dict__.setdefault("generators", {})
    if symmetry not in kept:
        kept[symmetry] = xi(symmetry, t.q)
    return kept[symmetry]


FAR, LEAST = 2.0**200, 2.0**-800


def narrow(x) -> np.ndarray:
    """|x| in float64; rounded first, since |x| of 64 bits is slower to form, and its rounding is the same."""
    out = np.array(x, np.float64)
    return np.abs(out, out=out)


def bounded(t: Trajectory, form: Callable) -> np.ndarray:
    """form(sized), a bound that is made of sizes: sized(x) is |x|, in float64.

    A bound need not be wide: it has the few roundings of 2^-53 that are added here. Lanes in which a product
    of four numbers might leave the range of float64 keep the arithmetic of the trajectory, and no other lane
    is touched by them.
    """
    if t.traced:
        return form(np.abs)
    # Wide again: a sum of two bounds must not depend on whether another lane is far.
    far, near = far_lanes(t), (form(narrow) * SLACK + LEAST).astype(t.z.dtype)
    return np.where(far, form(np.abs), near) if far.any() else near


def far_lanes(t: Trajectory) -> np.ndarray:
    """(lanes,) where some number of the charges is further from 1 than FAR, or is none."""
    if "far" not in t.__dict__:
        numbers = map(narrow, (t.q, t.v, t.reach, t.pull_of_breaking, t.pull_of_decay))
        fits = [(x <= FAR) & ((x >= 1 / FAR) | (x == 0)) for x in numbers]
        fits += [x <= FAR for x in (t.delta, t.sigma)]  # a bound may be as small as it likes
        t.__dict__["far"] = ~np.all([x.all(axis=(0, 1)) for x in fits], axis=0)
    return t.__dict__["far"]


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
