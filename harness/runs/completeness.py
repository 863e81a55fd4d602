"""Checks on a run itself: what it must have shown, or else it was blind.

    foreign    every verdict names the backend of its cell                                      every run
    silent     every cell says something of every law that it was planned for, of each symmetry whole runs
    unkept     every planted fault that the book of laws promises was shown, and killed by its law  whole runs
    spared     what a law must see wherever it is planted was killed in each cell that shows it every run
    idle       no law stays far below its bound in any precision, no exact one under any rule   whole runs
    numb       an order, mean or largest value would have seen some coefficient changed by half whole runs
    faulty     the instruments themselves read known points rightly (known_answers.py)          every run

A run is whole when neither cases, rules, precisions nor numbers were narrowed: then nothing excuses a gap.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from noether.cases.rules import RULES
from noether.laws.exact import EXACT
from noether.runs import known_answers
from noether.verdicts.known import Standing, excuse, proving
from noether.verdicts.record import (
    HOLDS,
    ORDER,
    OUTSIDE,
    ROUNDING,
    STATISTICAL,
    VIOLATED,
    Record,
    undecided_shows,
)

FLOOR, RESPONSE_FLOOR = 1 / 20, 1 / 60
"""Worst spent below which a law is idle in a precision.

The smallest worst spent of any law and precision is .19 (D7, D3 eager; seeds 0 to 5), but .054 of E1, whose
bound adds up over a whole run what its residual does not. So nothing is idle by accident, and a bound that
becomes wider by 20 (E1: 60) always is: spent was at most 1. Orders are exempt, theory.md section 5.
"""
LIMIT_FLOOR = 1 / 200
"""The same of a law of orders, whose constants are limits: their bound is how far the extrapolation may still
be off.

It is right to a power of the smallest step where the limit is, so a right one spends little of it by
accident: least over 20 seeds of a quick run .0245 (O2, of three such records; median .083), then .061 (P6).
Wider by 200 is idle always.
"""
RULE_FLOOR = 1 / 200
"""Worst spent below which an exact law is idle under one rule in one precision: a bound that is wider by 200
there always is.

One cell or a few stand for each of the 138 (law, rule, precision) of a quick run. Over seeds 0 to 49 their
smallest worst spent is .036 (D3 of Nesterov, whose charge decays faster than its bound adds up; median .096),
then .097 and more. Not the eager modes, whose every rule a full run alone shows: a narrow gradient is known
so badly that D3 of Nesterov spends .0006.
"""
LATE, LATE_FLOOR = "after half of the steps", 1 / 1000
"""The same of the second half of the longest launches in a precision, so that no bound grows with time
unseen: a thousandfold always is.

Least over seeds 0 and 10 to 15 of a quick run: .009 to .016 (D3 of float32, whose charge has decayed by
then), then .047.
"""
FALSE = 1e-9
"""Of statistical verdicts: how often a right run may be called idle."""
STEEPEST = 6.0
"""Most that the density of a statistical spent may be near 0: of |z|/bar, z normal, it is 2 bar/sqrt(2 pi),
and no bar is wider than 7."""

NUMB = 0.5
"""Power of its best coefficient above which an order or a mean is no evidence of any: bars a thousand times
too wide leave none below it."""
AT_MOST = tuple(key for key, law in EXACT.items() if law.at_most)
"""Laws of a largest value, from which a right launch may stay far away: what they would have noticed tells
whether they are idle, not what they spend."""


def broken(
    records: list[Record],
    cells: list[Planned],
    laws: Iterable[str],
    book: dict,
    *,
    whole: bool,
    known: Sequence[Standing] = (),
) -> list[str]:
    """What a run should have shown and did not, one line each. known: what became of known violations."""
    laws = list(laws)
    found = [*known_answers.faulty(laws), *foreign(records, cells), *spared(records, laws, book)]
    if whole:
        found += [*silent(records, cells, laws), *unkept(proving(records, known), laws, book)]
        found += [*idle(records, laws), *numb(records, laws)]
    return found


def unjudged(records: list[Record], laws: Iterable[str], known: Sequence[Standing] = ()) -> list[str]:
    """Laws of a narrowed choice that hold, with no fault to show that they could fail there: they decide
    nothing; those too of which nothing but known violations was found.

    Not the exact laws: whatever the choice, a wrong launch can be shown to them, and one to which none was
    shown is blind.
    """
    shown = {r.law for r in records if r.fault}
    holds = {r.law for r in records if r.fault is None and (r.verdict == HOLDS or excuse(r, known))}
    return [law for law in laws if law in holds - shown - set(EXACT)]


def outside(records: list[Record], laws: Iterable[str]) -> list[str]:
    """Laws of a narrowed choice that cover none of it: every record is outside what they state, as was
    decided beforehand.

    A statement about a solution that meets a kink. Not the exact laws: outside is where a launch overflows,
    and one that overflows in every lane has shown nothing.
    """
    said: dict[str, set[str]] = {}
    for r in records:
        if r.fault is None:
            said.setdefault(r.law, set()).add(r.verdict)
    return [law for law in laws if said.get(law) == {OUTSIDE} and law not in EXACT]


@dataclass(frozen=True)
class Planned:
    """What a cell was planned for.

    expected  each of its laws -> the symmetries of which it must say something, "" for any
    """

    name: str
    backend: str
    expected: dict[str, list[str]]


def planned(cell) -> Planned:
    """What a cell must say something of: a launch, of each symmetry that its law speaks of whatever its
    lanes."""
    expected = {law: [""] for law in cell.laws}
    for law in cell.laws if getattr(cell, "kind", "") == "exact" else ():
        if EXACT[law].about_symmetry and EXACT[law].some is None:
            expected[law] += [s.name for s in cell.case.symmetries if EXACT[law].suits(RULES[cell.rule], s)]
    return Planned(cell.name, cell.backend, expected)


def foreign(records: Iterable[Record], cells: Iterable[Planned]) -> list[str]:
    """The verdicts that name another backend than that of their cell."""
    backends = {c.name: c.backend for c in cells}
    wrong = {
        (r.cell, r.backend)
        for r in records
        if r.fault is None and r.cell in backends and r.backend != backends[r.cell]
    }
    return [
        f"cell {cell} was planned for {backends[cell]} and its verdict names {backend}"
        for cell, backend in sorted(wrong)
    ]


def silent(records: Iterable[Record], cells: Iterable[Planned], laws: list[str]) -> list[str]:
    """The cells that say nothing of a law that they were planned for, or of one of its symmetries."""
    said, out = {(r.cell, r.law, name) for r in records for name in ("", r.symmetry)}, []
    for c in cells:
        for law, names in ((x, c.expected[x]) for x in c.expected if x in laws):
            lost = next((name for name in names if (c.name, law, name) not in said), None)
            if lost is not None:
                out.append(f"cell {c.name} says nothing of {law}" + (f" along {lost}" if lost else ""))
    return out


def unkept(records: list[Record], laws: list[str], book: dict) -> list[str]:
    """The faults that were not shown to a law that must kill them, or that it let pass everywhere.

    Not those that were shown only where the right one is undecided too: that says nothing of them.
    """
    shown, killed, is_open = set(), set(), open_shows(records)
    told = set()
    for r in records:
        if r.fault:
            for place in ("", r.precision):
                shown.add((r.law, r.fault, place))
                if r.verdict == VIOLATED:
                    killed.add((r.law, r.fault, place))
                if not is_open(r):
                    told.add((r.law, r.fault, place))
    out = []
    for law in laws:
        info = book.get(law)
        for fault, precision in (*((c, "") for c in info.must_kill), *info.promised) if info else ():
            if (law, fault, precision) not in killed | (shown - told):
                what = "lets pass" if (law, fault, precision) in shown else "was never shown"
                out.append(f"{law} {what} the fault {fault!r}" + (f" in {precision}" if precision else ""))
    return out


def open_shows(records: list[Record]) -> Callable[[Record], bool]:
    """Whether one of these records on a planted fault can say nothing of it."""
    ids = {id(r) for r in undecided_shows(records)}
    return lambda r: id(r) in ids


def spared(records: list[Record], laws: list[str], book: dict) -> list[str]:
    """The faults that a law must kill wherever they are planted, and let pass in some cell."""
    shown, killed, is_open = {}, set(), open_shows(records)
    for r in records:
        if r.law in laws and r.law in book and r.fault in book[r.law].everywhere and not is_open(r):
            shown[(r.cell, r.law, r.fault)] = None
            if r.verdict == VIOLATED:
                killed.add((r.cell, r.law, r.fault))
    return [
        f"{law} lets pass the fault {fault!r} in cell {cell}"
        for cell, law, fault in shown
        if (cell, law, fault) not in killed
    ]


def idle(records: Iterable[Record], laws: list[str]) -> list[str]:
    """The laws whose worst spent is so small that their bound could be of any width."""
    worst: dict[tuple[str, ...], list[float]] = {}
    records, longest = [r for r in records if r.law not in AT_MOST], {}
    for r in records:
        longest[r.law, r.precision] = max(longest.get((r.law, r.precision), 0), r.steps)
    for r in records:
        if r.fault is None and r.kind in (ROUNDING, STATISTICAL) and r.spent is not None and r.law in laws:
            for place in places_of(r):
                worst.setdefault(place, []).append(infinite_if_nan(r.spent))
            # A glance ends before anything is late.
            if "late" in r.data and r.steps == longest[r.law, r.precision]:
                late = (r.law, r.precision, "", LATE)
                worst.setdefault(late, []).append(infinite_if_nan(r.data["late"]))
    out, limits = [], {r.law for r in records if r.kind == ORDER}
    for place, spent in sorted(worst.items()):
        floor = LIMIT_FLOOR if len(place) == 2 and place[0] in limits else floor_of(place, len(spent))
        if max(spent) < floor:
            rule = "".join(f" under {rule}" for rule in place[2:3] if rule)
            where = " in ".join(place[:2]) + rule + "".join(f" {when}" for when in place[3:])
            why = f"a bound that wide sees nothing, the floor is {floor:.2g}"
            out.append(f"{where} spends at most {max(spent):.2g} of its bound: {why}")
    return out


def places_of(r: Record) -> list[tuple[str, ...]]:
    """Where a record counts against idleness: its law, in its precision, and of an exact law under its
    rule."""
    if r.kind != ROUNDING:
        return [(r.law,)]
    has_rule = r.law in EXACT and not r.precision.endswith("eager")
    return [(r.law, r.precision), *([(r.law, r.precision, r.rule)] if has_rule else [])]


def infinite_if_nan(spent: float) -> float:
    """What was spent, where NaN counts as more than anything."""
    return spent if spent == spent else float("inf")


def floor_of(place: tuple[str, ...], count: int) -> float:
    """Worst spent below which a law is idle at a place of `places_of`, of which there are `count` records.

    Of means, (law,), n independent records all stay below f with a chance of (STEEPEST f)^n.
    """
    if len(place) == 1:
        return FALSE ** (1 / count) / STEEPEST
    if LATE in place:
        return LATE_FLOOR
    if len(place) == 3:
        return RULE_FLOOR
    return RESPONSE_FLOOR if place[0] == "E1" else FLOOR


def numb(records: Iterable[Record], laws: list[str]) -> list[str]:
    """The laws of orders, means and largest values whose records say that they would have seen no change."""
    best: dict[str, float] = {}
    for r in records:
        told = r.kind in (ORDER, STATISTICAL) or r.law in AT_MOST
        if r.fault is None and told and r.verdict == HOLDS and r.law in laws:
            for x in r.powers.values():
                best[r.law] = min(best.get(r.law, math.inf), abs(x) if x == x else math.inf)
    return [
        f"{law} would have held with every coefficient {1 + NUMB} times as large: its bars see nothing"
        for law, x in best.items()
        if x > NUMB
    ]
