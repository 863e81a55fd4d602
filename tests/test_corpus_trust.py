"""A corpus that was sent runs nothing that it names; one's own cases are found again."""

import json
from pathlib import Path

import pytest
from test_casefile_trust import marked, mine, once, place, refused  # noqa: F401
from test_cli import GOOD_CASE

from noether.cli import main
from noether.plan.casefiles import load
from noether.plan.casefiles.source import sha256


@pytest.fixture
def entry(mine):
    """A corpus file about one's own case, as fuzzing with a planted fault keeps it."""
    words = "fuzz case.py --batches 4 --corpus kept --jobs 1 --rule gradient-descent --precision float64"
    assert main.call([*words.split(), "--plant", "no-op kernel"]) in (0, 1, 3)
    return sorted(Path("kept").glob("*.json"))[0]


def test_a_corpus_runs_ones_own_case_and_nothing_else(entry, mine, place, capsys):
    value = json.loads(entry.read_text())
    del value["check"]
    assert value["files"] == load.files(["case.py"]) and set(value["files"]) == {"case.py", "helper.py"}
    load.LOADED.clear()
    assert main.call(["fuzz", "--replay", str(entry)]) in (0, 1)
    mark, evil = place / "mark", place / "evil.py"
    evil.write_text(marked(GOOD_CASE, mark))
    for files in ({}, {str(evil): sha256(evil.read_bytes())}):
        load.LOADED.clear()
        entry.write_text(json.dumps({**value, "file": str(evil), "files": files}))
        refused(capsys, mark, "fuzz", "--replay", entry)
        refused(capsys, mark, "fuzz", "rayleigh", "--corpus", "kept", "--batches", "1")
    assert main.call(["fuzz", "--replay", str(entry), "--trust"]) in (0, 1) and mark.exists()


def test_a_corpus_goes_on_with_a_case_that_was_changed_and_named(entry):
    Path("case.py").write_text(Path("case.py").read_text() + "# changed\n")
    load.LOADED.clear()
    assert main.call(["fuzz", "--replay", str(entry)]) == 2
    words = "fuzz case.py --corpus kept --batches 1 --jobs 1 --rule gradient-descent --precision float64"
    assert main.call(words.split()) in (0, 1, 3)
