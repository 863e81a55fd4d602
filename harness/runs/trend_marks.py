"""What counts as a step in a history of runs. Each rule has a stated rate of false alarms, or none at all.

spent, orders  A run is compared with the first one since the last step of the same law, by the rules of a
               baseline (harness/runs/regression.py, harness/runs/seed_scatter.py): the mean of all entries of
               a law in a group of precisions, the worst entry, the slopes. An unchanged program of one seed
               gives the same numbers to the bit; where a change orders its roundings anew, a comparison
               raises a false alarm at the rate ALARM. Means and slopes are compared where both runs have the
               same entries.
verdicts       Another verdict of a law, or fewer verdicts that hold. These are no estimates.
seconds        w runs after a point that all took longer than the w runs before it, or all shorter. Were the
               times of 2w runs exchangeable, so that their order is chance alone, the probability of that is

                   2 / C(2w, w)                                                                           (1)

               whatever their distribution. w is the smallest number for which (1), summed over all points of
               all laws, is at most half of ALARM, and the other half is for the time of the whole run; a
               history of fewer than 2w runs has no marked time. Only runs of one processor and one number of
               processors are compared, without a gap. What is told is the ratio of the medians.
power          is shown and never marked: how it scatters has not been measured.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from noether.runs.baseline import Entry
from noether.runs.history_file import Point
from noether.runs.regression import order_moved, rose
from noether.runs.seed_scatter import ALARM, mean_factor

LARGEST = 700.0  # of a logarithm whose exponential is a number of float64
SPENT, ORDER, VERDICT, SECONDS = "spent", "order", "verdict", "seconds"
WHOLE = ""
"""The law of a step in the time of the whole run."""


@dataclass(frozen=True)
class Step:
    """One marked step. at: the number of the run, from 0, that is the first after it; worse: whether it is a
    rise, a loss, or longer."""

    law: str
    kind: str
    at: int
    worse: bool
    line: str


def steps(points: Sequence[Point]) -> list[Step]:
    """Every marked step of a series, in the order of its runs."""
    laws = list(dict.fromkeys(law for p in points for law in p.laws))
    found = [s for law in laws for s in of_law(law, points)]
    found += time_steps(points, laws)
    return sorted(found, key=lambda s: s.at)


def of_law(law: str, points: Sequence[Point]) -> list[Step]:
    """The steps of one law but for those of its time."""
    out: list[Step] = []
    since = {SPENT: 0, ORDER: 0}  # the run with which the next ones are compared
    for i in range(1, len(points)):
        out += verdict_steps(law, points[i - 1], points[i], i)
        for kind, rule in ((SPENT, spent_moved), (ORDER, slopes_moved)):
            moved = rule(law, points[since[kind]], points[i])
            if moved:
                worse, line = moved
                out.append(Step(law, kind, i, worse, line))
            if moved or entries_of(law, kind, points[since[kind]]) != entries_of(law, kind, points[i]):
                since[kind] = i
    return out


def entries_of(law: str, kind: str, p: Point) -> set:
    """What of a law can be compared with another run: where that changes, comparing begins anew."""
    if kind == ORDER:
        return {p.orders[law].keys} if law in p.orders else set()
    return {(name, g.keys) for name, g in p.groups.items() if name.split(" ")[0] == law}


def verdict_steps(law: str, was: Point, now: Point, i: int) -> list[Step]:
    """Another verdict, or another number of verdicts that hold."""
    a, b = was.laws.get(law), now.laws.get(law)
    if a is None or b is None:
        return []
    if a.verdict != b.verdict and None not in (a.verdict, b.verdict):
        return [Step(law, VERDICT, i, b.verdict != "holds", f"is {b.verdict}, was {a.verdict}")]
    if a.holds > b.holds:
        return [Step(law, VERDICT, i, True, f"{b.holds} verdicts hold, {a.holds} did")]
    return []


def spent_moved(law: str, was: Point, now: Point) -> tuple[bool, str] | None:
    """Whether spent of a law rose (True) or fell by a marked amount, and the line that says so."""
    names = [g for g in now.groups if g.split(" ")[0] == law and g in was.groups]
    both = [g for g in now.groups if g in was.groups]
    entries = sum(now.groups[g].entries for g in both)
    for name in names:
        a, b = was.groups[name], now.groups[name]
        if a.keys == b.keys:
            ratio = math.exp(max(-LARGEST, min(LARGEST, b.mean - a.mean)))
            allowed = mean_factor(tuple(name.split(" ")), b.entries, len(both))
            if max(ratio, 1 / ratio) > allowed:
                word = "rose" if ratio > 1 else "fell"
                line = (
                    f"{name}: its {b.entries} entries {word} together, x {ratio:.3f}, allowed x {allowed:.3f}"
                )
                return ratio > 1, line
        if a.at == b.at:
            up, down = (
                rose(a.at, Entry(x.worst, 1), Entry(y.worst, 1), entries) for x, y in ((a, b), (b, a))
            )
            if up or down:
                return bool(up), f"{a.at}: {up or f'spent {b.worst:.4g}, was {a.worst:.4g}: a marked fall'}"
    return None


def slopes_moved(law: str, was: Point, now: Point) -> tuple[bool, str] | None:
    """Whether some order of a law moved, or is known less well: always a change for the worse."""
    a, b = was.orders.get(law), now.orders.get(law)
    if a is None or b is None or a.keys != b.keys:
        return None
    pairs = zip(zip(a.slopes, a.within, strict=True), zip(b.slopes, b.within, strict=True), strict=True)
    told = [order_moved(Entry(0, 1, *x), Entry(0, 1, *y), True) for x, y in pairs]
    moved = [(n, line) for n, line in enumerate(told, 1) if line]
    if not moved:
        return None
    more = f", and {len(moved) - 1} more" if len(moved) > 1 else ""
    return True, f"{moved[0][1]} (order {moved[0][0]} of {len(told)}{more})"


# ---- times


def window(splits: Callable[[int], int], alarm: float, most: int) -> int | None:
    """The smallest w by (1): splits(w) is how many points are looked at. None where 2w runs are more than
    `most`."""
    for w in range(1, most // 2 + 1):
        if 2 * splits(w) / math.comb(2 * w, w) <= alarm:
            return w
    return None


def stretches(points: Sequence[Point]) -> list[list[int]]:
    """The numbers of runs in a row that one machine took."""
    out: list[list[int]] = []
    for i, p in enumerate(points):
        same = out and machine(points[out[-1][-1]]) == machine(p)
        out[-1].append(i) if same else out.append([i])
    return out


def machine(p: Point) -> tuple:
    """What a time depends on that is no program."""
    return p.run.get("processor"), p.cpus


def time_steps(points: Sequence[Point], laws: Sequence[str]) -> list[Step]:
    """The marked steps of the times of laws, and of the whole run."""
    of_laws = {law: [getattr(p.laws.get(law), "seconds", None) for p in points] for law in laws}
    out = marked(points, {WHOLE: [p.seconds for p in points]}, ALARM / 2)
    return out + marked(points, of_laws, ALARM / 2)


def needed(points: Sequence[Point], count: int) -> int | None:
    """How many runs in a row the times of `count` series need to be marked at all, None where these are
    enough."""
    longest = max(map(len, stretches(points)), default=0)
    if window(splits_of(points, count), ALARM / 2, longest) is not None:
        return None
    alone = lambda w: count  # one point, as a history of just 2w runs has
    w = window(alone, ALARM / 2, 10**4)
    return max(2 * w, longest + 1)


def splits_of(points: Sequence[Point], count: int) -> Callable[[int], int]:
    """How many points of `count` series have w runs of one machine before and after them."""
    return lambda w: count * sum(max(0, len(s) - 2 * w + 1) for s in stretches(points))


def marked(points: Sequence[Point], times: dict[str, list], alarm: float) -> list[Step]:
    """The steps of some series of times, which share one rate of false alarms."""
    longest = max(map(len, stretches(points)), default=0)
    w = window(splits_of(points, len(times)), alarm, longest)
    if w is None:
        return []
    out = []
    for law, seconds in times.items():
        for run in stretches(points):
            out += [Step(law, SECONDS, *x) for x in parted(seconds, run, w)]
    return out


def parted(seconds: Sequence[float | None], run: Sequence[int], w: int) -> list[tuple[int, bool, str]]:
    """(first run after it, whether longer, line) of each step of one series; of neighbours the clearest."""
    found: list[tuple[float, int, float, float]] = []
    for k in range(w, len(run) - w + 1):
        before, after = ([seconds[i] for i in run[a : a + w]] for a in (k - w, k))
        if None in before or None in after or not (max(before) < min(after) or max(after) < min(before)):
            continue
        a, b = median(before), median(after)
        clear = abs(math.log(max(b, 1e-9) / max(a, 1e-9)))
        if found and k - run.index(found[-1][1]) < w:
            found[-1] = max(found[-1], (clear, run[k], a, b))
        else:
            found.append((clear, run[k], a, b))
    say = lambda a, b: f"{b:.3g} s in the median of {w} runs, was {a:.3g} s"
    return [(at, b > a, say(a, b)) for _, at, a, b in found]
