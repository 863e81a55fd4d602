"""The state of a process that a user's code may have changed, so that the change is seen and undone.

    before = capture()
    ...                       a case file is loaded, a cell runs
    before.differences()      one sentence for each thing that is not as it was
    before.restore()          as it was

A case that sets numpy's error state, the rounding mode, mpmath's precision or the working directory, or that
puts functions of its own in place of numpy's, must not change what is found of another. What cannot be taken
back, a thread that goes on, is among the differences alone.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from noether.system import processnames
from noether.system.processaspects import ASPECTS, changed

HARMLESS = frozenset(
    (
        *("numpy's print options", "the umask", "the longest whole number of text"),
        *("the thread switch interval", "the environment", "the locale", "the warnings filters"),
        *("the signal handlers", "the search path of modules", "the standard streams"),
        *("the arguments of the process", "the trace and profile functions", "the garbage collection"),
        *("the state of the random numbers", "the blocked signals"),
    )
)
"""Aspects on which no number of ours depends."""


@dataclass
class State:
    """The state of a process at one moment."""

    values: dict[str, Any]
    names: processnames.Names
    threads: frozenset[int]

    def differences(self, *, harmless: bool = True) -> list[str]:
        """One sentence for each thing that is not as it was; without the harmless only of those that may
        change a number."""
        said = []
        for aspect in (a for a in ASPECTS if harmless or a.name not in HARMLESS):
            was, now = self.values[aspect.name], aspect.read()
            if not aspect.same(was, now):
                text = aspect.shown(now)
                said.append(
                    f"{aspect.name} is {text}"
                    + (f", was {aspect.shown(was)}" if aspect.shown is not changed else "")
                )
        said += [sentence for sentence, _ in self.names.changed()]
        new = [t.name for t in threading.enumerate() if t.ident not in self.threads and not t.daemon]
        return [*said, *(f"thread {name} still runs" for name in new if harmless)]

    def restore(self, *, harmless: bool = True) -> None:
        """Put back what was changed; without the harmless only what may change a number."""
        for _, take_back in list(self.names.changed()):
            take_back()
        for aspect in (a for a in ASPECTS if harmless or a.name not in HARMLESS):
            if not aspect.same(self.values[aspect.name], aspect.read()):
                with contextlib.suppress(OSError, ValueError):  # told by differences: a folder that is gone
                    aspect.write(self.values[aspect.name])


def capture(*, deep: bool = False) -> State:
    """The state of the process now; deep also what functions, classes and tables are (processnames.py)."""
    threads = frozenset(t.ident for t in threading.enumerate())
    return State({a.name: a.read() for a in ASPECTS}, processnames.capture(deep=deep), threads)


@contextlib.contextmanager
def kept(*, deep: bool = False, harmless: bool = True) -> Iterator[State]:
    """A context after which the process is as it was before, without the harmless in what may change a
    number."""
    before = capture(deep=deep)
    try:
        yield before
    finally:
        before.restore(harmless=harmless)
