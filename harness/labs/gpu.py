"""The command `make gpu`: everything that needs a GPU, without installing anything.

    1  versions and device
    2  parity: every core case, rule and stored precision, each other case once, on the GPU against numpy, bit
       for bit, and their digests
    3  verification: the exact laws, faults, covariance and response on the GPU, by the harness itself
    4  facts that only hardware can confirm: the native bfloat16 store, subnormals, fp32 division, contraction
    5  speed: trajectory-steps per second of each case and precision

One JSON (under $OUT, else the working folder), one table. Exit 0 when everything holds, 1 when something is
violated, 3 where there is no GPU. With --rehearse a few launches of each part run without one, on what
gpu_device.py puts in its place: whether the script runs is known before a GPU is lent. No interpreter here:
Triton 3.6.0's fails with numpy >= 2.4.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import platform
import sys
import time
import traceback
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import cache

import numpy as np

from noether.cases import CATALOG, CORE
from noether.cases.rules import RULES
from noether.kernels.loops import launch
from noether.kernels.programs.precision import PRECISIONS
from noether.kernels.programs.rolling import rolled
from noether.kernels.programs.trace import gradient
from noether.labs import gpu_device
from noether.labs.gpu_hardware import facts, fusion, named, speed
from noether.labs.gpu_report import report, save
from noether.laws.exact.cell import LaunchCell, rules_of
from noether.laws.exact.screen import prepare
from noether.laws.normalisation.launches import FORCES, drawn
from noether.plan import launches
from noether.plan.choices import Request, select
from noether.verdicts import exit_codes

BUDGET_S = 8 * 60
REHEARSED = 60  # of so many launches and cells, one is in a rehearsal


@cache
def points():
    """Core cases under every rule that is shown on every case, the others on the first case that takes them,
    in every stored type; each case beside the core once."""
    every = lambda cases: [(case, rule, p) for case in cases for rule in rules_of(case) for p in PRECISIONS]
    of_its_own = {rule: case for case in CATALOG[::-1] for rule in rules_of(case)}
    core = [p for p in every(CORE) if RULES[p[1]].screened]
    own = [p for p in every(CATALOG) if not RULES[p[1]].screened and of_its_own[p[1]] is p[0]]
    return core + own + launches.glanced(every([c for c in CATALOG if c not in CORE]))


def gathered(work, backend: str, names: dict[int, dict], clock, workers: int = 1) -> list[dict]:
    """The rows of work(backend, i) for each i of `names`, in order, in this process or in `workers` others.

    What has no time left is a row "skipped", what raises is a row "failed", both with their name: one launch
    that cannot be compiled must not cost the rest of a device's time.
    """
    if workers == 1:
        return [row for i, name in names.items() for row in attempted(work, backend, i, name, clock)]
    rows = []
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        jobs = [pool.submit(attempted, work, backend, i, name) for i, name in names.items()]
        for job, name in zip(jobs, names.values(), strict=True):
            try:
                rows += job.result(timeout=max(0.0, clock()))
            except TimeoutError:
                rows.append(out_of_time(name))
        pool.shutdown(wait=False, cancel_futures=True)
    return rows


def attempted(work, backend: str, i: int, name: dict, clock=lambda: 1.0) -> list[dict]:
    """The rows of one piece of work, or the one row that says why there is none."""
    if clock() < 0:
        return [out_of_time(name)]
    try:
        return work(backend, i)
    except Exception as error:
        return [
            {**name, "failed": f"{type(error).__name__}: {error}", "trace": traceback.format_exc()[-2000:]}
        ]


def out_of_time(name: dict) -> dict:
    """The row of what was not begun."""
    return {**name, "skipped": "out of time"}


def parity(backend: str, clock, workers: int = 1, every: int = 1) -> list[dict]:
    """Each point, or every so many of them, on `backend` and in numpy: how many stored values differ."""
    word = lambda case, rule, precision: dict(case=case.name, rule=rule, precision=precision)
    names = {i: word(*point) for i, point in list(enumerate(points()))[::every]}
    return gathered(compared, backend, names, clock, workers)


def compared(backend: str, i: int) -> list[dict]:
    """The i-th point on `backend` and in numpy."""
    case, rule, precision = points()[i]
    job = LaunchCell(case, rule, precision, backend, "exact", (), 1023, 0).job()
    mine, plain = launch.run(job, backend), launch.run(job, "numpy")
    counts = {"values": mine.q.size + mine.v.size, "differ": launch.differing_bits(mine, plain)}
    counts |= {"unwritten": int(mine.unwritten.sum())}
    digests = {"digest": mine.digest, "digest_numpy": plain.digest}
    return [{**named(case.name, rule, precision, job), "backend": mine.backend, **counts, **digests}]


def noisy_parity(backend: str) -> list[dict]:
    """The noisy loop, hash included, on `backend` and in numpy; rows as those of `parity`."""
    rows = []
    for rule, precision, force, d in FORCES:
        job = drawn(rule, precision, force, d, count=1023, windows=8, every=32)
        mine, plain = launch.run(job, backend), launch.run(job, "numpy")
        pairs = [(getattr(mine, x), getattr(plain, x)) for x in ("sums", "q", "v")]
        differ = sum(int((a.view(np.uint64) != b.view(np.uint64)).sum()) for a, b in pairs)
        counts = {"values": sum(a.size for a, _ in pairs), "differ": differ, "unwritten": 0}
        what = named(f"tangential-force, {force}", rule, precision, job)
        rows.append({**what, "backend": mine.backend, **counts})
    return rows


def memory_parity(backend: str) -> list[dict]:
    """The loop of large cases, which keeps a lane in memory: each core case in one type, its gradient as
    loops, on `backend` and in numpy; rows as those of `parity`."""
    rows = []
    for i, case in enumerate(c for c in CORE if "heavy-ball" in rules_of(c)):
        precision = tuple(PRECISIONS)[i % len(PRECISIONS)]
        straight = LaunchCell(case, "heavy-ball", precision, backend, "exact", (), 1023, 0, steps=8).job()
        job = replace(straight, program=rolled(straight.program))
        mine, plain = launch.run(job, backend), launch.run(straight, "numpy")
        counts = {"values": mine.q.size + mine.v.size, "differ": launch.differing_bits(mine, plain)}
        counts |= {"unwritten": int(mine.unwritten.sum())}
        what = named(f"{case.name}, in memory", "heavy-ball", precision, job)
        rows.append({**what, "backend": mine.backend, **counts})
    return rows


def screen_parity(backend: str, few: bool = False) -> list[dict]:
    """The screen of all exact laws of each core case, or of the two of the shortest gradients, in shares and
    as one kernel, on `backend` and in numpy; rows as those of `parity`. A wrong step size must be found in
    every lane, too."""
    rows, cases = [], sorted(CORE, key=lambda case: gradient(case).length)[:2] if few else CORE
    for i, case in enumerate(cases):
        rule = next(r for r in rules_of(case)[::-1] if RULES[r].screened)
        precision = ("float64", "float32")[i % 2]
        job = LaunchCell(case, rule, precision, backend, "exact", (), 1023, 0, steps=8).job()
        honest = prepare(case, replace(job, trace=False))[0]
        wrong = replace(honest, params=honest.params * (1 + np.array([2.0**-10, 0, 0, 0])[:, None]))
        for what, screen in (("", honest), (", wrong step size", wrong)):
            plain = launch.run(screen, "numpy")
            for shared in (True, False):
                mine = launch.run(replace(screen, shared=shared), backend)
                kept = ("spent", "worst_step", "first_bad", "moved", "q", "v")
                pairs = [(getattr(mine, x), getattr(plain, x)) for x in kept]
                differ = sum(int((a.view(np.uint8) != b.view(np.uint8)).sum()) for a, b in pairs)
                way = f"{mine.notes['shares']} shares" if shared else "one kernel"
                counts = {"values": sum(a.size for a, _ in pairs), "differ": differ, "unwritten": 0}
                counts |= {"above_1": int((mine.spent > 1).any(axis=0).sum())}
                about = named(f"{case.name}, screened in {way}{what}", rule, precision, job)
                rows.append({**about, "backend": mine.backend, **counts})
    return rows


def verification(backend: str, clock, workers: int = 1, every: int = 1) -> list[dict]:
    """The discrete cells of the full profile, as `noether verify` plans them: exact laws, faults,
    covariance, response."""
    names = {i: {"cell": cell.name} for i, cell in list(enumerate(planned(backend)))[::every]}
    return gathered(judged, backend, names, clock, workers)


@cache
def planned(backend: str) -> list[LaunchCell]:
    """The cells of `verification`; parity stands apart, on more lanes."""
    cells = launches.discrete(select(Request(backend=backend, profile="full")), backend)
    return [cell for cell in cells if cell.kind != "parity"]


def judged(backend: str, i: int) -> list[dict]:
    """What the i-th cell of `verification` finds."""
    return [{k: getattr(record, k) for k in KEPT} for record in planned(backend)[i].run()]


KEPT = ("law", "symmetry", "case", "rule", "precision", "backend", "lanes", "steps")
KEPT += ("spent", "verdict", "reason", "fault")
"""What is kept of a record."""


def parts(backend: str, clock, workers: int, every: int = 1) -> dict:
    """What is done, by name, in this order: what is short comes first, so that little time shows much.

    every  one piece of work of so many; where it is more than one, screens of few cases, since one may take
           a minute to compile
    """
    once = lambda name, work: lambda: attempted(lambda *_: work(), backend, 0, {"fact": name})
    return {
        "facts": lambda: once("facts", facts)() + once("contraction", fusion)(),
        "noisy": once("noisy loop", lambda: noisy_parity(backend)),
        "memory": once("loop in memory", lambda: memory_parity(backend)),
        "screens": once("screens", lambda: screen_parity(backend, few=every > 1)),
        "parity": lambda: parity(backend, clock, workers, every),
        "speed": once("speed", lambda: speed(clock)),
        "verification": lambda: verification(backend, clock, workers, every),
    }


def main(arguments: list[str] | None = None) -> int:
    """The entry of the command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="make gpu", description=__doc__.split("\n")[0])
    parser.add_argument(
        "--seconds", type=float, default=BUDGET_S, help="what is not begun by then is skipped"
    )
    parser.add_argument("--workers", type=int, default=min(12, os.cpu_count() or 1), help="processes")
    parser.add_argument("--rehearse", action="store_true", help="a few launches without a GPU: does it run?")
    asked = parser.parse_args(arguments)
    if asked.rehearse:
        with gpu_device.stand_in():
            return measured(asked.seconds, 1, REHEARSED)
    reason = launch.missing("triton-gpu")
    if reason:
        print(f"make gpu needs a GPU that torch and triton can use: {reason}", file=sys.stderr)
        return exit_codes.UNDECIDED
    return measured(asked.seconds, asked.workers, 1)


def measured(seconds: float, workers: int, every: int) -> int:
    """Do all parts, keep and report what they find; returns the exit code."""
    begin = time.perf_counter()
    clock = lambda: seconds - (time.perf_counter() - begin)
    result = described()
    if gpu_device.IS_STAND_IN:
        print(gpu_device.NONE)
    for name, part in parts("triton-gpu", clock, workers, every).items():
        at = time.perf_counter()
        result[name] = part()
        result[f"{name}_seconds"] = round(time.perf_counter() - at, 1)
        print(f"{name}: {len(result[name])} rows in {result[f'{name}_seconds']} s", flush=True)
        save(result)
    return report(result)


def described() -> dict:
    """The device and the versions, as the beginning of a result."""
    import torch
    import triton

    versions = {"python": platform.python_version(), "torch": torch.__version__}
    return {
        "schema": 2,
        "date": time.strftime("%Y-%m-%d"),
        **gpu_device.named(),
        "versions": versions | {"triton": triton.__version__, "numpy": np.__version__},
    }


if __name__ == "__main__":
    sys.exit(main())
