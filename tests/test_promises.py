"""A whole run keeps its promises: no bound is idle under any rule, what must be seen everywhere is, no bar
sees nothing."""

import math
from types import SimpleNamespace

import plainest
import pytest

from noether.cases import CATALOG
from noether.laws.exact import EXACT
from noether.laws.exact.cell import rules_of
from noether.runs import completeness, known_places
from noether.verdicts.record import INCONCLUSIVE, ORDER, ROUNDING, STATISTICAL, VIOLATED


def record(law="D0", **facts):
    return plainest.record(law, **{"cell": "x", **facts})


@pytest.mark.parametrize(
    "rule",
    ["nesterov", "heavy-ball-dampened", "exponentiated-gradient", "natural-gradient", "heavy-ball-scheduled"],
)
def test_a_bound_1000_times_too_wide_under_one_rule_alone_is_idle(rule):
    fine = [record(rule="heavy-ball", spent=0.9), record(rule=rule, spent=0.04)]
    assert not completeness.idle(fine, ["D0"])
    (told,) = completeness.idle([fine[0], record(rule=rule, spent=0.9 / 1000)], ["D0"])
    assert rule in told and "float64" in told


def test_a_bound_that_grows_a_thousandfold_after_half_of_the_steps_is_idle():
    early = record(spent=0.9, data={"late": 0.9 / 1000}, steps=96)
    assert "after half of the steps" in completeness.idle([early], ["D0"])[0]
    assert completeness.idle([early, record(data={"late": 0.5}, steps=16)], ["D0"]), (
        "a glance ends before anything is late"
    )
    assert not completeness.idle(
        [early, record(spent=0.3, data={"late": 0.1}, steps=96)], ["D0"]
    ) and not completeness.idle([record(data={"late": math.nan})], ["D0"])


def test_a_law_of_flows_is_idle_by_precision_alone():
    """One record stands for a rule there: by chance it is small."""
    assert not completeness.idle(
        [record(law="T1", rule="a", spent=0.9), record(law="T1", rule="b", spent=1e-6)], ["T1"]
    )


def test_the_limit_behind_an_order_may_be_met_closely_but_not_a_thousandfold():
    order = record(law="O2", kind=ORDER, spent=0.1)
    assert not completeness.idle([order, record(law="O2", spent=0.0245)], ["O2"])
    (told,) = completeness.idle([order, record(law="O2", spent=0.9 / 1000)], ["O2"])
    assert told.startswith("O2 in float64") and completeness.idle([record(law="T1", spent=0.0245)], ["T1"])


@pytest.mark.parametrize("count", [2, 4, 8])
def test_the_floor_of_a_mean_is_passed_by_chance_once_in_10_9_runs(count):
    """n normal |z| over a bar of 7 sd: all stay below f with the chance (2 phi(0) 7 f)^n at most."""
    floor = completeness.floor_of(("E2",), count)
    assert (2 * 7 * floor / math.sqrt(2 * math.pi)) ** count <= completeness.FALSE * 1.01
    worst = [record(law="E2", kind=STATISTICAL, spent=0.9 * floor) for _ in range(count)]
    assert completeness.idle(worst, ["E2"]) and not completeness.idle(
        [*worst[1:], record(law="E2", kind=STATISTICAL, spent=1.1 * floor)], ["E2"]
    )


def test_bars_of_means_1000_times_too_wide_are_seen_from_four_records_on():
    assert completeness.floor_of(("E4",), 4) >= 0.9e-3
    assert completeness.idle([record(law="E4", kind=STATISTICAL, spent=0.8 / 1000)] * 4, ["E4"])


def test_an_order_or_a_mean_that_would_have_seen_nothing_is_numb():
    powers = {"eta": 0.01, "beta": 0.3}
    for kind in (ORDER, STATISTICAL):
        assert not completeness.numb([record(kind=kind, powers=powers)], ["D0"]) and not completeness.numb(
            [record(kind=kind)], ["D0"]
        )
        assert completeness.numb([record(kind=kind, powers={k: 1000 * x for k, x in powers.items()})], ["D0"])
        assert completeness.numb([record(kind=kind, powers={"eta": math.nan})], ["D0"])
    assert not completeness.numb([record(kind=ROUNDING, powers={"eta": 3.0})], ["D0"])


def test_a_fault_that_must_be_seen_everywhere_is_missed_in_one_cell():
    book = {"D0": SimpleNamespace(everywhere=("a",))}
    killed = [record(fault="a", verdict=VIOLATED, spent=9.0, cell=cell) for cell in "xy"]
    lost = record(fault="a", verdict=INCONCLUSIVE, cell="z")
    assert not completeness.spared([*killed, record(fault="b", verdict=INCONCLUSIVE)], ["D0"], book)
    (told,) = completeness.spared([*killed, lost], ["D0"], book)
    assert "cell z" in told


def test_every_exact_law_has_a_home_for_its_known_places_and_reads_them_rightly():
    assert all(law.home in {(c.name, r) for c in CATALOG for r in rules_of(c)} for law in EXACT.values())
    assert [told for law in EXACT for told in known_places.seen(law)] + known_places.judged() == []


@pytest.mark.parametrize("law", list(EXACT))
@pytest.mark.parametrize(
    "place", [(0, slice(None)), (3, slice(None)), (-1, slice(None)), (slice(None), 1), (slice(None), -1)]
)
def test_a_law_that_looks_away_from_one_step_or_lane_reads_a_known_place_wrongly(monkeypatch, law, place):
    from dataclasses import replace

    honest = EXACT[law].residual

    def residual(t, *symmetry):
        r = honest(t, *symmetry)
        measured = r.measured.copy()
        measured[place[0], ..., place[1]] = r.predicted[place[0], ..., place[1]]
        return replace(r, measured=measured)

    monkeypatch.setitem(EXACT, law, replace(EXACT[law], residual=residual))
    assert known_places.seen(law)
