"""Strip figures, one row a name: how much of its bound a law spends, or which orders were measured.

strip    spent on a logarithm; 1 is the limit; zero stands at the left edge, infinity at the right
orders   measured orders on a line, each with its uncertainty; a ring is the stated one
spark    one row of either, small, on the same scale for every law, for the table at the top
"""

from __future__ import annotations

import math
from collections.abc import Callable

from noether.report.figures import marks
from noether.report.figures.axis import Axis
from noether.report.figures.svg import LETTER, WIDTH, drawing, line, short, text

SPARK, SPARK_TALL, SPARK_LOW, SPARK_HIGH = 132, 18, 1e-3, 10.0
ORDER_LOW, ORDER_HIGH = -0.3, 3.5
HEAD = 8


def strip(spent: dict[str, dict[str, list[float]]], label: str) -> str:
    """The picture of how much is spent; a precision keeps its colour and mark on every drawing.

    spent  {row: {precision: [spent]}}
    """
    values = [x for row in spent.values() for found in row.values() for x in found]
    positive = [x for x in values if 0 < x < math.inf]
    found = marks.ordered(p for row in spent.values() for p in row)
    # Rows that are precisions name themselves.
    legend, head = marks.key(found, WIDTH) if len(found) > 1 and set(found) != set(spent) else ([], 0)
    left = min(140.0, 16 + LETTER * max(map(len, spent)))
    high, head = max(16, min(30, 120 // len(spent))), HEAD + head
    base = head + high * len(spent)
    low = max(min([*positive, 0.1]), 1e-12)
    across = Axis.over([low, *[min(x, 1e12) for x in positive], 3.0], left + 22, WIDTH - 26, log=True)
    parts = [
        *legend,
        f'<rect x="{across.at(1.0):.1f}" y="{head}" width="{WIDTH - 4 - across.at(1.0):.1f}" '
        f'height="{base - head}" class="beyond"/>',
    ]
    for value, told in across.ticks(6):
        parts += [
            line(across.at(value), head, across.at(value), base, "grid"),
            text(across.at(value), base + 16, told, raw=True),
        ]
    parts += [
        line(across.at(1.0), head - 2, across.at(1.0), base, "limit"),
        text((left + WIDTH) / 2, base + 35, "spent = |measured − predicted| / bound", kind="name"),
    ]
    parts += [text(left + 9, base + 16, "0")] if any(x == 0 for x in values) else []
    parts += [text(WIDTH - 10, base + 16, "∞")] if any(not x < math.inf for x in values) else []

    def place(x):
        return left + 9 if x == 0 else across.at(min(max(x, low), 1e12)) if x < math.inf else WIDTH - 10

    for row, (name, mine) in enumerate(spent.items()):
        y = head + high * (row + 0.5)
        parts += [
            text(left - 2, y + 4, short(name, int((left - 4) / LETTER)), anchor="end"),
            line(left, y + high / 2, WIDTH - 4, y + high / 2, "grid"),
            *dotted(name, mine, place, y, high),
        ]
    return drawing(parts, label, base + 42)


def dotted(name: str, mine: dict[str, list[float]], place: Callable, y: float, high: float) -> list[str]:
    """The dots of one row, and what is told of the worst of each precision."""
    parts = []
    for i, precision in enumerate(marks.ordered(mine)):
        shift = (i - (len(mine) - 1) / 2) * min(3.0, (high - 6) / max(1, len(mine)))
        lifted = jittered([place(x) for x in mine[precision]], (high - 8) / 2 if len(mine) == 1 else 0)
        parts.append(marks.dots([(x, y + shift + dy) for x, dy in lifted], precision))
        worst = max(mine[precision], key=lambda x: x if x == x else math.inf)
        told = f"{worst:.3g}" if worst < math.inf else "not finite"
        told = f"{name} {precision}: the worst of {len(mine[precision])} is {told}"
        parts.append(marks.told(place(worst), y + shift, told))
    return parts


def jittered(xs: list[float], room: float) -> list[tuple[float, float]]:
    """Dots that would lie on each other stand beside each other, the same way every time."""
    out, taken = [], {}
    for x in sorted(xs):
        here = round(x / 4)
        n = taken[here] = taken.get(here, -1) + 1
        steps = max(1, int(room // 2.5))
        out.append((x, 0.0 if room < 3 else ((n % (2 * steps + 1)) + 1) // 2 * 2.5 * (1 if n % 2 else -1)))
    return out


def order_strip(rows: dict[str, list[tuple[float, float, float]]], label: str) -> str:
    """The picture of measured orders; every dot must lie in its ring.

    rows  {statement: [(stated, measured, bound), ...]}
    """
    every = [x for found in rows.values() for o in found for x in o[:2]]
    low, high = min([ORDER_LOW, *(x - 0.3 for x in every)]), max([ORDER_HIGH, *(x + 0.3 for x in every)])
    across = Axis(low, high, 8, WIDTH - 10, False)
    high, parts = 34, []
    base = HEAD + high * len(rows)
    for value, told in across.ticks(7):
        if value == round(value):
            x = across.at(value)
            parts += [line(x, HEAD, x, base, "grid"), text(x, base + 16, told, raw=True)]
    parts.append(text(WIDTH / 2, base + 35, "measured order; the ring is the stated one", kind="name"))
    for i, (name, found) in enumerate(rows.items()):
        y = HEAD + high * i
        parts.append(text(8, y + 12, short(name, int((WIDTH - 16) / LETTER)), anchor="start", kind="name"))
        y += 23
        for stated in sorted({o[0] for o in found}):
            parts.append(f'<circle cx="{across.at(stated):.1f}" cy="{y}" r="6.5" class="stated"/>')
        for _, measured, bound in found:
            a, b = across.at(measured - bound), across.at(measured + bound)
            parts += [line(a, y, b, y, "whisker")] if b - a > 5 else []
        parts.append(marks.dots([(across.at(o[1]), y) for o in found], "float64", 5))
        worst = max(found, key=lambda o: abs(o[1] - o[0]))
        said = f"{name}: {worst[1]:.4g} within {worst[2]:.2g}, stated {worst[0]:g}"
        parts.append(marks.told(across.at(worst[1]), y, said))
        parts.append(line(8, HEAD + high * (i + 1), WIDTH - 10, HEAD + high * (i + 1), "grid"))
    return drawing(parts, label, base + 42)


def spark(spent: dict[str, list[float]], label: str) -> str:
    """The small picture of what is spent, all precisions on one line; the mark is the limit."""
    across = Axis(math.log10(SPARK_LOW), math.log10(SPARK_HIGH), 6, SPARK - 6, True)
    place = lambda x: 3.0 if not x > SPARK_LOW else across.at(min(x, SPARK_HIGH)) if x == x else SPARK - 6
    y, one = SPARK_TALL / 2, across.at(1.0)
    parts = [
        f'<rect x="{one:.1f}" y="1" width="{SPARK - one:.1f}" height="{SPARK_TALL - 2}" class="beyond"/>',
        line(3, y, SPARK - 3, y, "grid"),
        line(one, 1, one, SPARK_TALL - 1, "limit"),
    ]
    for precision, found in spent.items():
        parts.append(marks.dots([(place(x if x == x else math.inf), y) for x in found], precision, 4.6))
    return drawing(parts, label, SPARK_TALL, SPARK)


def order_spark(found: list[tuple[float, float]], label: str) -> str:
    """The small picture of pairs (stated, measured) on a line from 0 to 3."""
    across = Axis(ORDER_LOW, ORDER_HIGH, 0, SPARK, False)
    y = SPARK_TALL / 2
    parts = [line(3, y, SPARK - 3, y, "grid")]
    parts += [line(across.at(i), y - 3, across.at(i), y + 3, "grid") for i in range(4)]
    for stated in sorted({stated for stated, _ in found}):
        parts.append(f'<circle cx="{across.at(stated):.1f}" cy="{y}" r="5.5" class="stated"/>')
    inside = lambda measured: min(max(measured, ORDER_LOW), ORDER_HIGH)
    parts.append(marks.dots([(across.at(inside(m)), y) for _, m in found], "float64", 4.6))
    return drawing(parts, label, SPARK_TALL, SPARK)
