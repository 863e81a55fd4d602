"""Writing a run: locks, old folders, refused writes, names that do not collide."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from test_records import small  # noqa: F401

from noether.cli.main import call
from noether.system.files import Appender, Place
from noether.system.lock import Lock
from noether.system.machine import importable
from noether.system.seeds import derive
from noether.system.usage import UsageError

SMALL = ["verify", "rayleigh", "--precision", "float64", "--law", "D0,D2", "--jobs", "1"]


def test_a_folder_in_use_is_refused(plan, capsys):
    Path("r").mkdir()
    holder = (
        "import sys; from noether.runs.folder import Folder; from pathlib import Path; x = "
        "Folder.create(Path('r'), {}); print('held', flush=True); sys.stdin.read()"
    )
    pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    process = subprocess.Popen([sys.executable, "-c", holder], env=importable(), **pipes)
    try:
        assert process.stdout.readline() == "held\n"
        assert call([*SMALL, "--out", "r"]) == 2
        assert f"is being written by process {process.pid}" in capsys.readouterr().err
    finally:
        process.kill()
        process.communicate()
    assert (Path("r") / "lock").exists(), "a killed process leaves its lock"
    for name in ("run.json", "records.jsonl", "cells.jsonl"):
        (Path("r") / name).unlink()
    assert call([*SMALL, "--out", "r"]) == 0, "which is free"
    assert not (Path("r") / "lock").exists()


def test_a_lock_is_given_back(tmp_path):
    for _ in range(2):
        lock = Lock(tmp_path)
        with pytest.raises(UsageError, match="is being written by another process"):
            Lock(tmp_path)
        lock.release()
    assert list(tmp_path.iterdir()) == []


def test_an_old_run_is_not_overwritten(small, capsys):
    assert call([*SMALL, "--out", "r"]) == 2
    assert "already holds a run" in capsys.readouterr().err


@pytest.mark.parametrize("out", ["file/r", "file", "/proc/r", "/dev/null/r"])
def test_an_unwritable_folder_is_refused_before_any_work(plan, capsys, out):
    Path("file").write_text("")
    plan.wrong = {"D0": "raises"}
    assert call([*SMALL, "--out", out]) == 2
    err = capsys.readouterr().err
    assert "run folder" in err and err.count("\n") == 1


def test_a_refused_write_leaves_whole_lines(tmp_path, monkeypatch):
    file = Appender(Place(tmp_path), "x")
    file.append("one\n")
    write = os.write
    monkeypatch.setattr(
        os, "write", lambda fd, data: write(fd, bytes(data)[:2]) if len(data) > 2 else refuse()
    )
    with pytest.raises(OSError):
        file.append("four\n")
    monkeypatch.undo()
    file.append("two\n")
    file.close()
    assert (tmp_path / "x").read_text() == "one\ntwo\n"


def refuse():
    raise OSError(28, "No space left on device")


def test_runs_without_a_name_do_not_collide(plan):
    for _ in range(3):
        assert call(SMALL) == 0
    assert len(list(Path("runs").iterdir())) == 3


def test_seeds_differ_by_run_and_name():
    seeds = {derive(s, n) for s in (0, 1, 2**62) for n in ("a", "b", "1/a")}
    assert len(seeds) == 9 and all(0 <= s < 2**63 for s in seeds)
    assert derive(0, "a") == derive(0, "a")
