"""Which cells show the rare rules: those that few cases take, or that have a law of their own.

Each (rule, law) once, on the smallest case of the catalogue that takes it, one that tells, compiled and
compared (B1);
in full in each stored type too. Whoever names a rule or a case gets what was named.
"""

from __future__ import annotations

from noether.cases.rules import RULES
from noether.faults.covering import cover
from noether.kernels.programs.trace import gradient, metric
from noether.laws.exact import EXACT

FEW, SHORT = 41, 32  # lanes and steps in a quick run


def common(points: list) -> list:
    return [p for p in points if not RULES[p[1]].rare]


def rare(points: list, full: bool) -> list:
    """(case, rule, precision) of the rare rules among points."""
    mine = [p for p in points if RULES[p[1]].rare and "/" not in p[2]]
    mine = sorted([p for p in mine if telling(*p[:2])] or mine, key=lambda p: len(gradient(p[0]).ops))

    def pairs(case, rule, precision) -> set:
        laws = {(rule, key) for key, law in EXACT.items() if law.concerns(case, RULES[rule], precision)}
        return laws | ({(rule, precision)} if full else set())

    return cover(mine, pairs) if mine else []


def telling(case, rule: str) -> bool:
    """Whether a force acts on every component, and the metric is not the same everywhere."""
    return all(gradient(case).reads_position) and (
        not RULES[rule].on_metric or any(metric(case, RULES[rule]).reads_position)
    )


def size(point, full: bool, asked: dict) -> dict:
    """Lanes and horizon of a quick run, where none are asked for: a schedule needs its own."""
    return {} if full or asked else {"n": FEW} if RULES[point[1]].scheduled else {"n": FEW, "horizon": SHORT}


def homes(points: list) -> list:
    """Where the near misses of each rule are shown: its first point."""
    return list({p[1]: p for p in reversed([p for p in points if p[2] == "float64"] or points)}.values())
