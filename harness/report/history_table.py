"""A history on a terminal: one line a law with sparklines, then the marked steps; and as plain data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from rich.table import Table
from rich.text import Text

from noether.report.history_rows import by_run, line, logarithms, remarks, rows, sparkline, squeezed
from noether.report.law_table import cut
from noether.report.terminal import COLOUR, console, listing, number
from noether.runs.history import History, told
from noether.runs.trend_marks import Step
from noether.system.outside import plural
from noether.verdicts.power import percent
from noether.verdicts.record import VIOLATED

QUANTITIES = {"spent": "spent", "orders": "order", "power": "power", "seconds": "seconds"}
"""Lists of a row -> the name of its column."""
GIVING = ("power", "orders", "seconds")
"""Quantities that are left out, in this order, where a line has no room for them."""
FRAME, VALUE = 14, 12  # characters of a line for law and steps; beside each sparkline, its newest value
SHORTEST, READABLE, TITLE = 4, 8, 24  # of a sparkline at least, and where a title of so many stands beside it
SHOWN = 8  # steps of a run


def laws_table(h: History, steps: Sequence[Step]) -> Table:
    """The table of laws: a block of a sparkline is a run, or the median of neighbours where there are more
    runs than room. A quantity that no run has is left out."""
    found = rows(h, steps)
    there = [name for name in QUANTITIES if any(x is not None for r in found for x in getattr(r, name))]
    shown, length, room = widths(there, len(h.points), console().width)
    values = [x for name in shown for x in (QUANTITIES[name], "now")]
    table = listing("law", *(["what"] if room else []), *values, "steps")
    for r in found:
        colour = COLOUR[VIOLATED] if any(s.worse for s in r.steps) else ""
        cells: list = [
            Text(r.law, style=COLOUR.get(r.verdict, "")),
            *([cut(r.title, room)] if room else []),
        ]
        for name in shown:
            cells += [drawn(name, getattr(r, name), length), now(name, getattr(r, name)[-1])]
        table.add_row(*cells, Text(str(len(r.steps) or ""), style=colour))
    return table


def widths(there: Sequence[str], runs: int, width: int) -> tuple[list[str], int, int]:
    """Which quantities are shown on a line of so many characters, how long each sparkline is, and how long
    the title of a law may be: 0 for none."""
    least = lambda name: VALUE + max(SHORTEST, len(QUANTITIES[name]))
    shown = list(there)
    for name in GIVING:
        if name in shown and FRAME + sum(map(least, shown)) > width:
            shown.remove(name)
    space = width - FRAME - VALUE * len(shown)
    title = TITLE if space - TITLE >= READABLE * len(shown) else 0
    taken = lambda length: sum(max(length, len(QUANTITIES[name])) for name in shown)
    fits = [n for n in range(SHORTEST, space + 1) if taken(n) <= space - title]
    length = min(runs, max(fits, default=SHORTEST))
    return shown, length, title and space - taken(length)


def drawn(name: str, values: Sequence[float | None], length: int) -> str:
    """The sparkline of a quantity: spent from 0 to its bound 1, seconds from 0, the power as a logarithm."""
    finite = [x for x in values if x is not None and x < float("inf")]
    if name == "power":
        return sparkline(squeezed(logarithms(values), length))
    if name == "orders":
        return sparkline(squeezed(values, length))
    return sparkline(
        squeezed(values, length), 0.0, max([*finite, *([1.0] if name == "spent" else [])], default=1.0)
    )


def now(name: str, x: float | None) -> str:
    """The newest value of a quantity."""
    if x is None or name != "power":
        return "" if x is None else number(x)
    return "none" if x == float("inf") else percent(x)


def ending(h: History, steps: Sequence[Step], page) -> list:
    """All that is printed: the runs, the table, the steps by run, what was left out, the page."""
    first, last = h.points[0], h.points[-1]
    runs = f"{plural(len(h.points), 'run')} of {told(h.about)}: {first.name} to {last.name}"
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
