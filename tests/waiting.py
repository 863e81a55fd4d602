"""Waiting for something to happen, for tests of threads, processes and terminals.

A machine may be busy: a test waits for what it needs to see, never for a time in which it is usually there.
"""

import time
from collections.abc import Callable

import pytest

PATIENCE = 60.0  # seconds


def until(happened: Callable[[], object], what: str, seconds: float = PATIENCE) -> None:
    """Return as soon as `happened()` is true; fail the test with `what` where it is not within so many
    seconds."""
    end = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > end:
            pytest.fail(f"not within {seconds:g} s: {what}")
        time.sleep(0.02)


def lines(path, number: int) -> Callable[[], bool]:
    """Whether the file has so many lines by now."""
    return lambda: path.exists() and path.read_text().count("\n") >= number


def gone(pid: int | str) -> Callable[[], bool]:
    """Whether a process has ended: it is not there, or waits only for its parent to take notice."""

    def ended():
        try:
            with open(f"/proc/{pid}/stat") as file:
                return file.read().rpartition(") ")[2].startswith("Z")
        except (FileNotFoundError, ProcessLookupError):
            return True

    return ended
