"""A fault that is shown only where the right step is undecided too: nothing can be said of it."""

import plainest
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noether.laws.registry import LAWS
from noether.report import junit, table
from noether.report.page.overview import faults as drawn
from noether.report.page.page import render
from noether.runs import completeness
from noether.runs.result import Result
from noether.verdicts.exit_codes import of_records
from noether.verdicts.record import (
    HOLDS,
    INCONCLUSIVE,
    OUTSIDE,
    VERDICTS,
    VIOLATED,
    summarise,
    undecided_faults,
)

SPENT = {HOLDS: 0.5, VIOLATED: 9.0}


def record(verdict=HOLDS, fault=None, law="D0", **facts):
    return plainest.record(law, verdict=verdict, spent=SPENT.get(verdict), fault=fault, **facts)


DECIDED = [record(), record(VIOLATED, "a")]
"""A place that holds and sees a fault."""
OPEN = [record(INCONCLUSIVE, rule="other"), record(INCONCLUSIVE, "b", rule="other")]
"""A place where the right step is undecided, and the fault "b" with it."""


def test_a_fault_beside_an_undecided_verdict_is_no_survivor_and_is_named():
    records = [*DECIDED, *OPEN]
    (row,) = summarise(records, ["D0"])
    assert undecided_faults(records) == ["b"] and row.survivors == () and (row.faults, row.killed) == (2, 1)
    assert of_records(records, ["D0"]) == 0 and of_records(records, ["D0"], strict=True) == 3
    assert table.killers(records, ["D0"]) == {"a": ["D0"]} and drawn(records, ["D0"])["survivors"] == []
    assert table.summary(Result(records, [row], 0, laws=("D0",)))["undecided_faults"] == ["b"]
    about = {"machine": {}, "arguments": {}, "versions": {}}
    html = render(records, ["D0"], about)
    assert "Nothing can be said of 1 planted fault, shown only" in html and "No law saw" not in html
    page = junit.document(records)
    assert 'type="survived"' not in page and "shown only where the right one is undecided" in page


@pytest.mark.parametrize(
    "change",
    [
        dict(verdict=HOLDS),
        dict(rule="another"),
        dict(case="another"),
        dict(precision="float32"),
        dict(symmetry="another"),
        dict(cell="another"),
    ],
)
def test_it_survives_where_another_verdict_on_the_right_step_is_decided_or_none_is(change):
    """Neither a verdict on something else nor the lack of one excuses it."""
    right = record(**{"verdict": INCONCLUSIVE, "rule": "other", **change})
    records = [*DECIDED, right, OPEN[1]]
    assert undecided_faults(records) == [] and of_records(records, ["D0"]) == 3
    assert summarise(records, ["D0"])[0].survivors == ("b",)


def test_of_two_statements_at_one_place_each_speaks_for_itself():
    cold, warm = ({"statement": word} for word in ("cold", "warm"))
    records = [*DECIDED, record(INCONCLUSIVE, parameters=cold, rule="other")]
    records.append(record(parameters=warm, rule="other"))
    shown = lambda **parameters: record(INCONCLUSIVE, "b", parameters=parameters, rule="other")
    assert undecided_faults([*records, shown(**cold)]) == ["b"]
    assert undecided_faults([*records, shown(**warm)]) == [] == undecided_faults([*records, shown()])


@given(
    st.lists(st.tuples(st.sampled_from(VERDICTS), st.sampled_from([None, "a", "b"]), st.sampled_from("xy")))
)
def test_each_fault_is_killed_or_undecided_or_survives(found):
    records = [record(verdict, fault, rule=rule) for verdict, fault, rule in found]
    (row,) = summarise(records, ["D0"])
    shown = {r.fault for r in records if r.fault}
    killed = {r.fault for r in records if r.fault and r.verdict == VIOLATED}
    undecided = {*undecided_faults(records)}
    assert killed | undecided | {*row.survivors} == shown
    assert len(killed) + len(undecided) + len(row.survivors) == len(shown)
    holds = {r.rule for r in records if r.fault is None and r.verdict in (HOLDS, VIOLATED)}
    assert not any(r.fault in undecided and (r.rule in holds or r.verdict == HOLDS) for r in records)


@pytest.mark.parametrize("verdict", [INCONCLUSIVE, OUTSIDE])
def test_what_the_book_promises_is_excused_there_alone(verdict):
    fault = LAWS["D0"].must_kill[0]
    shown = record(verdict, fault)
    assert not any(fault in x for x in completeness.unkept([record(verdict), shown], ["D0"], LAWS))
    assert any(fault in x for x in completeness.unkept([record(), shown], ["D0"], LAWS))
    assert any(fault in x for x in completeness.unkept([record()], ["D0"], LAWS))
