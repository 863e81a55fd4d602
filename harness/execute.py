"""Executing cells, here or in worker processes. What a cell finds does not depend on where or when it ran."""

from __future__ import annotations

import multiprocessing
import multiprocessing.util
import os
import pickle
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field

from threadpoolctl import threadpool_limits

from noether import casefile, outlet
from noether.kernels import caches
from noether.machine import cpus
from noether.verdicts import Record
from noether.wide import require_wide

FEW = 16  # cells that go to one worker's interpreter; more are worth one each


@dataclass
class Done:
    """One finished cell: its records, or the traceback of what it raised."""

    cell: str
    records: list[Record]
    seconds: float
    error: str | None = None
    notes: list[str] = field(default_factory=list)  # what its process had to do otherwise, once told as good as twice


def run_cell(cell) -> Done:
    """Every exception of a cell becomes part of the result: one broken cell must not take the others with it."""
    begin = time.perf_counter()
    try:
        require_wide()  # of the machine that runs it
        records = list(cell.run())
        for record in records:
            if not isinstance(record, Record):
                raise TypeError(f"cell {cell.name} gave {type(record).__name__}, must give Record")
            record.cell = cell.name
        return Done(cell.name, records, time.perf_counter() - begin, notes=caches.notes())
    except (Exception, SystemExit):  # a loss may ask to leave: the process is not its own
        return Done(cell.name, [], time.perf_counter() - begin, traceback.format_exc(), caches.notes())


def prepare_worker(files: tuple[str, ...], threads: int = 0) -> None:
    """Ctrl-C is the parent's business; a worker that ends takes its own children with it; case files are loaded again.

    threads: how many a worker's compiled kernels may use, so that all workers together do not use more than there are.
    Linear algebra uses one: ours is batches of small matrices, and its threads wait for each other by spinning. On a machine
    whose processors are busy, an order of a loss with 32 parameters took 144 s with two threads and 3 s with one.
    """
    outlet.guard_worker()
    if threads:
        os.environ.setdefault("OMP_NUM_THREADS", str(threads))
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # of what is loaded later
    threadpool_limits(1, user_api="blas")
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: leave())
    parent = multiprocessing.parent_process()
    threading.Thread(target=lambda: (parent.join(), leave()), daemon=True).start()
    # A leaving worker joins its children before it runs the exit hook that tells an executor's children to end
    # (python 3.11 - 3.13), so the interpreter of noether.kernels.launch would be waited for forever.
    # 100: before the finalizer (10) that closes the queue through which they are told.
    multiprocessing.util.Finalize(None, close_interpreter, exitpriority=100)
    for word in files:
        casefile.load(word)


def close_interpreter() -> None:
    module = sys.modules.get("noether.kernels.launch")  # not imported here: a worker may never need it
    if module is not None:
        module.close()


def leave() -> None:
    for child in multiprocessing.active_children():
        child.kill()
    os._exit(1)


def travels(cell) -> bool:
    """Whether a cell can be sent to another process: a case made of lambdas cannot."""
    try:
        pickle.dumps(cell)
    except Exception:
        return False
    return True


def execute(cells: list, *, jobs: int = 1, files: tuple[str, ...] = ()) -> Iterator[Done]:
    """Each cell once, as they finish. Leaving the loop early stops the workers."""
    movable = [c for c in cells if travels(c)] if jobs > 1 and len(cells) > 1 else []
    here = [c for c in cells if c not in movable] if movable else cells
    if movable:
        yield from in_workers(movable, min(jobs, len(movable)), files)
    for cell in here:
        with threadpool_limits(1, user_api="blas"):
            done = run_cell(cell)
        yield done


def in_workers(cells: list, jobs: int, files: tuple[str, ...]) -> Iterator[Done]:
    context = multiprocessing.get_context("spawn")  # Triton and torch do not survive a fork
    pool = ProcessPoolExecutor(jobs, context, initializer=prepare_worker, initargs=(files, max(1, cpus() // jobs)))
    try:
        pending = {pool.submit(run_cells, group): [cell.name for cell in group] for group in together(cells)}
        while pending:
            finished, _ = wait(pending, return_when=FIRST_COMPLETED)
            for future in finished:
                yield from outcome(future, pending.pop(future))
        pool.shutdown()
    except BaseException:
        for process in list((pool._processes or {}).values()):  # cells cannot be interrupted from outside
            process.terminate()
        pool.shutdown(wait=False, cancel_futures=True)
        raise


def together(cells: list) -> list[list]:
    """Cells one by one, but for those that Triton interprets: a second interpreter takes longer to start than they take."""
    interpreted = [c for c in cells if getattr(c, "backend", "") == "triton-interpreted"]
    few = len(interpreted) <= FEW
    return [*([interpreted] if interpreted and few else []), *([c] for c in cells if not few or c not in interpreted)]


def run_cells(cells: list) -> list[Done]:
    return [run_cell(cell) for cell in cells]


def outcome(future, names: list[str]) -> list[Done]:
    try:
        return future.result()
    except BrokenProcessPool:
        return [Done(n, [], 0.0, f"a worker process died while cell {n} was waiting or running: killed for its memory?\n") for n in names]
    except Exception:
        told = traceback.format_exc()
        return [Done(n, [], 0.0, told) for n in names]
