"""docs/findings.md says what the records of a run say, the same each time, and a missing claim is an
error."""

import json
from pathlib import Path

import plainest
import pytest

from noether.cli.main import call
from noether.laws.map.table import COLUMNS, PREDICTED, ROWS
from noether.laws.published.book import BOOK
from noether.report.findings import page
from noether.runs.records_file import line
from noether.runs.saved_run import Run
from noether.system.usage import UsageError

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
    balance = record("T2", parameters={"relative": 3e-10})
    # of the Lagrangian itself: no flow, nothing relative to W
    derived = record("T2", parameters={"statement": "motion"})
    return [*(record(law, data={"claim": claim}) for law in BOOK), atlas, count, balance, derived]


def written(tmp_path, records, about=ABOUT):
    folder = tmp_path / "run"
    folder.mkdir(exist_ok=True)
    (folder / "records.jsonl").write_text("".join(line(r.as_dict()) for r in records))
    (folder / "run.json").write_text(
        json.dumps({**about, "schema": 1, "records": len(records)})
    )  # of one, and so without checks
    return folder


def test_the_page_has_every_claim_the_map_and_the_counts(records):
    text = page(Run(Path("r"), ABOUT, records))
    for law, p in BOOK.items():
        assert (
            f"## {law}: t" in text
            and f"[{law}](theory.md#{law})" in text
            and f"    noether verify --law {law}" in text
            and p.title
        )
    assert (
        "| translation | exact | exact |" in text
        and "| rotation | - | - | exact |" in text
        and "| time | exact | 2 |" in text
    )
    assert "two hidden ReLU units | 2 | 2 |" in text and "at most 3e-10" in text and "> s" in text
    assert "Run of 2026-01-02, profile quick, seed 0: numpy 2.0, python 3.11." in text


def test_the_same_records_give_the_same_page_in_any_order(records):
    once = page(Run(Path("r"), ABOUT, records))
    assert once == page(Run(Path("s"), {**ABOUT, "end": None, "machine": {"cpus": 64}}, records[::-1]))


@pytest.mark.parametrize("missing", ["P2", "P6", "M1", "T2"])
def test_what_is_missing_is_named_and_nothing_is_written(tmp_path, capsys, records, missing):
    folder, out = written(tmp_path, [r for r in records if r.law != missing]), tmp_path / "findings.md"
    assert call(["findings", str(folder), "--out", str(out)]) == 2
    err = capsys.readouterr().err
    assert f"no record of {missing} that" in err and err.count("\n") == 1 and not out.exists()
    assert "noether verify --law P1,P2,P3,P4,P5,P6,T2,M1 " in err, "all that the page needs, in one command"


def test_a_blank_in_a_claim_is_an_error_and_so_is_a_fault_in_its_place(records):
    for damage in ({"measured": ""}, {"verdict": None}):
        broken = [
            record("P3", data={"claim": {**records[0].data["claim"], **damage}}) if r.law == "P3" else r
            for r in records
        ]
        with pytest.raises(UsageError, match=f"P3 has no {next(iter(damage))}"):
            page(Run(Path("r"), ABOUT, broken))
    planted = [record("P3", fault="c", data=r.data) if r.law == "P3" else r for r in records]
    with pytest.raises(UsageError, match="no record of P3"):
        page(Run(Path("r"), ABOUT, planted))


def test_the_command_writes_the_page(tmp_path, capsys, records):
    folder, out = written(tmp_path, records), tmp_path / "findings.md"
    assert call(["findings", str(folder), "--out", str(out)]) == 0
    assert capsys.readouterr().out.strip() == str(out) and out.read_text().startswith("# Findings")
    assert call(["findings", str(folder), "--out", str(tmp_path / "none" / "f.md")]) == 2


def test_the_committed_page_has_every_claim_decided():
    text = (ROOT / "docs" / "findings.md").read_text(encoding="utf-8")
    assert all(
        f"## {law}: {p.title}" in text and f"**{p.word}** | [{law}]" in text for law, p in BOOK.items()
    )
    assert "66 of 66 cells are as predicted" in text
