"""Executors that run cells elsewhere, given by name or as an object (engine.py sends cells through them).

    process              worker processes of this machine (harness/runs/worker_pool.py), as many as --jobs
    loky                 joblib's worker processes (the extra `loky`)
    dask:ADDRESS         a dask cluster whose scheduler is at ADDRESS, as tcp://host:8786 (the extra `dask`)
    mpi                  the ranks of mpiexec -n N python -m mpi4py.futures -m noether ... (the extra `mpi`)
    module:factory       factory() of an importable module: an executor of your own

A package may add names: an entry point of the group `noether.runs.executors` is a function of what stands
behind the colon that gives an executor.
"""

from __future__ import annotations

import atexit
import importlib
from concurrent.futures import Executor
from importlib.metadata import entry_points

from noether.runs.engine import Engine
from noether.system.usage import CannotRun, UsageError

ENTRY = "noether.runs.executors"


def of(executor, jobs: int) -> Engine | None:
    """The engine of a name or of an object; None for worker processes of ours."""
    if executor is None or isinstance(executor, str):
        return engine(executor or "process", jobs)
    return given(executor)


def engine(word: str, jobs: int) -> Engine | None:
    """The engine that a word names; None for worker processes of ours. Raises UsageError."""
    kind, mark, rest = word.strip().partition(":")
    if word.strip() in ("", "process"):
        return None
    if kind in NAMED:
        return NAMED[kind](rest, jobs)
    for point in entry_points(group=ENTRY):
        if point.name == kind:
            return Engine(lambda point=point: point.load()(rest), word)
    if mark:
        return of_factory(kind, rest, word)
    known = [*NAMED, *(p.name for p in entry_points(group=ENTRY))]
    raise UsageError(f"--executor is {word!r}, must be process, {', '.join(known)} or module:factory")


def of_factory(module: str, factory: str, word: str) -> Engine:
    """The engine of a function of an importable module. Raises UsageError."""
    try:
        make = getattr(importlib.import_module(module), factory)
    except (ImportError, AttributeError, ValueError) as error:
        raise UsageError(
            f"--executor {word}: {error}; it must be module:factory, a function that gives an executor of "
            "concurrent.futures"
        ) from None
    if not callable(make):
        raise UsageError(
            f"--executor {word} is a {type(make).__name__}, must be a function that gives an executor"
        )
    return Engine(lambda: checked(make(), word), word)


def checked(executor, word: str) -> Executor:
    """The executor itself. Raises UsageError where it has no submit."""
    if not callable(getattr(executor, "submit", None)):
        raise UsageError(
            f"--executor {word} gives a {type(executor).__name__}, must give an executor of "
            "concurrent.futures: it has no submit"
        )
    return executor


def given(executor) -> Engine:
    """An executor object of the caller's, who starts and ends it. Raises UsageError."""
    checked(executor, "object")

    def once():
        if engine.used:
            raise CannotRun("the executor broke: what was found is kept, start another and resume")
        engine.used = True
        return executor

    engine = Engine(once, type(executor).__name__, close=lambda executor: None)
    engine.used = False
    return engine


def loky_engine(rest: str, jobs: int) -> Engine:
    """The worker processes of joblib. Raises UsageError."""
    loky = needed("loky", "loky")
    if rest:
        raise UsageError(f"--executor is 'loky:{rest}', must be loky: --jobs says how many workers")
    make = lambda: loky.ProcessPoolExecutor(max_workers=jobs)
    return Engine(make, "loky", lambda executor: executor.shutdown(kill_workers=True))


def dask_engine(address: str, jobs: int) -> Engine:
    """The workers of the dask scheduler at an address. Raises UsageError."""
    distributed = needed("distributed", "dask")
    if not address:
        raise UsageError(
            "--executor is 'dask', must be dask:ADDRESS, the scheduler's, as dask:tcp://127.0.0.1:8786"
        )
    clients = []

    def make():
        clients.append(distributed.Client(address, timeout=30, set_as_default=False))
        return clients[-1].get_executor(pure=False)

    def close(executor):
        executor.shutdown(wait=False)
        clients[-1].close(timeout=2)

    return Engine(make, f"dask:{address}", close)


def mpi_engine(rest: str, jobs: int) -> Engine:
    """The ranks of mpiexec. Raises UsageError."""
    futures = needed("mpi4py.futures", "mpi")
    if rest:
        raise UsageError(f"--executor is 'mpi:{rest}', must be mpi: mpiexec says how many ranks")
    # mpi4py would do it after python's exit hooks, and the last of ours ends the process.
    atexit.register(finalize)
    close = lambda executor: executor.shutdown(wait=True, cancel_futures=True)
    return Engine(futures.MPIPoolExecutor, "mpi", close)


def finalize() -> None:
    """A rank that ends without this is taken for one that crashed, and mpiexec kills the others."""
    from mpi4py import MPI

    if MPI.Is_initialized() and not MPI.Is_finalized():
        MPI.Finalize()


def needed(module: str, extra: str):
    """A module of an extra. Raises UsageError where it is not installed."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise UsageError(
            f"--executor {extra} needs what is not here ({error}): pip install 'noether-harness[{extra}]'"
        ) from None


NAMED = {"loky": loky_engine, "dask": dask_engine, "mpi": mpi_engine}
