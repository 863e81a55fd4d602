"""How much memory this process and all that it started held together, at most.

Processes share pages: of libraries, and of what a child was forked with. Linux divides such a page among
those that have it, the "proportional set size" (PSS, proc(5), /proc/PID/smaps_rollup), and the sum of that
over processes counts each page once. To read it takes the kernel a millisecond for each process, so it is
read where the resident sets together, which are read in microseconds, reach a new height. Where no PSS can be
read the resident set counts, which takes shared pages for each process anew.

What lives for less than the time between two looks may not be seen.
"""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from pathlib import Path

PROC = Path("/proc")
EVERY = 0.2  # seconds between two looks
HIGHER = 1.01  # times the highest resident sets until now, where the PSS is read again


class Peak:
    """Looks at the memory of this process and its children while the `with` lasts.

    most  bytes, None where nothing can be read of a process
    """

    def __init__(self):
        self.most: int | None = None
        self._resident, self._over, self._turn = 0, threading.Event(), threading.Lock()
        self._thread = threading.Thread(target=self._watch, name="memory", daemon=True)

    def __enter__(self) -> Peak:
        with suppress(RuntimeError):  # no thread can be started: what is held at the end is looked at alone
            self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._over.set()
        if self._thread.ident is not None:
            self._thread.join()
        self.look()

    def _watch(self) -> None:
        self.look()
        while not self._over.wait(EVERY):
            self.look()

    def look(self) -> None:
        """Look once."""
        with self._turn:  # who comes second waits until what is held now has been read
            here = family(os.getpid())
            resident = sum(filter(None, map(resident_set, here)))
            if resident <= HIGHER * self._resident:
                return
            self._resident = resident
            held = [x for x in map(proportional, here) if x is not None]
            if held:
                self.most = max(self.most or 0, sum(held))

    @property
    def told(self) -> str:
        """As the last line of a run says it; '' where it is not known."""
        return told(self.most)


def told(most: int | None) -> str:
    """Bytes as the last line of a run says them: gigabytes of 10^9 bytes."""
    return "" if most is None else f"{most / 1e9:.1f} GB at most"


def family(pid: int) -> list[int]:
    """A process and all that came of it, as far as the system tells."""
    found = [pid]
    for parent in found:  # grows while it is walked
        found += children(parent)
    return found


def children(pid: int) -> list[int]:
    """The processes that one has started and that have not been waited for."""
    found: list[int] = []
    for thread in threads(pid):
        with suppress(OSError):
            found += map(int, (PROC / str(pid) / "task" / thread / "children").read_text().split())
    return found


def threads(pid: int) -> list[str]:
    with suppress(OSError):
        return os.listdir(PROC / str(pid) / "task")
    return []


def resident_set(pid: int) -> int | None:
    """Bytes of a process that are in memory, shared ones too; None where that cannot be read."""
    with suppress(OSError, ValueError, IndexError):
        pages = int((PROC / str(pid) / "statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")
    return None


def proportional(pid: int) -> int | None:
    """Bytes of a process, its share of what it shares; its resident set where the system does not say."""
    with suppress(OSError, ValueError, IndexError):
        for line in (PROC / str(pid) / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return 1024 * int(line.split()[1])
    return resident_set(pid)
