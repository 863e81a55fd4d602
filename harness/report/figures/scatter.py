"""A figure with one point a record: measured against predicted, and the difference against its bound.

Both are logarithms over as many decades as there are. Zero and infinity have lanes of their own at the edges.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from noether.report.figures import marks
from noether.report.figures.axis import Axis, drawable, frame
from noether.report.figures.svg import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, drawing, text

EDGE = 26  # width of a lane for what has no logarithm
AWAY = 1e3  # a bound so far from those of right steps
MOST = 40  # decades of an axis: a fault that overflows would flatten all that is right

Point = tuple[float, float, str, bool]  # x, y, precision, planted


def scatter(points: Sequence[Point], label: str, xlabel: str, ylabel: str, *, limit: str) -> tuple[str, int]:
    """A drawing and how many points could not be placed: x not finite, or planted and far from all that is
    right.

    limit: what the diagonal is called.
    """
    placed = [p for p in points if all(isinstance(x, int | float) for x in p[:2]) and math.isfinite(p[0])]
    right = [v for p in placed if not p[3] for v in p[:2] if drawable(v, True)] or [
        v for p in placed for v in p[:2] if drawable(v, True)
    ]
    if not right:
        return "", len(points)
    ceiling, wide = max(right) * 1e4, [p[0] for p in placed if not p[3] and p[0] > 0] or right
    placed = [p for p in placed if not p[3] or min(wide) / AWAY <= p[0] <= max(wide) * AWAY]
    seen_x = [p[0] for p in placed if drawable(p[0], True)]
    seen_y = [min(p[1], ceiling) for p in placed if drawable(p[1], True)]
    floor = 10.0 ** max(-307.0, math.log10(max(*seen_x, *right)) - MOST)
    seen_y = [max(y, floor) for y in seen_y]
    zero_x, zero_y = any(p[0] == 0 for p in placed), any(p[1] == 0 for p in placed)
    beyond = any(not p[1] < ceiling for p in placed)
    shown = marks.ordered({p[2] for p in placed if not p[3]})
    legend, head = marks.key(shown, WIDTH, planted=any(p[3] for p in placed), limit=limit)
    tall, top = HEIGHT + head + 18, TOP + head + 16
    across = Axis.over(
        [max(x, floor) for x in seen_x] or [1.0], LEFT + EDGE * zero_x, WIDTH - RIGHT, log=True
    )
    up = Axis.over(seen_y or [1.0], tall - BOTTOM - EDGE * zero_y, top + EDGE * beyond, log=True)
    parts = [*legend, diagonal(across, up), *frame(across, up, xlabel, ylabel, top, tall, BOTTOM)]
    parts += [text(LEFT - 6, top + 11, "≫", anchor="end")] if beyond else []
    parts += [text(LEFT - 6, tall - BOTTOM - 2, "0", anchor="end")] if zero_y else []
    parts += [text(LEFT + 1, tall - BOTTOM + 16, "0")] if zero_x else []

    def at(p: Point) -> tuple[float, float]:
        x = LEFT + 6 if p[0] == 0 else across.at(max(abs(p[0]), floor))
        y = tall - BOTTOM - 6 if p[1] == 0 else top + 7 if not p[1] < ceiling else up.at(max(p[1], floor))
        return x, y

    parts.append(marks.crosses([at(p) for p in placed if p[3]]))
    for precision in shown:
        parts.append(marks.dots([at(p) for p in placed if p[2] == precision and not p[3]], precision, 4.6))
    return drawing(parts, label, tall), len(points) - len(placed)


def diagonal(across: Axis, up: Axis) -> str:
    """The line y = x, as far as both axes go."""
    low, high = max(across.low, up.low), min(across.high, up.high)
    if low >= high:
        return ""
    x1, y1, x2, y2 = across.at(10.0**low), up.at(10.0**low), across.at(10.0**high), up.at(10.0**high)
    return f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" class="limit"/>'
