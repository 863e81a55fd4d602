"""Progress of long work, shown on stderr while it goes on.

    a terminal   a bar with the time that is left, redrawn in place and gone at the end
    elsewhere    one plain line each ten seconds: done of total, time spent, time left, what runs now
    --quiet      nothing

Work tells a Progress what it does; a thread of its own says it, so that planning and compiling are not silent
either.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress

from noether.system.outside import printable

EVERY = 10.0  # seconds between two plain lines
FEWEST = 3  # things done, from which on the time left is estimated
NAMED = 3  # things that run now which a line names


class Progress:
    """How far some work is. Times are those of `clock`; the estimate takes what is left to go on as what is
    done.

    unit   what is counted, as in "cells"; with "s" the total is a time box and is reached by itself
    """

    def __init__(
        self, unit: str = "cells", *, verbose: bool = False, clock: Callable[[], float] = time.monotonic
    ):
        self.unit, self.verbose, self.clock = unit, verbose, clock
        self.begin = self.since = clock()
        self.phase, self.now, self.detail = "", list, ""
        self.total, self.done, self.before, self.first = None, 0.0, 0.0, None
        # Says a line that stays, above the bar where there is one.
        self.say: Callable[[str], None] = lambda text: None

    def stage(self, text: str) -> None:
        """What goes on while nothing is counted."""
        self.phase, self.now = text, list

    def expect(self, total: float | None, done: float = 0.0) -> None:
        """Counting begins; `done` were done before, by a run that goes on."""
        self.total, self.done, self.before = total, done, done
        self.since, self.phase = self.clock(), ""

    def runs(self, names: Callable[[], Iterable[str]]) -> None:
        """What runs now, whenever it is asked for."""
        self.now = names

    def running(self) -> list[str]:
        """The names of what runs now; none where that is just changing."""
        with suppress(RuntimeError):  # it changed while it was looked at
            return list(self.now())
        return []

    def reach(self, done: float) -> None:
        """So many are done, with those that were before."""
        if done > self.done and self.first is None:
            self.first = self.clock()
        self.done = done

    def ended(self, name: str = "", detail: str = "") -> None:
        """One more is done; --verbose says so."""
        self.reach(self.done + 1)
        if self.verbose and (name or detail):
            self.say(" ".join(x for x in (name, detail) if x))

    @property
    def left(self) -> float | None:
        """Seconds, or None where nothing can be said."""
        if not self.total:
            return None
        spent = self.clock() - self.since
        if self.unit == "s":
            return max(0.0, self.total - spent)
        # The first one waits for workers that start and for what is compiled once.
        more = self.done - self.before - 1
        if more < FEWEST or self.first is None:
            return None
        return (self.clock() - self.first) * max(0.0, self.total - self.done) / more

    @property
    def share(self) -> float:
        """Between 0 and 1."""
        if not self.total:
            return 0.0
        done = self.clock() - self.since if self.unit == "s" else self.done
        return min(1.0, done / self.total)

    def count(self) -> str:
        """How much is done of how much, in words; '' where nothing is counted."""
        if self.total is None or self.unit == "s":
            return ""
        return f"{self.done:g} of {self.total:g} {self.unit}"

    def line(self, named: int = NAMED) -> str:
        """All of it in one line."""
        names = self.running()
        more = f" and {len(names) - named} more" if len(names) > named else ""
        now = f"now {', '.join(names[:named])}{more}" if names else ""
        left = "" if self.left is None else f"about {clock(self.left)} left"
        parts = [self.phase or self.count(), clock(self.clock() - self.begin), left, self.detail, now]
        return ", ".join(x for x in parts if x)


def clock(seconds: float) -> str:
    """A time in words: 12 s, 3:07 min, 2:05 h."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    return (
        f"{whole // 60}:{whole % 60:02} min" if whole < 3600 else f"{whole // 3600}:{whole % 3600 // 60:02} h"
    )


@contextmanager
def working(unit: str = "cells", *, quiet: bool = False, verbose: bool = False) -> Iterator[Progress]:
    """A Progress that is said while the block runs; nothing of it is said after the block."""
    progress = Progress(unit, verbose=verbose)
    if quiet:
        yield progress
    elif sys.stderr is not None and sys.stderr.isatty():
        with bar(progress):
            yield progress
    else:
        with lines(progress):
            yield progress


@contextmanager
def lines(progress: Progress) -> Iterator[None]:
    """Write progress as one line each EVERY seconds; whoever reads them may be gone, and the work goes on in
    silence."""
    from noether.cli.commands import complain

    over = threading.Event()
    progress.say = complain

    def speak():
        with suppress(OSError, ValueError):
            while not over.wait(EVERY):
                complain(progress.line())

    thread = threading.Thread(target=speak, name="progress", daemon=True)
    with suppress(RuntimeError):  # no thread can be started: silence is not worth the work
        thread.start()
    try:
        yield
    finally:
        over.set()
        if thread.ident is not None:
            thread.join()


@contextmanager
def bar(progress: Progress) -> Iterator[None]:
    """Show the progress on a terminal for as long as the `with` lasts."""
    from rich.progress import BarColumn, ProgressColumn, TextColumn
    from rich.progress import Progress as Bar
    from rich.text import Text

    from noether.report.table import console

    class Words(ProgressColumn):
        max_refresh = 0.2

        def render(self, task):
            return Text(printable(progress.line(1)), no_wrap=True, overflow="ellipsis")

    class Redrawn(Bar):
        """Takes the share anew at each redrawing: a time box is reached by itself."""

        def get_renderables(self):
            for task in self.tasks:
                task.total, task.completed = (1.0, progress.share) if progress.total else (None, 0)
            yield from super().get_renderables()

    out = console(stderr=True)
    with Redrawn(
        TextColumn("noether"), BarColumn(20), Words(), console=out, transient=True, refresh_per_second=5
    ) as shown_bar:
        shown_bar.add_task("", total=None)
        progress.say = lambda text: shown_bar.console.print(Text(printable(text)), soft_wrap=True)
        yield
        progress.say = lambda text: None


@contextmanager
def busy(text: str, *, quiet: bool = False, verbose: bool = False) -> Iterator[Progress]:
    """Progress of work that counts nothing, at least at first."""
    with working(quiet=quiet, verbose=verbose) as progress:
        progress.stage(text)
        yield progress


def watched(request, *, quiet: bool = False, verbose: bool = False, **rest):
    """Run cells (harness/runs/run.py) with progress shown."""
    from noether.runs.run import run

    with busy("planning", quiet=quiet, verbose=verbose) as progress:
        return run(request, watch=watcher(progress), **rest)


def watcher(progress: Progress):
    """What noether.runs.run and the campaigns call: watch("cells", total=, done=), watch("runs", names=),
    watch("done", done=Done)."""

    def watch(event: str, **facts) -> None:
        if event == "cells":
            progress.expect(facts["total"], facts["done"])
        elif event == "stage":
            progress.stage(facts["text"])
        elif event == "runs":
            progress.runs(facts["names"])
        else:
            done = facts["done"]
            progress.ended(done.cell, f"{done.seconds:.1f} s: {told(done)}")

    return watch


def told(done) -> str:
    """The result of a cell in a few words."""
    if done.error is not None:
        return "internal error"
    honest = [r.verdict for r in done.records if not r.fault]
    counts = {verdict: honest.count(verdict) for verdict in dict.fromkeys(honest)}
    planted = len(done.records) - len(honest)
    parts = [f"{n} {verdict}" for verdict, n in counts.items()] + ([f"{planted} planted"] if planted else [])
    return ", ".join(parts) or "no record"
