"""A history on a terminal: one line a law with sparklines, then the marked steps; and as plain data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from rich.table import Table
from rich.text import Text

from noether.report.history_rows import Row, by_run, line, logarithms, remarks, rows, sparkline, squeezed
from noether.report.law_table import cut
from noether.report.terminal import COLOUR, console, listing, number
from noether.runs.history import History, told
from noether.runs.trend_marks import Step
from noether.verdicts.power import percent
from noether.verdicts.record import VIOLATED

COLUMNS = ("law", "what", "spent", "now", "order", "now", "power", "now", "seconds", "now", "steps")
VALUES = 58  # characters of a line that are neither sparkline nor title
SHORTEST, TITLE = 4, 16  # runs of a sparkline; characters of a title, which has what is left over
SHOWN = 8  # steps of a run


def laws_table(h: History, steps: Sequence[Step]) -> Table:
    """The table of laws: a block of a sparkline is a run, or the median of neighbours where there are more
    runs than room."""
    length = min(len(h.points), max(SHORTEST, (console().width - VALUES) // 4))
    room = console().width - VALUES - 4 * max(length, len("spent"))
    titled = room >= TITLE
    table = listing(*(name for name in COLUMNS if titled or name != "what"))
    for r in rows(h, steps):
        colour = COLOUR[VIOLATED] if any(s.worse for s in r.steps) else ""
        cells: list = [
            Text(r.law, style=COLOUR.get(r.verdict, "")),
            *([cut(r.title, room)] if titled else []),
        ]
        table.add_row(*cells, *cells_of(r, length), Text(str(len(r.steps) or ""), style=colour))
    return table


def cells_of(r: Row, length: int) -> list[str]:
    """The sparklines of a law, each with its newest value. Spent is drawn from 0 to its bound 1, seconds from
    0, the power as a logarithm."""
    fit = lambda xs: squeezed(xs, length)
    most = max([1.0, *(x for x in r.spent if x is not None and x < float("inf"))])
    slowest = max((x for x in r.seconds if x is not None), default=1.0)
    sparks = [sparkline(fit(r.spent), 0.0, most), sparkline(fit(r.orders))]
    sparks += [sparkline(fit(logarithms(r.power))), sparkline(fit(r.seconds), 0.0, slowest)]
    power = "" if r.power[-1] is None else "none" if r.power[-1] == float("inf") else percent(r.power[-1])
    plain = lambda x: "" if x is None else number(x)
    now = [plain(r.spent[-1]), plain(r.orders[-1]), power, plain(r.seconds[-1])]
    return [x for pair in zip(sparks, now, strict=True) for x in pair]


def ending(h: History, steps: Sequence[Step], page) -> list:
    """All that is printed: the runs, the table, the steps by run, what was left out, the page."""
    first, last = h.points[0], h.points[-1]
    runs = f"{len(h.points)} runs of {told(h.about)}: {first.name} to {last.name}"
    alone = f"1 run of {told(h.about)}, {first.name}: there is nothing yet to compare it with"
    parts: list = [Text(runs if len(h.points) > 1 else alone), Text()]
    parts += [laws_table(h, steps), Text()]
    for number_, p, differs, mine in by_run(h, steps):
        words = f"; {'; '.join(differs)}" if differs else ""
        parts.append(Text(f"run {number_}, {p.name}: {counted(mine)}{words}"))
        parts += [Text(f"  {line(s)}", style=COLOUR[VIOLATED] if s.worse else "green") for s in mine[:SHOWN]]
        if len(mine) > SHOWN:
            parts.append(Text(f"  and {len(mine) - SHOWN} more, all on the page"))
    parts += [Text(x, style="dim") for x in remarks(h, steps)]
    return [*parts, Text(f"{counted(steps)}; {page}")]


def counted(steps: Sequence[Step]) -> str:
    """How many there are, in words."""
    return f"{len(steps) or 'no'} marked step{'s' if len(steps) > 1 else ''}"


def summary(h: History, steps: Sequence[Step], page) -> dict:
    """The history as plain data: what --json prints."""
    names = ("id", "start", "commit", "exit_code", "seconds", "cells", "origin")
    of_law = ("title", "verdict", "spent", "orders", "power", "seconds")
    return {
        "series": h.about,
        "runs": [{name: getattr(p, name) for name in names} for p in h.points],
        "laws": {r.law: {name: getattr(r, name) for name in of_law} for r in rows(h, steps)},
        "steps": [asdict(s) for s in steps],
        "left_out": [{"why": why, "runs": n} for why, n in h.left_out],
        "page": str(page) if page else None,
    }
