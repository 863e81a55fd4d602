"""Strip figures, one row a name: how much of its bound a law spends, or which orders were measured.

strip    spent on a logarithm; left of 1 a statement holds, right of it it is violated, and there planted
         faults belong
orders   measured orders on a line, each with its uncertainty; a ring is the stated one
spark    one row of either, small, on the same scale for every law, for the table at the top

A mark never touches the limit from the other side: what holds is drawn whole in the region of what holds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from noether.report.figures import marks
from noether.report.figures.axis import Axis
from noether.report.figures.svg import LETTER, WIDTH, drawing, line, lines, power, short, text

SPARK, SPARK_TALL, SPARK_LOW, SPARK_HIGH = 132, 18, 1e-3, 10.0
ORDER_LOW, ORDER_HIGH = -0.3, 3.5
HIGHEST = 4  # the highest order that a law states (theory.md#O12): the small picture has a place for it
HEAD = 24
LOW, HIGH, HIGH_PLANTED = 1e-3, 10.0, 1e6
"""The ends of the logarithm of a strip, without and with planted faults; beyond them is a lane at each
edge."""
LANE = 26

Spent = tuple[float, str]  # what was spent, and what the dot says of itself


class Limit:
    """A logarithm with a limit at 1 and a lane for what is smaller, one for what is larger."""

    def __init__(self, left: float, right: float, low: float, high: float, clear: float):
        self.axis = Axis(math.log10(low), math.log10(high), left, right, True)
        self.low, self.high, self.clear = low, high, clear
        self.one = self.axis.at(1.0)

    def at(self, spent: float) -> float:
        """The x of what was spent, in pixels, on its own side of the limit."""
        if not spent < math.inf or spent > self.high:
            return self.axis.end + LANE / 2
        if spent < self.low:
            return self.axis.start - LANE / 2
        x = self.axis.at(spent)
        return min(x, self.one - self.clear) if spent <= 1 else max(x, self.one + self.clear)


def strip(
    spent: Mapping[str, Mapping[str, Sequence[Spent]]], planted: Mapping[str, Sequence[Spent]], label: str
) -> str:
    """The picture of how much is spent; a precision keeps its colour and mark on every drawing.

    spent    {row: {precision: [(spent, value)]}}
    planted  {row: [(spent, value)]} of planted faults
    """
    found = marks.ordered(p for row in spent.values() for p in row)
    # Rows that are precisions name themselves.
    named = found if len(found) > 1 and set(found) != set(spent) else []
    crossed = any(planted.values())
    legend, head = marks.key(named, WIDTH, planted=crossed) if named or crossed else ([], 0)
    left = min(140.0, 16 + LETTER * max(map(len, spent)))
    high, head = max(18, min(30, 120 // len(spent))), HEAD + head
    base = head + high * len(spent)
    at = Limit(left + LANE, WIDTH - 6 - LANE, LOW, HIGH_PLANTED if crossed else HIGH, 3.2)
    parts = [*legend, *regions(at, left, head, base), *scale(at, left, head, base)]
    for row, (name, mine) in enumerate(spent.items()):
        y = head + high * (row + 0.5)
        words = text(left - 4, y + 4, short(name, int((left - 4) / LETTER)), anchor="end")
        parts += [words, line(left, y + high / 2, WIDTH - 6, y + high / 2, "grid")]
        parts.append(
            marks.crosses(lifted([(at.at(x), value) for x, value in planted.get(name, ())], y, high))
        )
        parts += dotted(mine, at, y, high)
    return drawing(parts, label, base + 42)


def regions(at: Limit, left: float, head: float, base: float) -> list[str]:
    """What lies on each side of the limit, and its name."""
    box = lambda a, b, kind: (
        f'<rect x="{a:.1f}" y="{head}" width="{b - a:.1f}" height="{base - head}" class="{kind}"/>'
    )
    return [
        box(left, at.one, "within"),
        box(at.one, WIDTH - 6, "beyond"),
        text((left + at.one) / 2, head - 7, "within the bound", kind="name"),
        text((at.one + WIDTH - 6) / 2, head - 7, "beyond: violated", kind="name"),
    ]


def scale(at: Limit, left: float, head: float, base: float) -> list[str]:
    """Grid, ticks and limit."""
    ticks = at.axis.ticks(6)
    parts = [lines([(at.axis.at(v), head, at.axis.at(v), base) for v, _ in ticks], "grid")]
    parts += [text(at.axis.at(v), base + 16, told, raw=True) for v, told in ticks]
    parts += [text(left + 5, base + 16, "<"), text(WIDTH - 11, base + 16, ">")]
    parts.append(line(at.one, head - 2, at.one, base, "limit"))
    return [
        *parts,
        text((left + WIDTH) / 2, base + 35, "spent = |measured − predicted| / bound", kind="name"),
    ]


def dotted(mine: Mapping[str, Sequence[Spent]], at: Limit, y: float, high: float) -> list[str]:
    """The dots of one row."""
    parts = []
    for i, precision in enumerate(marks.ordered(mine)):
        shift = (i - (len(mine) - 1) / 2) * min(3.0, (high - 6) / max(1, len(mine)))
        placed = [(at.at(x), value) for x, value in mine[precision]]
        parts.append(marks.dots(lifted(placed, y + shift, high if len(mine) == 1 else 0), precision))
    return parts


def lifted(placed: Sequence[tuple[float, str]], y: float, high: float) -> list[tuple[float, float, str]]:
    """Dots that would lie on each other stand beside each other within a row, the same way every time."""
    out, taken, room = [], {}, (high - 8) / 2
    for x, value in sorted(placed):
        here = round(x / 4)
        n = taken[here] = taken.get(here, -1) + 1
        steps = max(1, int(room // 2.5))
        lift = ((n % (2 * steps + 1)) + 1) // 2 * 2.5 * (1 if n % 2 else -1)
        out.append((x, y + (0.0 if room < 3 else lift), value))
    return out


ORDERS, CONSTANTS = (
    "measured order; the ring is the stated one",
    "measured number; the ring is the stated one",
)
"""What the axis of `order_strip` says."""


def order_strip(
    rows: Mapping[str, Sequence[tuple[float, float, float, str]]], label: str, axis: str = ORDERS
) -> str:
    """The picture of measured orders, or of other numbers with a stated one; every dot must lie within its
    bar of the ring.

    rows  {statement: [(stated, measured, bound, value), ...]}
    axis  ORDERS or CONSTANTS: orders are on a line from 0 to 3 at least, whose ticks are whole numbers
    """
    every = [x for found in rows.values() for o in found for x in o[:2]]
    if axis == ORDERS:
        low, high = min([ORDER_LOW, *(x - 0.3 for x in every)]), max([ORDER_HIGH, *(x + 0.3 for x in every)])
        across = Axis(low, high, 8, WIDTH - 10, False)
    else:
        across = Axis.over([*every, 0.0], 20, WIDTH - 22, log=False)
    high, head = 34, 8
    base = head + high * len(rows)
    whole = [(across.at(v), told) for v, told in across.ticks(7) if axis != ORDERS or v == round(v)]
    parts = [lines([(x, head, x, base) for x, _ in whole], "grid")]
    parts += [text(x, base + 16, told, raw=True) for x, told in whole]
    times = f", × {power(across.factor)}" if axis != ORDERS and across.factor else ""
    parts.append(text(WIDTH / 2, base + 35, axis + times, kind="name", raw=True))
    for i, (name, found) in enumerate(rows.items()):
        y = head + high * i
        parts.append(text(8, y + 12, short(name, int((WIDTH - 16) / LETTER)), anchor="start", kind="name"))
        parts += orders_row(found, across, y + 23)
        parts.append(line(8, head + high * (i + 1), WIDTH - 10, head + high * (i + 1), "grid"))
    return drawing(parts, label, base + 42)


def orders_row(found: Sequence[tuple[float, float, float, str]], across: Axis, y: float) -> list[str]:
    """One row of orders: bars as wide as the bound allows about each stated order, rings, dots."""
    wide: dict[float, float] = {}
    for stated, _, bound, _ in found:
        wide[stated] = max(wide.get(stated, 0.0), bound)
    parts = []
    for stated, bound in sorted(wide.items()):
        a = max(across.at(stated - bound) - 2.5, across.start)
        b = min(across.at(stated + bound) + 2.5, across.end)
        parts.append(f'<rect x="{a:.1f}" y="{y - 5}" width="{b - a:.1f}" height="10" rx="5" class="within"/>')
        parts.append(f'<circle cx="{across.at(stated):.1f}" cy="{y}" r="6.5" class="stated"/>')
    return [*parts, marks.dots([(across.at(o[1]), y, o[3]) for o in found], "float64", 5)]


def spark(spent: Mapping[str, Sequence[Spent]], label: str) -> str:
    """The small picture of what is spent, all precisions on one line; the mark is the limit."""
    at = Limit(6, SPARK - 6, SPARK_LOW, SPARK_HIGH, 3.0)
    y, one = SPARK_TALL / 2, at.one
    parts = [
        f'<rect x="0" y="1" width="{one:.1f}" height="{SPARK_TALL - 2}" class="within"/>'
        f'<rect x="{one:.1f}" y="1" width="{SPARK - one:.1f}" height="{SPARK_TALL - 2}" class="beyond"/>',
        line(one, 1, one, SPARK_TALL - 1, "limit"),
    ]
    inside = lambda x: min(max(at.at(x if x == x else math.inf), 3.0), SPARK - 3.0)
    for precision, found in spent.items():
        parts.append(marks.dots([(inside(x), y, value) for x, value in found], precision, 4.6))
    return drawing(parts, label, SPARK_TALL, SPARK)


def order_spark(found: list[tuple[float, float, str]], label: str) -> str:
    """The small picture of (stated, measured, value) on a line from 0 to HIGHEST."""
    across = Axis(ORDER_LOW, HIGHEST + 0.5, 0, SPARK, False)
    y = SPARK_TALL / 2
    ticks = [(across.at(i), y - 3, across.at(i), y + 3) for i in range(HIGHEST + 1)]
    parts = [lines([(3, y, SPARK - 3, y), *ticks], "grid")]
    for stated in sorted({stated for stated, *_ in found}):
        parts.append(f'<circle cx="{across.at(stated):.1f}" cy="{y}" r="5.5" class="stated"/>')
    inside = lambda measured: min(max(measured, ORDER_LOW), HIGHEST + 0.5)
    parts.append(marks.dots([(across.at(inside(m)), y, value) for _, m, value in found], "float64", 4.6))
    return drawing(parts, label, SPARK_TALL, SPARK)
