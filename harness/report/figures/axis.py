"""An axis of a figure: a range of numbers laid on pixels, with its ticks."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from html import escape

from noether.report.figures.svg import LEFT, LETTER, RIGHT, WIDTH, lines, power, short, text


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
        """An axis on which all these values have room."""
        seen = [math.log10(v) if log else v for v in values] or [0.0]
        low, high = min(seen), max(seen)
        if log and high - low < 1:  # less than a decade: halves of one, or ticks have no room
            low, high = math.floor(2 * low) / 2, math.ceil(2 * high) / 2
        if high - low < 1e-300 or not math.isfinite(high - low):
            low, high = low - 0.5, high + 0.5
        pad = 0.04 * (high - low)
        return cls(low - pad, high + pad, start, end, log)

    def at(self, value: float) -> float:
        """Where a value lies, in pixels."""
        x = math.log10(value) if self.log else value
        return self.start + (x - self.low) / (self.high - self.low) * (self.end - self.start)

    def ticks(self, most: int = 6) -> list[tuple[float, str]]:
        """The ticks of an axis, as (value, words), the words being SVG."""
        span = self.high - self.low
        if self.log:
            first, last = math.ceil(self.low), math.floor(self.high)
            if last - first >= 1:
                stride = max(1, math.ceil((last - first + 1) / most))
                return [(10.0**e, power(e)) for e in range(first, last + 1, stride)]
            values = [m * 10.0**e for e in range(first - 2, last + 2) for m in (1, 2, 5)]
            shown = [v for v in values if self.low <= math.log10(v) <= self.high] or [10.0**self.low]
            return [(v, between(v)) for v in shown]
        rough = span / most
        unit = 10.0 ** math.floor(math.log10(rough))
        step = next(m * unit for m in (1, 2, 2.5, 5, 10) if m * unit >= rough)
        first = math.ceil(self.low / step)
        values = [(first + i) * step for i in range(int((self.high - first * step) / step) + 1)]
        return [(v, f"{v / 10.0**self.factor:.4g}".replace("-", "−")) for v in values]

    @property
    def factor(self) -> int:
        """The power of ten that is taken out of the ticks of a linear axis: small or large numbers would not
        fit."""
        size = max(abs(self.low), abs(self.high))
        e = math.floor(math.log10(size)) if size > 0 and not self.log else 0
        return e if e < -1 or e > 3 else 0


def between(value: float) -> str:
    """A tick between powers of ten: in digits, or as 5·10⁷ where they would not fit."""
    if 1e-3 <= value < 1e4:
        return f"{value:.3g}" if value < 1000 else f"{value:.0f}"
    digits, _, exponent = f"{value:.2e}".partition("e")
    first = digits.rstrip("0").rstrip(".")
    return ("" if first == "1" else f"{first}·") + power(int(exponent))


def drawable(value, log: bool) -> bool:
    """Whether a value has a place on an axis."""
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and math.isfinite(value)
        and (value > 0 or not log)
    )


DIGIT = 8.2
"""Width of a digit of a tick."""


def inside(at: float, told: str) -> float:
    """Where the words of a tick stand, so that the last one does not run out of the drawing."""
    letters = len(re.sub(r"<[^>]*>|&[^;]*;", "", told))
    return min(at, WIDTH - 1 - DIGIT * letters / 2)


def frame(
    across: Axis, up: Axis, xlabel: str, ylabel: str, top: float, tall: float, bottom: float
) -> list[str]:
    """Grid, ticks and names of two axes; tall is the height of the drawing. The upright axis is named above
    itself, to be read."""
    base = tall - bottom
    below, beside = across.ticks(5), up.ticks()
    grid = [(across.at(value), top, across.at(value), base) for value, _ in below]
    grid += [(LEFT, up.at(value), WIDTH - RIGHT, up.at(value)) for value, _ in beside]
    axes = [(LEFT, base, WIDTH - RIGHT, base), (LEFT, top, LEFT, base)]
    parts = [lines(grid, "grid"), lines(axes, "axis")]
    parts += [text(inside(across.at(value), told), base + 16, told, raw=True) for value, told in below]
    parts += [text(LEFT - 6, up.at(value) + 4, told, anchor="end", raw=True) for value, told in beside]
    if across.factor:
        times = f"× {power(across.factor)}"
        parts.append(text(WIDTH - RIGHT, tall - 7, times, raw=True, anchor="end", kind="name"))
    named = escape(short(ylabel, int((WIDTH - 24) / LETTER)))
    named += f" × {power(up.factor)}" if up.factor else ""
    parts.append(text((LEFT + WIDTH - RIGHT) / 2, tall - 7, xlabel, kind="name"))
    return [*parts, text(12, top - 11, named, anchor="start", kind="name", raw=True)]
