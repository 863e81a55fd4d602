"""A run folder: a refused resume changes nothing, no other run is written, no link followed, no half
write."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from noether.cli.main import call
from noether.labs.stress.forging import read_lines, rewrite
from noether.system.files import Appender, Place, write_whole
from noether.system.lock import Lock
from noether.system.machine import importable

SMALL = ["verify", "rayleigh", "--precision", "float64", "--law", "D0,D2", "--jobs", "1"]


def contents(folder: Path) -> dict:
    """Every file: bytes, times, identity, a link as a link; and the folder itself.

    Left out: a run's own lock in the folder that was moved away, which it takes away.
    """
    paths = [
        p
        for p in (folder, *sorted(folder.rglob("*")))
        if p.name != "moved" and p.parts[-2:] != ("moved", "lock")
    ]
    about = {str(p): (p.lstat().st_mtime_ns, p.lstat().st_ino, p.lstat().st_mode) for p in paths}
    return {**about, **{f"{p} holds": p.read_bytes() for p in paths if p.is_file()}}


# ---- a refused resume


@pytest.fixture
def unfinished(plan):
    """A killed run: one cell whole, one an error, one without its line, and half a line."""
    plan.wrong = {"O3": "raises"}
    assert call([*SMALL[:-3], "D0,D2,O3", "--jobs", "1", "--out", "r"]) == 70
    folder = Path("r")
    cells = read_lines(folder / "cells.jsonl")
    assert any("error" in x for x in cells)
    rewrite(folder, lines={"cells": [x for x in cells if "D2/" not in x["cell"]]})
    with open(folder / "records.jsonl", "a") as file:
        file.write('{"half')
    rewrite(folder, end=None, exit_code=None, records=None, last=...)
    plan.wrong = {}
    return folder


def version(folder):
    about = json.loads((folder / "run.json").read_text())
    rewrite(folder, versions={**about["versions"], "numpy": "0.9"})


def case_file(folder):
    about = json.loads((folder / "run.json").read_text())
    Path("x.py").write_text(Path(__file__).parent.parent.joinpath("cases/losses/rayleigh.py").read_text())
    rewrite(folder, arguments={**about["arguments"], "cases": ["x.py"], "files": {"x.py": "0" * 64}})


def linked(folder):
    (folder / "records.jsonl").rename("elsewhere")
    (folder / "records.jsonl").symlink_to(Path("elsewhere").resolve())
    rewrite(folder, backend="triton-ptx")


REFUSED = {
    "another version": (version, [], "version of numpy was '0.9'"),
    "another argument": (lambda r: None, ["--seed", "5"], "argument seed was 0, is 5"),
    "another choice": (lambda r: None, ["--law", "D0"], "argument law was"),
    "another backend": (lambda r: None, ["--backend", "triton-ptx"], "backend was"),
    "a changed case file": (case_file, [], ""),
    "a corrupt record": (lambda r: (r / "records.jsonl").write_text("{\n"), [], "line 1 is corrupt"),
    "no records": (lambda r: (r / "records.jsonl").unlink(), [], "records.jsonl does not exist"),
    "corrupt cells": (lambda r: (r / "cells.jsonl").write_text("[]\n"), [], "cells.jsonl line 1 is corrupt"),
    "a corrupt run.json": (lambda r: (r / "run.json").write_text("{"), [], "run.json is corrupt"),
    "another schema": (lambda r: rewrite(r, schema=10**6), [], "schema is 1000000"),
    "no run.json": (lambda r: (r / "run.json").unlink(), [], "has no run.json"),
    "a link and another backend": (linked, [], "backend was"),
}


@pytest.mark.parametrize("why", REFUSED)
def test_a_refused_resume_changes_nothing(unfinished, capsys, why):
    damage, words, told = REFUSED[why]
    damage(unfinished)
    before = contents(unfinished)
    capsys.readouterr()
    assert call(["verify", "--resume", "r", *words, "--jobs", "1"]) == 2
    assert contents(unfinished) == before
    assert told in capsys.readouterr().err


def test_a_resume_of_a_run_that_another_process_writes_changes_nothing(unfinished, capsys):
    lock = Lock(unfinished)
    before = contents(unfinished)
    assert call(["verify", "--resume", "r", "--jobs", "1"]) == 2
    assert contents(unfinished) == before
    assert "is being written by process" in capsys.readouterr().err
    lock.release()


def test_a_resume_that_is_not_refused_goes_on(unfinished):
    assert call(["verify", "--resume", "r", "--jobs", "1"]) in (0, 3)
    assert {json.loads(x)["cell"][:2] for x in (unfinished / "cells.jsonl").read_text().splitlines()} == {
        "D0",
        "D2",
        "O3",
    }
    assert not [*unfinished.glob(".*")] and not (unfinished / "lock").exists()


def test_a_disk_that_is_full_when_a_run_is_resumed_changes_nothing(unfinished, monkeypatch, capsys):
    before, real, written = contents(unfinished), os.fsync, []

    def full(handle):  # the second file has no room
        written.append(handle)
        if len(written) == 2:
            raise OSError(28, "No space left on device")
        real(handle)

    monkeypatch.setattr(os, "fsync", full)
    assert call(["verify", "--resume", "r", "--jobs", "1"]) == 2
    assert "No space left on device" in capsys.readouterr().err
    after = contents(unfinished)
    assert {k: v for k, v in after.items() if k != "r"} == {k: v for k, v in before.items() if k != "r"}


# ---- whole files


def test_two_writers_of_one_file_leave_one_of_their_texts_and_nothing_else(tmp_path):
    texts = ["a" * 50_000, "b" * 70_000]
    writers = [
        threading.Thread(target=lambda t=t: [write_whole(tmp_path / "x", t) for _ in range(60)])
        for t in texts
    ]
    for writer in writers:
        writer.start()
    seen = set()
    while any(writer.is_alive() for writer in writers):
        if (tmp_path / "x").exists():
            seen.add((tmp_path / "x").read_text())
    assert seen <= set(texts) and (tmp_path / "x").read_text() in texts
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


@pytest.mark.parametrize("at", [1, 2, 3])
def test_of_files_written_together_all_are_new_or_all_are_old(tmp_path, monkeypatch, at):
    names = ("one", "two", "three")
    with Place(tmp_path) as place:
        place.write(dict.fromkeys(names, "old"))
        real, calls = os.fsync, []
        monkeypatch.setattr(
            os, "fsync", lambda fd: calls.append(fd) or (refuse() if len(calls) == at else real(fd))
        )
        with pytest.raises(OSError, match="No space left"):
            place.write(dict.fromkeys(names, "new"))
        monkeypatch.undo()
        assert {path.name: path.read_text() for path in tmp_path.iterdir()} == dict.fromkeys(names, "old")


def refuse():
    raise OSError(28, "No space left on device")


@pytest.mark.skipif(os.name != "posix", reason="a folder cannot be synced there")
def test_a_new_name_is_synced_after_it_is_given(tmp_path, monkeypatch):
    done, sync, rename = [], os.fsync, os.replace
    monkeypatch.setattr(
        os,
        "fsync",
        lambda fd: done.append("folder" if os.path.isdir(f"/proc/self/fd/{fd}") else "file") or sync(fd),
    )
    monkeypatch.setattr(os, "replace", lambda *a, **k: done.append("name") or rename(*a, **k))
    write_whole(tmp_path / "x", "text")
    assert done == ["file", "name", "folder"] or not os.path.isdir("/proc/self/fd")


@pytest.mark.skipif(os.name != "posix", reason="no pipes there")
def test_a_pipe_is_no_file_to_append_to(tmp_path):
    os.mkfifo(tmp_path / "x")
    reader = os.open(tmp_path / "x", os.O_RDONLY | os.O_NONBLOCK)
    with Place(tmp_path) as place, pytest.raises(OSError, match="is no plain file"):
        Appender(place, "x")
    os.close(reader)


def test_records_that_cannot_be_kept_end_a_run_in_one_line(plan, capsys, monkeypatch):
    monkeypatch.setattr(Appender, "append", lambda self, text: refuse())
    assert call([*SMALL, "--out", "r"]) == 70
    err = capsys.readouterr().err
    assert "cannot be written: No space left on device" in err and err.count("\n") == 1
    assert not (Path("r") / "lock").exists()


def test_a_folder_is_written_where_there_is_no_fcntl():
    """As on Windows; there filelock takes msvcrt."""
    program = (
        "import sys; sys.modules['fcntl'] = None; import noether.runs.folder, noether.runs.run, "
        "noether.system.lock; print('here')"
    )
    done = subprocess.run([sys.executable, "-c", program], env=importable(), capture_output=True, text=True)
    assert done.stdout == "here\n", done.stderr
