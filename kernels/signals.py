"""Ctrl-C in child processes: a terminal sends it to every process, but only the first one may act on it."""

from __future__ import annotations

import multiprocessing.resource_tracker
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


def deaf() -> set:
    """Block Ctrl-C from here on, for this thread and every process that it starts. Returns what was blocked
    before.

    A child inherits what is blocked; ignoring it only in the child leaves the second in which its python
    starts.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        return set()
    return signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})


@contextmanager
def unheard() -> Iterator[None]:
    """A context in which the processes that are started ignore Ctrl-C; this thread gets it when the context
    ends."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    multiprocessing.resource_tracker.ensure_running()  # it would unblock when it starts (python 3.11)
    before = deaf()
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def end_with_parent() -> None:
    """Leave, in a child of multiprocessing, when the process that started it is gone, however it went.

    A worker that is killed tells its children nothing, and one that hears no Ctrl-C would wait for calls for
    ever.
    """
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=lambda: (parent.join(), os._exit(1)), name="parent", daemon=True).start()
