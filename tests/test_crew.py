"""Worker processes of ours: one that dies costs one call, one that hangs is ended, and nothing waits for
ever."""

import os
import pickle
import resource
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from plainest import silent
from processes import python
from waiting import PATIENCE, gone, until

from noether.laws.cell import Subject
from noether.runs.execute import execute
from noether.runs.worker import Setting
from noether.runs.worker_pool import Crew, Died, Overdue, Raised, Unloadable
from noether.system.machine import importable
from noether.system.usage import CannotRun

SETTING = Setting(path=tuple(sys.path))


def record(name):
    return silent(case="", parameters={"pid": [os.getpid()]}, reason=name)


@dataclass(frozen=True)
class Cell:
    """does: what goes wrong, of these; folder: where it notes each time that it was run"""

    name: str
    does: str = ""
    folder: str = ""
    case: object = Subject("")

    def run(self):
        if self.folder:
            with open(Path(self.folder) / self.name, "a") as file:
                file.write("x")
        if self.does == "exits":
            os._exit(0)
        if self.does == "dies":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.does == "dies once" and (Path(self.folder) / self.name).stat().st_size == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        if self.does == "leaves":
            raise SystemExit(0)
        if self.does == "interrupts":
            raise KeyboardInterrupt
        if self.does == "hangs":
            time.sleep(1000)
        if self.does == "hangs deaf":  # no alarm reaches it
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
            time.sleep(1000)
        if self.does == "eats":
            held = []
            while True:
                held.append(bytearray(2**26))
        if self.does == "raises":
            raise ZeroDivisionError("planted")
        return [record(self.name)]


def done_by_name(cells, **how):
    out = {done.cell: done for done in execute(cells, **{"jobs": 2, **how})}
    assert sorted(out) == sorted(c.name for c in cells), "each cell once"
    return out


def test_one_bad_cell_costs_itself_alone(tmp_path):
    """Of every kind one, in one run."""
    bad = ("exits", "dies", "leaves", "interrupts", "raises")
    good = [Cell(f"c{k}", folder=str(tmp_path)) for k in range(5)]
    mixed = [
        x for pair in zip(good, (Cell(does, does, str(tmp_path)) for does in bad), strict=True) for x in pair
    ]
    done = done_by_name(mixed)
    times = lambda name: len((tmp_path / name).read_text())
    assert all(len(done[c.name].records) == 1 and times(c.name) == 1 for c in good)
    for does in bad:
        assert not done[does].records and (done[does].error or done[does].lost)
        assert times(does) == (2 if does in ("exits", "dies") else 1), (
            "a cell whose worker died is tried once more"
        )
    for does, said in (("exits", "exit code 0"), ("dies", "signal 9")):
        assert said in done[does].lost and "tried again alone" in done[does].lost


def test_a_cell_whose_worker_was_killed_once_is_whole_the_second_time(tmp_path):
    done = done_by_name([Cell("a"), Cell("once", "dies once", str(tmp_path))])
    assert len(done["once"].records) == 1 and done["once"].lost is None


def test_cells_that_hang_end_in_their_time_and_the_others_go_on(monkeypatch):
    monkeypatch.setattr("noether.runs.worker_pool.GRACE", 1.0)
    stuck = [Cell("a"), Cell("hangs", "hangs"), Cell("hangs deaf", "hangs deaf"), Cell("b")]
    done = done_by_name(stuck, seconds=3)
    assert all("--cell-seconds" in done[name].lost for name in ("hangs", "hangs deaf"))
    assert done["a"].records and done["b"].records


def test_memory_beyond_the_limit_is_the_cells_own_error():
    with Crew(1, Setting(path=tuple(sys.path), memory=2**29)) as crew:
        (done,) = crew.submit(ran, Cell("hungry", "eats")).result(60)
        assert "needs more memory than 0.5 GiB" in done.lost
        assert crew.submit(ran, Cell("next")).result(60)[0].records, "the worker goes on"


def ran(cell):
    from noether.runs.execute import run_cells

    return run_cells([cell])


def test_every_way_in_which_a_call_ends_has_its_name():
    with Crew(2, SETTING) as crew:
        assert crew.submit(len, "four").result(60) == 4
        assert isinstance(crew.submit(int, "x").exception(60), Raised)
        assert isinstance(crew.submit(os._exit, 7).exception(60), Died)
        assert isinstance(crew.send(pickle.dumps((time.sleep, (100,))), seconds=-4.5).exception(60), Overdue)
        assert isinstance(crew.send(b"no pickle").exception(60), Unloadable)
        assert crew.submit(len, "four").result(60) == 4


def test_ten_kills_lose_and_double_nothing(tmp_path):
    cells = [Cell(f"c{k}", "dies once" if k % 3 == 0 else "", str(tmp_path)) for k in range(30)]
    done = done_by_name(cells, jobs=3)
    assert all(len(d.records) == 1 for d in done.values())


FILES = (("mine", "case"), ("yours", "case"), ("rule", "rule"))


@dataclass(frozen=True)
class Ruled(Cell):
    """A cell under a rule."""

    rule: str = ""


def test_cells_of_a_file_share_no_process_with_others():
    from noether.plan.casefiles.source import Source
    from noether.runs.execute import sent

    mine, yours, rule = (Source(f"{x}.py", x, f"/{x}.py", (), kind=k, name=x) for x, k in FILES)
    own = {("case", "mine"): mine, ("case", "yours"): yours, ("rule", "rule"): rule}
    points = [(case, rule) for case in ("", "mine", "yours") for rule in ("", "rule")]
    cells = [Ruled(f"{c}{r}{k}", case=Subject(c), rule=r) for k in range(2) for c, r in points]
    groups, here = sent(cells, own, 2, 60.0)
    assert not here and {(g.cells[0].name[:-1], g.setting.sources) for g in groups} == {
        ("", ()),
        ("rule", (rule,)),
        ("mine", (mine,)),
        ("minerule", (mine, rule)),
        ("yours", (yours,)),
        ("yoursrule", (yours, rule)),
    }

    with Crew(1) as crew:
        pids = [
            crew.send(
                g.raw,
                Setting(
                    path=tuple(sys.path),
                    main=str(g.setting.sources) and "",
                    threads=len(g.cells[0].case.name),
                ),
                60,
            )
            .result(60)[0]
            .records[0]
            .parameters["pid"][0]
            for g in groups
        ]
    assert len(set(pids)) == 3


def test_a_worker_leaves_when_its_parent_is_killed(tmp_path):
    program = (
        "import os, sys, time\nfrom noether.runs.worker_pool import Crew\n"
        "crew = Crew(1); print(crew.submit(os.getpid).result(), flush=True)\n"
        "crew.submit(time.sleep, 1000); time.sleep(1000)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, env=importable(), cwd=tmp_path
    )
    pid = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    until(gone(pid), "the worker has left")


def test_what_a_cell_prints_does_not_reach_standard_output(capfd):
    with Crew(1, SETTING) as crew:
        crew.submit(print, "among tables").result(60)
        crew.submit(os.write, 1, b"raw\n").result(60)
    out, _ = capfd.readouterr()
    assert out == ""


def test_no_thread_or_process_to_be_had_is_one_line_and_no_hang(monkeypatch):
    def none(self):
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as m:
        m.setattr("threading.Thread.start", none)
        with pytest.raises(CannotRun, match="no thread can be started"):
            list(execute([Cell("a"), Cell("b")], jobs=2))
    with monkeypatch.context() as m:
        m.setattr(
            "subprocess.Popen.__init__",
            lambda *a, **k: (_ for _ in ()).throw(OSError(11, "Resource temporarily unavailable")),
        )
        with pytest.raises(
            CannotRun, match="no worker process can be started: Resource temporarily unavailable"
        ):
            list(execute([Cell("a"), Cell("b")], jobs=2))


def test_a_worker_that_dies_before_it_is_ready_is_one_line(monkeypatch):
    monkeypatch.setattr("noether.runs.worker_pool.BEGIN", "raise SystemExit(5)")
    with pytest.raises(
        CannotRun, match="cannot be made ready: its worker process ended by itself, with exit code 5"
    ):
        list(execute([Cell("a"), Cell("b")], jobs=2))


def test_leaving_early_ends_the_workers():
    stream = execute([Cell("a"), *(Cell(f"s{k}", "hangs") for k in range(3))], jobs=2)
    next(stream)
    begin = time.monotonic()
    stream.close()
    assert time.monotonic() - begin < 60, "the cells hang for 1000 s"


def test_cells_of_the_script_itself_go_to_workers_and_an_unguarded_script_is_told(tmp_path):
    head = (
        "import os\nfrom dataclasses import dataclass\nfrom noether.runs.execute import execute\n"
        "@dataclass\nclass Mine:\n    name: str\n    def run(self): raise ValueError(os.getpid())\n"
    )
    body = (
        "found = list(execute([Mine('a'), Mine('b')], jobs=2))\nprint(os.getpid(), "
        "sorted(d.error.split()[-1] for d in found))\n"
    )
    (tmp_path / "guarded.py").write_text(
        head + "if __name__ == '__main__':\n" + "".join(f"    {x}\n" for x in body.splitlines())
    )
    (tmp_path / "open.py").write_text(head + body)

    def run(name):
        return python(name, cwd=tmp_path, env=importable(), timeout=2 * PATIENCE)

    good = run("guarded.py")
    mine, *theirs = good.stdout.replace("[", "").replace("]", "").replace("'", "").replace(",", "").split()
    assert good.returncode == 0 and len(theirs) == 2 and mine not in theirs, good
    bad = run("open.py")
    assert bad.returncode != 0 and "__main__" in bad.stderr.strip().splitlines()[-1], bad


def test_limits_of_memory_are_put_in_place():
    with Crew(1, Setting(memory=2**33)) as crew:
        assert crew.submit(resource.getrlimit, resource.RLIMIT_DATA).result(60)[0] == 2**33
