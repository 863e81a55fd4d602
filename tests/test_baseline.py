"""A baseline fails what rose, keeps what fell, and never loses an entry in silence."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plainest import record

from noether.cli.commands.verify import with_baseline_file
from noether.cli.main import call
from noether.runs.baseline import DIGITS, Baseline, Entry, entries, key, read, text, up
from noether.verdicts.record import INCONCLUSIVE, ORDER

SMALL = ["verify", "rayleigh", "--precision", "float64,float16", "--jobs", "1"]
NAME = "D2 rayleigh heavy-ball float64 scale"


def made(**changed):
    """A baseline of the fake plan; `changed` maps a key's first word to what its entries become."""
    assert call([*SMALL, "--update-baseline"]) == 0
    value = json.loads(Path("baseline.json").read_text())
    for name, e in value["entries"].items():
        e.update(changed.get(name.split(" ")[0], {}))
    value.pop("check")  # changed by hand
    Path("baseline.json").write_text(json.dumps(value))
    return value


def holding(law="D2", **facts):
    return record(law, **{"case": "rayleigh", "rule": "heavy-ball", **facts})


# ---- the command


def test_the_same_run_never_rises_above_its_own_baseline(plan, capsys):
    made()
    kept = Path("baseline.json").read_text()
    assert call([*SMALL, "--baseline"]) == 0
    out = capsys.readouterr().out
    entries = len(json.loads(kept)["entries"])
    assert f"baseline: {entries} entries compared, no marked rise, none lost" in out
    assert "everything holds" in out and entries > 1
    assert Path("baseline.json").read_text() == kept, "comparing must not write"


def test_a_marked_rise_is_exit_1_and_says_what_is_what_was_what_is_allowed(plan, capsys):
    made(D2={"spent": 1e-4})
    assert call([*SMALL, "--baseline"]) == 1
    out = " ".join(capsys.readouterr().out.split())
    assert (
        NAME in out
        and "was 0.0001, allowed" in out
        and "marked rises" in out
        and "a law is violated" not in out
    )


def test_a_lost_entry_is_exit_3_and_named(plan, capsys, monkeypatch):
    made()
    monkeypatch.setattr(
        plan,
        "cells",
        lambda s, cells=plan.cells: [c for c in cells(s) if not c.name.startswith("D2/rayleigh/float16")],
    )
    assert call([*SMALL, "--baseline"]) == 3
    out = " ".join(capsys.readouterr().out.split())
    assert (
        "lost entries against the baseline: 1" in out
        and "D2 rayleigh heavy-ball float16 scale: 0 of 1 verdicts hold" in out
    )


def test_a_violation_stays_a_violation_beside_a_baseline(plan, capsys):
    made()
    plan.wrong = {"D2": "violated"}
    assert call([*SMALL, "--baseline"]) == 1
    assert "a law is violated: D2" in capsys.readouterr().out
    kept = Path("baseline.json").read_text()
    assert call([*SMALL, "--update-baseline", "--accept-rise"]) == 1
    assert Path("baseline.json").read_text() == kept, "a run that does not hold is no baseline"


def test_a_rise_enters_only_where_it_is_accepted(plan, capsys):
    was = made(D2={"spent": 1e-4})
    assert call([*SMALL, "--update-baseline"]) == 1
    assert json.loads(Path("baseline.json").read_text()) == was
    assert "--accept-rise" in capsys.readouterr().err
    assert call([*SMALL, "--update-baseline", "--accept-rise"]) == 0
    assert json.loads(Path("baseline.json").read_text())["entries"][NAME]["spent"] > 1e-4
    assert call([*SMALL, "--baseline"]) == 0


def test_a_lost_entry_leaves_only_where_it_is_accepted(plan, monkeypatch):
    made()
    monkeypatch.setattr(
        plan,
        "cells",
        lambda s, cells=plan.cells: [c for c in cells(s) if not c.name.startswith("D2/rayleigh/float16")],
    )
    assert call([*SMALL, "--update-baseline"]) == 3
    assert call([*SMALL, "--update-baseline", "--accept-rise"]) == 0
    assert call([*SMALL, "--baseline"]) == 0


def test_new_entries_are_told_and_added(plan, capsys):
    value = made()
    assert "check" not in value
    del value["entries"][NAME]
    Path("baseline.json").write_text(json.dumps(value))
    assert call([*SMALL, "--baseline"]) == 0
    assert "1 entry is not in baseline.json yet" in capsys.readouterr().err
    assert call([*SMALL, "--update-baseline"]) == 0
    assert NAME in json.loads(Path("baseline.json").read_text())["entries"]


def test_another_choice_is_refused_before_any_work(plan, capsys):
    made()
    plan.made.clear()
    assert call(["verify", "rayleigh", "--precision", "float64", "--baseline", "--jobs", "1"]) == 2
    err = capsys.readouterr().err
    assert "precision" in err and "they must be the same" in err and not plan.made


def test_another_seed_is_compared_and_told_but_updates_nothing(plan, capsys):
    made(D0={"spent": 1.0}, D2={"spent": 1.0}, O3={"spent": 1.0})
    assert call([*SMALL, "--seed", "5", "--baseline"]) == 0
    assert "seed was 0, is 5" in capsys.readouterr().err
    kept = Path("baseline.json").read_text()
    assert call([*SMALL, "--seed", "5", "--update-baseline"]) == 2
    assert (
        "they must be the same, or --accept-rise" in capsys.readouterr().err
        and Path("baseline.json").read_text() == kept
    )


WHOLE = '{"schema": 1, "choice": {}, "run": {}, "entries": %s}'
DAMAGED = [
    (None, "is not there"),
    *((text, "is corrupt") for text in (b"", b"{", b"\xff\xfe", b"[" * 100000)),
    *((text, "is no baseline of noether") for text in (b"[]", b"{}")),
    (b'{"schema": 1, "tests": 3}', "has no choice, run, entries"),
    (b'{"schema": 99}', "schema is 99"),
    ((WHOLE % "{}").encode(), "has no entry"),
]
DAMAGED_ENTRIES = [
    ('{"spent": 2, "holds": 1}', "spent in [0, 1]"),
    ('{"spent": NaN, "holds": 1}', "is corrupt"),
    ('{"spent": 0.5}', "has no holds"),
    ('{"spent": 0.5, "holds": 0}', "holds of 1"),
    ('{"spent": 0.5, "holds": 1, "slope": 2}', "both or none"),
    ("7", "is a int, must be an object"),
    ('{"spent": true, "holds": 1}', "spent in [0, 1]"),
]
DAMAGED += [((WHOLE % f'{{"D2 a b float64": {entry}}}').encode(), told) for entry, told in DAMAGED_ENTRIES]


@pytest.mark.parametrize("damage, told", DAMAGED)
def test_a_damaged_or_alien_file_is_one_line_and_exit_2(plan, capsys, damage, told):
    if damage is not None:
        Path("b.json").write_bytes(damage)
    assert call([*SMALL, "--baseline", "b.json"]) == 2
    err = capsys.readouterr().err
    assert told in err and "b.json" in err and err.count("\n") == 1 and not Path("runs").exists()


def test_accepting_alone_is_refused(plan, capsys):
    assert call([*SMALL, "--accept-rise"]) == 2
    assert "--update-baseline" in capsys.readouterr().err


def test_json_says_what_became_of_the_baseline(plan, capsys):
    made(D2={"spent": 1e-4})
    capsys.readouterr()
    assert call([*SMALL, "--baseline", "--json"]) == 1
    value = json.loads(capsys.readouterr().out)
    assert (
        value["exit_code"] == 1
        and NAME in value["baseline"]["rises"]
        and "not as the baseline" in value["verdict"]
    )


def test_a_broken_run_is_not_compared(plan, capsys):
    made()
    plan.wrong = {"D2": "raises"}
    assert call([*SMALL, "--baseline"]) == 70
    assert "not compared" in capsys.readouterr().err


def test_the_file_is_a_word_that_ends_in_json():
    assert with_baseline_file(["verify", "--baseline"]) == ["verify", "--baseline", "baseline.json"]
    assert with_baseline_file(["--baseline", "rayleigh"]) == ["--baseline", "baseline.json", "rayleigh"]
    assert with_baseline_file(["--baseline", "a.json", "x"]) == ["--baseline", "a.json", "x"]
    assert with_baseline_file(["--baseline=a.json"]) == ["--baseline=a.json"]


# ---- the file


@given(st.floats(5e-324, 1.0), st.floats(5e-324, 1.0))
def test_rounding_up_never_lowers_and_keeps_the_order(x, y):
    assert x <= up(x) <= max(x * (1 + 10.0 ** (1 - DIGITS)), 1e-300)
    assert up(up(x)) == up(x) and (x > y or up(x) <= up(y))


def test_the_file_is_strict_sorted_and_has_an_entry_a_line(tmp_path):
    names = ["D2 b heavy-ball float64", "D0 a heavy-ball float64", "D2 a heavy-ball float64"]
    b = Baseline({"profile": "quick"}, {"seed": 0}, {n: Entry(0.5, 1) for n in names})
    written = text(b)
    lines = [x for x in written.splitlines() if '"spent"' in x]
    assert lines == sorted(lines) and len(lines) == 3
    (tmp_path / "b.json").write_text(written)
    assert read(tmp_path / "b.json").entries == b.entries and text(read(tmp_path / "b.json")) == written
    fewer = text(replace(b, entries={n: b.entries[n] for n in names[:2]})).splitlines()
    assert len(set(fewer) - set(written.splitlines())) <= 1, "one entry less is one line less, and a comma"


def test_an_entry_is_the_worst_of_what_holds():
    order = dict(kind=ORDER, measured=1.99, bound=0.02, parameters={"statement": "cold"})
    records = [
        holding(spent=0.25),
        holding(spent=0.5),
        holding(spent=0.9, verdict=INCONCLUSIVE),
        holding(spent=0.75, fault="no-op kernel"),
        holding("O3", **order),
    ]
    assert entries(records) == {
        "D2 rayleigh heavy-ball float64": Entry(0.5, 2),
        "O3 rayleigh heavy-ball float64 | cold": Entry(0.5, 1, 1.99, 0.02),
    }
    assert key(holding(law="B1", backend="triton-ptx")) != key(holding(law="B1", backend="triton-gpu")), (
        "each backend has parity of its own"
    )
    assert key(holding(backend="triton-ptx")) == key(holding(backend="numpy"))
