"""Parts of a run on several machines: shared out once, merged into the whole."""

import json
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from test_crew import Cell
from test_executors import (
    serial,  # noqa: F401
    told,
)

from noether.plan.choices import Request
from noether.report.table import verdict
from noether.runs import engine, executors, run, shards
from noether.runs.execute import execute
from noether.runs.result import How
from noether.runs.saved_run import read_run
from noether.system.usage import UsageError

REQUEST = Request(
    cases=("product",), law="D0", rule="heavy-ball,sign-descent", precision="float64", backend="numpy"
)


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
        sending = executors.given(pool)
        list(execute([Cell("a")], executor=sending))
        assert sending.notes() == []
        monkeypatch.setattr(engine, "instructions", lambda: {"architecture": "another"})
        assert "other instructions than this one" in sending.notes()[0]


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
