"""What is outside is decided apart from the trajectory under test."""

import numpy as np

from cases import CATALOG
from harness import sweep
from harness.discrete import DiscreteCell
from harness.domain import leaving
from harness.judge import judge_all
from harness.trajectory import Trajectory
from harness.verdicts import HOLDS, OUTSIDE, VIOLATED
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
