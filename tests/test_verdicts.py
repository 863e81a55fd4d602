"""How findings become a row, and rows an exit code."""

import plainest
import pytest

from noether.report.table import verdict
from noether.runs.completeness import outside, unjudged
from noether.runs.result import Result
from noether.verdicts.exit_codes import of_records
from noether.verdicts.record import (
    HOLDS,
    INCONCLUSIVE,
    OUTSIDE,
    VIOLATED,
    form,
    summarise,
    undecided_forms,
)


def record(law="D0", verdict=HOLDS, spent=0.5, fault=None, **facts):
    return plainest.record(law, verdict=verdict, spent=spent, fault=fault, **facts)


def killed(law="D0", fault="a"):
    return record(law, VIOLATED, 9.0, fault)


def row(records, law="D0"):
    (only,) = summarise(records, [law])
    return only


@pytest.mark.parametrize("spent", [None, 1.0000001, float("nan")])
def test_nothing_holds_above_its_bound(spent):
    with pytest.raises(ValueError, match="must be <= 1"):
        record(spent=spent)
    assert record(spent=1.0).verdict == HOLDS and record(verdict=VIOLATED, spent=spent).verdict == VIOLATED


def test_an_unknown_verdict_is_refused():
    with pytest.raises(ValueError, match="must be one of"):
        record(verdict="fine")


def test_a_row_counts_its_own_records_and_names_the_worst():
    mine = [
        record(spent=0.25),
        record(spent=0.75, case="x", rule="y", precision="z"),
        record(verdict=INCONCLUSIVE, spent=0.5),
        record(verdict=OUTSIDE, spent=None),
    ]
    found = row([*mine, killed(), record("D2", VIOLATED, 8.0)])
    assert (found.cells, found.worst_spent, found.worst_where) == (4, 0.75, "x y z")
    assert found.counts == {HOLDS: 2, VIOLATED: 0, INCONCLUSIVE: 1, OUTSIDE: 1} and found.verdict == HOLDS
    assert (found.faults, found.killed, found.survivors) == (1, 1, ())


def test_a_spent_that_is_no_number_is_the_worst_of_all():
    found = row(
        [
            record(verdict=VIOLATED, spent=7.0),
            record(verdict=VIOLATED, spent=float("nan"), case="lost"),
            record(verdict=VIOLATED, spent=8.0),
        ]
    )
    assert found.worst_where.startswith("lost") and found.verdict == VIOLATED


def test_a_row_without_anything_judged_has_no_worst():
    for records, told in (([], INCONCLUSIVE), ([record(verdict=OUTSIDE, spent=None)], OUTSIDE)):
        found = row(records)
        assert found.worst_spent is None and found.worst_where == "" and found.verdict == told


def test_what_is_outside_everywhere_is_left_out_of_a_narrowed_choice_but_for_exact_laws():
    """A statement about solutions ends at a kink; a launch that overflows in every lane has shown nothing."""
    found = [
        record("O3", verdict=OUTSIDE, spent=None),
        record("D2", verdict=OUTSIDE, spent=None),
        record(),
        record(fault="c", verdict=VIOLATED, spent=9.0),
    ]
    assert outside(found, ["D0", "D2", "O3"]) == ["O3"]
    assert (
        outside([*found, record("O3")], ["O3"])
        == []
        == outside([*found, record("O3", verdict=INCONCLUSIVE)], ["O3"])
    )
    assert of_records(found, ["D0", "O3"]) == 3 and of_records(found, ["D0", "O3"], unjudged=["O3"]) == 0
    assert of_records(found, ["D0", "D2", "O3"], unjudged=["O3"]) == 3


def test_rows_keep_the_order_that_was_asked_for():
    assert [r.law for r in summarise([record("D2"), record()], ["D2", "O1", "D0"])] == ["D2", "O1", "D0"]


def test_a_fault_survives_where_no_law_kills_it_and_is_named_in_each_row_that_saw_it():
    records = [record(), killed(fault="a"), record(fault="b"), record(fault="c")]
    records += [record("D2"), killed("D2", "c"), record("D2", fault="b")]
    zero, two = summarise(records, ["D0", "D2"])
    assert (zero.faults, zero.killed, zero.survivors, zero.verdict) == (3, 1, ("b",), HOLDS)
    assert (two.faults, two.killed, two.survivors, two.verdict) == (2, 1, ("b",), HOLDS)


def test_a_fault_is_no_finding():
    found = row([record(), killed(), record(fault="d", spent=0.9)])
    assert found.cells == 1 and found.worst_spent == 0.5


def test_a_law_that_kills_nothing_is_undecided():
    assert row([record(), record(fault="a")]).verdict == INCONCLUSIVE
    assert row([record()]).verdict == INCONCLUSIVE
    assert row([killed()]).verdict == INCONCLUSIVE


FINE = [record(), killed()]


@pytest.mark.parametrize(
    ("records", "code", "strict"),
    [
        (FINE, 0, 0),
        ([], 3, 3),
        ([killed()], 3, 3),
        ([*FINE, record(verdict=VIOLATED, spent=2.0)], 1, 1),
        ([*FINE, record(fault="b")], 3, 3),
        ([*FINE, record(verdict=INCONCLUSIVE)], 0, 3),
        ([*FINE, record(verdict=OUTSIDE, spent=None)], 0, 0),
        ([*FINE, record(verdict=INCONCLUSIVE, fault="a")], 0, 0),
        ([*FINE, record("D2", VIOLATED, 2.0)], 1, 1),
    ],
)
def test_the_exit_code_is_that_of_the_worst_verdict(records, code, strict):
    assert of_records(records, ["D0"]) == code and of_records(records, ["D0"], strict=True) == strict
    assert of_records(records, []) == (1 if code == 1 else 3)


def test_one_blind_law_among_good_ones_is_blind():
    assert of_records(FINE, ["D0", "D2"]) == 3
    assert of_records([*FINE, record("D2"), killed("D2")], ["D0", "D2"]) == 0
    assert of_records([*FINE, record("D2"), record("D2", fault="b"), killed("D2", "c")], ["D0", "D2"]) == 3


def test_a_record_says_the_format_that_readers_know():
    assert record().as_dict()["schema"] == 3 and record().as_dict()["seconds"] == 0.0


def stated(statement, verdict=HOLDS, law="O3", **facts):
    return record(law, verdict, parameters={"statement": statement}, **facts)


def test_every_form_of_a_law_must_hold_somewhere():
    """A statement that is undecided in every case is not held by another of the same law."""
    fine = [stated("cold"), killed("O3")]
    assert of_records(fine, ["O3"]) == 0 and not undecided_forms(fine, ["O3"])
    assert of_records([*fine, stated("cold", INCONCLUSIVE, case="other")], ["O3"]) == 0
    assert of_records([*fine, stated("warm", OUTSIDE, spent=None)], ["O3"]) == 0
    open_one = [*fine, stated("warm", INCONCLUSIVE)]
    assert of_records(open_one, ["O3"]) == 3 and undecided_forms(open_one, ["O3"]) == ["O3 | warm"]
    assert of_records([*open_one, stated("warm", case="other")], ["O3"]) == 0


@pytest.mark.parametrize(
    ("law", "facts", "name"),
    [
        ("T1", {"parameters": {"window": "late"}}, "T1 | late"),
        ("M1", {"parameters": {"charge": "sum q"}}, "M1 | sum q"),
        ("D3", {"symmetry": "rotation-01"}, "D3 | rotation"),
        ("D2", {"symmetry": "rotation-01"}, "D2"),
        ("T1", {"parameters": {"window": 2.0}}, "T1"),
    ],
)
def test_a_form_is_a_statement_a_window_a_charge_or_a_kind_of_symmetry_where_it_matters(law, facts, name):
    assert form(record(law, **facts)) == name


def test_a_law_to_which_no_fault_applies_decides_nothing_in_a_narrowed_choice():
    found = [*FINE, stated("cold")]
    assert of_records(found, ["D0", "O3"]) == 3 and unjudged(found, ["D0", "O3"]) == ["O3"]
    assert of_records(found, ["D0", "O3"], unjudged=["O3"]) == 0
    assert of_records([stated("cold")], ["O3"], unjudged=["O3"]) == 3, "nothing was judged"
    assert of_records([*found, stated("cold", VIOLATED, spent=2.0)], ["D0", "O3"], unjudged=["O3"]) == 1
    assert not unjudged([*found, record("O3", fault="c")], ["D0", "O3"]), "a fault was shown, and survived"
    assert not unjudged([record(), stated("cold", INCONCLUSIVE)], ["D0", "O3"]), (
        "to an exact law a fault can always be shown; O3 does not hold"
    )


def test_the_last_line_counts_what_is_inconclusive():
    def last(records, **facts):
        laws = ("D0", "O3")
        return verdict(Result(records, summarise(records, laws), of_records(records, laws), laws, **facts))

    fine = [*FINE, stated("cold"), killed("O3")]
    assert last(fine) == "everything holds"
    assert (
        last([*fine, stated("cold", INCONCLUSIVE, case="x"), record(verdict=INCONCLUSIVE)])
        == "everything that was decided holds; 2 inconclusive (D0 1, O3 1)"
    )
    assert (
        last([*fine, stated("warm", INCONCLUSIVE)])
        == "could not decide: undecided wherever it was asked: O3 | warm"
    )
    many = [stated(f"statement {i}", INCONCLUSIVE) for i in range(9)]
    assert last([*fine, *many]) == "could not decide: undecided wherever it was asked: O3 (9 statements)"
    survivors = [record(fault=f"fault {i}") for i in range(9)]
    named = ", ".join(f"fault {i}" for i in range(6))
    assert last([*fine, *survivors]) == f"could not decide: faults survived: {named}, 3 more"
