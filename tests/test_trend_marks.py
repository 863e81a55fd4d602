"""A step is marked where it was planted, drift is found, and chance is marked as rarely as is stated."""

import math
from dataclasses import replace

import numpy as np
import pytest

from noether.runs.history_file import Group, LawPoint, Orders, Point
from noether.runs.seed_scatter import ALARM, SCATTER, mean_factor
from noether.runs.trend_marks import (
    ORDER,
    SECONDS,
    SPENT,
    VERDICT,
    WHOLE,
    marked,
    needed,
    parted,
    splits_of,
    steps,
    window,
)

FACTOR = mean_factor(("D2", "wide"), 23, 1)


def point(
    n=0, *, mean=-0.5, keys="k", worst=0.9, slope=2.0, within=0.01, seconds=1.0, holds=5, **more
) -> Point:
    """One run in which D2 holds with one group, and O1 with one order."""
    laws = {"D2": LawPoint(holds, worst, "x", more.pop("verdict", "holds"), seconds=seconds)}
    laws["O1"] = LawPoint(1, 0.5, "x", "holds", seconds=1.0)
    groups = {"D2 wide": Group(23, keys, mean, worst, "D2 c r float64 s")}
    run = {"seed": 0, "backend": "numpy", "processor": more.pop("processor", "one")}
    given = dict(seconds=more.pop("whole", 10.0), cpus=2)
    start = f"2027-01-01T00:{n:02d}:00+00:00"
    orders = {"O1": Orders(keys, (slope,), (within,))}
    return Point(f"id{n}", start, f"c{n}", {}, run, laws, groups, orders, **given)


def told(points) -> list[tuple]:
    return [(s.law, s.kind, s.at, s.worse) for s in steps(points)]


def test_nothing_is_marked_where_nothing_changed():
    assert told([point(n) for n in range(30)]) == []


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("size, seen", [(1.01, True), (0.99, False)])
def test_a_mean_is_marked_from_the_allowance_of_a_baseline_on(sign, size, seen):
    moved = -0.5 + sign * math.log(FACTOR) * size
    points = [point(n, mean=-0.5 if n < 4 else moved) for n in range(8)]
    assert told(points) == ([("D2", SPENT, 4, sign > 0)] if seen else [])


def test_a_slow_drift_is_marked_where_its_sum_is_no_chance():
    each = math.log(FACTOR) / 2.5
    points = [point(n, mean=-3 + n * each) for n in range(10)]
    assert told(points) == [("D2", SPENT, at, True) for at in (3, 6, 9)], "no two neighbours differ enough"


def test_means_of_other_entries_are_not_compared_and_comparing_begins_anew():
    points = [point(0, mean=-3), point(1, keys="new"), point(2, keys="new"), point(3, keys="new", mean=2)]
    assert told(points) == [("D2", SPENT, 3, True)]


def test_a_law_whose_scatter_was_never_measured_is_never_marked():
    points = [point(n, mean=-0.5) for n in range(2)]
    apart = [
        replace(p, groups={"Z1 wide": Group(3, "k", -9.0 * n, 0.5, "Z1 a b float64")})
        for n, p in enumerate(points)
    ]
    assert ("Z1", "wide") not in SCATTER and told(apart) == []


@pytest.mark.parametrize(
    "changed, seen",
    [
        (dict(slope=2.041), True),
        (dict(slope=2.039), False),
        (dict(within=0.037), True),
        (dict(within=0.036), False),
        (dict(within=0.001), False),
        (dict(slope=2.5, keys="new"), False),
    ],
)
def test_an_order_is_marked_by_the_rule_of_a_baseline(changed, seen):
    assert told([point(0), point(1, **changed)]) == ([("O1", ORDER, 1, True)] if seen else [])


@pytest.mark.parametrize(
    "changed, seen",
    [
        (dict(holds=4), [("D2", VERDICT, 1, True)]),
        (dict(holds=6), []),
        (dict(verdict="violated"), [("D2", VERDICT, 1, True)]),
        (dict(verdict=None), []),
    ],
)
def test_another_verdict_and_fewer_that_hold_are_marked(changed, seen):
    assert told([point(0), point(1, **changed)]) == seen


# ---- times


def noisy(generator, n: int, factor_from: int | None = None, factor: float = 1.0) -> list[Point]:
    """Runs whose times scatter by a third, heavy in the tail, from one number on by a factor longer."""
    noise = np.exp(0.3 * generator.standard_t(3, size=(n, 2)))
    later = [factor if factor_from is not None and k >= factor_from else 1.0 for k in range(n)]
    return [point(k, seconds=later[k] * noise[k, 0], whole=later[k] * noise[k, 1]) for k in range(n)]


def test_a_planted_step_of_time_is_marked_where_it_is():
    points = noisy(np.random.default_rng(0), 40, factor_from=23, factor=20.0)
    found = [(s.law, s.at, s.worse) for s in steps(points) if s.kind == SECONDS]
    assert found == [(WHOLE, 23, True), ("D2", 23, True)]
    back = [(s.law, s.at, s.worse) for s in steps(points[::-1]) if s.kind == SECONDS]
    assert back == [(WHOLE, 17, False), ("D2", 17, False)]


def test_chance_marks_a_time_as_rarely_as_is_stated():
    """Of N right histories at most ALARM N are marked, plus three standard deviations."""
    generator, n, length = np.random.default_rng(1), 4000, 30
    points = [point(k) for k in range(length)]
    times = generator.exponential(size=(n, length))
    alarms = sum(bool(marked(points, {"x": list(row)}, ALARM)) for row in times)
    assert alarms <= ALARM * n + 3 * math.sqrt(ALARM * n)
    loose = sum(bool(parted(list(row), range(length), 3)) for row in times)
    assert loose > 10 * ALARM * n, "a rule of three runs would cry wolf: the check can fail"


@pytest.mark.parametrize("series", [1, 44])
def test_the_window_is_the_smallest_that_keeps_the_rate(series):
    points = [point(k) for k in range(60)]
    splits = splits_of(points, series)
    w = window(splits, ALARM / 2, 60)
    rate = lambda w: 2 * splits(w) / math.comb(2 * w, w)
    assert rate(w) <= ALARM / 2 < rate(w - 1)


def test_short_histories_have_no_marked_time_and_say_how_long_they_must_be():
    points = [point(k, whole=1.0 + (k > 5) * 9) for k in range(12)]
    assert [s.law for s in steps(points)] == [WHOLE] and steps(points[1:]) == []
    assert needed(points[:3], 1) == 12 and needed(points[:3], 44) == 18
    assert needed([point(k) for k in range(60)], 44) is None


def test_times_of_another_machine_are_not_compared():
    points = [point(k, whole=1.0 + (k > 9) * 9, processor="one" if k < 10 else "two") for k in range(20)]
    assert [s for s in steps(points) if s.kind == SECONDS] == []
    same = [point(k, whole=1.0 + (k > 9) * 9) for k in range(20)]
    assert [(s.law, s.at) for s in steps(same)] == [(WHOLE, 10)]


def test_a_gap_hides_no_other_step():
    points = [point(k, whole=None if k == 2 else 1.0 + (k > 11) * 9) for k in range(24)]
    assert [(s.law, s.at) for s in steps(points)] == [(WHOLE, 12)]
