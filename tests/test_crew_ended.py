"""A crew of worker processes that is dismissed: what it took is ended, what waits is taken back."""

import sys
import threading
import time
from concurrent.futures import wait

from waiting import PATIENCE, until

from noether.runs.worker import Setting
from noether.runs.worker_pool import Crew, Died, Worker

SETTING = Setting(path=tuple(sys.path))


def test_a_crew_that_is_dismissed_ends_what_it_took():
    with Crew(1, SETTING) as crew:
        futures = [crew.submit(len, "four") for _ in range(3)]
    assert [f.result(0) for f in futures] == [4, 4, 4]


def test_a_worker_that_starts_while_the_crew_is_ended_runs_nothing(monkeypatch):
    begun, go, start = threading.Event(), threading.Event(), Worker.__init__

    def slow(self, setting):
        start(self, setting)
        begun.set()
        go.wait(60)

    monkeypatch.setattr(Worker, "__init__", slow)
    crew = Crew(1, SETTING)
    future = crew.submit(time.sleep, 1000)
    assert begun.wait(60)
    crew.shutdown(wait=False, cancel_futures=True)
    go.set()
    assert isinstance(future.exception(60), Died)


def test_a_worker_that_is_not_ready_is_ended_with_its_crew(monkeypatch):
    monkeypatch.setattr("noether.runs.worker_pool.BEGIN", "import time; time.sleep(1000)")
    crew = Crew(1, SETTING)
    future = crew.submit(len, "four")
    until(lambda: crew._workers, "a worker starts")
    crew.shutdown(cancel_futures=True)
    assert isinstance(future.exception(0), Died)


def test_calls_that_wait_are_taken_back_when_the_crew_is_dismissed():
    crew = Crew(1, SETTING)
    futures = [crew.submit(time.sleep, 1000) for _ in range(3)]
    until(futures[0].running, "the first call has begun")
    crew.shutdown(cancel_futures=True)
    assert not wait(futures, PATIENCE).not_done
