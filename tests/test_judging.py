"""From a residual to a verdict: what is worst, what counts as evidence, what is excused; at its thresholds,
and one past them."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from noether.cases import CATALOG
from noether.cases.rules import RULES
from noether.kernels.programs.precision import Precision
from noether.laws.exact import EXACT, MOTION, Residual
from noether.laws.exact.judge import (
    EVIDENCE_SHARE,
    PATH_MOTION,
    evidence,
    judge,
    judge_all,
    spent_of,
    violation,
)
from noether.mechanics.trajectory import Trajectory
from noether.verdicts.record import HOLDS, INCONCLUSIVE, OUTSIDE, VIOLATED

HAT = next(c for c in CATALOG if c.name == "mexican-hat")
ABOUT = dict(case="mexican-hat", rule="heavy-ball", backend="numpy", precision="float64", parameters={})
STEPS, LANES = 3, 16


def trajectory(path=PATH_MOTION):
    rng = np.random.default_rng(1)
    z, v = rng.uniform(0.2, 0.8, (2, STEPS + 1, HAT.dim, LANES))
    params = np.tile([[0.25], [0.5], [0.125], [0.0]], (1, LANES))
    t = Trajectory(HAT, RULES["heavy-ball"], Precision("float64"), z, v, params)
    t.path = np.full(LANES, float(path))
    return t


def law(measured, bound=1.0, signal=MOTION, covers=None, key="D2"):
    """A law whose residual is given."""
    full = lambda x: np.broadcast_to(np.asarray(x, float), np.shape(measured)).copy()

    def residual(t, symmetry=None):
        return Residual(np.asarray(measured, float), full(0), full(bound), full(signal))

    some = None if covers is None else lambda t, symmetry: np.asarray(covers)
    return replace(EXACT[key], suits=lambda rule, symmetry: True, residual=residual, some=some)


def given(at=(), value=0.0, shape=(STEPS, LANES)):
    x = np.zeros(shape)
    if at:
        x[at] = value
    return x


SYMMETRY = HAT.symmetries[0]


def verdict(measured, t=None, outside=None, **facts):
    return judge(t or trajectory(), law(measured, **facts), SYMMETRY, about=ABOUT, outside=outside)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1.0, HOLDS),
        (-1.0, HOLDS),
        (np.nextafter(1, 2), VIOLATED),
        (-1.5, VIOLATED),
        (np.nan, VIOLATED),
        (np.inf, VIOLATED),
    ],
)
def test_one_bound_is_allowed_and_no_more(value, expected):
    record = verdict(given((1, 4), value))
    assert record.verdict == expected and (
        record.worst["lane"],
        record.worst["step"],
        record.worst["component"],
    ) == (4, 1, None)
    assert record.spent == (abs(value) if np.isfinite(value) else np.inf)
    assert (record.measured, record.predicted, record.bound) == pytest.approx((value, 0, 1), nan_ok=True)
    assert record.lanes == LANES and record.steps == STEPS and record.symmetry == SYMMETRY.name


def test_the_component_of_the_worst_is_named():
    record = verdict(given((2, 1, 5), 3.0, (STEPS, HAT.dim, LANES)), key="D0")
    assert (record.worst["step"], record.worst["component"], record.worst["lane"]) == (
        2,
        1,
        5,
    ) and record.spent == 3


def test_the_worst_lane_is_told_with_all_that_runs_it_again():
    t = trajectory()
    t.params[:, 5] = 0.5, 0.25, 2.0, 4.0
    worst = verdict(given((2, 5), 3.0), t).worst
    back = lambda name: [float.fromhex(x) for x in worst[name]]
    assert back("start") == [float(x) for x in t.z[0, :, 5]] and back("kick") == [
        float(x) for x in t.v[0, :, 5]
    ]
    assert [float.fromhex(worst[n]) for n in ("eta", "beta", "k", "eps")] == [0.5, 0.25, 2.0, 4.0]


def test_an_uncovered_lane_is_not_judged_and_none_is_no_record():
    covers = np.arange(LANES) != 4
    record = verdict(given((1, 4), 9.0), covers=covers)
    assert record.verdict == HOLDS and record.lanes == LANES - 1
    assert verdict(given(), covers=np.zeros(LANES, bool)) is None


@pytest.mark.parametrize("wrapped", [lambda x: x, lambda x: lambda: x])
def test_an_outside_lane_is_excused_and_counted(wrapped):
    out = np.arange(LANES) == 4
    record = verdict(given((1, 4), 9.0), outside=wrapped(out))
    assert (
        record.verdict == HOLDS and record.lanes == LANES - 1 and record.reason.endswith("; 1 lanes outside")
    )
    assert verdict(given((1, 5), 9.0), outside=wrapped(out)).verdict == VIOLATED
    every = verdict(given((1, 4), 9.0), outside=wrapped(np.ones(LANES, bool)))
    assert (
        every.verdict == OUTSIDE
        and every.spent is None
        and every.lanes == 0
        and f"all {LANES} lanes" in every.reason
    )


def test_only_a_violation_asks_who_is_outside():
    def never():
        raise AssertionError("asked")

    assert verdict(given((1, 4), 1.0), outside=never).verdict == HOLDS
    assert verdict(given((1, 4), 9.0), outside=never, covers=np.arange(LANES) != 4).verdict == HOLDS
    for value in (np.nextafter(1, 2), 9.0, np.nan):
        with pytest.raises(AssertionError, match="asked"):
            verdict(given((1, 4), value), outside=never)


def moved(lanes):
    t = trajectory(0.0)
    t.path[:lanes] = PATH_MOTION
    return t


@pytest.mark.parametrize(
    ("lanes", "expected"),
    [
        (LANES // EVIDENCE_SHARE, HOLDS),
        (LANES // EVIDENCE_SHARE - 1, INCONCLUSIVE),
        (0, INCONCLUSIVE),
        (LANES, HOLDS),
    ],
)
def test_one_lane_in_eight_must_carry_evidence(lanes, expected):
    record = verdict(given(), moved(lanes))
    assert record.verdict == expected and record.reason.startswith(f"{lanes} of {LANES} lanes")
    assert expected == HOLDS or record.reason.endswith("must be 2")


def test_one_lane_of_few_must_carry_evidence():
    covers = np.arange(LANES) < 3
    assert verdict(given(), moved(0), covers=covers).verdict == INCONCLUSIVE
    assert verdict(given(), moved(1), covers=covers).verdict == HOLDS


def test_evidence_needs_a_signal_of_sixteen_bounds_in_some_step_and_a_path_of_four():
    assert (MOTION, PATH_MOTION, EVIDENCE_SHARE) == (16, 4, 8)
    signal = np.zeros((STEPS, LANES))
    signal[1, 2], signal[0, 3], signal[2, 4], signal[0, 5] = 2 * 16.0, 2 * 16.0 - 1e-9, np.nan, np.inf
    r = Residual(None, None, np.full((STEPS, LANES), 2.0), signal)
    t = trajectory()
    assert list(np.flatnonzero(evidence(EXACT["D2"], r, t))) == [2]
    t.path[2] = np.nextafter(PATH_MOTION, 0)
    assert not evidence(EXACT["D2"], r, t).any()
    assert list(np.flatnonzero(evidence(EXACT["D0"], r, t))) == [x for x in range(LANES) if x != 2], (
        "the update needs the path alone"
    )


def test_spent_is_a_ratio_and_nothing_over_nothing_is_nothing():
    one = np.ones(1)
    inf, nan = np.inf, np.nan
    ratios = [(3.0, 2.0, 1.5), (-3.0, 2.0, 1.5), (0.0, 0.0, 0.0), (1.0, 0.0, inf), (1.0, nan, inf)]
    for measured, bound, want in [*ratios, (1.0, inf, 0.0), (0.0, nan, 0.0)]:
        assert spent_of(Residual(measured * one, 0 * one, bound * one, one)) == want


def test_spent_is_of_the_difference():
    assert spent_of(Residual(np.array([5.0]), np.array([4.5]), np.array([0.25]), None)) == 2


def test_a_violation_by_a_state_that_is_no_number_names_its_first_step():
    t = trajectory()
    assert "residual is 7 bounds in lane 3 at step 1, must be at most 1" == violation(t, 3, 1, 7.0)
    t = trajectory()
    t.z[2:, 0, 3] = np.nan
    assert violation(t, 3, 0, np.inf) == "non-finite state in lane 3 at step 2"


def test_every_law_is_asked_about_every_symmetry_that_it_covers():
    records = judge_all(trajectory(), ("D0", "D2", "D3"), about=ABOUT)
    names = [s.name for s in HAT.symmetries]
    assert [(r.law, r.symmetry) for r in records] == [
        ("D0", None),
        *(("D2", n) for n in names),
        *(("D3", n) for n in names),
    ]
    assert not [r for r in judge_all(trajectory(), ("D6", "D7"), about=ABOUT)]


def test_numbers_in_a_record_are_plain():
    record = SimpleNamespace(**verdict(given((1, 4), 0.5)).as_dict())
    assert all(type(x) is float for x in (record.measured, record.predicted, record.bound, record.spent))
