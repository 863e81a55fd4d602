"""A case in units of its own: its parameters, loss, breaking and metric by powers of two, so that they are of
order one.

    f'(x) = F f(U x),   b'(x) = B b(U x),   G'(x; kappa) = g G(U x; kappa),   q = U x                     (1)

No statement of theory.md has a unit, so that each is true of (1) where it is true of the case: a step of size
eta goes from q where one of size eta / (F U^2), times g on a metric, goes from x = q / U. But step sizes,
velocities, friction, masses, decay and the magnitude of the breaking are drawn as numbers near one, which
say nothing of a loss of 1e-6 on parameters of 1e-3. A power of two rounds nothing, so that bits are those of
the case wherever none of its numbers under- or overflows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from noether.cases.case import BREGMAN, DIAGONAL, Case, Symmetry
from noether.kernels.programs import trace
from noether.kernels.programs.loop_program import LoopProgram
from noether.kernels.programs.precision import Precision
from noether.mechanics import stiffness, wide

SIZES, CURVATURES, SLOPES = (2.0**-5, 2.0**5), (2.0**-3, 2.0**7), (2.0**-1, 2.0**3)
"""Between these a size, a curvature, a slope of the breaking is of order one, as those of the catalogue are:
box 0.75 to 3, curvature 0.2 to 15, slope 0.55 to 4.9."""
METRICS = (2.0**-4, 2.0**4)
WIDTHS = 16.0
"""How many times the width of the box in its direction a velocity is, or what a kick is relative to."""


@dataclass(frozen=True)
class Units:
    """U, F, B and g of (1), powers of two; 1 where a case is of order one already."""

    place: float = 1.0
    loss: float = 1.0
    breaking: float = 1.0
    metric: float = 1.0


@dataclass(frozen=True)
class Scaled:
    """A function of q that is asked at q = place x, and its value, or each of its values, times factor."""

    function: Callable
    place: float
    factor: float = 1.0

    def __call__(self, x: Sequence, *between):
        q = x if self.place == 1 else [self.place * y for y in x]
        found = self.function(q, *between)
        if self.factor == 1:
            return found
        return [self.factor * y for y in found] if isinstance(found, list | tuple) else self.factor * found


def of_order_one(case: Case) -> Case:
    """The case of (1), or the case itself where its numbers are of order one already.

    Unchanged too: a large case, whose loss takes arrays, and one whose curvature is no number.
    """
    units = units_of(case)
    return case if units == Units() else written(case, units)


def written(case: Case, units: Units) -> Case:
    """A case in these units."""
    scaled = lambda f, factor=1.0: f and Scaled(f, units.place, factor)
    entries = scaled(case.metric.entries, units.metric)
    return replace(
        case,
        loss=scaled(case.loss, units.loss),
        breaking=scaled(case.breaking, units.breaking),
        kinks=scaled(case.kinks),
        samples=scaled(case.samples, units.loss),
        metric=replace(case.metric, entries=entries) if entries else case.metric,
        box=tuple((low / units.place, high / units.place) for low, high in case.box),
        symmetries=tuple(moved(s, units.place) for s in case.symmetries),
        pace=case.pace and pace_in(units, case.pace),
    )


def pace_in(units: Units, pace: float) -> float | None:
    """A pace in these units, for rules that read the metric or for those that do not, whichever is smaller;
    None, to be derived, where it is beyond a float64."""
    exponents = [int(np.log2(x)) for x in (pace, units.loss, units.place, min(1.0, units.metric))]
    exponent = np.dot(exponents, (1, -1, -2, 1))
    return 2.0 ** int(exponent) if abs(exponent) <= 1022 else None


def moved(symmetry: Symmetry, place: float) -> Symmetry:
    """xi of x = q / place; a translation stays, whose length says nothing."""
    if symmetry.is_translation or place == 1 or not np.any(symmetry.shift):
        return symmetry
    return replace(symmetry, a=tuple(x / place for x in symmetry.a))


@cache
def units_of(case: Case) -> Units:
    """The units in which a case is of order one."""
    if isinstance(trace.gradient(case), LoopProgram):
        return Units()
    with np.errstate(all="ignore"):
        found = Units(place=1.0 if case.metric.kind == BREGMAN else unit_of_place(case))
        if case.metric.kind == DIAGONAL:
            found = replace(found, metric=near(size_of_metric(written(case, found)), METRICS))
        there = written(replace(case, pace=None), found)
        loss = near(stiffness.step_curvature(there), CURVATURES)
        breaking = near(slope_of_breaking(there), SLOPES)
    return replace(found, loss=loss, breaking=breaking)


def near(size: float, between: tuple[float, float]) -> float:
    """The power of two that makes a size one, or 1 where it lies between, is 0 or no number."""
    if not 0 < size < np.inf or between[0] <= size <= between[1]:
        return 1.0
    return 2.0 ** int(np.clip(-round(np.log2(size)), -1022, 1023))  # what a float64 has


def unit_of_place(case: Case) -> float:
    """U: the size of parameters that are small, or the width of a box that is wide.

    A box that is narrow and far away is none of both: how far from 0 it lies may be of no account.
    """
    sides = np.array(case.box, dtype=float)
    size, width = np.abs(sides).max(), np.ptp(sides, axis=1).max()
    return 1 / near(size if size < SIZES[0] else max(width, SIZES[0]), SIZES)


def size_of_metric(case: Case) -> float:
    """The geometric mean of G over the points of the box, where kappa is 1/4 and 1."""
    q = stiffness.points(case)
    entries = [wide.metric(case, q, np.full(q.shape[1], kappa)) for kappa in (stiffness.LEAST_KAPPA, 1.0)]
    return float(np.exp(np.log(np.abs(np.array(entries, dtype=wide.WIDE))).mean()))


def slope_of_breaking(case: Case) -> float:
    """The mean size of the gradient of the breaking on the points of the box."""
    q = stiffness.points(case)
    program = trace.gradient(replace(case, loss=case.breaking))
    g = np.stack(program.run(list(q), np.zeros(q.shape[1]), Precision("float64")))
    return float(np.sqrt((g.astype(wide.WIDE) ** 2).sum(axis=0)).mean())


def narrowed(case: Case, size: float) -> np.ndarray:
    """(d,) this size, but WIDTHS of the box in that direction at most: of a kick, or of a velocity.

    Beside a parameter of another size, or far away, a box is narrow.
    """
    return np.minimum(size, WIDTHS * np.ptp(np.array(case.box, dtype=float), axis=1))


def told(case: Case) -> str:
    """The note for whoever wrote a case that is judged in units of its own; '' for any other."""
    if not isinstance(case.loss, Scaled):
        return ""
    place, loss, metric = case.loss.place, case.loss.factor, case.metric
    by = [f"parameters divided by {place:.3g}"] * (place != 1) + [f"loss times {loss:.3g}"] * (loss != 1)
    if isinstance(case.breaking, Scaled) and case.breaking.factor != 1:
        by.append(f"breaking times {case.breaking.factor:.3g}")
    if isinstance(metric.entries, Scaled) and metric.entries.factor != 1:
        by.append(f"metric times {metric.entries.factor:.3g}")
    return (
        f"case {case.name} is judged in units in which its numbers are near one: {', '.join(by)}, powers of "
        "two; no law depends on units, and the numbers of its verdicts are in these"
    )
