"""The SVG elements of which figures are made: text, lines, frames."""

from __future__ import annotations

from html import escape

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 400, 270, 46, 12, 14, 44
"""Of a panel, in units of which one is about a pixel on a phone, so that 12 units of text can be read
there."""
LETTER = 6.6  # width of a letter, roughly: for what must not run out of the frame


RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def text(x: float, y: float, words: str, *, anchor: str = "middle", kind: str = "", raw: bool = False) -> str:
    """Words at a place; `raw` ones are SVG already. The root of a drawing puts them in the middle."""
    how = "" if anchor == "middle" else f' text-anchor="{anchor}"'
    how += f' class="{kind}"' if kind else ""
    return f'<text x="{tenth(x)}" y="{tenth(y)}"{how}>{words if raw else escape(words)}</text>'


def tenth(x: float) -> str:
    """A length in tenths of a unit, without a tenth that is 0."""
    return f"{x:.1f}".removesuffix(".0")


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    """A line of a class of the page's style."""
    return f'<path d="{segment(x1, y1, x2, y2)}" class="{kind}"/>'


def segment(x1: float, y1: float, x2: float, y2: float) -> str:
    """A line as a path says it in the fewest letters: most lines of a figure lie along an axis."""
    a, b, c, d = map(tenth, (x1, y1, x2, y2))
    return f"M{a} {b}" + (f"V{d}" if a == c else f"H{c}" if b == d else f"L{c} {d}")


def lines(ends: list[tuple[float, float, float, float]], kind: str) -> str:
    """Many lines of one class as one path, '' where there are none."""
    d = "".join(segment(*four) for four in ends)
    return f'<path d="{d}" class="{kind}"/>' if d else ""


def drawing(
    parts: list[str], label: str, height: float = HEIGHT, width: float = WIDTH, axes: tuple[str, ...] = ()
) -> str:
    """A whole figure, with what a screen reader says of it.

    axes  (name of x, name of y), where the points of its paths carry their own values
    """
    named = "".join(f' data-{a}="{escape(w, quote=True)}"' for a, w in zip("xy", axes, strict=False))
    return (
        f'<svg viewBox="0 0 {width:g} {height:g}" text-anchor="middle" role="img" '
        f'aria-label="{escape(label, quote=True)}"{named}>{"".join(parts)}</svg>'
    )


def short(words: str, most: int) -> str:
    """Words in at most so many letters."""
    return words if len(words) <= most else words[: most - 1] + "…"


def power(e: int) -> str:
    """10^e in letters."""
    return {0: "1", 1: "10"}.get(e, "10" + str(e).translate(RAISED))
