"""That the equations of motion, charges and sources are those of the Lagrangian: lagrangian.py as records of
T1, T2 and T5."""

from __future__ import annotations

from noether.laws.continuous import faults
from noether.laws.law import WrongStatement
from noether.mechanics import lagrangian
from noether.verdicts.claims import facts, undecided
from noether.verdicts.judgement import rounding, worst
from noether.verdicts.record import Record

WRONG = 2.0**-100


def derivation(cell, case) -> list[Record]:
    """At a random point, and the fault."""
    point = lagrangian.drawn(case, cell.random())
    try:
        found = lagrangian.off(case, point)
        wrong = lagrangian.off(case, point, WRONG, motion_only=True)
    except ArithmeticError as error:
        return [undecided(cell, f"the Lagrangian has no value at a random point: {error}", backend="scipy")]
    return [told(cell, found), told(cell, {"motion": wrong["motion"]}, faults.LAGRANGIAN)]


def told(cell, found: dict[str, float], fault: WrongStatement | None = None) -> Record:
    most = worst(list(found.values()), 0.0, lagrangian.SAME)
    seen = f"{list(found)[most.at[0]]}: {most.measured:.1g} of its terms off what the Lagrangian gives"
    return rounding(
        most,
        f"{seen}, {len(found)} compared at a random point",
        enough=True,  # what is wrong by 2^-100 is a billion times SAME off: the fault shows it
        **facts(cell, backend="scipy", fault=fault and fault.name),
        lanes=1,
        steps=0,
        parameters={"statement": lagrangian.STATEMENT},
    )
