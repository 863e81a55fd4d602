"""How a watch stands while the training goes on: a line on a terminal, and scalars for TensorBoard."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from noether.campaigns.watch.seat import Seat
from noether.campaigns.watch.tally import LAWS
from noether.campaigns.watch.watcher import Watcher

SECONDS = 10.0
SOON = 1.0  # seconds after the beginning, before which no line is written


def both(*actions) -> Callable[[Seat], None]:
    """Several things that are told of a sample, one after the other; None among them is left out."""
    asked = [action for action in actions if action is not None]

    def tell(seat: Seat) -> None:
        for action in asked:
            action(seat)

    return tell


def worst(seat: Seat) -> dict[str, tuple[float, str]]:
    """Law -> the most that was spent, and by which group."""
    found = {}
    for law in LAWS:
        mine = [(t.worst.spent, t.group) for t in seat.book.law(law) if t.worst.spent is not None]
        if mine:
            found[law] = max(mine)
    return found


class Line:
    """A line on stderr every SECONDS, where stdout and stderr are a terminal."""

    def __init__(self, watcher: Watcher, clock: Callable[[], float] = time.monotonic):
        self.watcher, self.clock = watcher, clock
        self.last = clock() - SECONDS + SOON

    def __call__(self, seat: Seat) -> None:
        if self.clock() - self.last < SECONDS or not terminal():
            return
        self.last = self.clock()
        from rich.console import Console
        from rich.text import Text

        style = "bold red" if any(x > 1 for x, _ in worst(seat).values()) else "dim"
        Console(stderr=True, highlight=False).print(Text(self.text(seat), style=style), soft_wrap=True)

    def text(self, seat: Seat) -> str:
        """The line."""
        own, training = self.watcher.clock.own, self.watcher.clock.training
        parts = [f"{law} {x:.2g} {group}" for law, (x, group) in worst(seat).items()]
        looked = f"{len(seat.facts.sampled)} looked at, {100 * own / max(training, 1e-9):.0f} % of the time"
        spent = ", ".join(parts) or "nothing yet"
        return f"noether: {seat.word} step {seat.number - 1}, {looked}; spent {spent}"


def terminal() -> bool:
    """Whether somebody looks."""
    return all(stream is not None and stream.isatty() for stream in (sys.stdout, sys.stderr))


class Scalars:
    """Numbers of each sample for TensorBoard: writer.add_scalar(tag, value, step)."""

    def __init__(self, watcher: Watcher, writer):
        self.watcher, self.writer = watcher, writer

    def __call__(self, seat: Seat) -> None:
        step, several = seat.number - 1, len(self.watcher.seats) > 1
        top = f"noether/{seat.word}" if several else "noether"
        for law in LAWS:
            now = [t.course[-1][1] for t in seat.book.law(law) if t.course and t.course[-1][0] == step]
            if now:
                self.writer.add_scalar(f"{top}/spent of {law}", max(now), step)
        for layer, course in seat.facts.turns.items():
            n, turn = course[-1]
            if n == step:
                self.writer.add_scalar(f"{top}/angle/{layer}", turn.angle, step)
                if turn.rate is not None:
                    self.writer.add_scalar(f"{top}/effective learning rate/{layer}", turn.rate, step)
        factors = seat.facts.factors
        if factors and factors[-1][0] == step:
            self.writer.add_scalar(f"{top}/factor of the gradient", factors[-1][1], step)
