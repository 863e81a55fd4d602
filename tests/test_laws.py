"""The exact laws hold within their bounds for whatever is drawn, and fail for whatever is wrong."""

import numpy as np
import pytest

from noether.cases import CORE
from noether.cases.rules import RULES
from noether.kernels.loops import launch
from noether.kernels.programs.precision import Precision
from noether.laws.exact import EXACT, Residual, shown_faults
from noether.laws.exact.cell import LaunchCell, rules_of
from noether.laws.exact.judge import judge_all, spent_of
from noether.mechanics import sweep
from noether.mechanics.trajectory import Trajectory
from noether.verdicts.record import HOLDS, INCONCLUSIVE, VIOLATED

ABOUT = dict(case="", rule="", backend="numpy", precision="", parameters={})


def judged(case, job, outcome):
    z, v = outcome.wide()
    return Trajectory(case, job.rule, job.precision, z, v, job.params)


@pytest.mark.parametrize("case", CORE, ids=lambda c: c.name)
def test_every_fault_that_applies_is_killed(case):
    rule = "mirror-descent" if "mirror-descent" in rules_of(case) else "heavy-ball-scheduled"
    cell = LaunchCell(case, rule, "float64", "numpy", "faults", tuple(EXACT), 33, 5, 12)
    killed, seen = set(), set()
    for record in cell.run():
        seen.add(record.fault)
        if record.verdict == VIOLATED:
            killed.add(record.fault)
    assert len(seen) >= 9
    assert not seen - killed, f"survived: {sorted(seen - killed)}"


@pytest.mark.parametrize(
    ("name", "rule", "precision", "lanes"),
    [
        ("bfloat16 store truncated", "heavy-ball", "bfloat16", 61),
        ("momentum narrowed to the store", "heavy-ball", "bfloat16/mixed", 61),
        ("one lane in 10^4, last component", "heavy-ball", "float32", 10_007),
        ("decay coupled for decoupled", "heavy-ball-decoupled", "float32", 61),
        ("decay applied after the step", "heavy-ball", "float32", 61),
        ("tail lanes not written", "heavy-ball", "float32", 61),
    ],
)
def test_faults_of_narrow_stores_and_wide_launches_are_killed(name, rule, precision, lanes):
    case = next(c for c in CORE if c.name == "mexican-hat")
    cell = LaunchCell(case, rule, precision, "numpy", "faults", ("D0",), lanes, 5, 6)
    job = cell.job()
    fault = next(c for c in shown_faults.KERNEL_FAULTS if c.name == name)
    assert fault.applies(job)
    (record,) = judge_all(shown_faults.wrong_trajectory(case, job, fault), ("D0",), about=ABOUT)
    assert record.verdict == VIOLATED and record.spent > 1


def test_symmetric_losses_are_blind_to_faults_that_keep_the_symmetry():
    """Why D0 is there: D2 on a symmetric loss passes a doubled gradient."""
    case = next(c for c in CORE if c.name == "mexican-hat")
    few = dict(lanes=9, steps=20, seed=1, overrides={"eps": 0.0, "k": 0.0})
    job = sweep.draw(case, RULES["heavy-ball"], Precision("float64"), **few)
    twice = next(c for c in shown_faults.KERNEL_FAULTS if c.name == "gradient x 2")
    verdicts = {
        r.law: r.verdict
        for r in judge_all(shown_faults.wrong_trajectory(case, job, twice), ("D0", "D2", "D3"), about=ABOUT)
    }
    assert verdicts == {"D0": VIOLATED, "D2": HOLDS, "D3": HOLDS}


def test_what_does_not_move_is_inconclusive():
    case = next(c for c in CORE if c.name == "rayleigh")
    few = dict(lanes=9, steps=5, seed=1, overrides={"eta": 2.0**-30})
    job = sweep.draw(case, RULES["gradient-descent"], Precision("bfloat16"), **few)
    records = judge_all(judged(case, job, launch.run(job, "numpy")), EXACT, about=ABOUT)
    assert {r.verdict for r in records} == {INCONCLUSIVE}


def test_a_non_finite_residual_is_infinitely_spent():
    nan, one = np.array([np.nan, 0.0, 1.0]), np.ones(3)
    assert list(spent_of(Residual(nan, np.zeros(3), one, one))) == [np.inf, 0.0, 1.0]
    assert list(spent_of(Residual(one, np.zeros(3), 0 * one, one))) == [np.inf] * 3
    assert list(spent_of(Residual(one, one, nan, one)))[0] == 0.0


def test_the_response_to_breaking_is_the_predicted_one_and_only_that():
    case = next(c for c in CORE if c.name == "mexican-hat")
    records = LaunchCell(case, "heavy-ball", "float64", "numpy", "response", ("E1",), 61, 0).run()
    assert {r.verdict for r in records if r.fault is None} == {HOLDS}
    assert {r.verdict for r in records if r.fault} == {VIOLATED}


def test_scale_covariance_is_bitwise_and_needs_eta_squared():
    case = next(c for c in CORE if c.name == "rayleigh")
    records = LaunchCell(
        case, "heavy-ball", "float32", "numpy", "covariance", ("D13",), 33, 0, 20, (("eps", 0.0),)
    ).run()
    assert [r.verdict for r in records if r.fault is None] == [HOLDS] * 3
    assert [r.verdict for r in records if r.fault] == [VIOLATED]
