"""That the equations of motion, charges and sources are those of the Lagrangian: lagrangian.py as records of
T1, T2 and T5."""

from __future__ import annotations

from noether.mechanics import lagrangian
from noether.verdicts.claims import undecided
from noether.verdicts.record import HOLDS, VIOLATED, Record

WRONG = 2.0**-100


def derivation(cell, case) -> list[Record]:
    """At a random point, and the control."""
    point = lagrangian.drawn(case, cell.random())
    try:
        found = lagrangian.off(case, point)
        wrong = lagrangian.off(case, point, WRONG, motion_only=True)
    except ArithmeticError as error:
        return [undecided(cell, f"the Lagrangian has no value at a random point: {error}", backend="scipy")]
    return [told(cell, case, found), told(cell, case, {"motion": wrong["motion"]}, lagrangian.OFF)]


def told(cell, case, found: dict[str, float], control: str | None = None) -> Record:
    worst = max(found, key=lambda name: found[name] if found[name] == found[name] else float("inf"))
    spent = found[worst] / lagrangian.SAME if found[worst] == found[worst] else float("inf")
    return Record(
        law=cell.law, case=cell.case.name, rule=cell.rule, backend="scipy", precision="float64", lanes=1,
        steps=0,
        parameters={"statement": lagrangian.STATEMENT}, predicted=0.0, measured=found[worst],
        bound=lagrangian.SAME, spent=spent,
        verdict=HOLDS if spent <= 1 else VIOLATED, control=control, cell=cell.name, replay=cell.replay,
        reason=f"{worst}: {found[worst]:.1g} of its terms off what the Lagrangian gives, {len(found)} "
               "compared at a random point",
    )  # fmt: skip
