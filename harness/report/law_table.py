"""The table of laws at the end of a run, one line a law, no wider than the terminal."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from noether.laws.continuous.faults import IN_FRONT
from noether.report import known_violations
from noether.report.terminal import COLOUR, console, listing, number
from noether.runs.result import Result
from noether.verdicts.power import of_law, percent, weak
from noether.verdicts.record import BITWISE, ORDER, LawSummary, Record

COLUMNS = ("law", "what", "cells", "worst", "worst in", "power", "killed", "verdict")
LAW, WHAT, CELLS, WORST, WHERE, POWER, KILLED, VERDICT = range(len(COLUMNS))
GIVING = (KILLED, CELLS, POWER, WHERE)
"""Columns that come back in this order, where the titles leave room for them."""
TITLE, PLACE = 28, 20  # columns that they must have at least, or be whole in fewer
GAP = 2

LEGEND = {
    WORST: (
        "the largest error of a cell, in units of its bound: at most 1 holds. Of an order in the step size: "
        "the measured one that is furthest from the stated one. Of bits: whether all are equal."
    ),
    POWER: "the smallest relative change of the law's weakest coefficient that this run would call violated.",
    KILLED: "how many of the planted faults that this law was shown it has found.",
}
"""What the columns mean whose names do not say it."""


def laws_table(result: Result) -> Table:
    """The table of laws of a run; of an interrupted run, of those that it came to."""
    lines = law_lines(result)
    width = widths(lines)
    table = listing(*(COLUMNS[at] for at in width))
    thin = {told.split()[0] for told in weak([r for r in result.records if not r.fault], result.laws)}
    for line in lines:
        colour = COLOUR[line[VERDICT]]
        missed = "yellow" if line[KILLED].startswith("0/") else ""
        unseen = "yellow" if line[LAW] in thin else ""
        styles = {LAW: colour, POWER: unseen, KILLED: missed, VERDICT: colour}
        table.add_row(*(Text(cut(line[at], width[at]), style=styles.get(at, "")) for at in width))
    return table


def legend(result: Result) -> list[Text]:
    """What the columns of `laws_table` mean, a paragraph each, of those that it shows."""
    shown = widths(law_lines(result))
    return [Text(f"{COLUMNS[at]}: {LEGEND[at]}", style="dim") for at in LEGEND if at in shown]


def law_lines(result: Result) -> list[tuple[str, ...]]:
    """The lines of the table of laws, as words in the order of COLUMNS."""
    rows = [row for row in result.rows if row.cells or row.faults or not result.interrupted]
    real = [r for r in result.records if not r.fault]
    lines = [law_line(row, [r for r in real if r.law == row.law]) for row in rows]
    return [
        (*line[:VERDICT], known_violations.word(row, result)) for row, line in zip(rows, lines, strict=True)
    ]


def widths(lines: list[tuple[str, ...]]) -> dict[int, int]:
    """How wide each column that is shown is on this terminal."""
    wide = [max(map(len, column)) for column in zip(COLUMNS, *lines, strict=True)]
    return allotted(wide, console().width, has_power=any(line[POWER] for line in lines))


def allotted(wide: list[int], width: int, *, has_power: bool) -> dict[int, int]:
    """How wide each column that is shown may be; what is left over goes to the title, then to the place.

    wide  how wide each would like to be
    """
    shown = {at: n for at, n in enumerate(wide) if at not in (WHAT, *GIVING)}
    title, place = min(TITLE, wide[WHAT]), min(PLACE, wide[WHERE])
    room = width - sum(shown.values()) - GAP * len(shown)
    for at in GIVING:
        needed = GAP + (place if at == WHERE else wide[at])
        if (at != POWER or has_power) and room >= title + needed:
            shown[at] = needed - GAP
            room -= needed
    shown[WHAT] = min(wide[WHAT], max(12, room))
    if WHERE in shown:
        shown[WHERE] = min(wide[WHERE], place + max(0, room - shown[WHAT]))
    return dict(sorted(shown.items()))


def cut(text: str, width: int) -> str:
    """A text in so many characters."""
    return text if len(text) <= width else text[: width - 1] + "…"


def titled(law: str) -> str:
    """What a law says, in a few words."""
    from noether.plan import design

    found = design.LAWS.get(law)
    return found.title if found else ""


def law_line(row: LawSummary, mine: list[Record]) -> tuple[str, ...]:
    """The columns of `laws_table` as words, in the order of COLUMNS; power is that of the weakest
    coefficient."""
    weakest = of_law(mine, row.law).weakest
    power = "" if weakest is None else "none" if weakest[1] == float("inf") else percent(weakest[1])
    killed = f"{row.killed}/{row.faults}"
    worst = (worst_of(mine), row.worst_where)
    return row.law, titled(row.law), str(row.cells), *worst, power, killed, row.verdict


def kind_of(records: list[Record]) -> str:
    """The kind of verdict that most records have: a law may have an order and a bound. Of bits alone where
    all are: else those that must be equal would be counted beside others that spend a bound."""
    kinds = [r.kind for r in records]
    kinds = [kind for kind in kinds if kind != BITWISE] or kinds
    return max(dict.fromkeys(kinds), key=kinds.count, default="")


def is_order(r: Record) -> bool:
    """Whether a record has a measured order and the stated one. The constant in front of an order is judged
    as one, but is a number of its own."""
    has_both = isinstance(r.measured, float) and isinstance(r.predicted, float)
    return r.kind == ORDER and has_both and r.parameters.get("statement") != IN_FRONT


def worst_of(mine: list[Record]) -> str:
    """The largest spent of a law, or the order that is farthest from the stated one."""
    judged = [r for r in mine if r.spent is not None]
    orders = [r for r in judged if is_order(r)]
    if kind_of(mine) == ORDER and orders:
        worst = max(orders, key=lambda r: abs(r.measured - r.predicted))
        return f"{worst.measured:.3f} of {worst.predicted:.3g}"
    if kind_of(mine) == BITWISE and judged:
        wrong = sum(r.spent != 0 for r in judged)
        return f"{wrong} differ" if wrong else "equal"
    return number(max((r.spent if r.spent == r.spent else float("inf") for r in judged), default=None))
