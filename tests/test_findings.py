"""docs/findings.md and its pictures say what the records of a run say, the same each time, and a missing
claim is an error."""

import json
import re
from pathlib import Path

import plainest
import pytest

from noether.cli.main import call
from noether.laws.map.table import COLUMNS, PREDICTED, ROWS
from noether.laws.published.book import BOOK, OPEN
from noether.laws.published.elsewhere import MEASURED
from noether.laws.published.undecided import UNDECIDED
from noether.plan.design import LAWS
from noether.report.figures.standalone import STYLE
from noether.report.findings import FACTS, files, written
from noether.runs.records_file import line
from noether.runs.saved_run import Run
from noether.system.usage import UsageError
from noether.verdicts.record import ORDER

ROOT = Path(__file__).resolve().parent.parent
ABOUT = {"schema": 1, "versions": {"numpy": "2.0", "python": "3.11"}, "machine": {}, "laws": []}
ABOUT |= {"start": "2026-01-02T03:04:05+00:00", "end": "2026-01-02T03:05:05+00:00", "exit_code": 0}
ABOUT |= {"arguments": {"profile": "quick", "seed": 0}}


def record(law, **facts):
    return plainest.record(law, **{"spent": 0.25, "reason": "66 of 66", **facts})


@pytest.fixture
def records():
    claim = {"title": "t", "statement": "s", "source": "Author (2020)", "published": "one"}
    claim |= {"measured": "two", "verdict": "refuted", "corrected": "that"}
    cells = [[{"value": 0.5, "label": e.label, "evidence": "e"} for e in PREDICTED[row]] for row in ROWS]
    heat = {"plot": "heatmap", "rows": list(ROWS), "columns": list(COLUMNS), "cells": cells}
    atlas = record("M1", case="map", rule="all", data=heat)
    about = dict(case="map", rule="gradient flow", symmetry="gradient flow: two hidden ReLU units")
    count = record("M1", **about, measured=2.0, predicted=2.0)
    charge = {"x": [0.0, 1.0, 2.0], "y": [0.5, 1.5, 0.25], "predicted": [0.5, 1.5, 0.25]}
    charge |= {"label": "charge J/m against t"}
    flow = record("T1", parameters={"m": 0.9, "window": "layer", "relative": 1e-13}, data=charge)
    balance = record("T2", parameters={"relative": 3e-10})
    sizes = {"x": [0.5, 0.25], "y": [0.1, 0.05], "label": "size"}
    orders = [
        record("T3", kind=ORDER, symmetry=name, measured=p + 0.01, predicted=p, data=sizes)
        for name, p in (("scale", 1.0), ("no-symmetry", 0.0))
    ]
    start = "beta 0.5, cold, qdot(0) = "
    orders += [
        record("O3", kind=ORDER, measured=p, predicted=p, data=sizes, parameters={"statement": start + v})
        for v, p in (("-(g + k q)/(1 + beta)", 2.0), ("0", 1.0))
    ]
    others = [flow, balance, *orders, record("T4"), record("D13", spent=0.0)]
    return [*(record(law, data={"claim": claim}) for law in BOOK), atlas, count, *others]


def text_of(records, about=ABOUT):
    return files(Run(Path("r"), about, records))["findings.md"]


def run_folder(tmp_path, records, about=ABOUT):
    folder = tmp_path / "run"
    folder.mkdir(exist_ok=True)
    (folder / "records.jsonl").write_text("".join(line(r.as_dict()) for r in records))
    (folder / "run.json").write_text(
        json.dumps({**about, "schema": 1, "records": len(records)})
    )  # of one, and so without checks
    return folder


def test_the_page_has_every_claim_the_map_and_the_counts(records):
    text = text_of(records)
    for law, p in BOOK.items():
        assert f"## {law}: t" in text and f"    noether verify --law {law}" in text
        assert f"| **refuted** | [t](#{law.lower()}-t) | {p.plain} | [{law}](theory.md#{law}) |" in text
    assert "| translation | exact | exact |" in text and "| rotation | - | - | exact |" in text
    assert "| time | exact | 2 |" in text and "two hidden ReLU units | 2 | 2 |" in text
    assert "at most 3e-10 of the sum of its terms apart, 0.250 of the bound apart" in text and "> s" in text
    assert "Run of 2026-01-02, profile quick, seed 0: numpy 2.0, python 3.11." in text


def test_what_other_laws_measure_is_confirmed_only_where_each_verdict_holds(records):
    assert all(f"| **{s.word}** | [{s.title}](" in text_of(records) for s in MEASURED)
    broken = [record("T4", verdict="violated", spent=3.0) if r.law == "T4" else r for r in records]
    (title,) = (s.title for s in MEASURED if s.law == "T4")
    assert f"| **{OPEN}** | [{title}](" in text_of(broken)
    assert "orders 1 and 0 are met within 0.010" in text_of(records) and "every bit is equal" in text_of(
        records
    )


def test_each_figure_is_a_picture_of_its_own_that_the_page_shows(records):
    made = files(Run(Path("r"), ABOUT, records))
    drawn = {name for name in made if name.endswith(".svg")}
    assert drawn == {f"images/findings/{law}.svg" for law in ("T1", "T3", "O3")}
    assert all(f"]({name})" in made["findings.md"] for name in drawn)
    assert "along a symmetry: 1.01 of 1" in made["images/findings/T3.svg"]


def test_the_same_records_give_the_same_page_in_any_order(records):
    once = files(Run(Path("r"), ABOUT, records))
    assert once == files(Run(Path("s"), {**ABOUT, "end": None, "machine": {"cpus": 64}}, records[::-1]))


def test_no_statement_is_both_decided_and_not():
    decided = [p.statement for p in (*BOOK.values(), *MEASURED)]
    waiting = [s.statement for s in UNDECIDED]
    assert len({*decided, *waiting}) == len(decided) + len(waiting)
    assert {law for s in UNDECIDED for law in s.partly} <= LAWS.keys() and all(s.source for s in UNDECIDED)


def test_what_is_not_decided_is_listed_with_its_source(records):
    text = text_of(records)
    assert f"[{len(UNDECIDED)} more](#not-decided-yet)" in text
    assert all(f"- {s.statement} {s.source}." in text for s in UNDECIDED)


@pytest.mark.parametrize("missing", ["P2", "P6", "M1", "T2"])
def test_what_is_missing_is_named_and_nothing_is_run_folder(tmp_path, capsys, records, missing):
    folder, out = run_folder(tmp_path, [r for r in records if r.law != missing]), tmp_path / "findings.md"
    assert call(["findings", str(folder), "--out", str(out)]) == 2
    err = capsys.readouterr().err
    assert f"no record of {missing} that" in err and err.count("\n") == 1 and not out.exists()
    assert "noether verify --law P1,P2,P3,P4,P5,P6,T1,T2,T3,T4,O3,D13,M1 " in err, (
        "all that the page needs, in one command"
    )


def test_a_blank_in_a_claim_is_an_error_and_so_is_a_fault_in_its_place(records):
    for damage in ({"measured": ""}, {"verdict": None}):
        broken = [
            record("P3", data={"claim": {**records[0].data["claim"], **damage}}) if r.law == "P3" else r
            for r in records
        ]
        with pytest.raises(UsageError, match=f"P3 has no {next(iter(damage))}"):
            text_of(broken)
    planted = [record("P3", fault="c", data=r.data) if r.law == "P3" else r for r in records]
    with pytest.raises(UsageError, match="no record of P3"):
        text_of(planted)


def test_the_command_writes_the_page_and_its_pictures(tmp_path, capsys, records):
    folder, out = run_folder(tmp_path, records), tmp_path / "findings.md"
    assert call(["findings", str(folder), "--out", str(out)]) == 0
    assert capsys.readouterr().out.strip() == str(out) and out.read_text().startswith("# Findings")
    assert (tmp_path / "images" / "findings" / "T1.svg").read_text().startswith("<svg ")
    assert call(["findings", str(folder), "--out", str(tmp_path / "none" / "f.md")]) == 2
    assert call(["findings", str(folder), "--out", str(out), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert len(told["pictures"]) == 3 and {s["law"] for s in told["findings"]} == {
        *BOOK,
        *(s.law for s in MEASURED),
    }


def test_the_committed_page_and_pictures_are_what_the_kept_facts_give():
    kept = json.loads((ROOT / "docs" / FACTS).read_text(encoding="utf-8"))
    made = written(kept)
    there = {f"images/findings/{p.name}" for p in (ROOT / "docs" / "images" / "findings").iterdir()}
    assert there == {name for name in made if name.endswith(".svg")} and len(there) >= 11
    for name, text in made.items():
        assert (ROOT / "docs" / name).read_text(encoding="utf-8") == text, f"docs/{name}: run make pictures"


def unstyled(picture: str) -> set[str]:
    """The classes of a picture that its own style does not know: they would be black on any ground."""
    style, _, drawn = picture.partition("</style>")
    return set(re.findall(r'class="([\w-]+)"', drawn)) - set(re.findall(r"\.([a-z]\w*)", style))


def test_everything_that_is_drawn_has_a_style():
    for picture in (ROOT / "docs" / "images" / "findings").iterdir():
        assert unstyled(picture.read_text(encoding="utf-8")) == set(), picture
    assert unstyled(f'{STYLE}<path class="axis"/><path class="unheard-of"/>') == {"unheard-of"}


def test_the_committed_page_has_every_claim_decided():
    text = (ROOT / "docs" / "findings.md").read_text(encoding="utf-8")
    for s in (*BOOK.values(), *MEASURED):
        assert f"## {s.law}: {s.title}" in text and f"| **{s.word}** | [{s.title}]" in text
    assert "180 of 180 cells are as predicted" in text
