"""However other commands than fuzz end: faults, discover, findings, report, baseline."""

import os
from pathlib import Path

import fakes
import pytest
from test_endings import CODES, about, violated

from noether.campaigns.discovery.finding import discover
from noether.campaigns.discovery.loss import load
from noether.campaigns.discovery.writing import NAME, write
from noether.campaigns.kill_matrix import campaign as faults
from noether.campaigns.kill_matrix import findings
from noether.cli.main import Terminated, call
from noether.plan.casefiles import trial_process
from noether.runs import decision
from noether.runs.execute import Done
from noether.runs.folder import Folder
from noether.system.usage import UsageError

ENDS = [Terminated, KeyboardInterrupt, MemoryError, SystemExit, RuntimeError]


def planted():
    record = violated("D0")
    return [record, fakes.Cell("D0", "D0", "mexican-hat", "heavy-ball", "float64", 0).run()[1]]


@pytest.mark.parametrize("then", [*ENDS, OSError])
def test_a_run_over_faults_that_is_ended_has_no_end_and_tells_what_it_found(
    monkeypatch, tmp_path, capsys, then
):
    monkeypatch.chdir(tmp_path)

    def execute(cells, jobs, tell=None):
        yield Done("one", planted(), 0.1)
        if then is OSError:
            monkeypatch.setattr(
                Folder, "record", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device"))
            )
            yield Done("two", [], 0.1)
        raise then

    monkeypatch.setattr(faults, "execute", execute)
    assert call(["faults", "--out", "r"]) == CODES[then]
    err = capsys.readouterr().err
    assert (
        "violated: D0 mexican-hat" in err
        and about()["end"] is None
        and ("kept in r" in err or "records are kept" in err)
    )
    assert len(Path("r/records.jsonl").read_text().splitlines()) == 2
    assert call(["report", "r"]) == 0
    page = Path("r/report.html").read_text()
    assert "(the run is unfinished)" in page and "very planted fault is killed" not in page


def test_pages_of_faults_that_cannot_be_written_change_nothing(monkeypatch, tmp_path, capsys):
    from noether.report import publish

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        faults, "execute", lambda cells, jobs, tell=None: (d for d in [Done("one", planted(), 0.1)])
    )
    monkeypatch.setattr(
        findings, "verdict", lambda *_, **how: findings.Verdict(1, ["a law is violated"], 1, 1, 0, 0)
    )
    monkeypatch.setattr(
        publish,
        "write_whole",
        lambda path, text: (_ for _ in ()).throw(OSError(28, "No space left on device", str(path))),
    )
    assert call(["faults", "--out", "r"]) == 1
    said = capsys.readouterr()
    assert "violated" in said.out and "No space left on device" in said.err and about()["exit_code"] == 1
    assert (
        Path("r/unprinted.txt")
        .read_text()
        .startswith("exit code 1: a law is violated with nothing planted\n")
    )


LOSS = "def loss(q, xp):\n    return (q[0] * q[1] - 1) * (q[0] * q[1] - 1)\n"


@pytest.mark.parametrize("then", [Terminated, KeyboardInterrupt, UsageError("is wrong")])
def test_a_discovered_case_is_whole_or_not_there(monkeypatch, tmp_path, then):
    monkeypatch.chdir(tmp_path)
    Path("losses.py").write_text(LOSS)
    found = discover(load("losses.py:loss", 2, None))

    def tried(word):
        assert not Path("new.py").exists(), "nobody sees a case before it has passed its trial"
        raise then

    with monkeypatch.context() as m, pytest.raises(then if isinstance(then, type) else type(then)):
        m.setattr(trial_process, "tried", tried)
        write(found, Path("new.py"), False)
    assert [p.name for p in tmp_path.iterdir() if p.is_file()] == ["losses.py"]
    assert write(found, Path("new.py"), False) == f"new.py:{NAME}"
    with pytest.raises(UsageError, match="is there already"):
        write(found, Path("new.py"), False)


def test_a_case_that_cannot_be_written_is_told_and_what_was_found_is_printed(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    Path("losses.py").write_text(LOSS)
    monkeypatch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    assert call(["discover", "losses.py:loss", "--dim", "2", "--write", "new.py"]) == 2
    said = capsys.readouterr()
    assert (
        "rescale" in said.out
        and "new.py cannot be written: No space left on device" in said.err
        and not Path("new.py").exists()
    )


@pytest.mark.parametrize("then", [OSError(28, "No space left on device"), Terminated(), KeyboardInterrupt()])
def test_a_baseline_is_the_old_one_or_the_new_one(plan, monkeypatch, capsys, then):
    small = "verify rayleigh --precision float64 --jobs 1 --update-baseline --accept-rise".split()
    assert call(small) == 0
    before = Path("baseline.json").read_bytes()
    monkeypatch.setattr(
        os,
        "replace",
        lambda a, b, replace=os.replace, **how: (
            raised(then) if str(b).endswith("baseline.json") else replace(a, b, **how)
        ),
    )
    assert call([*small, "--seed", "1", "--out", "r"]) == {OSError: 2}.get(type(then), CODES.get(type(then)))
    assert Path("baseline.json").read_bytes() == before and about()["exit_code"] == 0
    assert len(Path("r/records.jsonl").read_text().splitlines()) == 6


def raised(error):
    raise error


def test_a_full_disk_loses_no_violation_of_verify(plan, monkeypatch, capsys):
    plan.wrong = {"D2": "violated"}
    record = Folder.record
    monkeypatch.setattr(
        Folder,
        "record",
        lambda self, cell, *how: (
            raised(OSError(28, "No space left on device"))
            if cell.startswith("D2")
            else record(self, cell, *how)
        ),
    )
    assert call(["verify", "rayleigh", "--precision", "float64", "--jobs", "1", "--out", "r"]) == 70
    err = capsys.readouterr().err
    assert (
        "violated: D2 rayleigh" in err
        and "make room, then go on with --resume r" in err
        and about()["end"] is None
    )


def test_a_page_that_fails_takes_no_verdict_with_it(plan, monkeypatch, capsys):
    from noether.report import publish

    plan.wrong = {"D2": "violated"}
    monkeypatch.setattr(publish, "render", lambda *_: 1 / 0)
    assert call(["verify", "rayleigh", "--precision", "float64", "--jobs", "1", "--out", "r"]) == 1
    said = capsys.readouterr()
    assert "a law is violated: D2" in said.out and "ZeroDivisionError" in said.err
    assert "the pages of the run: ZeroDivisionError" in Path("r/unprinted.txt").read_text()


def test_a_decision_is_kept_and_a_command_without_one_has_none():
    decision.fresh()
    decision.conclude(lambda text: pytest.fail(text))
    assert decision.decide(1, "a law is violated") == 1
    decision.shown("the page", raised, ValueError("broken"))
    told = []
    decision.conclude(told.append)
    assert told == ["a law is violated; the page: ValueError: broken; exit code 1"]


def test_violations_on_planted_faults_are_not_told_as_violations():
    error = RuntimeError()
    decision.carry(error, planted(), "kept in r")
    assert [line.split(":")[0] for line in decision.carried(error)] == ["violated", "kept in r"]
