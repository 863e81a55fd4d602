"""eps measured back where a variance, or the breaking itself, leaves the range of float64 though nothing of
the launch does: a right run is not accused, and a wrong one still is."""

from dataclasses import replace

import numpy as np
import pytest

from noether.cases.case import DIAGONAL, Case, Metric, scale, translation
from noether.kernels.loops import launch
from noether.laws.exact.breaking import decades_needed
from noether.laws.response import breaking
from noether.laws.response.cells import cells, run_cell
from noether.laws.response.scatter import in_range
from noether.mechanics.trajectory import Trajectory
from noether.mechanics.wide import WIDE
from noether.verdicts.record import HOLDS, INCONCLUSIVE, OUTSIDE, VIOLATED

NEAR = ((1.0, 2.0), (1.0, 2.0))


def square(q, xp):
    return q[0] * q[0] / 2


def case(name, loss, breaking=square, box=NEAR, **more):
    where = dict(title="t", source="own", loss=lambda q, xp: loss(q[1] - q[0], xp), breaking=breaking)
    return Case(name=name, **where, box=box, symmetries=(translation((1.0, 1.0)),), **more)


def unit(power):
    """A product of two numbers that are 10^power, and as many tenths."""
    return lambda d, xp: 0.5 * (d * 10.0**power * 10.0**-power) ** 2


CASES = (
    case("far-logistic", lambda d, xp: xp.log(1 + xp.exp(d)), box=((1000.0, 1001.0),) * 2),
    case("logistic", lambda d, xp: xp.log(1 + xp.exp(d)) + xp.log(1 + xp.exp(-d)),
         box=((300.0, 301.0), (-301.0, -300.0))),
    case("large-unit", lambda d, xp: 1e170 * d * d, lambda q, xp: 1e170 * q[0] * q[0]),
    case("near-nothing", lambda d, xp: d * d / 2, box=((1e-160, 2e-160),) * 2),
    case("small-inside", unit(-180)),
    case("large-inside", unit(180)),
    case("faint", lambda d, xp: d * d / 2, lambda q, xp: xp.exp(-q[0] * q[0]), ((-40.0, 40.0),) * 2),
)  # fmt: skip


def cell_of(case, lanes=191):
    (cell,) = [c for c in cells((case,), "quick", 0, "numpy") if c.law == "E2"]
    return replace(cell, lanes=lanes)


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_a_right_run_is_not_accused_and_each_wrong_one_is(case):
    records = run_cell(cell_of(case))
    right = [r for r in records if r.fault is None]
    assert [r.verdict for r in right] == [HOLDS, HOLDS], [r.reason for r in right]
    steps = {r.fault: r.verdict for r in records if r.fault and not r.fault.startswith("error bars")}
    assert len(steps) == 5 and set(steps.values()) == {VIOLATED}


HALF = case(
    "half-broken",
    lambda d, xp: d * d / 2,
    lambda q, xp: xp.step(q[0] - 1.5) * (q[0] - 1.5) ** 2,
    kinks=lambda q, xp: [q[0] - 1.5],
)


def test_a_lane_along_which_nothing_breaks_says_nothing_and_the_reference_decides_it():
    cell = cell_of(HALF)
    job = breaking.job_of(cell)
    right = Trajectory.launched(HALF, job, *launch.run(job, "numpy").wide())
    found = breaking.recover(right, HALF.symmetries[0], job.program)
    silent = found.weight == 0
    assert 0 < silent.sum() < job.lanes
    assert np.array_equal(breaking.inside_of(cell, job, found, HALF.symmetries[0]), ~silent)
    assert {r.verdict for r in run_cell(cell) if r.fault is None} == {HOLDS}
    lost = replace(found, value=np.where(silent, found.value, np.nan), sd=found.sd * np.nan)
    inside = breaking.inside_of(cell, job, lost, HALF.symmetries[0])
    assert np.array_equal(inside, ~silent), "an estimate cannot excuse itself"
    about = cell.about("numpy", {})
    assert breaking.judged(cell, job, lost, job.params[3], inside, about).verdict == VIOLATED
    nowhere = np.zeros(job.lanes, bool)
    assert breaking.judged(cell, job, lost, job.params[3], nowhere, about).verdict == OUTSIDE


def quotient(q, xp):
    return (q[0] * q[0] + 2 * q[1] * q[1]) / (q[0] * q[0] + q[1] * q[1])


def test_a_deformation_that_is_faint_in_some_lanes_is_recovered_in_the_others():
    """G = 1 + kappa exp(-q^2), down to e^-1600: of a flow that starts there nothing is told from 0."""
    entries = lambda q, kappa, xp: [1 + kappa * xp.exp(-x * x) for x in q]
    where = dict(title="t", source="own", breaking=lambda q, xp: q[0], scale_free=True)
    faint = Case(name="faint", loss=quotient, box=((1.0, 40.0),) * 2, symmetries=(scale(2),),
                 metric=Metric(DIAGONAL, entries=entries), **where)  # fmt: skip
    updates, flow = (c for c in cells((faint,), "quick", 0, "numpy") if c.law == "E3")
    records = run_cell(updates)
    assert {r.verdict for r in records if r.fault is None} == {HOLDS}
    assert {r.verdict for r in records if r.fault} == {VIOLATED}
    right = run_cell(flow)[0]
    assert right.verdict == INCONCLUSIVE and right.spent < 1, right.reason


def test_the_wide_type_is_taken_only_where_float64_is_left():
    square = lambda x: x * x
    for x, kind in ((1e-200, WIDE), (1e200, WIDE), (1e-100, np.float64), (0.0, np.float64)):
        found = in_range(square, np.array([x, 1.0]))
        assert found.dtype == kind and found[0] == np.multiply(kind(x), kind(x))


def test_eight_decades_are_enough_of_a_case_of_which_nobody_knows_more():
    assert decades_needed("rayleigh", 12.0) == 12.0 and decades_needed("my-own", 12.0) == 8.0
    assert decades_needed("my-own", 3.0) == 3.0, "of a narrow type fewer are asked anyway"
