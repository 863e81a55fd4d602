"""Where planted faults are shown: each to each law that must kill it, at the cheapest points."""

from __future__ import annotations

from collections.abc import Callable

from noether.cases.rules import RULES
from noether.kernels.programs.precision import parse
from noether.laws.exact import EXACT, shown_faults
from noether.mechanics import sweep
from noether.plan.coverage import Point, Requirement, case, launched, laws_at, own, rule, shared, wide

Cover = Callable[..., list]
"""cover(points, requirements, cost) of a plan (launches.py), which knows what may be shown."""
LATE_LANES = 13  # in which each law is shown late faults


def near_faults(points: list[Point], laws: tuple[str, ...], full: bool, cover: Cover) -> list[Point]:
    """Every (law, fault) that a law must kill or that a rule has of its own, and each rule of its own kind.

    In full every (law, fault) that can be shown, and every case under every rule.
    """
    if not points or not laws:
        return []
    types = {p[2] for p in points}
    widest = next(p for p in ("float64", *(p[2] for p in points)) if p in types)
    points = [p for p in points if shared(p) or p[2] == widest]
    kills = lambda p: sorted(shown_faults.pairs(*p, laws, widest, full))
    asked = [Requirement((kills,)), Requirement((rule,), own)]
    if full:
        asked.append(Requirement((case, rule), lambda p: shared(p) and p[2] == "float64"))
    return cover(points, asked, launched)


def resolving(points: list[Point]) -> list[Point]:
    """The same cases and rules in float64, where none is in a wide type.

    In 16 bits a change of 2^-10 vanishes in the rounding: a narrowed choice must not call it a survivor.
    """
    if any(wide(p) for p in points):
        return []
    return [(case, rule, "float64") for case, rule in dict.fromkeys((c, r) for c, r, _ in points)]


def speaking(laws: tuple[str, ...], points: list[Point]) -> tuple[str, ...]:
    """The laws that speak of one of these points at least."""
    found = {law for p in points for law in laws_at(*p)}
    return tuple(law for law in laws if law in found)


def placed(points: list[Point], cover: Cover) -> list[Point]:
    """Where faults at one place of the whole horizon are shown to D0: where most can be, in a wide type."""
    found = [p for p in points if wide(p)] or points
    return cover(found, [Requirement((of_a_place,))])


def of_a_place(p: Point) -> list[str]:
    job = sweep.draw(
        p[0], RULES[p[1]], parse(p[2]), lanes=shown_faults.LANES, steps=shown_faults.STEPS, seed=0
    )
    return [c.name for c in shown_faults.KERNEL_FAULTS if shown_faults.shown(c, job, "placed")]


def late(points: list[Point], cover: Cover) -> list[Point]:
    """Where a law is shown what goes wrong late: each once, under a symmetry that reads the position."""
    return cover([p for p in points if p[2] == "float64"], [Requirement((reading,))])


def reading(p: Point) -> list[str]:
    """The laws that read the position there."""
    r = RULES[p[1]]

    def reads(law) -> bool:
        return not law.about_symmetry or any(
            law.suits(r, s) and (law.key == "D6" or s.matrix.any()) for s in p[0].symmetries
        )

    return [key for key, law in EXACT.items() if law.concerns(p[0], r, p[2]) and reads(law)]
