"""Figures over the steps of a run: what is spent as steps go by, one charge, paths in a plane."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from noether.report.figures import marks
from noether.report.figures.axis import Axis, drawable, frame
from noether.report.figures.motion import path
from noether.report.figures.svg import (
    BOTTOM,
    HEIGHT,
    LEFT,
    LETTER,
    RIGHT,
    TOP,
    WIDTH,
    drawing,
    line,
    short,
    text,
)

SMALL, LOW, SIDE = (200, 118), 96, 54
"""Of the drawing of one charge: its size, where its lower edge is, and its left one."""
Values = Sequence[float]


def growth(found: Mapping[str, Values], label: str) -> str:
    """What is spent, the most from each power of two to the next, on logarithms; '' where nothing is.

    found  {precision: [from step 1, from step 2, from step 4 ...]}
    """
    points = {p: [(2.0**k, y) for k, y in enumerate(ys) if drawable(y, True)] for p, ys in found.items()}
    points = {p: points[p] for p in marks.ordered(points) if points[p]}
    if not points:
        return ""
    legend, head = marks.key(list(points), WIDTH)
    tall, top = HEIGHT + head, TOP + head + 16
    every = [p for curve in points.values() for p in curve]
    across = Axis.over([x for x, _ in every], LEFT, WIDTH - RIGHT, log=True)
    up = Axis.over([*(y for _, y in every), 3.0], tall - BOTTOM, top, log=True)
    one, base = up.at(1.0), tall - BOTTOM
    box = lambda a, b, kind: (
        f'<rect x="{LEFT}" y="{a:.1f}" width="{WIDTH - RIGHT - LEFT}" height="{b - a:.1f}" class="{kind}"/>'
    )
    parts = [*legend, box(top, one, "beyond"), box(one, base, "within")]
    parts += frame(across, up, "step n", "largest spent in steps n to 2n − 1", top, tall, BOTTOM)
    parts.append(line(LEFT, one, WIDTH - RIGHT, one, "limit"))
    for precision, curve in points.items():
        # What holds is drawn whole below the limit.
        placed = [
            (across.at(x), max(up.at(y), one + 3) if y <= 1 else min(up.at(y), one - 3)) for x, y in curve
        ]
        stroke = f'fill="none" stroke="var(--c{marks.colour(precision)})" stroke-width="1.2" opacity=".6"'
        parts.append(f'<path d="M{"L".join(f"{x:.1f} {y:.1f}" for x, y in placed)}" {stroke}/>')
        told = [(x, y, f"{a:g},{b:.4g}") for (x, y), (a, b) in zip(placed, curve, strict=True)]
        parts.append(marks.dots(told, precision, 5, precision))
    return drawing(parts, label, tall, axes=("from step", "largest spent until twice as far"))


def charge(
    steps: Values, measured: Values, predicted: Values, bound: Values, precision: str, label: str
) -> str:
    """One charge over the steps, small: dots in the band that the bound allows about the predicted line; ''
    where something is not finite."""
    values = [*steps, *measured, *predicted, *bound]
    if not steps or not all(drawable(x, False) for x in values):
        return ""
    ends = [y + s * b for y, b in zip(predicted, bound, strict=True) for s in (-1, 1)]
    width, height = SMALL
    across = Axis.over(list(steps), SIDE, width - 8, log=False)
    up = Axis.over([*ends, *measured], LOW, 10, log=False)
    xs = [across.at(x) for x in steps]
    lower = "L".join(f"{x:.1f} {up.at(e):.1f}" for x, e in zip(xs, ends[::2], strict=True))
    upper = "L".join(f"{x:.1f} {up.at(e):.1f}" for x, e in list(zip(xs, ends[1::2], strict=True))[::-1])
    values_of = lambda ys: [f"{n:g},{y:.4g}" for n, y in zip(steps, ys, strict=True)]
    parts = [f'<path d="M{lower}L{upper}Z" class="within"/>', line(SIDE, LOW, width - 8, LOW, "axis")]
    for y in sorted({min(measured), max(measured)}):
        parts.append(text(SIDE - 4, up.at(y) + 4, brief(y), anchor="end", kind="name"))
    parts += [text(x, LOW + 15, f"{n:g}", kind="name") for n, x in ((steps[0], xs[0]), (steps[-1], xs[-1]))]
    parts.append(text((SIDE + width) / 2, LOW + 15, "step", kind="name"))
    ups = [up.at(y) for y in predicted]
    parts.append(
        path(list(zip(xs, ups, strict=True)), "truth", marks.valued("predicted", values_of(predicted)))
    )
    dots = [(x, up.at(y), v) for x, y, v in zip(xs, measured, values_of(measured), strict=True)]
    parts.append(marks.dots(dots, precision, 4.4, "measured"))
    parts.append(f'<path d="" class="bound"{marks.valued("bound", values_of(bound))}/>')
    return drawing(parts, label, height, width, axes=("step", "J"))


def brief(y: float) -> str:
    """A number in two digits and at most seven letters."""
    told = f"{y:.2g}" if y == 0 or 0.01 <= abs(y) < 100 else f"{y:.1e}"
    return told.replace("e-0", "e-").replace("e+0", "e").replace("e+", "e").replace("-", "−")


def paths(found: Mapping[str, tuple[Values, Values]], label: str, axes: tuple[str, str]) -> str:
    """Paths in a plane, each from its ring; '' where there is none.

    found  {what moves: (values across, values up)}
    axes   the names of both
    """
    kept = {
        n: p for n, p in found.items() if p[0] and all(drawable(x, False) for values in p for x in values)
    }
    if not kept:
        return ""
    columns = 2 if max(map(len, kept)) * LETTER + 30 <= WIDTH / 2 else 1
    top = TOP + 18 + 17 * math.ceil(len(kept) / columns)
    tall = top + HEIGHT
    across = Axis.over([x for p in kept.values() for x in p[0]], LEFT, WIDTH - RIGHT, log=False)
    up = Axis.over([y for p in kept.values() for y in p[1]], tall - BOTTOM, top, log=False)
    parts = frame(across, up, *axes, top, tall, BOTTOM)
    for i, (name, (xs, ys)) in enumerate(kept.items()):
        colour = f"var(--c{i % marks.COLOURS})"
        at = [(across.at(x), up.at(y)) for x, y in zip(xs, ys, strict=True)]
        values = [f"{x:.4g},{y:.4g}" for x, y in zip(xs, ys, strict=True)]
        d = "L".join(f"{x:.1f} {y:.1f}" for x, y in at)
        dots = "".join(f"M{x:.1f} {y:.1f}h0" for x, y in at)
        parts.append(f'<path d="M{d}" fill="none" stroke="{colour}" stroke-width="1.2" opacity=".6"/>')
        told = marks.valued(name, values)
        parts.append(f'<path d="{dots}" class="mr" stroke="{colour}" stroke-width="4"{told}/>')
        parts.append(f'<circle cx="{at[0][0]:.1f}" cy="{at[0][1]:.1f}" r="5" class="stated"/>')
        x, y = 12 + (i % columns) * WIDTH / columns, 14 + 17 * (i // columns)
        parts.append(f'<path d="M{x:.1f} {y - 4:.1f}h12" stroke="{colour}" stroke-width="3"/>')
        parts.append(text(x + 18, y, short(name, int((WIDTH / columns - 30) / LETTER)), anchor="start"))
    return drawing(parts, label, tall, axes=axes)
