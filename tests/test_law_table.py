"""The table of laws: titles beside codes, the width used, one line a law at every width."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import plainest
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noether.report import law_table
from noether.report.law_table import (
    COLUMNS,
    GAP,
    GIVING,
    VERDICT,
    WHAT,
    WORST,
    allotted,
    laws_table,
)
from noether.report.next_step import next_step
from noether.report.table import ending
from noether.report.terminal import console, say
from noether.runs.result import Result
from noether.verdicts.record import BITWISE, VIOLATED, summarise


@given(
    st.tuples(*(st.integers(3, n) for n in (3, 90, 6, 12, 80, 9, 7, 12))), st.integers(60, 200), st.booleans()
)
def test_the_columns_never_exceed_the_width_and_the_title_is_always_there(wide, width, has_power):
    shown = allotted(list(wide), width, has_power=has_power)
    assert sum(shown.values()) + GAP * (len(shown) - 1) <= width
    assert list(shown) == sorted(shown) and WHAT in shown
    assert all(n >= 1 for n in shown.values())
    assert set(range(len(COLUMNS))) - set(shown) <= set(GIVING) and {WORST, VERDICT} <= set(shown)
    roomy = sum(wide) + GAP * len(wide) <= width
    if roomy:
        assert all(shown[at] == wide[at] for at in shown), "nothing is cut where there is room"
        assert len(shown) == len(COLUMNS) - (not has_power)


@pytest.fixture
def result(plan, monkeypatch):
    from fakes import Cell

    titles = {
        law: SimpleNamespace(title=f"what {law} says in rather many words, more than a narrow terminal has")
        for law in plan.LAWS
    }
    monkeypatch.setattr(plan, "LAWS", titles)
    records = [
        r
        for law in titles
        for r in Cell(law, law, "deformed-rayleigh", "heavy-ball-decoupled", "bfloat16/eager", 0).run()
    ]
    return Result(records, summarise(records, list(titles)), 0, tuple(titles))


@pytest.mark.parametrize("columns", [80, 100, 160, 200])
def test_each_law_has_its_title_on_one_line(result, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    out = console()
    with out.capture() as shown:
        out.print(laws_table(result))
    lines = [line.rstrip() for line in shown.get().splitlines()[2:]]
    assert [line.split()[0] for line in lines] == list(result.laws)
    for line in lines:
        assert f"what {line.split()[0]} says" in line and line.endswith("holds") and len(line) <= columns
    assert ("deformed-rayleigh" in lines[0]) == (columns >= 100)
    assert ("than a narrow terminal has" in lines[0]) == (columns >= 160)


def test_a_law_that_this_version_does_not_know_has_no_title(plan):
    assert law_table.titled("Z9") == ""


def test_an_interrupted_run_lists_the_laws_that_it_came_to(result):

    some = [r for r in result.records if r.law == "D2"]
    stopped = replace(result, records=some, rows=summarise(some, list(result.laws)), interrupted=True)
    assert (
        laws_table(stopped).row_count == 1 and laws_table(replace(stopped, interrupted=False)).row_count == 3
    )
    assert laws_table(replace(stopped, records=[], rows=summarise([], list(result.laws)))).row_count == 0


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_the_legend_explains_the_columns_that_are_shown_and_no_others(result, monkeypatch, columns, capsys):
    monkeypatch.setenv("COLUMNS", str(columns))
    say(*ending(result))
    out = capsys.readouterr().out
    heads = out.splitlines()[0].split()
    assert max(map(len, out.splitlines())) <= columns
    for name in ("worst", "power", "killed"):
        assert (f"{name}: " in out) == (name in heads)
    assert "worst" in heads and "verdict" in heads


def told_next(result, **changes):

    return next_step(replace(result, folder=Path("runs/one two"), **changes))


def test_the_last_line_says_what_to_do_next(result):
    """One line, its command last, so that it can be copied; the folder is quoted."""

    assert told_next(result) == "next, look at it: 'runs/one two/report.html'"
    assert told_next(result, interrupted=True, exit_code=130).endswith(
        "noether verify --resume 'runs/one two'"
    )
    assert told_next(result, lost={"a": "took too long"}, exit_code=3).endswith("--resume 'runs/one two'")
    assert told_next(result, exit_code=70).endswith("noether doctor --json")
    real = next(r for r in result.records if not r.fault and r.law == "O3")
    for verdict, code in (("violated", 1), ("inconclusive", 3)):
        seen = told_next(result, records=[replace(real, verdict=verdict)], exit_code=code)
        assert seen.endswith("noether explain O3 'runs/one two'") and ("replay" in seen) == (code == 1)
    assert next_step(result) == "", "nothing was kept, so there is nothing to open"


def test_a_law_that_would_not_see_a_tenth_is_told_beside_its_verdict(result, capsys):
    thin = [replace(r, powers={"mass": 0.25, "friction": 1e-9}) for r in result.records if r.law == "D2"]
    say(*ending(replace(result, records=thin)))
    assert "thin: D2 would first see mass changed by 25 %, so it is no evidence" in capsys.readouterr().out
    say(*ending(replace(result, records=[replace(r, powers={"mass": 0.09}) for r in thin])))
    assert "thin:" not in capsys.readouterr().out


def test_verdicts_of_one_cause_are_told_once(result, capsys):
    """Reasons that differ in their numbers alone are one cause; another reason is another."""
    one = next(r for r in result.records if r.law == "D2" and not r.fault)
    reasons = ["0 of 41 lanes move", "3 of 61 lanes move", "41 of 41 lanes move", "the solver gave up"]
    open_ones = [replace(one, verdict="inconclusive", reason=reason) for reason in 3 * reasons]
    say(*ending(replace(result, records=open_ones)))
    out = capsys.readouterr().out
    assert "inconclusive: 12 of 12" in out and "and 8 more of this cause: deformed-rayleigh" in out
    assert out.count("lanes move") == 1 and out.count("the solver gave up") == 1
    for whole, records in ((True, open_ones), (False, open_ones[:4])):
        say(*ending(replace(result, records=records), whole=whole))
        assert capsys.readouterr().out.count("lanes move") == 3 * len(records) // 4


def test_a_law_of_bits_and_of_bounds_is_told_by_what_it_spends():
    """Its bounded verdicts are no numbers that differ; one of bits alone counts those that do."""
    bits, bound = plainest.record("D17", kind=BITWISE, spent=0.0), plainest.record("D17", spent=0.25)
    assert law_table.worst_of([bits, bits, bits, bound]) == "0.250"
    assert law_table.worst_of([bits, bits]) == "equal"
    assert law_table.worst_of([bits, replace(bits, spent=float("inf"), verdict=VIOLATED)]) == "1 differ"
