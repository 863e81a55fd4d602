"""Figures of one law over many runs: strips above each other, one a quantity, and the marked steps across."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from noether.report.figures import marks
from noether.report.figures.axis import Axis
from noether.report.figures.svg import WIDTH, drawing, line, text

TALL, GAP, TOP, FOOT = 54, 24, 20, 20
LEFT, RIGHT = 8, 78
DOTTED = 40  # runs, beyond which only the marked ones have a dot


@dataclass(frozen=True)
class Strip:
    """One quantity: its name, a value a run (None where there is none), and how they are drawn.

    limit  a value that must not be passed, drawn where it is in sight
    """

    name: str
    values: Sequence[float | None]
    words: Sequence[str]
    log: bool = False
    from_zero: bool = False
    limit: float | None = None


def trend(strips: Sequence[Strip], names: Sequence[str], at: Sequence[int], label: str) -> str:
    """The picture of a law. names: of the runs; at: the numbers of the runs that are the first after a
    step."""
    across = Axis(0.0, max(1.0, len(names) - 1.0), LEFT + 6, WIDTH - RIGHT, False)
    parts, top = [], TOP
    for s in strips:
        parts += drawn(s, across, top, names, at)
        top += TALL + GAP
    base = top - GAP
    for i in at:
        x = across.at(i - 0.5)
        parts.append(line(x, TOP - 6, x, base, "step"))
    parts += [text(LEFT, base + 15, names[0], anchor="start", kind="name")]
    if len(names) > 1:
        parts.append(text(WIDTH - RIGHT, base + 15, names[-1], anchor="end", kind="name"))
    return drawing(parts, label, base + FOOT, axes=("run", "value"))


def drawn(s: Strip, across: Axis, top: float, names: Sequence[str], at: Sequence[int]) -> list[str]:
    """One strip: its name, its range, a line through its values that says each of them, and dots."""
    good = [x for x in s.values if fits(x, s.log)]
    parts = [text(LEFT, top - 6, s.name, anchor="start", kind="name")]
    parts.append(line(LEFT, top + TALL, WIDTH - RIGHT, top + TALL, "grid"))
    if not good:
        return [*parts, text(LEFT + 6, top + TALL / 2, "not in these runs", anchor="start", kind="name")]
    bounds = [0.0] * s.from_zero + ([s.limit] if s.limit is not None else [])
    up = Axis.over([*good, *bounds], top + TALL, top, log=s.log)
    if s.limit is not None:
        parts.append(line(LEFT, up.at(s.limit), WIDTH - RIGHT, up.at(s.limit), "bound"))
    xy = [(i, across.at(i), up.at(x) if fits(x, s.log) else None) for i, x in enumerate(s.values)]
    values = marks.valued(s.name, (f"{i + 1},{s.values[i]:.4g}" for i, _, y in xy if y is not None))
    parts.append(f'<path d="{through(xy)}" class="truth"{values}/>')
    every = len(names) <= DOTTED
    shown = [p for p in xy if p[2] is not None and (every or p[0] in at or p[0] == len(names) - 1)]
    parts.append(marks.dots([(x, y) for _, x, y in shown], "float64", 4.4))
    last = next(i for i in range(len(xy) - 1, -1, -1) if xy[i][2] is not None)
    parts.append(text(WIDTH - RIGHT + 8, xy[last][2] + 4, s.words[last], anchor="start"))
    return parts


def fits(x: float | None, log: bool) -> bool:
    """Whether a value has a place on a strip."""
    return x is not None and math.isfinite(x) and (x > 0 or not log)


def through(xy: Sequence[tuple[int, float, float | None]]) -> str:
    """The path through all values, broken where there is none."""
    out, pen = [], "M"
    for _, x, y in xy:
        if y is None:
            pen = "M"
        else:
            out.append(f"{pen}{x:.1f} {y:.1f}")
            pen = "L"
    return "".join(out)
