"""What is outside is decided apart from the trajectory under test."""

import numpy as np
import pytest

from noether.cases import CATALOG
from noether.cases.losses.softmax import DATA
from noether.cases.rules import RULES
from noether.cases.rules.rmsprop_centred import RMSPROP_CENTRED
from noether.kernels.loops import launch
from noether.kernels.programs import trace
from noether.kernels.programs.precision import Precision, parse
from noether.laws.exact.cell import LaunchCell
from noether.laws.exact.judge import judge_all
from noether.mechanics import domain, sweep
from noether.mechanics.domain import leaving, overflowing
from noether.mechanics.trajectory import Trajectory
from noether.verdicts.record import HOLDS, INCONCLUSIVE, OUTSIDE, VIOLATED

HAT = next(c for c in CATALOG if c.name == "mexican-hat")
ABOUT = dict(case="", rule="", backend="numpy", precision="", parameters={})


def diverging(eta):
    large = dict(overrides={"eta": eta, "beta": 0.9})
    job = sweep.draw(HAT, RULES["heavy-ball"], Precision("float32"), lanes=5, steps=40, seed=2, **large)
    z, v = launch.run(job, "numpy").wide()
    return job, Trajectory(HAT, job.rule, job.precision, z, v, job.params)


def test_a_step_that_must_overflow_is_outside():
    job, t = diverging(64.0)
    assert not t.finite.all()
    (record,) = judge_all(t, ("D0",), about=ABOUT, outside=leaving(HAT, job))
    assert record.verdict == OUTSIDE


def test_a_kernel_that_overflows_where_the_reference_does_not_is_violated():
    job, t = diverging(2.0**-6)
    wrong = Trajectory(HAT, job.rule, job.precision, t.z.copy(), t.v, job.params)
    wrong.z[-1, 0, 1] = np.inf
    (record,) = judge_all(wrong, ("D0",), about=ABOUT, outside=leaving(HAT, job))
    assert record.verdict == VIOLATED and "lane 1 at step 40" in record.reason


def test_exact_laws_hold_while_diverging():
    """Past the stability edge, before overflow, every law still holds."""
    job, t = diverging(2.0**-6)
    cell = LaunchCell(
        HAT, "heavy-ball", "float64", "numpy", "exact", ("D0", "D2", "D3"), 9, 3, 5, (("eta", 4.0),)
    )
    records = cell.run()
    assert {r.verdict for r in records} <= {HOLDS, OUTSIDE} and any(r.verdict == HOLDS for r in records)


def test_an_operation_that_overflows_and_leaves_the_state_finite_is_outside():
    """In float16, every operation rounded, exp overflows where the quotient that it feeds is 1/inf = 0."""
    softmax = next(c for c in CATALOG if c.name == "softmax")
    records = [
        r
        for seed in range(3)
        for r in LaunchCell(
            softmax, "heavy-ball", "float16/eager", "numpy", "exact", ("D0",), 61, seed, 12
        ).run()
    ]
    assert {r.verdict for r in records} == {HOLDS}
    assert any("outside" in r.reason for r in records)


def far_softmax(precision, q):
    softmax = next(c for c in CATALOG if c.name == "softmax")
    column = np.array(q)[:, None]
    params = np.array([[2.0**-10], [0.0], [0.0], [0.0]])
    return softmax, launch.Job(
        trace.gradient(softmax), RULES["gradient-descent"], precision, column, 0 * column, params, 2
    )


def test_logits_far_below_zero_are_inside_and_hold():
    """Each exp is 0, exactly, and the gradient is finite: nothing excuses a violation here."""
    case, job = far_softmax(Precision("float32"), [0.0, 0.0, *(-(2.0**40),) * 4])
    assert not leaving(case, job).any()
    z, v = launch.run(job, "numpy").wide()
    records = judge_all(
        Trajectory(case, job.rule, job.precision, z, v, job.params), ("D0", "D2", "D6"), about=ABOUT
    )
    assert records and {r.verdict for r in records} <= {HOLDS, INCONCLUSIVE}


def test_logits_that_have_lost_their_digits_may_overflow_and_are_outside():
    """<W_1 - W_0, x> = 0 here, but each product is 2^40: in float32 its rounding alone is past the overflow
    of exp."""
    x, y = DATA[2]
    case, job = far_softmax(Precision("float32"), [0.0, 0.0, 2.0**40 * y, -(2.0**40) * x, 0.0, 0.0])
    assert leaving(case, job).all()


def test_a_momentum_that_overflows_its_store_alone_is_outside():
    z = np.zeros((2, HAT.dim, 1)) + 0.5
    job = sweep.draw(HAT, RULES["heavy-ball"], Precision("float16"), lanes=1, steps=1, seed=0)
    assert not overflowing(job, z, 0 * z).any()
    assert overflowing(job, z, 0 * z + 65504.0).all()


def still_job(precision, steps=3, lanes=2):
    return sweep.draw(
        HAT, RULES["heavy-ball"], Precision(*precision.split("/")), lanes=lanes, steps=steps, seed=0
    )


@pytest.mark.parametrize("precision", ["float32", "float16", "bfloat16", "float16/eager", "float16/mixed"])
def test_outside_begins_a_sixteenth_before_overflow_in_state_momentum_and_operation(precision, monkeypatch):
    job = still_job(precision)
    p = job.precision
    largest = {"float16": 65504.0, "bfloat16": 3.3e38, "float32": 3.4e38}
    inside = np.zeros((job.steps + 1, job.lanes))
    monkeypatch.setattr(domain, "operation_range", lambda job, q: (None, inside))
    zero = np.zeros((job.steps + 1, HAT.dim, job.lanes))
    assert not overflowing(job, zero, zero).any()
    for which, kind in (("state", p.q_store), ("momentum", p.v_store), ("operation", p.rounded)):
        edge = largest[kind] / 16
        for value, out in ((edge, True), (np.nextafter(edge, 0), False), (np.nan, True), (np.inf, True)):
            z, v = zero.copy(), zero.copy()
            inside[:] = 0
            if which == "operation":
                inside[2, 1] = value
            else:
                (z if which == "state" else v)[2, 1, 1] = -value
            assert list(overflowing(job, z, v)) == [False, out], (which, value)


@pytest.mark.parametrize("precision", ["float32", "float16", "float16/eager", "bfloat16/mixed"])
def test_normal_ends_sixteenfold_above_the_first_subnormal_number_and_zero_is_normal(precision, monkeypatch):
    job = still_job(precision)
    p = job.precision
    least = {"float16": 2.0**-14, "bfloat16": 2.0**-126, "float32": 2.0**-126}
    one, ones = np.ones((job.steps + 1, job.lanes)), np.ones((job.steps + 1, HAT.dim, job.lanes))
    for which, kind in (("state", p.q_store), ("momentum", p.v_store), ("operation", p.rounded)):
        edge, top = 16 * least[kind], domain.OVERFLOW[kind] / 16
        for value, fine in (
            (edge, True),
            (-edge, True),
            (np.nextafter(edge, 0), False),
            (0.0, which != "operation"),
            (np.nextafter(top, 0), True),
            (-top, False),
            (np.inf, False),
            (np.nan, False),
        ):
            z, v, small, large = ones.copy(), ones.copy(), one.copy(), one.copy()
            if which == "operation":
                small[1, 0] = min(abs(value), 1.0)
                large[1, 0] = max(abs(value), 1.0)
            else:
                (z if which == "state" else v)[1, 2, 0] = value
            monkeypatch.setattr(domain, "same_stores", lambda case, job, z=z, v=v: (z, v))
            monkeypatch.setattr(domain, "operation_range", lambda job, q, s=small, m=large: (s, m))
            want = np.ones((job.steps + 1, job.lanes), bool)
            want[1:, 0] = fine
            assert np.array_equal(domain.normal_steps(HAT, job), want), (which, value)


def test_the_reference_in_the_jobs_stores_is_a_run_with_its_own_gradient():
    job = still_job("bfloat16", steps=5)
    z, v = domain.same_stores(HAT, job)
    mine, w = launch.run(job, "numpy").wide()
    assert z.shape == v.shape == mine.shape and np.array_equal(z[0], job.q0) and np.array_equal(v[0], job.v0)
    assert np.abs(z - mine).max() < 2.0**-5 and np.abs(v - w).max() < 2.0**-5 and (z[1:] != z[:-1]).any()


def test_operations_range_over_each_step_of_each_lane():
    job = still_job("float32", steps=2)
    q = np.ones((3, HAT.dim, 2))
    q[1, :, 1], q[2, 0, 0] = 2.0**20, 2.0**-30
    smallest, largest = domain.operation_range(job, q)
    assert smallest.shape == largest.shape == (3, 2)
    assert largest[1, 1] >= 2.0**60 and (np.delete(largest.ravel(), 3) < 2.0**10).all()
    assert smallest[2, 0] <= 2.0**-60


@pytest.mark.parametrize("leaves", ["wide", "narrow"])
def test_a_lane_that_leaves_in_either_reference_is_outside(leaves, monkeypatch):
    job = still_job("float16")
    told = iter([np.array([leaves == "wide", False]), np.array([leaves == "narrow", False])])
    monkeypatch.setattr(domain, "overflowing", lambda job, z, v: next(told))
    assert list(leaving(HAT, job)) == [True, False]


def test_the_operations_of_a_mirror_case_are_those_at_exp_z():
    case = next(c for c in CATALOG if c.name == "entropy-mirror")
    job = sweep.draw(case, RULES["mirror-descent"], Precision("float32"), lanes=2, steps=1, seed=0)
    z = np.zeros((2, case.dim, 2))
    z[1, :, 1] = 60.0  # |q| = 1e26, its square is not finite in float32
    assert list(overflowing(job, z, 0 * z)) == [False, True]


def test_the_operations_are_those_at_the_lanes_own_magnitude_of_breaking():
    job = still_job("float32")
    job.params[2], job.params[3] = 2.0**100, (0.0, 2.0**90)
    largest = domain.operation_range(job, np.ones((1, HAT.dim, 2)))[1][0]
    assert largest[0] < 2.0**10 and largest[1] >= 2.0**90


def test_a_root_of_a_difference_that_rounding_may_make_negative_is_outside():
    """s - m^2 of a centred average is near 0 where gradients hardly change, or where s underflows.

    Every lane in which the kernel's own difference became negative is told from the reference. In float64
    none did, and none is told.
    """
    case, rule = next(c for c in CATALOG if c.name == "free-particle"), RMSPROP_CENTRED
    for label, some in (("float16/eager", True), ("float64", False)):
        job = sweep.draw(case, rule, parse(label), lanes=65, steps=12, seed=4)
        _, s, m = np.split(launch.run(job, "numpy").wide()[1][1:], 3, axis=1)
        negative, outside = (s < m * m).any(axis=(0, 1)), leaving(case, job)
        assert negative.any() == some and outside.any() == some and not (negative & ~outside).any()
