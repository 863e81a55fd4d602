"""A trajectory may say where it ends as far as D0 has certified it, and a wrong one may not."""

from dataclasses import replace

import numpy as np
import pytest

from noether.campaigns.fuzz.lanes import stiffness, units
from noether.campaigns.fuzz.regimes import REGIMES, draw
from noether.cases import CATALOG
from noether.cases.rules import RULES
from noether.kernels.loops import launch
from noether.kernels.programs.precision import parse
from noether.laws.exact import EXACT, shown_faults, update
from noether.laws.exact.cell import LaunchCell, judged, trajectory
from noether.laws.exact.certified import Domain, certified_steps, judge_inside, part
from noether.laws.exact.judge import judge_all, spent_of
from noether.mechanics.domain import leaving
from noether.mechanics.trajectory import Trajectory
from noether.verdicts.record import HOLDS, VIOLATED

HAT = next(c for c in CATALOG if c.name == "mexican-hat")
ABOUT = dict(case="", rule="", backend="numpy", precision="", parameters={})


@pytest.fixture(scope="module")
def chaotic():
    """Past the stability edge, every operation rounded to bfloat16: references stay where right trajectories
    overflow."""
    rule, precision = RULES["heavy-ball-decoupled"], parse("bfloat16/eager")
    u = np.random.default_rng(1).random((units(HAT), 400))
    job = draw(REGIMES["unstable"], HAT, rule, precision, u, 20)
    return job, Trajectory(HAT, rule, precision, *launch.run(job, "numpy").wide(), job.params)


def violated(records):
    return {r.law for r in records if r.verdict == VIOLATED}


def test_a_right_trajectory_that_parts_from_its_references_is_not_accused(chaotic):
    job, t = chaotic
    outside = leaving(HAT, job)
    assert (~t.finite.all(axis=0) & ~outside).any(), "no lane parts from its reference: nothing was shown"
    assert violated(judge_all(t, EXACT, about=ABOUT, outside=outside))
    records = judge_inside(HAT, job, t, EXACT, about=ABOUT)
    assert not violated(records) and any(r.verdict == HOLDS for r in records)


def test_a_certificate_ends_where_the_true_step_overflows(chaotic):
    job, t = chaotic
    until = certified_steps(t)
    lost = ~t.finite.all(axis=0)
    first = np.where(lost, (~t.finite).argmax(axis=0), t.steps + 1)
    assert (until[lost] < first[lost]).all() and (until <= t.steps).all() and (until == t.steps).any()


def test_a_wrong_step_on_the_way_to_overflow_is_not_excused(chaotic):
    job, t = chaotic
    until = certified_steps(t)
    lane = int(np.flatnonzero(~t.finite.all(axis=0) & (until > 4) & ~leaving(HAT, job))[0])
    alone = part(t, [lane])
    wrong = Trajectory(HAT, job.rule, job.precision, alone.z.copy(), alone.v, alone.params)
    wrong.z[2, 0, 0] *= 1.5
    assert certified_steps(wrong)[0] == t.steps
    few = dict(q0=job.q0[:, [lane]], v0=job.v0[:, [lane]], params=job.params[:, [lane]])
    one = replace(job, **few)
    assert {"D0"} <= violated(judge_inside(HAT, one, wrong, EXACT, about=ABOUT))


@pytest.mark.parametrize("law", ["D0", "D2"])
def test_a_kernel_that_overflows_by_itself_is_violated_whichever_law_is_asked(law):
    rule, precision = RULES["heavy-ball"], parse("float32")
    job = draw(
        REGIMES["ordinary"], HAT, rule, precision, np.random.default_rng(1).random((units(HAT), 6)), 12
    )
    z, v = launch.run(job, "numpy").wide()
    z[7:, :, 3] *= 2.0**200  # no operation of the reference comes near: the step to row 7 is wrong
    z[9:, :, 3] = np.inf
    t = Trajectory(HAT, rule, precision, z, v, job.params)
    assert certified_steps(t)[3] == t.steps
    assert violated(judge_inside(HAT, job, t, (law,), about=ABOUT)) == {law}
    assert stiffness(HAT) > 1


PHASE = next(c for c in CATALOG if c.name == "complex-phase")
OVERFLOWING = LaunchCell(PHASE, "nesterov", "float16/eager", "numpy", "exact", ("D0", "D2"), 61, 0)
"""A launch that a reference does not see overflow, though its own right step does: lane 60 at step 21."""


def test_a_cell_does_not_accuse_a_right_step_that_overflows_and_counts_it_as_outside():
    job = OVERFLOWING.job()
    t = trajectory(OVERFLOWING, job, launch.run(job, "numpy"))
    assert violated(judge_all(t, ("D0", "D2"), about=ABOUT, outside=leaving(OVERFLOWING.case, job))) == {
        "D0",
        "D2",
    }
    records = OVERFLOWING.run()
    assert {r.verdict for r in records} == {HOLDS} and all("lanes outside" in r.reason for r in records)
    ends = Domain(OVERFLOWING.case, job, t).ends
    assert ends[60] and all(r.lanes == job.lanes - int(ends.sum()) for r in records)


@pytest.mark.parametrize(
    "fault", [c for c in shown_faults.KERNEL_FAULTS if c.applies(OVERFLOWING.job())], ids=lambda c: c.name
)
def test_a_wrong_kernel_does_not_excuse_itself_where_right_ones_overflow(fault):
    """Its certificate ends with its first wrong step: no lane that a reference keeps is taken from the judge
    by it."""
    job, case = OVERFLOWING.job(), OVERFLOWING.case
    wrong = shown_faults.wrong_trajectory(case, job, fault)
    right = trajectory(OVERFLOWING, job, launch.run(job, "numpy"))
    with np.errstate(all="ignore"):
        false = (spent_of(update(wrong)) > 1).any(axis=(0, 1)) & ~Domain(case, job, right).ends
    domain = Domain(case, job, wrong)
    lost = false & ~domain.outside & (domain.until == 0)
    assert not lost.any(), f"{fault.name}: {int(lost.sum())} lanes with a wrong step were not judged at all"
    found = judged(OVERFLOWING, job, wrong, OVERFLOWING.about(job, "numpy"), domain)
    assert not false.any() or violated(found), fault.name
    small = [f"{term} x (1 + 2^-10)" for term in ("beta", "eta", "gradient")]
    small += ["eta as float32", "k off by 1 %"]
    assert false.any() or fault.name in small, "too small to see here"
