"""A figure as a file of its own, as pages of docs/ show it: with its colours, light or dark as the reader's
system is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

from noether.report.figures.svg import text

STYLE = """<style>
svg { --soft:#f6f7f9; --ink:#1c222b; --dim:#566070; --line:#e1e5ea; --good:#0f6b3d; --bad:#b3261e;
  --room:#dcefe4; --over:#fcf0ee;
  --c0:#0067a8; --c1:#c8500a; --c2:#00805c; --c3:#a8477f; --c4:#a07400; --c5:#3f6fd8; --c6:#8a3ffc;
  --c7:#6b7280 }
@media (prefers-color-scheme: dark) { svg { --soft:#1a1e25; --ink:#e5e8ed; --dim:#a3adba; --line:#2e353f;
  --good:#63d394; --bad:#ff8f86; --room:#1a3427; --over:#2b1a1b; --c0:#58b0ee; --c1:#ff9857; --c2:#4ccfa3;
  --c3:#e58cc0; --c4:#e3bd4a; --c5:#93b4ff; --c6:#c3a0ff; --c7:#a8b0bb } }
text { fill:var(--ink); font:12px system-ui, "Liberation Sans", sans-serif } .name { fill:var(--dim) }
.title { font-size:13px; font-weight:600 } .paper { fill:var(--soft) }
.grid { stroke:var(--line); fill:none } .axis { stroke:var(--dim); fill:none }
.within, .floor { fill:var(--room) } .beyond { fill:var(--over) }
.allowed { stroke:var(--good); stroke-width:3; opacity:.32; fill:none }
.bound { stroke:var(--dim); stroke-dasharray:4 3; stroke-width:1.4; fill:none }
.truth { stroke:var(--ink); stroke-width:1.3; fill:none; opacity:.75 }
.guide { stroke:var(--ink); stroke-dasharray:2 3; stroke-width:1.3; fill:none }
.stated { fill:none; stroke:var(--dim); stroke-width:1.4 }
.c0 { stroke:var(--c0) } .c1 { stroke:var(--c1) } .c2 { stroke:var(--c2) } .c3 { stroke:var(--c3) }
.c4 { stroke:var(--c4) } .c5 { stroke:var(--c5) } .c6 { stroke:var(--c6) } .c7 { stroke:var(--c7) }
.mr { fill:none; stroke-linecap:round } .ms { fill:none; stroke-linecap:square }
</style>"""
TITLE, GAP = 28, 12
SIZE = re.compile(r'viewBox="0 0 ([\d.]+) ([\d.]+)"')


def opened(width: float, height: float, label: str) -> str:
    """The beginning of an SVG file: its size, its style and its ground."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" '
        f'height="{height:g}" role="img" aria-label="{escape(label, quote=True)}">{STYLE}\n'
        f'<rect width="{width:g}" height="{height:g}" rx="8" class="paper"/>\n'
    )


def side_by_side(drawings: Sequence[str], titles: Sequence[str], label: str) -> str:
    """The text of an SVG file with figures beside each other, a title above each.

    drawings  as `drawing` of svg.py makes them
    label     what a screen reader says of the whole
    """
    found = [SIZE.search(drawing) for drawing in drawings]
    sizes = [(float(size[1]), float(size[2])) for size in found if size]
    if not drawings or len(sizes) != len(drawings) or len(titles) != len(drawings):
        raise ValueError(f"{len(drawings)} drawings with {len(sizes)} sizes and {len(titles)} titles")
    width = sum(w for w, _ in sizes) + GAP * (len(sizes) + 1)
    height = max(h for _, h in sizes) + TITLE + GAP
    parts, x = [], float(GAP)
    for drawn, (w, h), title in zip(drawings, sizes, titles, strict=True):
        parts.append(text(x + 12, 20, title, anchor="start", kind="title"))
        placed = f'<svg x="{x:g}" y="{TITLE}" width="{w:g}" height="{h:g}" '
        parts.append(placed + drawn.removeprefix("<svg "))
        x += w + GAP
    return opened(width, height, label) + "\n".join(parts) + "\n</svg>\n"


def alone(drawn: str, label: str) -> str:
    """The text of an SVG file with one figure, which fills it."""
    size = SIZE.search(drawn)
    if not size:
        raise ValueError("the drawing has no size")
    width, height = float(size[1]), float(size[2])
    inner = drawn[drawn.index(">") + 1 :].removesuffix("</svg>")
    return opened(width, height, label) + inner + "\n</svg>\n"
