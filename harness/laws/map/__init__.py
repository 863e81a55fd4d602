"""M1, the map of symmetries and learning rules: which rule keeps which charge (theory.md section 7)."""

from __future__ import annotations

from types import ModuleType

from noether.laws.law import Family, Law
from noether.laws.map import faults
from noether.verdicts.record import ORDER

LAWS = (
    Law(
        key="M1",
        title="map of symmetries and rules",
        equation=r"C_N - C_0 = 0 \text{ (exact)}, \quad C_N - C_0 = O(\eta^p) \text{ with its constant}",
        adds="or there is no charge; and whether a rule commutes with a discrete symmetry",
        kind=ORDER,
        applies="all core cases together: nine rows, twenty rules",
        blind=("a rule that keeps a charge by another law than the one measured",),
        faults=faults.M1,
    ),
)


def measured() -> ModuleType:
    from noether.laws.map import cells

    return cells


FAMILY = Family(LAWS, measured)
