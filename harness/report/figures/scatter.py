"""A figure with one point a record, one number against another: measured against predicted within its bound.

Both are logarithms over as many decades as there are. Zero and infinity have lanes of their own at the edges.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from noether.report.figures import marks
from noether.report.figures.axis import Axis, drawable, frame
from noether.report.figures.svg import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, drawing, text

EDGE = 26  # width of a lane for what has no logarithm
MOST = 40  # decades of an axis: one value that overflows would flatten all others


@dataclass(frozen=True)
class Point:
    """A point of the figure.

    value  what it says of itself, as marks.valued takes it
    room   (lowest, highest) y that its bound allows, drawn as a bar
    """

    x: float
    y: float
    precision: str
    value: str = ""
    room: tuple[float, float] | None = None


def scatter(
    points: Sequence[Point], label: str, xlabel: str, ylabel: str, *, limit: str, bar: str = ""
) -> tuple[str, int]:
    """A drawing and how many points could not be placed, for their x is not finite.

    limit, bar  what the diagonal and the bars are called
    """
    placed = [p for p in points if all(isinstance(x, int | float) for x in (p.x, p.y)) and math.isfinite(p.x)]
    seen = [v for p in placed for v in (p.x, p.y) if drawable(v, True)]
    if not seen:
        return "", len(points)
    shown = marks.ordered({p.precision for p in placed})
    has_bars = bool(bar) and any(p.room for p in placed)
    legend, head = marks.key(shown, WIDTH, limit=limit, bar=bar if has_bars else "")
    tall, top = HEIGHT + head + 18, TOP + head + 16
    at = Lanes(placed, top, tall - BOTTOM)
    edges = [text(LEFT - 6, top + 11, "∞", anchor="end")] if at.beyond else []
    edges += [text(LEFT - 6, tall - BOTTOM - 2, "0", anchor="end")] if at.zero_y else []
    edges += [text(LEFT + 1, tall - BOTTOM + 16, "0")] if at.zero_x else []
    parts = [*legend, *frame(at.across, at.up, xlabel, ylabel, top, tall, BOTTOM), *edges]
    if has_bars:
        parts.append(marks.bars((at.x(p), at.y(p.room[0]), at.y(p.room[1])) for p in placed if p.room))
    parts.append(diagonal(at.across, at.up))
    for precision in shown:
        mine = [(at.x(p), at.y(p.y), p.value) for p in placed if p.precision == precision]
        parts.append(marks.dots(mine, precision, 4.6))
    return drawing(parts, label, tall), len(points) - len(placed)


class Lanes:
    """Where points lie: on two logarithms, or in the lanes for zero and for what is not finite.

    top, base  y of the frame, in pixels
    """

    def __init__(self, placed: Sequence[Point], top: float, base: float):
        self.top, self.base = top, base
        xs = [p.x for p in placed if drawable(p.x, True)]
        ys = [p.y for p in placed if drawable(p.y, True)]
        self.floor = 10.0 ** max(-307.0, math.log10(max([*xs, *ys])) - MOST)
        if xs:  # what is measured where zero is predicted would flatten all others
            ys = [max(y, min(xs) / 10) for y in ys]
        self.zero_x, self.zero_y = any(p.x == 0 for p in placed), any(p.y == 0 for p in placed)
        self.beyond = any(not p.y < math.inf for p in placed)
        kept = lambda values: [max(v, self.floor) for v in values] or [1.0]
        self.across = Axis.over(kept(xs), LEFT + EDGE * self.zero_x, WIDTH - RIGHT, log=True)
        self.up = Axis.over(kept(ys), base - EDGE * self.zero_y, top + EDGE * self.beyond, log=True)

    def x(self, p: Point) -> float:
        """The x of a point, in pixels."""
        return LEFT + 6 if p.x == 0 else self.across.at(max(abs(p.x), self.floor))

    def y(self, value: float) -> float:
        """The y of a value, in pixels, within the frame."""
        if not value < math.inf:
            return self.top + 7
        return self.base - 6 if value <= 0 else min(max(self.up.at(value), self.top), self.base - 4)


def diagonal(across: Axis, up: Axis) -> str:
    """The line y = x, as far as both axes go."""
    low, high = max(across.low, up.low), min(across.high, up.high)
    if low >= high:
        return ""
    x1, y1, x2, y2 = across.at(10.0**low), up.at(10.0**low), across.at(10.0**high), up.at(10.0**high)
    return f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" class="truth"/>'
