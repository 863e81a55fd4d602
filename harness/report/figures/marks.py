"""Marks of figures: the stored type of a precision is a colour, its mode the shape of a mark.

Many dots of one look are one path of strokes of no length, about ten letters a dot: a whole run must stay a
small page.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from noether.report.figures.svg import line, text

TYPES = ("float64", "float32", "float16", "bfloat16")
MODES = {"": "disc", "eager": "ring", "mixed": "square"}
COLOURS = 8


def colour(precision: str) -> int:
    """The number of a CSS variable --cN."""
    name = precision.partition("/")[0]
    return TYPES.index(name) if name in TYPES else len(TYPES) + sum(map(ord, name)) % (COLOURS - len(TYPES))


def mark(precision: str) -> str:
    """The shape that stands for the mode of a precision."""
    return MODES.get(precision.partition("/")[2], "square")


def places(points: Iterable[tuple]) -> list[tuple[float, float, str]]:
    """Dots on half a pixel are one dot: what lies exactly under another cannot be seen. Numbers of records
    that lie there are kept, all of them, for a filter may leave any one.

    points  (x, y) or (x, y, value), value being what the dot says of itself (`valued`)
    """
    seen: dict[tuple[float, float], list[str]] = {}
    for x, y, *value in points:
        mine = seen.setdefault((round(2 * x) / 2, round(2 * y) / 2), [])
        mine += [str(v) for v in value if not mine or str(v).isdigit()]
    return [(x, y, " ".join(values)) for (x, y), values in sorted(seen.items())]


def valued(name: str, values: Iterable[str]) -> str:
    """The attributes with which a path says what it draws: a name, and for each of its points either the
    numbers of records (page/book.py) or the values themselves. report.js reads them for tooltips and CSV."""
    told = "|".join(v.replace("|", "/") for v in values)
    named = f' data-n="{escape(name, quote=True)}"' if name else ""
    return f'{named} data-v="{escape(told, quote=True)}"' if told.strip("|") else ""


def dots(points: Iterable[tuple], precision: str, size: float = 5.0, name: str = "") -> str:
    """One path for all points of one precision; points as `places` takes them."""
    at = places(points)
    if not at:
        return ""
    d = "".join(f"M{x:g} {y:g}h0" for x, y, _ in at)
    c, kind = colour(precision), mark(precision)
    cap = "square" if kind == "square" else "round"
    width = size if kind != "square" else size - 1.2
    told = valued(name, (value for *_, value in at))
    out = f'<path d="{d}" class="m{cap[0]} c{c}" stroke-width="{width:g}"{told}/>'
    if kind != "ring":
        return out
    return out + f'<path d="{d}" class="mr" stroke="var(--soft)" stroke-width="{size - 2.6:g}"/>'


def rings(points: Iterable[tuple], name: str = "", size: float = 9.0) -> str:
    """What was predicted, beside dots that were measured: circles with room for a dot."""
    at = places(points)
    if not at:
        return ""
    d = "".join(f"M{x:g} {y:g}h0" for x, y, _ in at)
    told = valued(name, (value for *_, value in at))
    hole = f'<path d="{d}" class="mr" stroke="var(--soft)" stroke-width="{size - 2.6:g}"/>'
    return f'<path d="{d}" class="mr" stroke="var(--dim)" stroke-width="{size:g}"{told}/>{hole}'


def crosses(points: Iterable[tuple], size: float = 2.4) -> str:
    """Planted faults: not a dot, whatever the colour; points as `places` takes them."""
    arms = f"l{2 * size:g} {2 * size:g}m{-2 * size:g} 0l{2 * size:g} {-2 * size:g}"
    at = places(points)
    d = "".join(f"M{x - size:g} {y - size:g}{arms}" for x, y, _ in at)
    told = valued("", (value for *_, value in at))
    return f'<path d="{d}" class="planted"{told}/>' if d else ""


def bars(ends: Iterable[tuple[float, float, float]]) -> str:
    """Upright bars (x, y of the lower end, y of the upper end), as of a bound on both sides of a point."""
    kept = sorted({(round(2 * x) / 2, round(2 * a) / 2, round(2 * b) / 2) for x, a, b in ends})
    d = "".join(f"M{x:g} {a:g}V{b:g}" for x, a, b in kept if abs(a - b) > 1)
    return f'<path d="{d}" class="allowed"/>' if d else ""


def key(
    precisions: list[str],
    width: float,
    left: float = 14,
    top: float = 14,
    *,
    planted=False,
    limit: str = "",
    bar: str = "",
) -> tuple[list[str], float]:
    """The legend of marks, and its height; as many to a line as fit. limit and bar: what the line through the
    figure and its upright bars are called."""
    names = [*precisions, *(["planted fault"] if planted else []), *(name for name in (limit, bar) if name)]
    columns = max(1, int((width - left) // (7 * max(map(len, names), default=1) + 22)))
    parts = []
    for i, name in enumerate(names):
        x, y = left + (i % columns) * (width - left) / columns, top + 17 * (i // columns)
        at = [(x - 5, y - 4)]
        if i < len(precisions):
            parts.append(dots(at, name, 7))
        elif name == limit:
            parts.append(line(x - 11, y - 4, x + 1, y - 4, "truth"))
        elif name == bar:
            parts.append(bars([(x - 5, y - 10, y + 2)]))
        else:
            parts.append(crosses(at, 3))
        parts.append(text(x + 4, y, name, anchor="start"))
    return parts, 17 * -(-len(names) // columns) if names else 0


def ordered(precisions: Iterable[str]) -> list[str]:
    """Types in the order of TYPES, stored before eager before mixed; what is unknown last."""
    place = lambda p: (TYPES.index(n) if (n := p.partition("/")[0]) in TYPES else len(TYPES), p)
    return sorted(set(precisions), key=place)
