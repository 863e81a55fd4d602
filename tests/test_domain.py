"""What is outside is decided apart from the trajectory under test."""

import numpy as np

from cases import CATALOG
from cases.softmax import DATA
from harness import sweep, trace
from harness.discrete import DiscreteCell
from harness.domain import leaving, overflowing
from harness.judge import judge_all
from harness.trajectory import Trajectory
from harness.verdicts import HOLDS, INCONCLUSIVE, OUTSIDE, VIOLATED
from kernels import launch
from kernels.precision import Precision
from kernels.rules import RULES

HAT = next(c for c in CATALOG if c.name == "mexican-hat")
ABOUT = dict(case="", rule="", backend="numpy", precision="", parameters={})


def diverging(eta):
    job = sweep.draw(HAT, RULES["heavy-ball"], Precision("float32"), lanes=5, steps=40, seed=2, overrides={"eta": eta, "beta": 0.9})
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
    cell = DiscreteCell(HAT, "heavy-ball", "float64", "numpy", "exact", ("D0", "D2", "D3"), 9, 3, 5, (("eta", 4.0),))
    records = cell.run()
    assert {r.verdict for r in records} <= {HOLDS, OUTSIDE} and any(r.verdict == HOLDS for r in records)


def test_an_operation_that_overflows_and_leaves_the_state_finite_is_outside():
    """In float16, every operation rounded, exp overflows where the quotient that it feeds is 1/inf = 0."""
    softmax = next(c for c in CATALOG if c.name == "softmax")
    records = [r for seed in range(3) for r in DiscreteCell(softmax, "heavy-ball", "float16/eager", "numpy", "exact", ("D0",), 61, seed, 12).run()]
    assert {r.verdict for r in records} == {HOLDS}
    assert any("outside" in r.reason for r in records)


def far_softmax(precision, q):
    softmax = next(c for c in CATALOG if c.name == "softmax")
    column = np.array(q)[:, None]
    params = np.array([[2.0**-10], [0.0], [0.0], [0.0]])
    return softmax, launch.Job(trace.gradient(softmax), RULES["gradient-descent"], precision, column, 0 * column, params, 2)


def test_logits_far_below_zero_are_inside_and_hold():
    """Each exp is 0, exactly, and the gradient is finite: nothing excuses a violation here."""
    case, job = far_softmax(Precision("float32"), [0.0, 0.0, *(-(2.0**40),) * 4])
    assert not leaving(case, job).any()
    z, v = launch.run(job, "numpy").wide()
    records = judge_all(Trajectory(case, job.rule, job.precision, z, v, job.params), ("D0", "D2", "D6"), about=ABOUT)
    assert records and {r.verdict for r in records} <= {HOLDS, INCONCLUSIVE}


def test_logits_that_have_lost_their_digits_may_overflow_and_are_outside():
    """<W_1 - W_0, x> = 0 here, but each product is 2^40: in float32 its rounding alone is past the overflow of exp."""
    x, y = DATA[2]
    case, job = far_softmax(Precision("float32"), [0.0, 0.0, 2.0**40 * y, -(2.0**40) * x, 0.0, 0.0])
    assert leaving(case, job).all()


def test_a_momentum_that_overflows_its_store_alone_is_outside():
    z = np.zeros((2, HAT.dim, 1)) + 0.5
    job = sweep.draw(HAT, RULES["heavy-ball"], Precision("float16"), lanes=1, steps=1, seed=0)
    assert not overflowing(job, z, 0 * z).any()
    assert overflowing(job, z, 0 * z + 65504.0).all()
