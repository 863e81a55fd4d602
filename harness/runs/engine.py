"""Sending groups of cells through an executor of concurrent.futures, and what its workers run.

Whoever executes, a cell runs in a process of ours that the worker starts beside itself: it has its limits of
time and memory, cells of a case file have a process of their own, and threads of one worker do not meet.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Executor, Future, wait
from contextlib import contextmanager, suppress

from noether.runs.execute import alone, failed, named
from noether.runs.worker import Setting
from noether.runs.worker_pool import Crew, Died, Overdue, Raised, Unloadable
from noether.system.machine import instructions, versions
from noether.system.usage import CannotRun, UsageError

LAST_BITS = "elementary functions may differ there in their last bits"
# Of an executor that broke; a worker of it that dies breaks the whole of some.
RESTARTS = 20
# Of one group of cells, after which its cells are named; twice is enough where a process of ours died with
# it.
LOSSES = 4
GONE = (BrokenExecutor, CancelledError, OSError)
_idle: list[Crew] = []
_turn = threading.Lock()


def remote(raw: bytes, setting: Setting, seconds: float, of: tuple):
    """What an executor's worker runs: the call, in a process of ours beside it; its result and the
    instructions there.

    Raises as Worker.call does, CannotRun.
    """
    here = same()
    if here != of:
        differ = ", ".join(
            f"{name} is {there} here, {mine} where the run was started"
            for (name, there), (_, mine) in zip(here, of, strict=True)
            if there != mine
        )
        raise CannotRun(f"a worker of the executor has other versions: {differ}: they must be the same")
    with borrowed() as crew:
        return crew.send(raw, setting, seconds).result(), told(instructions())


def same() -> tuple:
    """What must be equal on all machines where cells of one run are run."""
    return tuple((name, version) for name, version in versions().items() if name != "commit")


def told(found: dict) -> str:
    """Instructions of a machine as a line."""
    return ", ".join(f"{name} {value}" for name, value in found.items())


@contextmanager
def borrowed() -> Iterator[Crew]:
    """A crew of one that no other thread of this process uses; it stays for the next call."""
    with _turn:
        crew = _idle.pop() if _idle else Crew(1)
    try:
        yield crew
    finally:
        with _turn:
            _idle.append(crew)


class Engine:
    """Sends groups of cells through an executor that `make` gives, and makes it again when it broke.

    close   called with each executor that is done with; by default its shutdown
    """

    def __init__(self, make: Callable[[], Executor], name: str = "executor", close: Callable | None = None):
        self.make, self.name = make, name
        self._close = close or (lambda executor: executor.shutdown(wait=False, cancel_futures=True))
        self.instructions: set[str] = set()

    def notes(self) -> list[str]:
        """What must be known of the machines that ran the cells."""
        others = "; ".join(sorted(self.instructions - {told(instructions())}))
        if not others:
            return []
        return [f"cells ran on processors with other instructions than this one ({others}): {LAST_BITS}"]

    def started(self) -> Executor:
        """An executor. Raises CannotRun where `make` fails."""
        try:
            return self.make()
        except (UsageError, CannotRun):
            raise
        except Exception as error:
            raise CannotRun(
                f"executor {self.name} cannot be started: {type(error).__name__}: "
                f"{str(error).splitlines()[0] if str(error) else ''}"
            ) from None

    def through(self, groups: list) -> Iterator:
        """Done for each cell; a group comes back whole when its cells must run here.

        A group is handed in again when its worker was lost: only the future that is held gives its cells, so
        that none is doubled.
        """
        waiting, pending, broken = deque(groups), {}, 0
        executor = self.started()
        try:
            while waiting or pending:
                lost = hand_in(executor, waiting, pending)
                for future in wait(pending, return_when=FIRST_COMPLETED)[0] if pending and not lost else ():
                    yield from self.received(pending.pop(future), future, waiting, lost)
                if lost and is_broken(executor, lost[-1]):
                    broken += 1
                    if broken > RESTARTS:
                        last = f"{type(lost[-1]).__name__}: {lost[-1]}"
                        raise CannotRun(
                            f"executor {self.name} was lost {broken} times, the last time by {last}"
                        )
                    waiting.extend(pending.values())
                    pending.clear()
                    with suppress(Exception):
                        self._close(executor)
                    time.sleep(min(5.0, 0.1 * 2**broken))
                    executor = self.started()
        finally:
            for future in pending:
                future.cancel()
            with suppress(Exception):
                self._close(executor)

    def received(self, group, future: Future, waiting: deque, lost: list) -> Iterator:
        """What came of a group. One whose worker died waits again, for its cells alone or as it is."""
        try:
            found, there = future.result()
        except Unloadable:
            yield group
        except (Overdue, Raised) as error:
            yield from failed(group, error)
        except CannotRun:
            raise
        except Exception as error:
            has_died = isinstance(error, Died)
            group.losses += not isinstance(error, GONE)  # else the executor broke under all of them
            if group.losses >= (2 if has_died else LOSSES):
                yield from named(group, f"{type(error).__name__}: {error}")
            else:
                waiting.extend(alone(group) if has_died else [group])
            lost += [] if has_died else [error]
        else:
            self.instructions.add(there)
            yield from found


def hand_in(executor: Executor, waiting: deque, pending: dict) -> list[Exception]:
    """All that waits, until the executor takes no more: broken, or shut down by somebody else."""
    of = same()
    while waiting:
        group = waiting[0]
        try:
            pending[executor.submit(remote, group.raw, group.setting, group.seconds, of)] = group
        except Exception as error:
            return [error]
        waiting.popleft()
    return []


def is_broken(executor: Executor, error: Exception) -> bool:
    """Whether an executor takes no more work, or has forgotten what it had."""
    probe: Future | None = None
    with suppress(Exception):
        probe = executor.submit(int)
    if probe is None:
        return True
    probe.cancel()
    return isinstance(error, GONE)
