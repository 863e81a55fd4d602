"""How far a step can go and how long it is: laws D15 and D16, and the launches that show them."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from plainest import record
from rule_steps import of_files

from noether.cases import CATALOG
from noether.cases.rules.adagrad import ADAGRAD
from noether.cases.rules.adam import ADAM
from noether.cases.rules.adamax import ADAMAX
from noether.cases.rules.adamw import ADAMW
from noether.cases.rules.amsgrad import AMSGRAD
from noether.cases.rules.heavy_ball import HEAVY_BALL
from noether.cases.rules.lamb import LAMB
from noether.cases.rules.lion import LION
from noether.cases.rules.muon import MUON
from noether.cases.rules.nadam import NADAM
from noether.cases.rules.rmsprop import RMSPROP
from noether.cases.rules.sign_descent import SIGN_DESCENT
from noether.cases.step_sizes import Bounded
from noether.kernels.loops.launch import run
from noether.kernels.programs.precision import parse
from noether.laws.exact import EXACT, judge, law_faults
from noether.laws.exact.cell import fits
from noether.laws.exact.course import course
from noether.laws.exact.judge import spent_of
from noether.mechanics import sweep
from noether.mechanics.domain import leaving
from noether.mechanics.trajectory import Trajectory
from noether.runs import completeness

CASES = {case.name: case for case in CATALOG}
PRODUCT = CASES["product"]
BOUNDED = [rule for rule in of_files() if rule.bounded]
LONG = [rule for rule in of_files() if rule.length]
PRECISIONS = (
    "float64",
    "float32",
    "float16",
    "bfloat16",
    "float16/eager",
    "bfloat16/eager",
    "bfloat16/mixed",
)


def launched(rule, case="", precision="float64", seed=1, lanes=61, steps=32, **overrides):
    """A job of a rule and the trajectory that numpy makes of it, on the first case that it fits."""
    kind = parse(precision)
    case = case or next(c.name for c in CATALOG if fits(rule, c))
    size = dict(lanes=lanes, steps=min(steps, sweep.horizon(rule, kind)), seed=seed)
    job = sweep.draw(CASES[case], rule, kind, **size, overrides=overrides)
    return job, Trajectory.launched(CASES[case], job, *run(job, "numpy").wide())


# ---- the laws


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from([*BOUNDED, *LONG]),
    st.sampled_from(("product", "mexican-hat-2", "softmax", "quadratic-network")),
    st.sampled_from(PRECISIONS),
    st.integers(0, 2**32 - 1),
)
def test_no_right_launch_goes_further_or_is_longer_than_it_can_be(rule, case, precision, seed):
    assume(rule.fits(CASES[case].dim))
    job, t = launched(rule, case, precision, seed, lanes=13)
    for law in (EXACT[key] for key in ("D15", "D16") if EXACT[key].suits(rule, None)):
        covered = law.covers(t, None)
        assume(covered.any())  # adaptive rules are bounded from rest alone
        spent = spent_of(law.residual(t))[..., covered]
        if not (spent <= 1).all():
            spent = spent_of(law.residual(t))[..., covered & ~leaving(t.case, job)]
        assert (spent <= 1).all()


def test_lion_draws_q_into_its_ball_at_the_stated_rate_and_keeps_it_there():
    """To rounding: a step rounds four times at most, each time a number that is no larger than q, and what
    was rounded before it shrinks."""
    _, t = launched(LION, lanes=61, steps=96, k=2.0, eps=0.0)
    size, ball = np.abs(t.q).max(axis=1), 1 / t.k
    rounded = 4 * t.steps * 2.0**-53 * size.max()
    outside = size[0] > 1.25 * ball
    assert outside.sum() >= 8
    rate = (1 - t.eta * t.k) ** np.arange(97)[:, None]
    assert (size - ball <= rate * (size[0] - ball) + rounded)[:, outside].all()
    inside = size <= ball
    assert inside[-1].any() and not (inside[:-1] & ~(size <= ball + rounded)[1:]).any()


def test_a_size_below_its_largest_spends_nothing_and_shows_as_evidence():
    _, t = launched(ADAMW, seed=3)
    law = EXACT["D15"]
    r = law.residual(t)
    assert r.at_most and (spent_of(r)[..., law.covers(t, None)] == 0).all()
    assert judge.evidence(law, r, t).sum() >= t.lanes // judge.EVIDENCE_SHARE


def test_adaptive_rules_are_covered_from_rest_alone():
    _, t = launched(ADAMW)
    covered = EXACT["D15"].covers(t, None)
    assert np.array_equal(covered, ~t.v[0].any(axis=0)) and 0 < covered.sum() < t.lanes
    later = replace(launched(ADAMW)[0], begun=3)
    assert not EXACT["D15"].covers(Trajectory.launched(t.case, later, t.z, t.v), None).any()
    assert EXACT["D15"].covers(launched(LION)[1], None).all()


HALVED = [(LION, "product"), (MUON, "quadratic-network"), (ADAM, "quadratic-network")]


@pytest.mark.parametrize("rule, case", HALVED, ids=lambda x: getattr(x, "name", x))
def test_a_ball_of_half_the_size_is_left(rule, case):
    _, t = launched(rule, case)
    fault = next(f for f in law_faults.FAULTS if f.name == "ball of half the size")
    spent = spent_of(fault.residual(t, None))[..., EXACT["D15"].covers(t, None)]
    assert spent.max() > 2.0**40


def test_the_length_of_a_step_of_lamb_is_its_share_of_the_size_of_q():
    """To rounding: that of q is 1/eta of it in a step; norms and their share are a few dozen operations."""
    _, t = launched(LAMB, k=0.0)
    step = np.sqrt((np.diff(t.q, axis=0) ** 2).sum(axis=1))
    size = np.sqrt((t.q[:-1] ** 2).sum(axis=1))
    assert (np.abs(step / (t.eta * size) - 1) <= (64 + 4 / t.eta) * 2.0**-53).all()
    assert (spent_of(EXACT["D16"].residual(t)) <= 1).all()


@pytest.mark.parametrize("rule", [ADAM, ADAMAX], ids=lambda rule: rule.name)
def test_where_nothing_bounds_a_step_nothing_is_said(rule):
    """Without a memory of squares a momentum is divided by the last one alone: 0/0 at no momentum."""
    for beta in (0.9, 0.0):
        job, t = launched(rule, beta=beta, beta2=0.0)
        law = EXACT["D15"]
        r = law.residual(t)
        assert (spent_of(r)[..., law.covers(t, None)] == 0).all()
        z = t.z.copy()
        z[3] = np.nan
        broken = Trajectory.launched(t.case, job, z, t.v)
        assert np.isinf(spent_of(law.residual(broken))[2]).all()


def test_a_claim_that_is_too_small_is_refuted_by_the_law():
    rule = replace(LION, bounded=Bounded(by=lambda n, p: 0.5, past=lambda d, u: 0.0))
    _, t = launched(rule)
    assert spent_of(EXACT["D15"].residual(t)).max() > 2.0**40


# ---- what is conserved no more


def test_no_adaptive_rule_keeps_the_sum_that_gradient_flow_keeps_under_a_translation():
    """The covector's charge is still 0 from rest, since a p decays whatever moves q: up to what all steps
    before may have rounded, the course of D2. Heavy ball moves the sum by that charge and by rounding."""
    case = CASES["softmax"]
    symmetry = case.symmetries[0]
    along = symmetry.shift
    for rule in (ADAM, RMSPROP, ADAGRAD, ADAMAX):
        job, _ = launched(rule, "softmax", eps=0.0, k=0.0)
        rest = replace(job, v0=0 * job.v0)
        t = Trajectory.launched(case, rest, *run(rest, "numpy").wide())
        total, charge = ((x * along[:, None]).sum(axis=1) for x in (t.q, t.p))
        assert np.abs(total - total[0]).max() > 0.01, rule.name
        rounded = course(t, symmetry).bound
        assert (np.abs(charge) <= rounded).all() and rounded.max() < 2.0**-46, rule.name
    job, _ = launched(HEAVY_BALL, "softmax", eps=0.0, k=0.0)
    rest = replace(job, v0=0 * job.v0)
    t = Trajectory.launched(case, rest, *run(rest, "numpy").wide())
    total, charge = ((x * along[:, None]).sum(axis=1) for x in (t.q, t.p))
    moved = np.abs(charge[1:]) + (np.abs(along[:, None]) * (t.sigma + t.delta)).sum(axis=1)
    assert (np.abs(total - total[0])[1:] <= np.cumsum(moved, axis=0)).all() and moved.sum(
        axis=0
    ).max() < 1e-13


def test_the_memory_of_lion_breaks_what_sign_descent_keeps():
    """|u| - |v| of a product: the signs of two averages need not change in the same step."""
    symmetry = CASES["product"].symmetries[0]
    law = EXACT["D8"]
    kept, broken = (launched(rule, eps=0.0, k=0.0, steps=96)[1] for rule in (SIGN_DESCENT, LION))
    assert (spent_of(law.residual(kept, symmetry)) <= 1).all()
    assert not law.suits(LION, symmetry)
    assert spent_of(law.residual(broken, symmetry)).max() > 2.0**40


# ---- the launches that show them


@pytest.mark.parametrize("rule", [ADAM, AMSGRAD, ADAMAX, NADAM, LAMB], ids=lambda rule: rule.name)
def test_a_kicked_adaptive_rule_starts_from_the_second_moment_of_its_kick(rule):
    job, _ = launched(rule)
    m, other = job.v0[: job.program.dim], job.v0[-job.program.dim :]
    kicked = m != 0
    assert kicked.any() and not other[~kicked].any()
    size = np.abs(m) + job.params[rule.index("stability")] if rule is ADAMAX else m * m
    extra = sweep.left_by(rule, m)[rule.buffers[-1]]
    assert np.array_equal(other, extra) and (other[kicked] > 0).all()
    assert rule is ADAMAX or np.array_equal(other, size)
    job, t = launched(rule, "softmax", steps=8)
    assert leaving(t.case, job).mean() < 1 / 8  # a kick over a stability would overflow


def test_lanes_of_a_bounded_step_start_outside_its_ball_and_some_of_them_from_rest():
    job, _ = launched(ADAMW)
    most = np.abs(np.array(CASES["mexican-hat-2"].box)).max()
    k, eta = job.params[2], job.params[0]
    assert (eta * k <= 0.5 * (1 + 2.0**-51)).all() and (k > 1 / most).mean() > 1 / 3
    resting = ~job.v0.any(axis=0)
    assert 1 / 8 < resting.mean() < 1 / 2 and (job.params[3][resting] > 0).all()
    job, _ = launched(LION)
    assert job.v0.any(axis=0).all()


def test_a_law_of_a_largest_value_says_so_and_is_idle_where_it_would_notice_nothing():
    """Whatever it spends: what is below the largest value spends nothing."""
    _, t = launched(ADAMW, "product")
    for law in EXACT.values():
        if law.suits(t.rule, PRODUCT.symmetries[0]):
            assert law.residual(t, PRODUCT.symmetries[0]).at_most == law.at_most
    told = record("D15", precision="float64", rule="adamw", spent=0.0, powers={"longest step": 0.01})
    assert completeness.idle([told], ["D15"]) == [] and completeness.numb([told], ["D15"]) == []
    told = record("D15", precision="float64", rule="adamw", spent=0.0, powers={"longest step": 0.7})
    assert len(completeness.numb([told], ["D15"])) == 1
