"""The figure of moving charges: side by side, where the kinetic energy keeps the symmetry and where not."""

from __future__ import annotations

import math
from collections.abc import Sequence

from noether.report.figures import marks
from noether.report.figures.axis import Axis, drawable, frame
from noether.report.figures.svg import BOTTOM, HEIGHT, LEFT, LETTER, RIGHT, TOP, WIDTH, drawing, line, text

Trace = tuple[list[float], list[float], list[float]]  # time, measured, predicted
DECAY = 60  # points of e^-x


def motion(traces: Sequence[Trace], labels: Sequence[str], xlabel: str, ylabel: str) -> list[str]:
    """One drawing a trace, on common axes: dots on the predicted line; dashes are e^-x, the charge that
    nothing moves."""
    xs = [x for t in traces for x in t[0] if drawable(x, False)]
    ys = [y for t in traces for part in t[1:] for y in part if drawable(y, False)]
    if not xs or not ys:
        return []
    top = TOP + 35
    across, up = (
        Axis.over(xs, LEFT, WIDTH - RIGHT, log=False),
        Axis.over([*ys, 0.0, 1.0], HEIGHT + 14 - BOTTOM, top, log=False),
    )
    common = frame(across, up, xlabel, ylabel, top, HEIGHT + 14, BOTTOM)
    common.append(line(LEFT, up.at(0), WIDTH - RIGHT, up.at(0), "axis"))
    times = [max(0.0, min(xs)) + (max(xs) - max(0.0, min(xs))) * k / DECAY for k in range(DECAY + 1)]
    common.append(path([(across.at(t), up.at(math.exp(-t))) for t in times], "bound"))
    x = 12.0
    for word, sample in (("measured", None), ("predicted", "truth"), ("friction alone", "bound")):
        common += [
            marks.dots([(x + 7, 11)], "float64", 7) if sample is None else line(x, 11, x + 14, 11, sample),
            text(x + 19, 15, word, anchor="start"),
        ]
        x += 19 + LETTER * len(word) + 22
    out = []
    for (time, measured, predicted), label in zip(traces, labels, strict=True):
        lined, dotted = (
            [
                (across.at(a), up.at(b), f"{a:.4g},{b:.4g}")
                for a, b in zip(time, values, strict=False)
                if drawable(a, False) and drawable(b, False)
            ]
            for values in (predicted, measured)
        )
        line_of = path([p[:2] for p in lined], "truth", marks.valued("predicted", [p[2] for p in lined]))
        parts = [*common, line_of, marks.dots(dotted, "float64", 5, "measured")]
        out.append(drawing(parts, label, HEIGHT + 14, axes=(xlabel, ylabel)))
    return out


def path(points: list[tuple[float, float]], kind: str, told: str = "") -> str:
    """A line through points, '' where there are none; told: its values, from marks.valued."""
    d = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    return f'<path d="M{d}" class="{kind}"{told}/>' if points else ""
