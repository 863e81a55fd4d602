"""A figure with curves over two axes, drawn from `Record.data`.

plot                       "loglog" | "response" | "lines"
x, series {name: [...]}    "measured", "recovered" and names that end so are dots; "predicted" or "put in" a
                           line, or rings in a response; "bound" or "error bar" a floor in a response, with a
                           bar of that size about each prediction; elsewhere a band about the predicted line,
                           or dashes where nothing is predicted; "at least" and "at most" the ends of a band
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
ROOM = ("at least", "at most")
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
    layout = Layout(data, curves, logs)
    xlabel, ylabel = str(data.get("xlabel", "")), str(data.get("ylabel", ""))
    across, up, top, tall = layout.across, layout.up, layout.top, layout.tall
    parts = frame(across, up, xlabel, ylabel, top, tall, BOTTOM)
    xs = [x for c in curves.values() for x, _ in c]
    parts += allowed(data, curves, across, up) + guides(data, curves, across, up)
    order = {"floor": 0, "dashes": 0, "line": 1, "rings": 1, "curve": 2, "dotted": 2, "points": 3, "dots": 3}
    looks = {name: style(name, data) for name in layout.shown}
    for i, (name, curve) in sorted(
        enumerate(layout.shown.items()), key=lambda c: order.get(looks[c[1][0]], 0)
    ):
        parts += drawn(name, curve, looks[name], i, across, up, precision)
        if name in layout.told:
            x, y = layout.legend_at(name)
            parts += sample(looks[name], i, x, y, precision)
            parts.append(text(x + 14, y, layout.told[name], anchor="start"))
    parts += window(data.get("window"), across, xs, top, tall - BOTTOM)
    return drawing(parts, label, tall, axes=(xlabel or "x", ylabel or "y")), lost


class Layout:
    """Where everything of a panel lies: its axes, and the lines of its legend.

    shown  the curves that have a place on it
    told   what the legend says of each
    """

    def __init__(self, data: dict, curves: dict, logs: list[bool]):
        drawn = lambda n: logs[1] or n not in BOUND or style(n, data) != "dashes"
        self.shown = {n: c for n, c in curves.items() if drawn(n)} or curves
        # A bound far below the data would flatten what is to be seen: on a linear axis it does not decide
        # the range.
        ranged = [y for n, c in self.shown.items() if logs[1] or n not in BOUND for _, y in c]
        ranged = ranged or [y for c in self.shown.values() for _, y in c]
        names = [n for n in self.shown if n != ROOM[1]]  # both ends of a band are one name
        told = lambda n, c: thin(n, c, ranged) if style(n, data) == "band" else legend(n, c, data)
        self.told = {n: told(n, self.shown[n]) for n in names}
        self.columns = columns_of(list(self.told.values()))
        rows = math.ceil(len(names) / self.columns)
        self.top = TOP + 20 + ROW * rows
        self.tall = HEIGHT + 12 + ROW * max(0, rows - 2)
        xs = [x for c in curves.values() for x, _ in c]
        self.across = Axis.over(xs, LEFT, WIDTH - RIGHT, log=logs[0])
        self.up = Axis.over(ranged, self.tall - BOTTOM, self.top, log=logs[1])

    def legend_at(self, name: str) -> tuple[float, float]:
        """Where a name of the legend stands."""
        i = list(self.told).index(name)
        x = INDENT + (i % self.columns) * (WIDTH - INDENT) / self.columns
        return x, 14 + ROW * (i // self.columns)


def thin(name: str, curve: list, ranged: list[float]) -> str:
    """The name of a band; of a bound its size too, and whether it is thinner than the line that it goes
    about."""
    if name not in BOUND:
        return "allowed"
    most, span = max(abs(y) for _, y in curve), max(ranged) - min(ranged)
    return f"{name} ± {most:.1g}" + ("" if 150 * most > span else ", thinner than the line")


def allowed(data: dict, curves: dict, across: Axis, up: Axis) -> list[str]:
    """What the bound allows about each prediction: bars in a response, else a band along the line."""
    bound = next((dict(curves[n]) for n in BOUND if n in curves), {})
    about = next((curves[n] for n in PREDICTED if n in curves), [])
    ends = [(x, y - bound[x], y + bound[x]) for x, y in about if x in bound]
    if all(n in curves for n in ROOM):
        most = dict(curves[ROOM[1]])
        ends = [(x, y, most[x]) for x, y in curves[ROOM[0]] if x in most]
    if not ends or "error bar" in curves or (data.get("plot") == "response" and len(ends) > CROWD):
        return []
    inside = lambda y: min(max(up.at(y), up.end), up.start) if not up.log or y > 0 else up.start
    placed = [(across.at(x), inside(low), inside(high)) for x, low, high in ends]
    if data.get("plot") == "response":
        return [marks.bars(placed)]
    lower = "L".join(f"{x:.1f} {y:.1f}" for x, y, _ in placed)
    upper = "L".join(f"{x:.1f} {y:.1f}" for x, _, y in reversed(placed))
    return [f'<path d="M{lower}L{upper}Z" class="within"/>']


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
    names = [str(n) for n in data.get("series") or {}]
    if name in BOUND:
        beside = "band" if any(n in PREDICTED for n in names) else "dashes"
        return "floor" if data.get("plot") == "response" else beside
    if name in ROOM:
        return "band"
    if name in PREDICTED:
        return "rings" if data.get("plot") == "response" else "line"
    if name.endswith(MEASURED):
        return "dots" if name in MEASURED else "points"
    return "curve" if any(n.endswith(MEASURED) for n in names) else "dotted"


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


def drawn(name: str, curve, look: str, i: int, across: Axis, up: Axis, precision: str) -> list[str]:
    """The elements of one series in its style, each with its values."""
    values = [f"{x:.4g},{y:.4g}" for x, y in curve]
    xy = [(across.at(x), up.at(y), value) for (x, y), value in zip(curve, values, strict=True)]
    told, colour = marks.valued(name, values), f"var(--c{i % marks.COLOURS})"
    if look == "dots":
        return [marks.dots(xy, precision, 5.5 if len(xy) <= CROWD else 4, name)]
    if look == "rings":
        return [marks.rings(xy, name, 9 if len(xy) <= CROWD else 7)]
    d = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y, _ in (sorted(xy) if look == "floor" else xy))
    if look == "floor":
        left, right = min(xy)[0], max(xy)[0]
        told = marks.valued(name, [value for *_, value in sorted(xy)])
        return [f'<path d="{d}L{right:.1f} {up.start:.1f}L{left:.1f} {up.start:.1f}Z" class="floor"{told}/>']
    if look == "band":
        return [f'<path d="" class="bound"{told}/>']
    if look in ("dashes", "line"):
        return [f'<path d="{d}" class="{"bound" if look == "dashes" else "truth"}"{told}/>']
    stroke = f'fill="none" stroke="{colour}" stroke-width="1.6"'
    if look == "points" or (look == "dotted" and len(xy) <= DOTTED):
        more = "".join(f"M{x:.1f} {y:.1f}h0" for x, y, _ in xy)
        dots = [f'<path d="{more}" class="mr" stroke="{colour}" stroke-width="5"{told}/>']
        return dots if look == "points" else [f'<path d="{d}" {stroke}/>', *dots]
    return [f'<path d="{d}" {stroke}{told}/>']


def sample(look: str, i: int, x: float, y: float, precision: str) -> list[str]:
    """The line or mark that stands before a name in the legend."""
    if look == "floor":
        return [f'<rect x="{x - 4:.1f}" y="{y - 9:.1f}" width="13" height="9" class="floor"/>']
    if look == "dots":
        return [marks.dots([(x + 2, y - 4)], precision, 7)]
    if look == "rings":
        return [f'<circle cx="{x + 2:.1f}" cy="{y - 4:.1f}" r="4" class="stated"/>']
    if look == "band":
        return [f'<rect x="{x - 4:.1f}" y="{y - 9:.1f}" width="13" height="9" class="within"/>']
    if look in ("dashes", "line"):
        return [line(x - 4, y - 4, x + 9, y - 4, "bound" if look == "dashes" else "truth")]
    if look == "points":
        return [
            f'<path d="M{x + 2:.1f} {y - 4:.1f}h0" class="mr" stroke="var(--c{i % marks.COLOURS})" '
            'stroke-width="7"/>'
        ]
    return [f'<path d="M{x - 4:.1f} {y - 4:.1f}h13" stroke="var(--c{i % marks.COLOURS})" stroke-width="3"/>']
