"""The public strategies draw every corner, filter nothing, and shrink to the plainest launch."""

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, find, given, seed, settings
from hypothesis import strategies as st
from hypothesis.statistics import collector

from noether.campaigns.fuzz import reproduction, strategies
from noether.campaigns.fuzz.regimes import REGIMES
from noether.campaigns.fuzz.strategies import LANES, cases, launches, points, precisions, regimes
from noether.cases import CORE
from noether.cases.rules import RULES
from noether.cli.main import call
from noether.kernels.loops import launch
from noether.kernels.programs.precision import Precision, representable
from noether.laws.exact.judge import judge_all
from noether.mechanics.trajectory import Trajectory
from noether.verdicts.record import VIOLATED

SEARCH = settings(max_examples=1000, database=None, deadline=None, suppress_health_check=list(HealthCheck))
FIRST = settings(SEARCH, phases=[Phase.generate])  # whatever is found first, not shrunk
HEAVY = RULES["heavy-ball"]
MIRROR = next(c for c in CORE if c.name == "entropy-mirror")


def test_nothing_is_filtered():
    """No draw is invalid. An overrun is Hypothesis's own: its first tenth of examples is held small."""
    seen, told = [], []

    @given(launches(), points())
    @seed(1)
    @settings(max_examples=100, database=None, phases=[Phase.generate])
    def drawn(pair, point):
        seen.append(1)

    with collector.with_value(told.append):
        drawn()
    cases_ = [
        c
        for facts in told
        for phase, part in facts.items()
        if phase.endswith("-phase")
        for c in part["test-cases"]
    ]
    statuses = [c["status"] for c in cases_]
    assert len(seen) >= 100 and statuses.count("valid") >= 100
    assert set(statuses) <= {"valid", "overrun"} and statuses.count("overrun") < 40


def test_no_strategy_mentions_a_filter():
    source = Path(strategies.__file__).read_text(encoding="utf-8")
    assert not re.findall(r"\.filter\(|assume\(|reject\(", source)


@given(launches())
@settings(max_examples=150)
def test_whatever_is_drawn_is_a_launch_in_its_own_stores(drawn):
    case, job = drawn
    assert case in CORE and job.lanes in LANES and 1 <= job.steps <= 12
    for values, kind in (
        (job.q0, job.precision.q_store),
        (job.v0, job.precision.v_store),
        (job.params, job.precision.arith),
    ):
        assert np.isfinite(values).all() and np.array_equal(representable(values, kind), values)
    eta, beta, k, eps, *kappa = job.params
    assert len(kappa) == job.rule.on_metric and all((x >= 0).all() for x in kappa)
    assert (eta > 0).all() and ((0 <= beta) & (beta < 1)).all() and (k >= 0).all() and (eps >= 0).all()


def found(condition, search=SEARCH, **given_):
    case, job = find(launches(**given_), lambda drawn: bool(condition(drawn[1])), settings=search)
    return job


WIDE, DECOUPLED = Precision("float64"), RULES["heavy-ball-decoupled"]
CORNERS = {
    "one lane": (lambda job: job.lanes == 1, {}),
    "odd lanes, more than a block": (lambda job: job.lanes == 129, {}),
    "every operation rounded": (lambda job: job.precision.label == "bfloat16/eager", {}),
    "beta the last number below 1": (
        lambda job: job.params[1].max() == 1 - 2.0**-24,
        dict(precision=Precision("float32"), rule=HEAVY, regime="heavy-memory"),
    ),
    "eta k next to 2": (
        lambda job: (abs(job.params[0] * job.params[2] - 2) < 2.0**-10).any(),
        dict(rule=DECOUPLED, regime="strong-decay"),
    ),
    "eps next to overflow": (
        lambda job: job.params[3].max() > 2.0**100,
        dict(precision=Precision("float32"), regime="strong-breaking"),
    ),
    "a tiny norm": (
        lambda job: (np.abs(job.q0).max(axis=0) < 2.0**-200).any(),
        dict(precision=WIDE, rule=HEAVY, case=CORE[1], regime="tiny-norm"),
    ),
    "a huge norm": (lambda job: np.abs(job.q0).max() > 2.0**200, dict(precision=WIDE, regime="huge-norm")),
    "beyond underflow of squares": (
        lambda job: (np.abs(job.q0).max(axis=0) < 2.0**-600).any(),
        dict(precision=WIDE, rule=HEAVY, regime="whole-range"),
    ),
    "a subnormal start": (
        lambda job: ((job.q0 != 0) & (np.abs(job.q0) < 2.0**-14)).any(),
        dict(precision=Precision("float16"), regime="whole-range"),
    ),
    "products that are subnormal": (
        lambda job: job.params[0].min() < 2.0**-100,
        dict(precision=Precision("bfloat16"), regime="denormal"),
    ),
    "a near-singular entropy": (
        lambda job: np.ptp(job.q0, axis=0).max() > 10,
        dict(case=MIRROR, regime="near-singular"),
    ),
    "from rest": (lambda job: not job.v0.any(), dict(rule=HEAVY)),
}


@pytest.mark.parametrize("corner", CORNERS)
def test_every_corner_is_drawn(corner):
    condition, given_ = CORNERS[corner]
    assert condition(found(condition, FIRST, **given_))


@pytest.mark.parametrize("regime", REGIMES)
def test_each_regime_can_be_asked_for(regime):
    rule = RULES["heavy-ball-decoupled"]
    case, job = find(launches(rule=rule, regime=regime, case=CORE[1]), lambda drawn: True, settings=FIRST)
    assert job.rule is rule and case is CORE[1]


def test_everything_shrinks_to_one_plain_lane_of_one_step():
    case, job = find(launches(), lambda drawn: True, settings=SEARCH)
    drawn = (case.name, job.rule.name, job.precision.label, job.lanes, job.steps)
    assert drawn == ("mexican-hat", "gradient-descent", "float64", 1, 1)
    assert np.frexp(job.params[0, 0])[0] == 0.5 and not job.params[1:].any() and not job.v0.any()
    assert np.array_equal(job.q0[:, 0], [low for low, _ in case.box])


def test_a_failure_of_one_lane_in_a_wide_launch_shrinks_to_few_lanes_and_small_numbers():
    job = found(lambda job: (job.params[2] > 0.25).any() and job.steps >= 4, rule=HEAVY)
    assert job.lanes == 1 and job.steps == 4
    assert job.params[3, 0] == 0 and np.frexp(job.params[0, 0])[0] == 0.5


def test_the_number_of_lanes_and_steps_can_be_fixed_or_drawn():
    case, job = find(
        launches(precision=Precision("bfloat16"), lanes=st.sampled_from([4, 6]), steps=3, eps=0.5, k=0.25),
        lambda drawn: True,
        settings=SEARCH,
    )
    assert (
        (job.precision.label, job.lanes, job.steps) == ("bfloat16", 4, 3)
        and (job.params[3] == 0.5).all()
        and (job.params[2] == 0.25).all()
    )


@given(points())
@settings(max_examples=60)
def test_a_point_is_finite_and_in_the_dimension_of_its_case(point):
    assert point.q.shape == point.qdot.shape == (point.case.dim,)
    assert np.isfinite(point.q).all() and point.kappa >= 0 and point.eps >= 0


def examples():
    text = "\n".join(
        getattr(strategies, name).__doc__
        for name in dir(strategies)
        if callable(getattr(strategies, name)) and "example()" in str(getattr(strategies, name).__doc__)
    )
    return re.findall(r"   ((?:\w+)\(.*?)\.example\(\)", text)


@pytest.mark.parametrize("expression", examples())
def test_the_example_of_each_strategy_draws(expression):
    scope = {**vars(strategies), **{c.name.replace("-", "_").upper(): c for c in CORE}, "HEAVY_BALL": HEAVY}
    strategy = eval(expression, scope)
    assert find(strategy, lambda x: True, settings=FIRST) is not None


def test_there_is_an_example_for_each_axis():
    assert len(examples()) >= 14


@pytest.mark.parametrize("strategy", [cases(), precisions(), regimes(HEAVY)])
def test_choices_are_all_reachable(strategy):
    assert len(strategy.elements) >= 3


# ---- a failure as one line


def heavier(monkeypatch):
    """Every launch off by half in each state after the start."""
    honest = launch.run

    def run(job, backend, *planted):
        outcome = honest(job, backend, *planted)
        outcome.q[1:] *= 1.5
        return outcome

    monkeypatch.setattr(launch, "run", run)


def violated(lanes=3):
    case, job = find(launches(rule=HEAVY, lanes=lanes, regime="ordinary"), lambda drawn: True, settings=FIRST)
    t = Trajectory(case, job.rule, job.precision, *launch.run(job, "numpy").wide(), job.params)
    return job, next(
        r for r in judge_all(t, ("D0",), about=reproduction.about(case, job)) if r.verdict == VIOLATED
    )


def test_a_violation_becomes_one_line_that_runs_its_lane_alone(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with monkeypatch.context() as planted:
        heavier(planted)
        job, record = violated()
        line = reproduction.reproduction(job, record)
        assert (
            line.startswith("noether fuzz --replay runs/found/D0-mexican-hat-heavy-ball-")
            and "\n" not in line
        )
        assert call(line.split()[1:]) == 1
        assert "violated again" in capsys.readouterr().out
    assert call(line.split()[1:]) == 0, "the fault is gone"
    reproduction.reproduction(selected(job, [record.worst["lane"]]), replace_worst(record))
    assert len(list(tmp_path.rglob("*.json"))) == 1, "what is found later replaces it"


def selected(job, lanes):
    return dataclasses.replace(job, q0=job.q0[:, lanes], v0=job.v0[:, lanes] * 2, params=job.params[:, lanes])


def replace_worst(record):
    record.worst["lane"] = 0
    return record


def test_what_cannot_be_run_again_is_refused(tmp_path, monkeypatch):
    heavier(monkeypatch)
    job, record = violated()
    record.case = "mine"
    with pytest.raises(ValueError, match="must be one of the catalogue"):
        reproduction.reproduction(job, record, out=tmp_path)
    record.worst = None
    with pytest.raises(ValueError, match="names no lane"):
        reproduction.reproduction(job, record, out=tmp_path)
