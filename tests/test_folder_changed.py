"""A run folder that is not the same any more, and what lies in the way of one."""

import os
import shutil
from pathlib import Path

import pytest
from fakes import Cell
from test_folder import (
    contents,
    unfinished,  # noqa: F401
)

from noether.cli.main import call
from noether.plan.choices import Request
from noether.report.publish import publish
from noether.runs.folder import Folder
from noether.runs.recording import RecordingError
from noether.runs.result import How
from noether.runs.run import run
from noether.system.files import write_whole
from noether.system.lock import Lock, Replaced
from noether.system.usage import UsageError

SMALL = ["verify", "rayleigh", "--precision", "float64", "--law", "D0,D2", "--jobs", "1"]


RECORDS = Cell("D2/rayleigh", "D2", "rayleigh", "heavy-ball", "float64", 0).run()


def removed(folder):
    shutil.rmtree(folder)
    return None


def reused(folder):
    shutil.rmtree(folder)
    return Folder.create(folder, {"who": "another"})


def emptied(folder):
    for path in folder.iterdir():
        path.unlink()
    return Folder.create(folder, {"who": "another"})


def moved(folder):
    folder.rename("moved")
    return Folder.create(folder, {"who": "another"})


def turned(folder):
    folder.rename("moved")
    other = Folder.create(Path("other"), {"who": "another"})
    folder.symlink_to("other")
    return other


CHANGES = (removed, reused, emptied, moved, turned)


@pytest.mark.skipif(os.name != "posix", reason="an open folder cannot be removed there")
@pytest.mark.parametrize("change", CHANGES)
def test_a_folder_that_is_another_one_by_now_is_not_written(tmp_path, monkeypatch, change):
    monkeypatch.chdir(tmp_path)
    mine = Folder.create(Path("r"), {"who": "mine"})
    mine.record("first", RECORDS, 0.1)
    other = change(Path("r"))
    before = contents(tmp_path)
    for write in (
        lambda: mine.record("second", RECORDS, 0.1),
        lambda: mine.record_error("third", "text"),
        lambda: mine.finish(0),
        mine.write_about,
    ):
        with pytest.raises(Replaced, match="is not the folder any more that this run began"):
            write()
    mine.close()
    assert contents(tmp_path) == before
    if other:  # and the other still has its lock
        with pytest.raises(UsageError, match="is being written by process"):
            Lock(Path("r"))
        other.record("its own", RECORDS, 0.1)
        other.close()


@pytest.mark.skipif(os.name != "posix", reason="an open folder cannot be removed there")
@pytest.mark.parametrize("change", CHANGES)
def test_a_run_whose_folder_is_taken_ends_in_one_line_and_leaves_the_other_alone(plan, capsys, change):
    kept = {}

    def watch(event, **facts):
        if event == "done" and not kept:
            kept["other"] = change(Path("r"))
            kept["before"] = contents(Path.cwd())

    with pytest.raises(RecordingError, match="nothing more is written there, and 2 records were before"):
        run(Request(("rayleigh",), "D0,D2", None, "float64"), out=Path("r"), how=How(jobs=1), watch=watch)
    assert contents(Path.cwd()) == kept["before"]
    if kept["other"]:
        kept["other"].close()


@pytest.mark.skipif(os.name != "posix", reason="an open folder cannot be removed there")
@pytest.mark.parametrize("change", CHANGES)
def test_a_report_is_not_written_into_another_run(plan, change):
    result = run(Request(("rayleigh",), "D0,D2", None, "float64"), out=Path("r"), how=How(jobs=1))
    other = change(Path("r"))
    before = contents(Path.cwd())
    publish(result)
    assert contents(Path.cwd()) == before and any("no report was written" in note for note in result.notes)
    if other:
        other.close()


@pytest.mark.parametrize("name", ["run.json", "records.jsonl", "cells.jsonl", "lock"])
@pytest.mark.parametrize("what", ["link", "dangling", "pipe", "folder"])
def test_what_lies_in_the_way_of_a_new_run_is_refused_and_untouched(plan, capsys, name, what):
    Path("victim").write_text("precious")
    Path("r").mkdir()
    path = Path("r", name)
    put = {
        "link": lambda: path.symlink_to(Path("victim").resolve()),
        "dangling": lambda: path.symlink_to(Path("new").resolve()),
        "pipe": lambda: os.mkfifo(path),
        "folder": path.mkdir,
    }
    put[what]()
    code = call([*SMALL, "--out", "r"])
    err = capsys.readouterr().err
    assert code == 2 and "run folder r" in err and err.count("\n") == 1 or (name, what) == ("lock", "pipe")
    assert Path("victim").read_text() == "precious" and not Path("new").exists()


@pytest.mark.parametrize("name", ["junit.xml", "report.html", "run.json", "run.json.new", "report.html.new"])
def test_a_link_in_a_run_folder_is_replaced_and_not_followed(plan, name):
    assert call([*SMALL, "--out", "r"]) == 0
    Path("victim").write_text("precious")
    path = Path("r", name)
    text = path.read_text() if path.exists() else None
    path.unlink(missing_ok=True)
    path.symlink_to(Path("victim").resolve())
    if name == "run.json":
        write_whole(path, text)
    else:
        assert call(["report", "r"]) == 0
    assert Path("victim").read_text() == "precious" and (path.is_symlink() == name.endswith(".new"))


def test_a_link_in_place_of_records_is_not_appended_to(plan, unfinished):
    (unfinished / "records.jsonl").rename("elsewhere")
    (unfinished / "records.jsonl").symlink_to(Path("elsewhere").resolve())
    before = Path("elsewhere").read_bytes()
    assert call(["verify", "--resume", "r", "--jobs", "1"]) in (0, 2, 3)
    assert Path("elsewhere").read_bytes() == before and not (unfinished / "records.jsonl").is_symlink()
