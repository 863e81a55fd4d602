"""A run that something ends before its verdict: what it found is told and kept, and nothing says that
anything holds."""

import json
import signal
import subprocess
from pathlib import Path

import fakes
import pytest
from processes import NOETHER, PIPES
from waiting import lines, until

from noether.campaigns.fuzz import campaign as fuzz
from noether.campaigns.fuzz.batch import Finding, run_batch
from noether.campaigns.fuzz.example import Subject
from noether.campaigns.fuzz.next_batch import Batch, GridPoint
from noether.campaigns.fuzz.outcome import Campaign, absorb
from noether.campaigns.fuzz.probe import Probe
from noether.cases import CORE
from noether.cli.main import Terminated, call
from noether.runs import decision
from noether.runs.folder import Folder
from noether.runs.recording import RecordingError
from noether.runs.worker_pool import Died
from noether.system.machine import importable

ROOT = Path(__file__).resolve().parent.parent
HAT = next(c for c in CORE if c.name == "mexican-hat")
ENDS = [Terminated, KeyboardInterrupt, MemoryError, SystemExit, RuntimeError]
CODES = {Terminated: 143, KeyboardInterrupt: 130}
CODES |= dict.fromkeys((MemoryError, SystemExit, RuntimeError, OSError), 70)


def violated(law="D2"):
    return fakes.Cell(law, law, "mexican-hat", "heavy-ball", "float64", 0, "violated").run()[0]


def batch(number=7):
    return Batch(number, GridPoint("mexican-hat", "heavy-ball", "float64", "ordinary"), 4, 8, 0)


def finding():
    found = Finding(batch())
    subject = Subject("mexican-hat", "heavy-ball", "float64", "numpy", "D2", "scale")
    found.violations = [(subject, None, violated())]
    return found


@pytest.fixture
def fuzzing(monkeypatch, tmp_path):
    """fuzzing(then, at): `noether fuzz`, whose one batch is violated, and which `then` ends at a place."""
    monkeypatch.chdir(tmp_path)

    def start(then, at="conclude"):
        def ended(*_):
            raise then

        def one_batch(campaign, outcome, folder, watch):
            if at == "record":
                monkeypatch.setattr(Folder, "record", ended)
            fuzz.kept_in(folder, absorb, outcome, finding())
            if at == "fuzz":
                ended()

        monkeypatch.setattr(fuzz, "fuzz", one_batch)
        monkeypatch.setattr(fuzz, "conclude", ended if at == "conclude" else lambda outcome: None)
        return call(
            ["fuzz", "mexican-hat", "--backend", "numpy", "--batches", "1", "--jobs", "1", "--out", "r"]
        )

    return start


def about():
    return json.loads(Path("r/run.json").read_text())


@pytest.mark.parametrize("then", [e for e in ENDS if e is not KeyboardInterrupt])
@pytest.mark.parametrize("at", ["fuzz", "conclude"])
def test_a_fuzzing_run_that_is_ended_has_no_end_and_tells_what_it_found(fuzzing, capsys, then, at):
    assert fuzzing(then(), at) == CODES[then]
    err = capsys.readouterr().err
    assert "violated: D2 mexican-hat" in err and "noether fuzz --seed 0 --batches 8" in err
    assert about()["end"] is None and about()["exit_code"] is None
    assert call(["report", "r"]) == 0
    page = Path("r/report.html").read_text()
    assert "A law is violated (the run is unfinished)" in page and "verything holds" not in page
    assert 'type="unfinished"' in Path("r/junit.xml").read_text()


def test_an_interrupted_fuzzing_run_tells_what_it_had_not_yet_made_small(fuzzing, capsys):
    assert fuzzing(KeyboardInterrupt()) == 1
    assert "violated: mexican-hat" in capsys.readouterr().out.replace("violated: D2 ", "violated: ")
    assert about()["end"] is None and about()["exit_code"] == 1


def test_a_full_disk_loses_no_violation_of_a_fuzzing_run(fuzzing, capsys):
    assert fuzzing(OSError(28, "No space left on device"), "record") == 70
    err = capsys.readouterr().err
    assert (
        "violated: D2 mexican-hat" in err
        and "r cannot be written: No space left on device" in err
        and "Traceback" not in err
    )
    assert about()["end"] is None


def test_an_unfinished_run_without_a_violation_is_not_said_to_hold(fuzzing, monkeypatch, capsys):
    monkeypatch.setitem(globals(), "finding", lambda: Finding(batch(0)))
    assert fuzzing(Terminated()) == 143
    assert call(["report", "r"]) == 0
    page = Path("r/report.html").read_text()
    assert "(the run is unfinished)" in page and "verything holds" not in page
    capsys.readouterr()
    assert (
        call(["findings", "r", "--out", "f.md"]) == 2
        and "r is unfinished" in capsys.readouterr().err
        and not Path("f.md").exists()
    )


def test_the_end_of_a_fuzzing_run_that_cannot_be_written_is_a_note(fuzzing, monkeypatch, capsys):
    monkeypatch.setattr(
        Folder, "finish", lambda self, code: (_ for _ in ()).throw(OSError(28, "No space left on device"))
    )
    assert fuzzing(None, "nowhere") == 1
    said = capsys.readouterr()
    assert "r/run.json cannot be written" in said.err and "violated" in said.out and about()["end"] is None


@pytest.mark.parametrize("folder", [True, False])
def test_a_violation_whose_corpus_cannot_be_written_is_printed_and_kept_in_the_run_folder(
    tmp_path, monkeypatch, capsys, folder
):
    """The corpus lies beyond a file: nobody can make that folder, also not root."""
    (tmp_path / "file").touch()
    where = dict(corpus=tmp_path / "file" / "corpus", out=tmp_path / "r", record=folder)
    probe = Probe("numpy", "gradient x 2")
    campaign = Campaign((HAT,), ("heavy-ball",), ("float64",), probe, seconds=None, batches=8, **where)
    monkeypatch.setattr(fuzz, "minimise", lambda subject, worst, probe: worst)
    outcome = fuzz.run(campaign)
    assert (
        outcome.exit_code == 1
        and outcome.minimal
        and any("corpus cannot be written" in note for note in outcome.notes)
    )
    if folder:
        assert (
            call(["fuzz", "--replay", str(outcome.saved[0])]) == 1
            and Path(outcome.saved[0]).parent == tmp_path / "r"
        )
        assert json.loads((tmp_path / "r/run.json").read_text())["exit_code"] == 1
    else:
        text = next(note for note in outcome.notes if "kept nowhere else: " in note).split(
            "kept nowhere else: "
        )[1]
        (tmp_path / "kept.json").write_text(text)
        assert call(["fuzz", "--replay", str(tmp_path / "kept.json")]) == 1
    assert "violated again" in capsys.readouterr().out


def test_a_batch_that_fails_after_a_violation_loses_none():
    found, outcome = finding(), fuzz.Outcome(Campaign((HAT,), (), (), Probe("numpy")), [])
    found.error = "Traceback ...\nRuntimeError: later"
    absorb(outcome, found, None)
    assert outcome.violations and outcome.exit_code == 70


def test_a_loss_that_asks_to_leave_is_an_error_of_its_batch_and_of_its_cell(monkeypatch):
    def leave(*_):
        raise SystemExit(0)

    from noether.campaigns.fuzz import batch as batches
    from noether.runs.execute import run_cell

    monkeypatch.setattr(batches, "fill", leave)
    assert "SystemExit" in run_batch(batch(), Probe("numpy")).error
    cell = fakes.Cell("D2", "D2", "mexican-hat", "heavy-ball", "float64", 0)
    monkeypatch.setattr(fakes.Cell, "run", leave)
    assert "SystemExit" in run_cell(cell).error


def test_workers_that_are_gone_end_a_fuzzing_run_with_what_it_has():
    def submit(*_):
        raise Died("its worker process was ended by signal 9")

    assert "was ended by signal 9" in fuzz.received(fuzz.submitted(submit, batch(), None, {}))


# ---- signals, for real


@pytest.mark.parametrize("number, code", [(signal.SIGTERM, 143), (signal.SIGKILL, -9)])
def test_a_signal_ends_a_fuzzing_run_that_holds_so_far_as_unfinished(tmp_path, number, code):
    words = "fuzz mexican-hat --for 600s --backend numpy --out r --jobs 1"
    process = subprocess.Popen([*NOETHER, *words.split()], cwd=tmp_path, env=importable(), **PIPES)
    try:
        until(lines(tmp_path / "r" / "cells.jsonl", 2), "two cells are done")
        process.send_signal(number)
        _, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == code and "Traceback" not in err, err
    said = json.loads((tmp_path / "r/run.json").read_text())
    assert said["end"] is None and said["exit_code"] is None


def test_an_error_that_carries_nothing_tells_nothing():
    assert decision.carried(RecordingError("x")) == []
