"""A worker process: it runs one call after the other until the process that started it is gone.

    parent                                   worker
    a call, pickled               ->         run it
    ("done", result)              <-         or ("raised", traceback), or ("unloadable", traceback)

It is started with two file descriptors: the link over which calls and answers go, and the lifeline, a pipe
whose other end only the parent holds. When the lifeline ends, the parent is gone and the worker leaves with
all that it started. Standard output is for tables: what a case prints here goes to standard error.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import sys
import threading
import traceback
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.util import Finalize

from noether.system import memorylimit, outlet


@dataclass(frozen=True)
class Setting:
    """What a worker prepares before its first call; workers of two settings are two processes.

    sources   the case files whose cells it runs (harness/plan/casefiles/load.py), none for cells of the
              catalogue
    path      sys.path of the parent
    main      the script of the parent, for cells that are made of what it defines
    threads   how many a compiled kernel may use, so that all workers together use no more than there are
    memory    bytes of memory that it may hold, 0 for no limit
    """

    sources: tuple = ()
    path: tuple[str, ...] = ()
    main: str = ""
    threads: int = 0
    memory: int = 0


def serve(link: int, lifeline: int) -> None:
    """Answer calls until the lifeline or the link ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's business
    signal.signal(signal.SIGTERM, lambda *_: leave())
    outlet.guard_worker()
    threading.Thread(target=lambda: (os.read(lifeline, 1), leave()), daemon=True).start()
    # A leaving process joins its children before it runs the exit hook that tells an executor's children to
    # end (python 3.11 - 3.13), so the interpreter of noether.kernels.loops.backends would be waited for
    # forever. 100: before the finalizer (10) that closes the queue through which they are told.
    Finalize(None, close_interpreter, exitpriority=100)
    calls = Connection(link)
    while True:
        try:
            calls.send_bytes(answer(calls.recv_bytes()))
        except (EOFError, OSError):
            leave()


def answer(raw: bytes) -> bytes:
    """The answer to one call; whatever is raised in it becomes an answer too."""
    try:
        function, arguments = pickle.loads(raw)
    except BaseException:
        return pickle.dumps(("unloadable", traceback.format_exc()))
    try:
        return pickle.dumps(("done", function(*arguments)))
    except BaseException:  # SystemExit and KeyboardInterrupt too: a case may raise anything
        return pickle.dumps(("raised", traceback.format_exc()))


def prepare(setting: Setting) -> None:
    """Prepare a worker, before its first call, by its Setting.

    Linear algebra uses one thread: ours is batches of small matrices, and its threads wait for each other by
    spinning. On a machine whose processors are busy, an order of a loss with 32 parameters took 144 s with
    two threads and 3 s with one.
    """
    sys.path[:] = list(setting.path) or sys.path
    if setting.main:
        run_main(setting.main)
    if setting.memory:
        memorylimit.limit(setting.memory)
    if setting.sources:
        from noether.plan.casefiles import load

        load.install(setting.sources)
    from threadpoolctl import threadpool_limits

    threadpool_limits(1, user_api="blas")


reading_main = False
"""Whether the script of the parent is being run here for what it defines: it must not start a run of its
own."""


def run_main(path: str) -> None:
    """Run the user's main module under another name than __main__, as the standard library's pools do."""
    global reading_main
    from multiprocessing import spawn

    reading_main = True
    sys.dont_write_bytecode = True  # as after a case file (harness/plan/casefiles/package.py)
    try:
        spawn._fixup_main_from_path(path)
    finally:
        reading_main = False


SILENT = "ignore:resource_tracker:UserWarning"
"""Of a worker that is ended python's resource tracker says, after our last line, that it cleans up, which is
its task."""


def environment(threads: int) -> dict[str, str]:
    """The environment variables that must be set before a worker imports numpy or a compiled kernel."""
    out = {"OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "NOETHER_WORKER": "1"}
    out["PYTHONWARNINGS"] = ",".join(x for x in (os.environ.get("PYTHONWARNINGS"), SILENT) if x)
    if threads and "OMP_NUM_THREADS" not in os.environ:
        out["OMP_NUM_THREADS"] = str(threads)
    return out


def close_interpreter() -> None:
    """End the process of Triton's interpreter, if this worker has started one."""
    # Not imported here: a worker may never need it.
    module = sys.modules.get("noether.kernels.loops.backends")
    if module is not None:
        module.close()


def leave() -> None:
    """End this worker at once, with its children and its temporary folders."""
    for child in multiprocessing.active_children():
        child.kill()
    module = sys.modules.get("noether.kernels.cache_folders")
    if module is not None:
        module.remove_private()
    os._exit(1)
