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


def places(points: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """Dots on half a pixel are one dot: what lies exactly under another cannot be seen."""
    return sorted({(round(2 * x) / 2, round(2 * y) / 2) for x, y in points})


def dots(points: Iterable[tuple[float, float]], precision: str, size: float = 5.0) -> str:
    """One path for all points of one precision."""
    at = places(points)
    if not at:
        return ""
    d = "".join(f"M{x:g} {y:g}h0" for x, y in at)
    c, kind = colour(precision), mark(precision)
    cap = "square" if kind == "square" else "round"
    width = size if kind != "square" else size - 1.2
    out = f'<path d="{d}" class="m{cap[0]}" stroke="var(--c{c})" stroke-width="{width:g}"/>'
    if kind != "ring":
        return out
    return out + f'<path d="{d}" class="mr" stroke="var(--soft)" stroke-width="{size - 2.6:g}"/>'


def crosses(points: Iterable[tuple[float, float]], size: float = 2.4) -> str:
    """Planted faults: not a dot, whatever the colour."""
    arms = f"l{2 * size:g} {2 * size:g}m{-2 * size:g} 0l{2 * size:g} {-2 * size:g}"
    d = "".join(f"M{x - size:g} {y - size:g}{arms}" for x, y in places(points))
    return f'<path d="{d}" class="planted"/>' if d else ""


def told(x: float, y: float, title: str, r: float = 7) -> str:
    """An unseen disc that says what lies under it when a pointer rests there."""
    return (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{r:g}" '
        f'fill="transparent"><title>{escape(title)}</title></circle>'
    )


def key(
    precisions: list[str], width: float, left: float = 14, top: float = 14, *, planted=False, limit: str = ""
) -> tuple[list[str], float]:
    """The legend of marks, and its height; as many to a line as fit."""
    names = [*precisions, *(["planted fault"] if planted else []), *([limit] if limit else [])]
    columns = max(1, int((width - left) // (7 * max(map(len, names), default=1) + 22)))
    parts = []
    for i, name in enumerate(names):
        x, y = left + (i % columns) * (width - left) / columns, top + 17 * (i // columns)
        at = [(x - 5, y - 4)]
        if i < len(precisions):
            parts.append(dots(at, name, 7))
        elif name != limit:
            parts.append(crosses(at, 3))
        else:
            parts.append(line(x - 11, y - 4, x + 1, y - 4, "limit"))
        parts.append(text(x + 4, y, name, anchor="start"))
    return parts, 17 * -(-len(names) // columns) if names else 0


def ordered(precisions: Iterable[str]) -> list[str]:
    """Types in the order of TYPES, stored before eager before mixed; what is unknown last."""
    place = lambda p: (TYPES.index(n) if (n := p.partition("/")[0]) in TYPES else len(TYPES), p)
    return sorted(set(precisions), key=place)
