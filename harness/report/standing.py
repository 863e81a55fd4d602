"""How each law stands in a run, one line a law, from the records alone (`noether laws RUN`)."""

from __future__ import annotations

from collections.abc import Iterable

from rich.text import Text

from noether.laws.registry import LAWS
from noether.report.terminal import COLOUR, console, listing, number
from noether.verdicts import power
from noether.verdicts.record import ORDER, Record, summarise

ROOMY = 100  # columns from which on slopes are shown; --json has them always
SLOPES = (
    "slopes: the stated order, a colon, and the smallest and the largest that was measured. T3 has the "
    "number in front of its order too."
)


def slopes(records: Iterable[Record]) -> str:
    """The measured orders, by the order that was stated: "1: 0.998 to 1.001"; '' where nothing was an
    order."""
    found: dict[float, list[float]] = {}
    for r in records:
        if r.kind == ORDER and r.fault is None and r.measured is not None and r.predicted is not None:
            found.setdefault(r.predicted, []).append(r.measured)
    return ", ".join(f"{stated:g}: {between(min(x), max(x))}" for stated, x in sorted(found.items()))


def between(low: float, high: float) -> str:
    """A range with three decimals, or one number where both ends agree to them."""
    a, b = (f"{x + 0.0:.3f}".replace("-0.000", "0.000") for x in (low, high))
    return a if a == b else f"{a} to {b}"


def title(law: str) -> str:
    """The title of a law, '' where there is no such law."""
    return LAWS[law].title if law in LAWS else ""


def standing_table(records: list[Record], laws: Iterable[str]):
    """The table of how each law stands; the slopes by stated order are shown where there is room."""
    has_slopes = console().width >= ROOMY
    slope = ("slopes",) if has_slopes else ()
    table = listing("law", "what", "cells", "worst", *slope, "power", "faults", "verdict")
    for row in summarise(records, list(laws)):
        mine = [r for r in records if r.law == row.law]
        verdict = Text(row.verdict, style=COLOUR[row.verdict])
        killed, seen = f"{row.killed}/{row.faults}", power.of_law(mine, row.law).told
        orders = [slopes(mine)] if has_slopes else []
        counted = (str(row.cells), number(row.worst_spent), *orders)
        table.add_row(row.law, title(row.law), *counted, seen, killed, verdict)
    return table


def legend() -> list[Text]:
    """What the column means whose name does not say it, where it is shown."""
    return [Text(SLOPES, style="dim")] if console().width >= ROOMY else []


def standing(records: list[Record], laws: Iterable[str]) -> list[dict]:
    """The standing of the laws as plain data, with every coefficient, and by precision."""
    out = []
    for row in summarise(records, list(laws)):
        mine = [r for r in records if r.law == row.law]
        by_precision = power.by_precision(mine, row.law)
        narrow = {p: found.as_dict() for p, found in by_precision.items() if found.coefficients}
        told = {"law": row.law, "title": title(row.law), "cells": row.cells, **row.counts}
        told |= {"worst_spent": row.worst_spent, "slopes": slopes(mine)}
        told |= {"faults": row.faults, "killed": row.killed, "verdict": row.verdict}
        told |= {"power": power.of_law(mine, row.law).as_dict(), "power_by_precision": narrow}
        out.append(told)
    return out
