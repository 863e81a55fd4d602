"""Cells through other engines, and runs in parts: the records are those of a serial run, nothing is lost or
doubled."""

import json
import sys
import threading
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from test_crew import Cell

from noether.plan.choices import Request
from noether.report.table import verdict
from noether.runs import executors, run, shards
from noether.runs.execute import execute
from noether.runs.folder import read_run
from noether.runs.records_file import line
from noether.runs.result import How
from noether.system.usage import CannotRun, UsageError

REQUEST = Request(
    cases=("product",), law="D0", rule="heavy-ball,sign-descent", precision="float64", backend="numpy"
)


def told(records) -> list[str]:
    return sorted(line({k: v for k, v in r.as_dict().items() if k not in shards.FATE}) for r in records)


@pytest.fixture(scope="module")
def serial():
    found = run.run(REQUEST, record=False, how=How(1))
    assert found.exit_code == 0 and found.records
    return told(found.records)


def test_threads_of_one_process_do_not_meet(serial):
    with ThreadPoolExecutor(2) as pool:
        found = run.run(REQUEST, record=False, how=How(2, executor=executors.given(pool)))
    assert found.exit_code == 0 and told(found.records) == serial


@pytest.mark.parametrize("name", ["loky", "concurrent.futures:ThreadPoolExecutor"])
def test_an_engine_by_name_finds_what_a_serial_run_finds(name, serial):
    if name == "loky":
        pytest.importorskip("loky", reason="the extra loky is not installed")
    found = run.run(REQUEST, record=False, how=How(2, executor=executors.engine(name, 2)))
    assert found.exit_code == 0 and told(found.records) == serial


class Fragile(Executor):
    """Threads; it breaks at the `at`-th submission as the standard library's pool does, and forgets what it
    had."""

    made = 0

    def __init__(self, at: int):
        self.pool, self.at, self.count = ThreadPoolExecutor(2), at, 0
        self.futures: list[Future] = []
        Fragile.made += 1

    def submit(self, function, /, *arguments, **words):
        self.count += 1
        if self.count > self.at:
            for future in self.futures:
                if not future.done():
                    future.cancel()
            raise BrokenExecutor("a process of it died")
        self.futures.append(self.pool.submit(function, *arguments))
        return self.futures[-1]

    def shutdown(self, wait=True, *, cancel_futures=False):
        self.pool.shutdown(wait=False, cancel_futures=True)


def test_an_executor_that_breaks_again_and_again_loses_and_doubles_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(executors.time, "sleep", lambda s: None)
    cells = [Cell(f"c{k}", folder=str(tmp_path)) for k in range(7)]
    engine = executors.Engine(lambda: Fragile(2 + Fragile.made), "fragile")
    done = [d.cell for d in execute(cells, executor=engine)]
    assert sorted(done) == sorted(c.name for c in cells) and Fragile.made > 1


def test_an_executor_that_always_breaks_is_one_line(monkeypatch):
    monkeypatch.setattr(executors, "RESTARTS", 2)
    monkeypatch.setattr(executors.time, "sleep", lambda s: None)
    with pytest.raises(
        CannotRun, match="was lost 3 times, the last time by BrokenExecutor: a process of it died"
    ):
        list(execute([Cell("a")], executor=executors.Engine(lambda: Fragile(0), "fragile")))


def test_a_cell_that_kills_its_process_is_named_and_the_others_go_on(tmp_path):
    cells = [Cell("a"), Cell("bad", "dies", str(tmp_path)), Cell("b")]
    with ThreadPoolExecutor(2) as pool:
        done = {d.cell: d for d in execute(cells, executor=executors.given(pool))}
    assert done["a"].records and done["b"].records and "signal 9" in done["bad"].lost


def test_a_worker_of_other_versions_is_refused(monkeypatch):
    from noether.runs.worker import Setting

    with pytest.raises(
        CannotRun, match="noether is .*, 0.0 where the run was started: they must be the same"
    ):
        executors.remote(
            b"", Setting(), 1.0, tuple((n, "0.0" if n == "noether" else v) for n, v in executors.same())
        )


@pytest.mark.parametrize(
    "word, what",
    [
        ("teh", "must be process, loky, dask, mpi"),
        ("dask", "must be dask:ADDRESS"),
        ("nowhere.at.all:make", "No module named 'nowhere'"),
        ("json:loads_not", "has no attribute"),
        ("json:__name__", "must be a function that gives an executor"),
        (":x", "must be module:factory"),
        ("loky:3", "--jobs says how many"),
    ],
)
def test_a_wrong_engine_is_refused_in_one_line(word, what):
    with pytest.raises(UsageError) as caught:
        executors.engine(word, 2)
    assert what in str(caught.value) and "\n" not in str(caught.value)


def test_what_is_no_executor_is_refused():
    with pytest.raises(UsageError, match="gives a int, must give an executor"):
        list(execute([Cell("a")], executor=executors.Engine(lambda: executors.checked(0, "x:y"), "x:y")))
    with pytest.raises(UsageError, match="gives a list"):
        run.verify("mexican-hat", executor=[])


def test_an_entry_point_is_an_engine(monkeypatch):
    class Point:
        name = "mine"

        def load(self):
            return lambda rest: ThreadPoolExecutor(int(rest))

    monkeypatch.setattr(
        executors, "entry_points", lambda group: [Point()] if group == "noether.runs.executors" else []
    )
    done = list(execute([Cell("a"), Cell("b")], executor=executors.engine("mine:2", 1)))
    assert len(done) == 2 and all(d.records for d in done)


def test_a_case_file_travels_as_text_and_is_looked_for_nowhere(tmp_path):
    """The file is gone before the first cell is sent, and with it the module beside it."""
    import shutil

    example = Path(__file__).resolve().parent.parent / "docs" / "examples" / "my_case.py"
    (tmp_path / "beside.py").write_text("TWO = 2\n")
    (tmp_path / "own.py").write_text(
        "from beside import TWO\n" + example.read_text().replace("scale(2)", "scale(TWO)")
    )

    class Late(ThreadPoolExecutor):
        def submit(self, *call):
            shutil.rmtree(tmp_path, ignore_errors=True)
            return super().submit(*call)

    request = Request(
        cases=(str(tmp_path / "own.py"),),
        law="D0",
        rule="heavy-ball",
        precision="float64,float32",
        backend="numpy",
    )
    with Late(1) as pool:
        found = run.run(request, record=False, how=How(1, executor=executors.given(pool)))
    assert not tmp_path.exists() and found.exit_code == 0 and not found.lost, found


def test_a_run_whose_executor_is_lost_says_how_to_go_on(monkeypatch, tmp_path):
    monkeypatch.setattr(executors, "RESTARTS", 1)
    monkeypatch.setattr(executors.time, "sleep", lambda s: None)
    with pytest.raises(
        CannotRun, match=f"0 records are kept: go on with noether verify --resume {tmp_path / 'r'}"
    ):
        run.run(
            REQUEST, out=tmp_path / "r", how=How(1, executor=executors.Engine(lambda: Fragile(0), "fragile"))
        )
    again = run.run(REQUEST, resume=tmp_path / "r", how=How(1))
    assert again.exit_code == 0


# ---- parts of a run


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    place = tmp_path_factory.mktemp("parts")
    for i in (1, 2, 3):
        found = run.run(REQUEST, out=place / f"p{i}", how=How(1, shard=(i, 3)))
        assert found.exit_code == 0 and f"this is part {i} of 3" in " ".join(found.notes)
        assert verdict(found) == f"nothing is violated in part {i}/3; noether merge decides the whole"
    return [place / f"p{i}" for i in (1, 2, 3)]


def test_parts_share_out_every_cell_once(parts):
    cells = [name for path in parts for name in read_run(path).cells]
    assert len(cells) == len(set(cells)) == len(read_run(parts[0]).about["plan"])
    sizes = [len(read_run(path).cells) for path in parts]
    assert max(sizes) - min(sizes) <= 1


def test_merged_parts_are_the_whole_run(parts, serial, tmp_path):
    result = shards.merge([parts[2], parts[0], parts[1]], tmp_path / "whole")
    assert result.exit_code == 0 and told(result.records) == serial
    kept = read_run(tmp_path / "whole")
    assert told(kept.records) == serial and kept.about["exit_code"] == 0 and len(kept.about["merged"]) == 3


def test_a_missing_part_is_undecided_and_its_cells_are_named(parts, tmp_path):
    result = shards.merge(parts[:2], tmp_path / "whole")
    assert result.exit_code == 3 and set(result.lost) == set(read_run(parts[2]).cells)


def altered(path: Path, to: Path, change) -> Path:
    """A copy of a run folder whose records are changed and kept with checks that fit."""
    import shutil

    from noether.runs.folder import Folder

    found = read_run(path)
    shutil.copytree(path, to)
    for name in ("records.jsonl", "cells.jsonl", "run.json"):
        (to / name).unlink()
    about = {k: v for k, v in found.about.items() if k not in ("start", "end", "records", "check")}
    folder = Folder.create(to, about)
    for name in found.cells:
        folder.record(name, [change(r) for r in found.records if r.cell == name], 0.1)
    folder.finish(0)
    folder.close()
    return to


def test_a_cell_that_two_parts_found_otherwise_is_undecided_and_named(parts, tmp_path):
    from dataclasses import replace

    same = altered(parts[0], tmp_path / "same", lambda r: replace(r, seconds=9.0))
    assert shards.merge([*parts, same], tmp_path / "w1").exit_code == 0
    other = altered(
        parts[0], tmp_path / "other", lambda r: replace(r, spent=r.spent and r.spent * (1 + 2**-52))
    )
    result = shards.merge([*parts, other], tmp_path / "w2")
    assert (
        result.exit_code == 3
        and result.lost
        and all("found different numbers" in why for why in result.lost.values())
    )


def test_runs_that_are_no_parts_of_one_run_are_refused(parts, tmp_path):
    from dataclasses import replace

    whole = tmp_path / "whole"
    run.run(REQUEST, out=whole, how=How(1))
    with pytest.raises(UsageError, match="is no part of a run"):
        shards.merge([parts[0], whole])
    run.run(replace(REQUEST, seed=1), out=tmp_path / "seed", how=How(1, shard=(1, 3)))
    with pytest.raises(UsageError, match="are not of one run: they differ in arguments"):
        shards.merge([parts[0], tmp_path / "seed"])
    run.run(REQUEST, out=tmp_path / "half", how=How(1, shard=(1, 2)))
    with pytest.raises(UsageError, match="n must be the same"):
        shards.merge([parts[0], tmp_path / "half"])


@pytest.mark.parametrize(
    "word", ["", "3", "0/3", "4/3", "-1/3", "1/0", "a/b", "1/2/3", "1/99999999999999999", "١/٣"]
)
def test_a_wrong_part_is_refused(word):
    with pytest.raises(UsageError, match="--shard is"):
        shards.parsed(word)


def test_a_part_that_was_cut_off_goes_on_as_that_part(parts, tmp_path):
    import shutil

    cut = tmp_path / "cut"
    shutil.copytree(parts[1], cut)
    about = json.loads((cut / "run.json").read_text())
    with pytest.raises(UsageError, match="shard was '2/3', is ''"):
        run.run(REQUEST, resume=cut, how=How(1))
    assert json.loads((cut / "run.json").read_text()) == about
    again = run.run(REQUEST, resume=cut, how=How(1, shard=(2, 3)))
    assert told(again.records) == told(read_run(parts[1]).records)


def test_longest_cells_are_dealt_first():
    from noether.runs.costs import cost

    plan = run.plan(run.select(REQUEST))
    dealt = [shards.part(plan, (i, 3)).cells for i in (1, 2, 3)]
    for cells in dealt:
        assert [cost(c) for c in cells] == sorted((cost(c) for c in cells), reverse=True)
    sums = [sum(map(cost, cells)) for cells in dealt]
    assert max(sums) - min(sums) <= max(map(cost, plan.cells))


def test_a_thread_of_the_caller_may_verify():
    """Alarms are for main threads: elsewhere the limit of a cell is kept by who waits for its process."""
    found: list = []
    thread = threading.Thread(
        target=lambda: found.extend(execute([Cell("a"), Cell("s", "hangs")], jobs=2, seconds=2))
    )
    thread.start()
    thread.join(60)
    assert len(found) == 2 and sys.version_info


def test_other_instructions_where_cells_run_are_told(monkeypatch):
    with ThreadPoolExecutor(1) as pool:
        engine = executors.given(pool)
        list(execute([Cell("a")], executor=engine))
        assert engine.notes() == []
        monkeypatch.setattr(executors, "instructions", lambda: {"architecture": "another"})
        assert "other instructions than this one" in engine.notes()[0]


def test_parts_of_machines_with_other_instructions_are_told(parts, tmp_path):
    import shutil

    from noether.runs.folder import Folder

    other = tmp_path / "other"
    shutil.copytree(parts[2], other)
    folder, _ = Folder.reopen(other)
    folder.about["machine"] = {**folder.about["machine"], "instructions": {"architecture": "another"}}
    folder.finish(0)
    folder.close()
    result = shards.merge([*parts[:2], other], tmp_path / "whole")
    assert result.exit_code == 0 and "other instructions than each other" in result.notes[0]


@pytest.mark.parametrize(
    "changes",
    [
        {"plan": [5]},
        {"plan": [{"name": "x"}]},
        {"plan": ...},
        {"asked": ...},
        {"shard": "4/3"},
        {"shard": 5},
        {"asked": [1]},
    ],
)
def test_a_part_that_says_what_cannot_be_is_refused(parts, tmp_path, changes):
    import shutil

    from noether.labs.stress import forging

    shutil.copytree(parts[0], tmp_path / "forged")
    forging.rewrite(tmp_path / "forged", **changes)
    with pytest.raises(UsageError):
        shards.merge([tmp_path / "forged", *parts[1:]])
