"""A known violation is told everywhere and fails nothing; one that is gone, expired or elsewhere does."""

import datetime
import json
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plainest import record

from noether.verdicts import exit_codes
from noether.verdicts.known import GONE, MENDED, SEEN, UNSEEN, Known, proving, standings
from noether.verdicts.record import HOLDS, INCONCLUSIVE, OUTSIDE, VERDICTS, VIOLATED, summarise

SMALL = ["verify", "rayleigh", "--precision", "float64,float16", "--jobs", "1", "--out", "run"]
TODAY = datetime.date(2027, 1, 31)
PAIRS = [(), *product(VERDICTS), *product(VERDICTS, VERDICTS)]
NARROW = {"D2/rayleigh/float16": "violated"}  # in float64 the law holds, and kills what is planted
KNOWN = Known("D2", "rayleigh", "the kernel is old")


def project(**more) -> None:
    """A pyproject.toml with one known violation of D2 on rayleigh."""
    said = {"law": "D2", "case": "rayleigh", "reason": "the kernel is old", **more}
    lines = (f"{k} = {json.dumps(v)}" for k, v in said.items())
    Path("pyproject.toml").write_text("[[tool.noether.known]]\n" + "\n".join(lines))


def of(verdict, **facts):
    spent = {HOLDS: 0.5, VIOLATED: 7.0, INCONCLUSIVE: 0.1, OUTSIDE: None}[verdict]
    return record("D2", **{"case": "rayleigh", "verdict": verdict, "spent": spent, **facts})


# ---- what becomes of an entry


@pytest.mark.parametrize("verdicts, strict", list(product(PAIRS, (True, False))))
def test_an_entry_is_gone_only_where_everything_it_names_holds(verdicts, strict):
    e = Known("D2", "rayleigh", "why", strict=strict)
    (found,) = standings([of(v) for v in verdicts], [e], today=TODAY)
    judged = set(verdicts) - {OUTSIDE}
    if VIOLATED in verdicts:
        assert (found.status, found.violations) == (SEEN, verdicts.count(VIOLATED))
    elif judged == {HOLDS}:
        assert found.status == (GONE if strict else MENDED)
    else:
        assert found.status == UNSEEN


@pytest.mark.parametrize(
    "how",
    [
        dict(whole=False),
        dict(narrowed={"rules"}),
        dict(narrowed={"precisions"}),
        dict(narrowed={"overrides"}),
    ],
)
def test_what_a_run_covered_in_part_is_not_called_gone(how):
    (found,) = standings([of(HOLDS)], [KNOWN], today=TODAY, **how)
    assert found.status == UNSEEN


def test_an_entry_that_names_the_rule_is_covered_by_a_run_of_that_rule():
    e = Known("D2", "rayleigh", "why", rule="r", precision="float64")
    (found,) = standings([of(HOLDS)], [e], today=TODAY, narrowed={"rules", "precisions", "cases", "laws"})
    assert found.status == GONE


def test_the_last_day_counts_and_the_day_after_does_not():
    e = Known("D2", "rayleigh", "why", until=TODAY)
    day = datetime.timedelta(days=1)
    assert [standings([of(VIOLATED)], [e], today=t)[0].status for t in (TODAY, TODAY + day)] == [
        SEEN,
        "expired",
    ]


@given(
    st.sampled_from(VERDICTS),
    st.booleans(),
    st.sampled_from([None, "r", "s"]),
    st.sampled_from([None, "float64"]),
)
def test_no_entry_changes_a_verdict_and_none_excuses_a_planted_fault(verdict, planted, rule, precision):
    r = of(verdict, fault="no-op" if planted else None)
    before = r.as_dict()
    found = standings([r], [Known("D2", "rayleigh", "why", rule, precision)], today=TODAY)
    assert r.as_dict() == before
    mine = not planted and verdict == VIOLATED and rule in (None, "r")
    assert (found[0].status == SEEN) == mine


def test_a_violation_of_another_place_still_counts():
    killed = of(VIOLATED, fault="no-op", case="saddle")
    for other in (dict(case="saddle"), dict(rule="adam"), dict(precision="float32")):
        found = [of(VIOLATED), of(VIOLATED, **other), killed]
        named = Known("D2", "rayleigh", "why", rule="r", precision="float64")
        stands = standings(found, [named], today=TODAY)
        assert exit_codes.of_records(found, ["D2"], known=stands) == 1
        assert exit_codes.of_records([of(VIOLATED), killed], ["D2"], known=stands) == 0


def test_a_law_that_kills_no_fault_is_blind_however_well_its_violations_are_known():
    found = [of(VIOLATED), of(HOLDS, fault="no-op")]
    assert exit_codes.of_records(found, ["D2"], known=standings(found, [KNOWN], today=TODAY)) == 3


PLACES = [{}, *({name: "other"} for name in ("case", "rule", "precision", "backend")), {"law": "D0"}]


@pytest.mark.parametrize("elsewhere", PLACES)
@pytest.mark.parametrize("verdict", VERDICTS)
def test_a_fault_is_killed_only_where_its_law_is_not_violated_without_it(elsewhere, verdict):
    planted = record(**{"law": "D2", "case": "rayleigh", "verdict": VIOLATED, "fault": "no-op", **elsewhere})
    fine = record("D0", fault="nan", verdict=VIOLATED)
    found = [of(verdict), record("D0"), fine, planted]
    stands = standings(found, [KNOWN], today=TODAY)
    shows = verdict != VIOLATED or bool(elsewhere)
    seen = proving(found, stands)
    assert [r.verdict for r in seen[:3]] == [verdict, HOLDS, VIOLATED] and planted.verdict == VIOLATED
    assert (seen[3].verdict == VIOLATED) == shows
    survivors = {name for row in summarise(seen, ["D0", "D2"]) for name in row.survivors}
    assert survivors == (set() if shows else {"no-op"})


def test_a_law_that_is_violated_wherever_faults_are_planted_is_blind():
    found = [of(VIOLATED), of(VIOLATED, fault="no-op")]
    stands = standings(found, [KNOWN], today=TODAY)
    assert exit_codes.of_records(found, ["D2"], known=stands) == 3
    elsewhere = [*found, of(HOLDS, precision="float32"), of(VIOLATED, fault="no-op", precision="float32")]
    assert exit_codes.of_records(elsewhere, ["D2"], known=stands) == 0
