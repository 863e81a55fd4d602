"""A history as rows, one a law: what the table in a terminal and the page are both made of."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from noether.plan import design
from noether.report.law_table import titled
from noether.runs.history import History
from noether.runs.history_file import Point
from noether.runs.trend_marks import SECONDS, WHOLE, Step, needed
from noether.system.outside import plural

BLOCKS = "▁▂▃▄▅▆▇█"
FLAT = BLOCKS[3]
"""What stands for each of equal values."""


@dataclass(frozen=True)
class Row:
    """One law over the runs of a history, each list with one value a run and None where a run has none.

    spent    the worst, in units of the bound;  orders  the measured order that moved most;  power  of the
             weakest coefficient;  seconds  that its cells took
    """

    law: str
    title: str
    verdict: str
    spent: list[float | None]
    orders: list[float | None]
    power: list[float | None]
    seconds: list[float | None]
    steps: list[Step]


def rows(h: History, steps: Sequence[Step]) -> list[Row]:
    """One row a law, in the order in which laws are printed; those that this version does not have come
    last."""
    order = {law: n for n, law in enumerate(design.LAWS)}
    laws = sorted(
        {law for p in h.points for law in p.laws}, key=lambda law: (order.get(law, len(order)), law)
    )
    return [row(law, h.points, [s for s in steps if s.law == law]) for law in laws]


def row(law: str, points: Sequence[Point], steps: list[Step]) -> Row:
    """The row of one law."""
    mine = [p.laws.get(law) for p in points]
    of = lambda name: [getattr(x, name, None) for x in mine]
    last = next((x.verdict for x in reversed(mine) if x is not None), None)
    return Row(
        law, titled(law), last or "", of("worst"), moved_most(law, points), of("power"), of("seconds"), steps
    )


def moved_most(law: str, points: Sequence[Point]) -> list[float | None]:
    """Of the orders that the newest run has, the one that moved most in units of its uncertainty, in each run
    that has the same ones."""
    found = [p.orders.get(law) for p in points]
    newest = found[-1]
    if newest is None or not newest.slopes:
        return [None] * len(points)
    same = [o if o is not None and o.keys == newest.keys else None for o in found]

    def movement(j: int) -> float:
        seen = [o.slopes[j] for o in same if o is not None]
        return (max(seen) - min(seen)) / max(newest.within[j], 1e-300)

    which = max(range(len(newest.slopes)), key=movement)
    return [None if o is None else o.slopes[which] for o in same]


def sparkline(values: Sequence[float | None], low: float | None = None, high: float | None = None) -> str:
    """Values as blocks from `low` to `high`, the smallest and the largest of them where None; a blank where
    there is none, ! where it is not finite."""
    seen = [x for x in values if x is not None and math.isfinite(x)]
    low = min(seen, default=0.0) if low is None else low
    high = max(seen, default=0.0) if high is None else high

    def block(x: float | None) -> str:
        if x is None:
            return " "
        if not math.isfinite(x):
            return "!"
        share = (x - low) / (high - low) if high > low else None
        return FLAT if share is None else BLOCKS[min(7, max(0, int(8 * share)))]

    return "".join(map(block, values))


def squeezed(values: Sequence[float | None], most: int) -> list[float | None]:
    """Values in at most so many: of each stretch of neighbours the median of those that are there."""
    if len(values) <= most:
        return list(values)
    ends = [round(i * len(values) / most) for i in range(most + 1)]
    stretches = ([x for x in values[a:b] if x is not None] for a, b in pairwise(ends))
    return [median(mine) if mine else None for mine in stretches]


def logarithms(values: Sequence[float | None]) -> list[float | None]:
    """The logarithms of what is above 0; infinity stays."""
    return [None if x is None or not x > 0 else math.log10(x) if math.isfinite(x) else x for x in values]


def by_run(h: History, steps: Sequence[Step]) -> list[tuple[int, Point, list[str], list[Step]]]:
    """(number, run, what else differs from the run before, steps) of each run with a step, the newest
    first."""
    out = []
    for at in sorted({s.at for s in steps}, reverse=True):
        was, now = h.points[at - 1], h.points[at]
        out.append((at + 1, now, differing(was, now), [s for s in steps if s.at == at]))
    return out


def differing(was: Point, now: Point) -> list[str]:
    """What may explain a step and is none itself."""
    names = sorted({*was.run, *now.run})
    told = [
        f"{k} was {was.run.get(k)}, is {now.run.get(k)}" for k in names if was.run.get(k) != now.run.get(k)
    ]
    if was.commit != now.commit and was.commit and now.commit:
        told.insert(0, f"commit was {was.commit[:12]}, is {now.commit[:12]}")
    return told


def line(s: Step) -> str:
    """A step in a line: its law, or the whole run."""
    return f"{s.law or 'the whole run'}: {s.line}"


def uncompared(count: int, why: str) -> str:
    """How many of what was left out: "1 run of noether fuzz", "2 runs of noether fuzz"."""
    what, _, of = why.partition(" ")
    return f"{plural(count, what.removesuffix('s'))} {of}"


def remarks(h: History, steps: Sequence[Step]) -> list[str]:
    """What was left out, and what could not be marked."""
    out = [f"left out, for it cannot be compared with these: {uncompared(n, why)}" for why, n in h.left_out]
    count = sum(any(p.laws.get(law) and p.laws[law].seconds for p in h.points) for law in h.points[-1].laws)
    runs = needed(h.points, count) if count else None
    if runs and not any(s.kind == SECONDS and s.law != WHOLE for s in steps):
        out.append(
            f"times of laws are marked from {runs} runs in a row on one machine on; see docs/history.md"
        )
    return out
