"""Workers that start while a run is planned: for the whole catalogue alone, and never left behind."""

import os
from dataclasses import dataclass
from types import SimpleNamespace

import pytest
from plainest import silent
from waiting import gone, until

from noether.laws.cell import Subject
from noether.plan.choices import Request, select
from noether.runs import early
from noether.runs.execute import execute
from noether.runs.result import How


@dataclass(frozen=True)
class Cell:
    name: str
    case: object = Subject("")

    def run(self):
        return [silent(case="", parameters={"pid": [os.getpid()]}, reason=self.name)]


@pytest.fixture
def at_once(monkeypatch):
    """Workers that have nothing to import."""
    monkeypatch.setattr(early, "ready", os.getpid)


def pids(crew) -> set[int]:
    return {worker.process.pid for worker in crew._workers.values()}


def test_cells_run_in_the_workers_that_were_started_before(at_once):
    with early.early(select(Request()), How(jobs=2)) as crew:
        until(lambda: len(pids(crew)) == 2, "two workers are started")
        started = pids(crew)
        done = list(execute([Cell(f"c{k}") for k in range(6)], jobs=2, crew=crew))
    assert {int(d.records[0].parameters["pid"][0]) for d in done} <= started
    for pid in started:
        until(gone(pid), "a worker is gone")


def test_what_ends_planning_ends_the_workers(at_once):
    with pytest.raises(ZeroDivisionError), early.early(select(Request()), How(jobs=2)) as crew:
        until(lambda: len(pids(crew)) == 2, "two workers are started")
        started = pids(crew)
        raise ZeroDivisionError("planted")
    for pid in started:
        until(gone(pid), "a worker is gone")


@pytest.mark.parametrize(
    "request_, how",
    [
        (Request(cases=("product",)), How(jobs=2)),
        (Request(law="D2"), How(jobs=2)),
        (Request(precision="float64"), How(jobs=2)),
        (Request(), How(jobs=1)),
        (Request(), How(jobs=2, executor=SimpleNamespace())),
    ],
)
def test_few_cells_and_other_executors_start_no_worker(request_, how, at_once):
    with early.early(select(request_), how) as crew:
        assert crew is None
