"""A cover shows all that can be shown, at no more cost than a plain greedy one, and knows no case by name."""

import re
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noether.cases import CATALOG, CORE
from noether.cases.rules import RULES
from noether.laws.exact.cell import rules_of
from noether.plan import coverage, launches
from noether.plan.choices import Request, select
from noether.plan.cover import cover
from noether.plan.coverage import TABLE, Requirement

POINTS = [(c, r, p) for c in CORE for r in rules_of(c) for p in ("float64", "bfloat16", "bfloat16/mixed")]


def shown(points, requirements):
    return {pair for p in points for r in requirements for pair in r.pairs(p)}


@pytest.mark.parametrize("kind", TABLE, ids="-".join)
def test_a_cover_shows_every_pair_that_any_point_shows_and_none_of_it_is_needless(kind):
    chosen = cover(POINTS, TABLE[kind])
    everything = shown(POINTS, TABLE[kind])
    assert everything and shown(chosen, TABLE[kind]) == everything
    for p in chosen:
        assert shown([x for x in chosen if x != p], TABLE[kind]) != everything


def test_nothing_asked_for_takes_no_point():
    assert cover(POINTS, ()) == [] == cover([], TABLE["exact", "quick"])


def test_what_only_dear_points_show_decides_first_and_a_cheap_point_is_exchanged_for_two():
    """Taking what adds most per cost takes 0 and 1, and then needs 2 for d all the same."""
    sets, prices = ["ab", "bc", "abcd", "d"], [1.0, 1.1, 2.5, 2.0]
    requirement = Requirement((lambda i: sets[i],))
    chosen = cover(range(4), [requirement], lambda i: prices[i])
    best = min(
        sum(prices[i] for i in some)
        for n in range(1, 5)
        for some in combinations(range(4), n)
        if set("".join(sets[i] for i in some)) == set("abcd")
    )
    assert sum(prices[i] for i in chosen) == best == 2.5


POINT = st.tuples(st.sets(st.sampled_from("abcdefgh")), st.sampled_from([1.0, 1.5, 2.0, 3.0]), st.booleans())


@given(points=st.lists(POINT, max_size=12))
def test_of_points_that_may_not_be_chosen_none_is_and_the_others_show_all_that_they_can(points):
    requirement, asked = Requirement((lambda i: sorted(points[i][0]),)), []

    def admits(i: int) -> bool:
        asked.append(i)
        return points[i][2]

    chosen = cover(range(len(points)), [requirement], lambda i: points[i][1], admits)
    may = [i for i, point in enumerate(points) if point[2]]
    assert {*chosen} <= {*may} and shown(chosen, [requirement]) == shown(may, [requirement])
    for i in chosen:
        assert shown([j for j in chosen if j != i], [requirement]) != shown(may, [requirement])
    assert len(asked) == len({*asked}), "what may cost a launch is asked once"


def test_a_rule_of_its_own_kind_is_shown_where_its_law_tells():
    own = [(c, r, "float64") for c in CATALOG for r in rules_of(c) if not RULES[r].screened]
    chosen = cover(own, [coverage.LAWS_OF_OWN])
    assert {p[1] for p in chosen} == {p[1] for p in own} and all(coverage.telling(p) for p in chosen)


def test_where_every_operation_is_rounded_to_eight_bits_only_what_moves_is_launched():
    """Gradient descent on a scale-invariant loss stands still there; heavy ball in a double well does not."""
    plan = launches.Launches(select(Request()), "numpy")
    chosen = plan.cover(plan.core, [Requirement((coverage.case, coverage.rule, coverage.precision))])
    moved = {(c.name, r) for c, r, p in chosen if p == "bfloat16/eager"}
    assert ("mexican-hat", "heavy-ball") in moved and ("rayleigh", "gradient-descent") not in moved
    assert {(c.name, r) for c, r, p in chosen if p == "float16"} > moved


def test_no_planner_knows_a_case_by_its_name():
    names = "|".join(c.name for c in CATALOG if "-" in c.name or c.name in ("rayleigh", "softmax"))
    for path in Path("harness/plan").glob("*.py"):
        assert not re.search(rf"[\"']({names})[\"']", path.read_text(encoding="utf-8")), path
