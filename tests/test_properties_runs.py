"""What a run finds does not depend on how it was run: workers, order, interruption. Real cells, small
ones."""

import json
import shutil
import sys
from dataclasses import dataclass, replace

import pytest
import scipy.linalg  # noqa: F401
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from plainest import silent
from threadpoolctl import threadpool_info, threadpool_limits

from noether.labs.stress.forging import rewrite
from noether.laws.exact.cell import LaunchCell
from noether.plan.choices import Request, select
from noether.runs import run as running
from noether.runs.execute import execute
from noether.runs.records_file import plain
from noether.runs.saved_run import read_run
from noether.system import threads

LAUNCH = dict(precision="float32,bfloat16", backend="numpy", lanes=5, steps=4, seed=7)
REQUEST = Request(("mexican-hat",), law="D2,D3", rule="heavy-ball,heavy-ball-decoupled", **LAUNCH)


def findings(records) -> list[str]:
    """All that records say, but for how long it took and where they lie."""
    told = [plain(replace(r, seconds=0.0, replay=None).as_dict()) for r in records]
    return sorted(json.dumps(x, sort_keys=True) for x in told)


@pytest.fixture(scope="module")
def alone():
    found = running.run(REQUEST, record=False, how=running.How(1))
    assert len(found.records) > 40 and not found.errors
    return findings(found.records)


def test_two_workers_find_what_one_finds(alone):
    found = running.run(REQUEST, record=False, how=running.How(2))
    assert not found.errors
    assert findings(found.records) == alone


@dataclass
class Threads:
    """A cell that finds by how many threads linear algebra is done."""

    name: str

    def run(self):
        found = [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]
        return [silent(case="", parameters={"threads": found})]


@pytest.mark.parametrize("jobs", [1, 2])
def test_linear_algebra_has_one_thread_in_a_cell(jobs):
    """Two spin while they wait for each other: on busy processors fifty times as long."""
    with threadpool_limits(2, user_api="blas"):
        done = list(execute([Threads("a"), Threads("b")], jobs=jobs))
    assert not any(d.error for d in done), done
    found = [r.parameters["threads"] for d in done for r in d.records]
    assert len(found) == 2 and all(x and set(x) == {1} for x in found)


def test_libraries_are_looked_for_again_after_an_import(monkeypatch):
    with threads.one_thread():
        before = threads._found[1]
    with threads.one_thread():
        assert threads._found[1] is before
    monkeypatch.setitem(sys.modules, "imported_since", threads)
    with threads.one_thread():
        assert threads._found[1] is not before


def cells():
    return running.plan(select(REQUEST)).cells


@given(st.randoms(use_true_random=False))
@settings(max_examples=2, suppress_health_check=list(HealthCheck))
def test_any_order_of_cells_finds_the_same(alone, random):
    shuffled = cells()
    random.shuffle(shuffled)
    assert findings([r for done in execute(shuffled) for r in done.records]) == alone


@given(st.floats(0, 1), st.floats(0, 1))
@settings(max_examples=2, suppress_health_check=list(HealthCheck))
def test_a_run_cut_anywhere_and_resumed_finds_the_same(alone, whole, records, cells_share):
    for path in whole.parent.glob("cut"):
        shutil.rmtree(path)
    cut = whole.parent / "cut"
    shutil.copytree(whole, cut)
    rewrite(cut, end=None, records=None, last=...)
    for name, share in (("records.jsonl", records), ("cells.jsonl", cells_share)):
        text = (cut / name).read_bytes()
        (cut / name).write_bytes(text[: round(share * len(text))])
    again = running.run(REQUEST, resume=cut, how=running.How(1))
    assert findings(again.records) == alone == findings(read_run(cut).records)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "whole"
    running.run(REQUEST, out=path, how=running.How(1))
    return path


def test_a_cell_that_remembers_other_cells_is_found(alone, monkeypatch):
    """The fault: a seed that counts."""
    count = iter(range(10**6))
    honest = LaunchCell.job
    monkeypatch.setattr(LaunchCell, "job", lambda self: honest(replace(self, seed=next(count))))
    forth, back = ([r for done in execute(order) for r in done.records] for order in (cells(), cells()[::-1]))
    assert findings(forth) != findings(back)
