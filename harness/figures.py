"""Small drawings in SVG, written by hand: a strip of spent values, and a panel with two axes.

Colours are CSS variables of the page, so that one drawing serves light and dark. Numbers that an axis cannot show
(zero or negative on a logarithm, not finite) are counted below the drawing, never dropped silently.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 480, 300, 62, 14, 16, 46
COLOURS = 8


@dataclass
class Axis:
    """A range of numbers laid on pixels from `start` to `end`."""

    low: float
    high: float
    start: float
    end: float
    log: bool

    @classmethod
    def over(cls, values: list[float], start: float, end: float, *, log: bool) -> Axis:
        seen = [math.log10(v) if log else v for v in values] or [0.0]
        low, high = min(seen), max(seen)
        if log:
            # Whole decades, unless all fits inside two: then halves of one.
            grain = 1.0 if high - low > 1 else 0.5
            low, high = math.floor(low / grain) * grain, math.ceil(high / grain) * grain
        if high - low < 1e-300 or not math.isfinite(high - low):
            low, high = low - 0.5, high + 0.5
        pad = 0.03 * (high - low)
        return cls(low - pad, high + pad, start, end, log)

    def at(self, value: float) -> float:
        x = math.log10(value) if self.log else value
        return self.start + (x - self.low) / (self.high - self.low) * (self.end - self.start)

    def ticks(self, most: int = 6) -> list[tuple[float, str]]:
        span = self.high - self.low
        if self.log:
            first, last = math.ceil(self.low), math.floor(self.high)
            if last - first >= 1:
                stride = max(1, math.ceil((last - first + 1) / most))
                return [(10.0**e, power(e)) for e in range(first, last + 1, stride)]
            values = [m * 10.0**e for e in range(first - 2, last + 2) for m in (1, 2, 5)]
            return [(v, f"{v:.3g}") for v in values if self.low <= math.log10(v) <= self.high] or [(10.0**self.low, f"{10.0**self.low:.3g}")]
        rough = span / most
        unit = 10.0 ** math.floor(math.log10(rough))
        step = next(m * unit for m in (1, 2, 2.5, 5, 10) if m * unit >= rough)
        first = math.ceil(self.low / step)
        return [((first + i) * step, f"{(first + i) * step:.4g}") for i in range(int((self.high - first * step) / step) + 1)]


def power(e: int) -> str:
    return {0: "1", 1: "10"}.get(e, f'10<tspan dy="-5" font-size="9">{str(e).replace("-", "−")}</tspan>')


def text(x: float, y: float, words: str, *, anchor: str = "middle", kind: str = "", raw: bool = False, turn: bool = False) -> str:
    rotate = f' transform="rotate(-90 {x:.1f} {y:.1f})"' if turn else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{kind}"{rotate}>{words if raw else escape(words)}</text>'


def line(x1, y1, x2, y2, kind: str) -> str:
    return f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" class="{kind}"/>'


def dot(x: float, y: float, colour: int, title: str = "", r: float = 3) -> str:
    told = f"<title>{escape(title)}</title>" if title else ""
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{r:g}" fill="var(--c{colour % COLOURS})">{told}</circle>'


def drawing(parts: list[str], label: str, height: int = HEIGHT) -> str:
    return f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(label, quote=True)}">{"".join(parts)}</svg>'


def drawable(value, log: bool) -> bool:
    return isinstance(value, int | float) and math.isfinite(value) and (value > 0 or not log)


def slope(points: list[tuple[float, float]]) -> float | None:
    """Of log y against log x between the two smallest x: the order, as far as a picture shows it."""
    (a, b), (c, d) = sorted(points)[:2]
    return math.log(d / b) / math.log(c / a) if a != c else None


def panel(data: dict, label: str) -> tuple[str, int]:
    """A drawing of Record.data, and how many of its numbers could not be drawn.

    data: plot "loglog" | "response" | "lines"; x; series {name: [...]}; xlabel, ylabel; xscale, yscale "log" | "linear"
    """
    both = data.get("plot") in ("loglog", "response")
    logs = [data.get(k, "log" if both else "linear") == "log" for k in ("xscale", "yscale")]
    curves, lost = {}, 0
    for name, values in (data.get("series") or {}).items():
        pairs = list(zip(data.get("x") or [], values, strict=False))
        kept = [(x, y) for x, y in pairs if drawable(x, logs[0]) and drawable(y, logs[1])]
        lost += len(pairs) - len(kept)
        if kept:
            curves[name] = kept
    if not curves:
        return "", lost
    points = [p for c in curves.values() for p in c]
    told = {name: legend(name, curve, data.get("plot")) for name, curve in curves.items()}
    columns = 2 if max(map(len, told.values())) <= 26 else 1
    top = TOP + 18 * math.ceil(len(curves) / columns)
    tall = HEIGHT + 18 * max(0, math.ceil(len(curves) / columns) - 2)
    across = Axis.over([x for x, _ in points], LEFT, WIDTH - RIGHT, log=logs[0])
    # A bound far below the data would flatten what is to be seen: it does not decide the range of a linear axis.
    seen = [y for name, c in curves.items() for _, y in c if logs[1] or name != "bound" or len(curves) == 1]
    up = Axis.over(seen, tall - BOTTOM, top, log=logs[1])
    parts = frame(across, up, data.get("xlabel", ""), data.get("ylabel", ""), top, tall)
    for i, (name, curve) in sorted(enumerate(curves.items()), key=lambda c: style(c[1][0]) == "dots"):  # dots lie on the lines
        if name == "bound" and not logs[1]:
            continue
        parts += drawn(curve, name, i, across, up)
        x, y = LEFT + 12 + (i % columns) * (WIDTH - LEFT) / 2, 16 + 18 * (i // columns)
        parts += [dot(x - 8, y - 4, i, r=4) if style(name) != "bound" else line(x - 14, y - 4, x - 3, y - 4, "bound"), text(x, y, told[name], anchor="start")]
    return drawing(parts, label, tall), lost


def legend(name: str, curve: list, plot: str | None) -> str:
    measured = slope(curve) if plot == "loglog" and len(curve) > 1 else None
    short = name if len(name) <= 48 else name[:47] + "…"
    return short if measured is None else f"{short}: slope {measured:.2f}"


def style(name: str) -> str:
    return "bound" if name == "bound" else "dots" if name == "measured" else "curve"


def drawn(curve, name: str, i: int, across: Axis, up: Axis) -> list[str]:
    xy = [(across.at(x), up.at(y)) for x, y in curve]
    parts = []
    if style(name) != "dots":
        stroke = 'class="bound"' if style(name) == "bound" else f'fill="none" stroke="var(--c{i % COLOURS})" stroke-width="1.6"'
        parts.append(f'<path d="M{"L".join(f"{x:.1f} {y:.1f}" for x, y in xy)}" {stroke}/>')
    if style(name) == "dots" or (style(name) == "curve" and name != "predicted" and len(xy) <= 24):
        parts += [dot(x, y, i, f"{name}: {a:.6g}, {b:.6g}", r=2.6) for (x, y), (a, b) in zip(xy, curve, strict=True)]
    return parts


def frame(across: Axis, up: Axis, xlabel: str, ylabel: str, top: float, tall: float) -> list[str]:
    base = tall - BOTTOM
    parts = []
    for value, told in across.ticks():
        x = across.at(value)
        parts += [line(x, top, x, base, "grid"), text(x, base + 17, told, raw=True)]
    for value, told in up.ticks():
        y = up.at(value)
        parts += [line(LEFT, y, WIDTH - RIGHT, y, "grid"), text(LEFT - 6, y + 4, told, anchor="end", raw=True)]
    parts += [line(LEFT, base, WIDTH - RIGHT, base, "axis"), line(LEFT, top, LEFT, base, "axis")]
    return [*parts, text((LEFT + WIDTH) / 2, tall - 8, xlabel, kind="name"), text(13, (top + base) / 2, ylabel, kind="name", turn=True)]


def strip(spent: dict[str, dict[str, list[float]]], order: list[str], label: str) -> str:
    """Dots of spent on a logarithm, one row a case, one colour a precision; 1 is marked.

    spent: {case: {precision: [spent]}};  order: all precisions, a place in it is a colour on every drawing. Zero stands at the left edge, infinity at the right.
    """
    found = {p for row in spent.values() for p in row}
    precisions = [p for p in order if p in found] + sorted(found - set(order))
    colour = {p: (order.index(p) if p in order else len(order) + i) for i, p in enumerate(precisions)}
    values = [x for row in spent.values() for found in row.values() for x in found]
    positive = [x for x in values if 0 < x < math.inf]
    left, high, head = 146, 26, 10 + 18 * math.ceil(len(precisions) / 3)
    base = head + high * len(spent)
    height = base + 44
    low = max(min([*positive, 0.1]), 1e-12)
    across = Axis.over([low, *[min(x, 1e12) for x in positive], 3.0], left + 26, WIDTH - 34, log=True)
    parts = []
    for i, name in enumerate(precisions):
        x, y = 14 + (i % 3) * (WIDTH - 14) / 3, 14 + 18 * (i // 3)
        parts += [dot(x - 6, y - 4, colour[name], r=4), text(x + 2, y, name, anchor="start")]
    for value, told in across.ticks(7):
        parts += [line(across.at(value), head, across.at(value), base, "grid"), text(across.at(value), base + 16, told, raw=True)]
    one = across.at(1.0)
    parts += [line(one, head - 2, one, base, "limit"), text((left + WIDTH) / 2, height - 8, "spent = |measured − predicted| / bound", kind="name")]
    if any(x == 0 for x in values):
        parts.append(text(left + 8, base + 16, "0"))
    if any(not x < math.inf for x in values):
        parts.append(text(WIDTH - 14, base + 16, "∞"))
    for row, (case, found) in enumerate(spent.items()):
        y = head + high * (row + 0.5)
        parts += [text(left - 4, y + 4, case, anchor="end"), line(left, y + high / 2, WIDTH - 6, y + high / 2, "grid")]
        for precision, numbers in found.items():
            shift = (precisions.index(precision) - (len(precisions) - 1) / 2) * min(3.5, 18 / max(1, len(precisions)))
            for x in sorted(set(numbers)):
                at = left + 8 if x == 0 else across.at(min(max(x, low), 1e12)) if x < math.inf else WIDTH - 14
                parts.append(dot(at, y + shift, colour[precision], f"{case} {precision}: {x:.3g}", r=2.8))
    return drawing(parts, label, height)
