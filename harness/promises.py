"""What a run must have shown, or it was blind: checks of the checking, made on the records of the run itself.

    foreign    every verdict names the backend of its cell                                      every run
    silent     every cell says something of every law that it was planned for                   whole runs
    unkept     every near miss that the book of laws promises was shown, and killed by its law  whole runs
    idle       no rounding law stays far below its bound in any precision                       whole runs
    faulty     the instruments themselves read known points rightly (instruments.py)            every run

A run is whole when neither cases, rules, precisions nor numbers were narrowed: then nothing excuses a gap.
"""

from __future__ import annotations

from collections.abc import Iterable

from harness import instruments
from harness.verdicts import ROUNDING, VIOLATED, Record

FLOOR, RESPONSE_FLOOR = 1 / 20, 1 / 60
"""Worst spent below which a law is idle in a precision.

The smallest worst spent of any law and precision is .19 (D7, D3 eager; seeds 0 to 5), but .054 of E1, whose bound
adds up over a whole run what its residual does not. So nothing is idle by accident, and a bound that becomes
wider by 20 (E1: 60) always is: spent was at most 1. Orders are exempt, theory.md section 5.
"""


def broken(records: list[Record], cells: list, laws: Iterable[str], book: dict, *, whole: bool) -> list[str]:
    """What is missing, one line each."""
    laws = list(laws)
    found = [*instruments.faulty(), *foreign(records, cells)]
    if whole:
        found += [*silent(records, cells, laws), *unkept(records, laws, book), *idle(records, laws)]
    return found


def foreign(records: Iterable[Record], cells: Iterable) -> list[str]:
    backends = {c.name: c.backend for c in cells}
    wrong = {(r.cell, r.backend) for r in records if r.control is None and r.cell in backends and r.backend != backends[r.cell]}
    return [f"cell {cell} was planned for {backends[cell]} and its verdict names {backend}" for cell, backend in sorted(wrong)]


def silent(records: Iterable[Record], cells: Iterable, laws: list[str]) -> list[str]:
    said = {(r.cell, r.law) for r in records}
    return [f"cell {c.name} says nothing of {law}" for c in cells for law in c.laws if law in laws and (c.name, law) not in said]


def unkept(records: list[Record], laws: list[str], book: dict) -> list[str]:
    """A control that was not shown, or that its law let pass: anywhere, or in a precision for which it is promised."""
    shown, killed = set(), set()
    for r in records:
        if r.control:
            for place in ("", r.precision):
                shown.add((r.law, r.control, place))
                if r.verdict == VIOLATED:
                    killed.add((r.law, r.control, place))
    out = []
    for law in laws:
        info = book.get(law)
        for control, precision in ((*((c, "") for c in info.controls), *info.promised) if info else ()):
            if (law, control, precision) not in killed:
                what = "lets pass" if (law, control, precision) in shown else "was never shown"
                out.append(f"{law} {what} the control {control!r}" + (f" in {precision}" if precision else ""))
    return out


def idle(records: Iterable[Record], laws: list[str]) -> list[str]:
    worst: dict[tuple[str, str], float] = {}
    for r in records:
        if r.control is None and r.kind == ROUNDING and r.spent is not None and r.law in laws:
            key = (r.law, r.precision)
            worst[key] = max(worst.get(key, 0.0), r.spent if r.spent == r.spent else float("inf"))
    floor = lambda law: RESPONSE_FLOOR if law == "E1" else FLOOR  # noqa: E731
    return [
        f"{law} in {precision} spends at most {spent:.2g} of its bound: a bound that wide sees nothing, the floor is {floor(law):.3g}"
        for (law, precision), spent in sorted(worst.items())
        if spent < floor(law)
    ]
