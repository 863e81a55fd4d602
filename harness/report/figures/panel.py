"""A figure with curves over two axes, drawn from `Record.data`.

plot                       "loglog" | "response" | "lines"
x, series {name: [...]}    "measured", "recovered" and names that end so are dots, "bound" or "error bar" a
                           floor or dashes; "predicted" or "put in" a line, or rings in a response
xlabel, ylabel             what the axes say
xscale, yscale             "log" | "linear", where the plot's own will not do
window                     [low, high] of x: what was judged
orders                     {series: stated order}: drawn as guides through the window
"""

from __future__ import annotations

import math

from noether.report.figures import marks
from noether.report.figures.axis import Axis, drawable, frame
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

ROW = 17  # of the legend
INDENT = 12
MEASURED, PREDICTED, BOUND = ("measured", "recovered"), ("predicted", "put in"), ("bound", "error bar")
CROWD = 80  # points that would cover each other
DOTTED = 24  # a curve of at most so many points shows them


def slope(points: list[tuple[float, float]]) -> float | None:
    """The slope of log y against log x between the two smallest x."""
    (a, b), (c, d) = sorted(points)[:2]
    return math.log(d / b) / math.log(c / a) if a != c else None


def panel(data: dict, label: str, precision: str = "float64") -> tuple[str, int]:
    """A drawing of Record.data, and how many of its numbers could not be drawn."""
    both = data.get("plot") in ("loglog", "response")
    logs = [data.get(k, "log" if both else "linear") == "log" for k in ("xscale", "yscale")]
    judged = data.get("window")
    if not (
        isinstance(judged, list | tuple) and len(judged) == 2 and all(drawable(x, logs[0]) for x in judged)
    ):
        data = {**data, "window": None}
    curves, lost = curves_of(data, logs)
    if not curves:
        return "", lost
    points = [p for c in curves.values() for p in c]
    shown = {n: c for n, c in curves.items() if logs[1] or n not in BOUND or len(curves) == 1}
    told = {name: legend(name, curve, data) for name, curve in shown.items()}
    columns = columns_of(list(told.values()))
    rows = math.ceil(len(shown) / columns)
    top = TOP + 20 + ROW * rows
    tall = HEIGHT + 12 + ROW * max(0, rows - 2)
    across = Axis.over([x for x, _ in points], LEFT, WIDTH - RIGHT, log=logs[0])
    # A bound far below the data would flatten what is to be seen: it does not decide the range of a linear
    # axis.
    up = Axis.over([y for c in shown.values() for _, y in c], tall - BOTTOM, top, log=logs[1])
    parts = frame(
        across, up, str(data.get("xlabel", "")), str(data.get("ylabel", "")), top, tall, BOTTOM
    ) + window(data.get("window"), across, [x for x, _ in points], top, tall - BOTTOM)
    parts += guides(data, curves, across, up)
    order = {"floor": 0, "dashes": 0, "line": 1, "rings": 1, "curve": 2, "dotted": 2, "points": 3, "dots": 3}
    for i, (name, curve) in sorted(enumerate(shown.items()), key=lambda c: order[style(c[1][0], data)]):
        look = style(name, data)
        parts += drawn(curve, look, i, across, up, precision)
        x, y = INDENT + (i % columns) * (WIDTH - INDENT) / columns, 14 + ROW * (i // columns)
        parts += [*sample(look, i, x, y, precision), text(x + 14, y, told[name], anchor="start")]
    return drawing(parts, label, tall), lost


def curves_of(data: dict, logs: list[bool]) -> tuple[dict[str, list[tuple[float, float]]], int]:
    """The points of each series that can be drawn, and how many cannot."""
    curves, lost = {}, 0
    for name, values in (data.get("series") or {}).items():
        pairs = list(zip(data.get("x") or [], values, strict=False))
        kept = [(x, y) for x, y in pairs if drawable(x, logs[0]) and drawable(y, logs[1])]
        lost += len(pairs) - len(kept)
        if kept:
            curves[str(name)] = kept
    return curves, lost


def columns_of(words: list[str]) -> int:
    """How many columns of the legend these words leave room for."""
    for columns in (3, 2):
        if max(map(len, words)) * LETTER + 26 <= (WIDTH - INDENT) / columns:
            return columns
    return 1


def legend(name: str, curve: list, data: dict) -> str:
    """The words of a series in the legend: its name, and its slope where there is one."""
    stated = (data.get("orders") or {}).get(name)
    seen = slope(curve) if data.get("plot") == "loglog" and len(curve) > 1 else None
    given = (data.get("slopes") or {}).get(name)  # the order as judged, better than two points can tell
    order = seen if given is None else given
    suffix = ""
    if order is not None:
        alone = f": slope {order + 0.0:.2f}"
        suffix = alone if stated is None else f": {round(order, 2) + 0.0:.2f} of {stated:g}"
    return short(name, int((WIDTH - INDENT - 20) / LETTER) - len(suffix)) + suffix


def style(name: str, data: dict) -> str:
    """How a series is drawn, by its name."""
    if name in BOUND:
        return "floor" if data.get("plot") == "response" else "dashes"
    if name in PREDICTED:
        return "rings" if data.get("plot") == "response" else "line"
    if name.endswith(MEASURED):
        return "dots" if name in MEASURED else "points"
    return "curve" if any(str(n).endswith(MEASURED) for n in data.get("series") or {}) else "dotted"


def window(found, across: Axis, xs: list[float], top: float, base: float) -> list[str]:
    """The bar and band that show which range of x was judged."""
    if not found:
        return []
    a, b = sorted(min(max(across.at(x), across.start), across.end) for x in found)
    bar = [f'<rect x="{a - 4:.1f}" y="{base - 4:.1f}" width="{b - a + 8:.1f}" height="4" class="judged"/>']
    if min(found) <= min(xs) and max(xs) <= max(found):
        return bar
    named = [text((a + b) / 2, top + 13, "judged", kind="name")] if b - a > 46 else []
    return [
        *bar,
        f'<rect x="{a - 4:.1f}" y="{top:.1f}" width="{b - a + 8:.1f}" height="{base - top:.1f}" '
        'class="window"/>',
        *named,
    ]


def guides(data: dict, curves: dict, across: Axis, up: Axis) -> list[str]:
    """A dashed line of each stated slope, below the judged points of a series of that order."""
    parts, lowest = [], {}
    for name, stated in sorted(
        (data.get("orders") or {}).items(),
        key=lambda o: min(curves.get(o[0], [(0, math.inf)]))[1],
        reverse=True,
    ):
        lowest[stated] = name  # one guide an order, under its lowest curve
    for stated, name in lowest.items():
        inside = sorted(
            p
            for p in curves.get(name, [])
            if not data.get("window") or min(data["window"]) <= p[0] <= max(data["window"])
        )
        if len(inside) < 2 or not (across.log and up.log):
            continue
        (x0, y0), x1 = inside[0], inside[-1][0]
        y1 = math.log10(y0) + stated * (math.log10(x1) - math.log10(x0))
        end = min(max(y1, up.low), up.high)
        share = 1.0 if y1 == end else (end - math.log10(y0)) / (y1 - math.log10(y0))
        x_end = across.at(x0) + share * (across.at(x1) - across.at(x0))
        parts.append(line(across.at(x0), up.at(y0) + 5, x_end, up.at(10.0**end) + 5, "guide"))
    return parts


def drawn(curve, look: str, i: int, across: Axis, up: Axis, precision: str) -> list[str]:
    """The elements of one series in its style."""
    xy = [(across.at(x), up.at(y)) for x, y in curve]
    d = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in (sorted(xy) if look == "floor" else xy))
    if look == "dots":
        return [marks.dots(xy, precision, 5.5 if len(xy) <= CROWD else 4)]
    if look == "floor":
        left, right = min(xy)[0], max(xy)[0]
        return [f'<path d="{d}L{right:.1f} {up.start:.1f}L{left:.1f} {up.start:.1f}Z" class="floor"/>']
    if look == "rings":
        r = 4 if len(xy) <= CROWD else 3
        ring = f"a{r} {r} 0 1 0 {2 * r} 0a{r} {r} 0 1 0 {-2 * r} 0"
        rings = "".join(f"M{x - r:.1f} {y:.1f}{ring}" for x, y in marks.places(xy))
        return [f'<path d="{rings}" class="stated"/>']
    if look in ("dashes", "line"):
        return [f'<path d="{d}" class="{"bound" if look == "dashes" else "truth"}"/>']
    stroke = f'fill="none" stroke="var(--c{i % marks.COLOURS})" stroke-width="1.6"'
    more = (
        f'<path d="{"".join(f"M{x:.1f} {y:.1f}h0" for x, y in xy)}" class="mr" '
        f'stroke="var(--c{i % marks.COLOURS})" stroke-width="5"/>'
    )
    line_too, dots_too = look != "points", look == "points" or (look == "dotted" and len(xy) <= DOTTED)
    return [f'<path d="{d}" {stroke}/>'] * line_too + [more] * dots_too


def sample(look: str, i: int, x: float, y: float, precision: str) -> list[str]:
    """The line or mark that stands before a name in the legend."""
    if look == "floor":
        return [f'<rect x="{x - 4:.1f}" y="{y - 9:.1f}" width="13" height="9" class="floor"/>']
    if look == "dots":
        return [marks.dots([(x + 2, y - 4)], precision, 7)]
    if look == "rings":
        return [f'<circle cx="{x + 2:.1f}" cy="{y - 4:.1f}" r="4" class="stated"/>']
    if look in ("dashes", "line"):
        return [line(x - 4, y - 4, x + 9, y - 4, "bound" if look == "dashes" else "truth")]
    if look == "points":
        return [
            f'<path d="M{x + 2:.1f} {y - 4:.1f}h0" class="mr" stroke="var(--c{i % marks.COLOURS})" '
            'stroke-width="7"/>'
        ]
    return [f'<path d="M{x - 4:.1f} {y - 4:.1f}h13" stroke="var(--c{i % marks.COLOURS})" stroke-width="3"/>']
