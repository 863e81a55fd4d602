"""A limit on the time that a user's case file may take: it is trusted, but it may hang.

The alarm interrupts whatever python runs in the main thread; elsewhere, and in C code that never comes back,
it does nothing. What must not hang at all is tried out in a process of its own (trial_process.py), which is
killed.
"""

from __future__ import annotations

import signal
import threading
import time
from contextlib import contextmanager

from noether.system.usage import number

VARIABLE, SECONDS = "NOETHER_CASE_SECONDS", 30.0
AGAIN = 1.0  # seconds between alarms: `except:` in a loop keeps one, and the next comes


class TimeUp(BaseException):
    """Raised when time is over; no Exception, so that `except Exception` in a user's code cannot catch it."""

    def __init__(self, seconds: float, setting: str = VARIABLE):
        super().__init__(overdue(seconds, setting))


def overdue(seconds: float, setting: str = VARIABLE) -> str:
    """The words for a time that is over."""
    return f"does not finish within {seconds:g} s ({setting} sets another limit)"


def allowed() -> float:
    """Seconds for loading a case file and trying it out. Raises UsageError."""
    return number(VARIABLE, usual=SECONDS, most=86_400, unit="seconds")


@contextmanager
def limited(seconds: float, setting: str = VARIABLE):
    """A context that raises TimeUp when `seconds` are over, which `setting` has set; the shorter of two
    holds."""
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return
    began, (left, interval) = time.monotonic(), signal.getitimer(signal.ITIMER_REAL)
    if 0 < left <= seconds:
        yield
        return

    def stop(*_):
        raise TimeUp(seconds, setting)

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        if left:
            signal.setitimer(signal.ITIMER_REAL, max(left - (time.monotonic() - began), 1e-3), interval)
