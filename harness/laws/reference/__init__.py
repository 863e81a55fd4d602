"""V1: what is judged with an extra package, heyoka, and only when asked for (theory.md#V1)."""

from __future__ import annotations

from types import ModuleType

from noether.laws.law import Family, Law
from noether.laws.reference import faults
from noether.verdicts.record import ROUNDING

BLIND = "an equation of motion that is wrong alike in all methods: T1 and the formulas' own tests see it"
LAWS = (
    Law(
        key="V1",
        title="errors of the solutions, by heyoka",
        equation=(
            r"|x - x^*| \le b_x, \quad |j - j^*| + |S - S^*| \le b_j, \quad |E - E^*| + |D - D^*| \le b_E"
        ),
        adds=r"with the bounds of T1 to T5, and $|j^* - S^*| = 0$ to 30 digits",
        kind=ROUNDING,
        applies="verify --reference, with heyoka installed: trajectories of T1, T2 and T5",
        blind=(BLIND,),
        faults=faults.V1,
        on_request="--reference",
    ),
)


def measured() -> ModuleType:
    from noether.laws.reference import cells

    return cells


FAMILY = Family(LAWS, measured)
