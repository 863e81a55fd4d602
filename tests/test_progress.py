"""Long work is never silent: a bar on a terminal, a line each ten seconds elsewhere, nothing with -q, nothing
after the end."""

import sys
import threading
import time

import fakes
import pytest
from waiting import until

from noether.cli import progress
from noether.cli.main import call
from noether.cli.progress import Progress, working

NARROW = ["verify", "rayleigh", "--precision", "float64", "--jobs", "1"]


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def test_a_line_says_done_of_total_time_spent_time_left_and_what_runs():
    clock = Clock()
    p = Progress("cells", clock=clock)
    p.stage("planning")
    clock.now = 4
    assert p.line() == "planning, 4 s"
    p.expect(20)
    p.runs(lambda: ["a", "b"])
    for n in range(5):
        clock.now += 6
        p.ended("abcde"[n])
    p.runs(lambda: ["f", "g"])
    assert p.line() == "5 of 20 cells, 34 s, about 1:30 min left, now f, g"
    p.runs(lambda: list("abcdef"))
    assert p.line().endswith("now a, b, c and 3 more")


def test_no_time_is_told_from_one_cell_nor_from_cells_of_an_earlier_run():
    clock = Clock()
    p = Progress(clock=clock)
    p.expect(100, done=90)
    clock.now = 5
    assert p.left is None
    p.ended("first")
    assert p.left is None
    clock.now = 8
    for name in "abc":
        p.ended(name)
    assert p.left == pytest.approx(6), "three in three seconds, six are left"


def test_a_time_box_is_reached_by_itself():
    clock = Clock()
    p = Progress("s", clock=clock)
    p.expect(60)
    clock.now = 15
    assert p.share == 0.25 and p.left == 45
    clock.now = 90
    assert p.share == 1 and p.left == 0


def test_seconds_are_readable():
    told = ["0 s", "59 s", "1:00 min", "3:07 min", "59:59 min", "1:00 h", "2:05 h"]
    assert [progress.clock(s) for s in (0.4, 59.4, 60, 187, 3599, 3600, 7500)] == told


@pytest.fixture
def often(monkeypatch):
    monkeypatch.setattr(progress, "EVERY", 0.05)


def wait_until_said(text, times=1):
    """Waits until standard error, which is captured, has it so many times."""
    until(lambda: sys.stderr.getvalue().count(text) >= times, f"{text!r} is said")


def test_nothing_is_said_after_the_end_or_with_quiet(often, capsys):
    with working() as p:
        p.stage("waiting")
        wait_until_said("waiting", times=2)
    said = capsys.readouterr().err
    assert said.startswith("noether: waiting, ") and said.count("\n") >= 2
    time.sleep(0.15)
    assert capsys.readouterr().err == ""
    with working(quiet=True) as p:
        p.stage("waiting")
        time.sleep(0.15)
    assert capsys.readouterr().err == ""


def test_a_stream_that_breaks_ends_the_lines_and_not_the_work(often, monkeypatch):
    tried = []

    class Broken:
        def isatty(self):
            return False

        def write(self, text):
            tried.append(text)
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stderr", Broken())
    with working() as p:
        p.stage("waiting")
        until(lambda: tried, "a line was to be written")
        assert p.line()


def test_where_no_thread_can_start_the_work_goes_on(monkeypatch):
    def refuse(self):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with working() as p:
        assert p.line()


def test_planning_and_cells_are_told_of(plan, often, monkeypatch, capsys):
    def slowly(selection, cells=plan.cells):
        wait_until_said("noether: planning, ")
        return cells(selection)

    def told(cell, run=fakes.Cell.run):
        wait_until_said(f", now {cell.name}\n")
        return run(cell)

    with monkeypatch.context() as slow:
        slow.setattr(plan, "cells", slowly)
        slow.setattr(fakes.Cell, "run", told)
        assert call(NARROW) == 0
    out, err = capsys.readouterr()
    assert " of 3 cells, " in err and "of 3 cells" not in out
    assert call([*NARROW, "-q"]) == 0
    assert capsys.readouterr() == ("everything holds\n", "")


def test_verbose_names_each_cell_as_it_ends_and_cuts_nothing(plan, capsys):
    plan.wrong, words = {"D2": "violated"}, ["verify", "--law", "D2", "--precision", "float64", "--jobs", "1"]
    assert call(words) == 1
    assert "more of this cause" in capsys.readouterr().out
    assert call([*words, "-v"]) == 1
    out, err = capsys.readouterr()
    assert "more of this cause" not in out and out.count("noether replay") > 20
    assert "noether: D2/rayleigh/float64 0.0 s: 1 violated, 1 planted\n" in err


@pytest.mark.parametrize(
    "command, patched",
    [
        (["map"], "noether.laws.map.cells.run_cell"),
        (["discover", "rayleigh"], "noether.campaigns.discovery.finding.discover"),
        (["doctor"], "noether.cli.doctor.examine"),
        (["faults"], "noether.campaigns.kill_matrix.campaign.cells"),
        (["fuzz", "--jobs", "1"], "noether.campaigns.fuzz.campaign.grid"),
        (["bench", "--quick"], "noether.labs.bench.campaign.measure"),
        (["findings", "."], "noether.runs.saved_run.read_run"),
        (["report", "."], "noether.report.publish.read_run"),
        (["replay", "."], "noether.runs.replaying.Replays"),
    ],
    ids=lambda x: x[0] if isinstance(x, list) else "",
)
def test_no_command_that_works_long_is_silent(command, patched, often, monkeypatch, capsys, tmp_path):
    """The work is stopped after some lines: what it would have come to is tested elsewhere."""
    from noether.system.usage import UsageError

    def slowly(*arguments, **words):
        wait_until_said("noether: ", times=2)
        raise UsageError("enough")

    monkeypatch.chdir(tmp_path)
    if command[0] == "replay":
        monkeypatch.setattr(
            "noether.runs.saved_run.read_run",
            lambda path: type("R", (), {"about": {}, "notes": [], "path": path})(),
        )
        monkeypatch.setattr("noether.runs.replaying.pick", lambda *x: None)
    monkeypatch.setattr(patched, slowly)
    assert call(command) == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[-1] == "noether: enough" and len(lines) >= 3, lines
