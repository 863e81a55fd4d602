"""The process in which one tool solves: on one processor, so that every tool has as many.

prepare(problem, method, level)   build, run twice; answers {"compile": seconds, "y": (n, some lanes)}
time(method, level)               seconds of one run, by the clock and of the processor, for all lanes
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field

from noether.labs.bench import worker
from noether.labs.bench.ode.problem import Problem
from noether.labs.bench.ode.tools import MODULES
from noether.labs.bench.worker import SHORTEST


@dataclass
class Solving:
    """The state of one process: what is ready to run, with calls in one timing and the share of lanes."""

    tool: str
    before: float = 0.0
    ready: dict = field(default_factory=dict)

    def __post_init__(self):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})

    def prepare(self, problem: Problem, method: str, level: float) -> dict:
        """Build and run a setting, and keep it."""
        problem.y0  # noqa: B018  drawn and its equations compiled before the clock starts
        begin = time.perf_counter()
        run = MODULES[self.tool].prepare(problem, method, level)
        run()
        first, begin = time.perf_counter() - begin, time.perf_counter()
        y = run()
        once = time.perf_counter() - begin
        calls = max(1, min(1000, round(SHORTEST / once + 0.5)))
        self.ready[method, level] = run, calls, problem.lanes / y.shape[1]
        return {"compile": max(0.0, first - once), "seconds": once, "y": y}

    def time(self, method: str, level: float) -> tuple[float, float]:
        """Seconds of one run for all lanes, by the clock and of the processor, mean of a few."""
        run, calls, share = self.ready[method, level]
        begin, used = time.perf_counter(), time.process_time()
        for _ in range(calls):
            run()
        wall, cpu = time.perf_counter() - begin, time.process_time() - used
        return share * wall / calls, share * cpu / calls


if __name__ == "__main__":
    worker.main(Solving)
