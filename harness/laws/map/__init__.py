"""M1, the map of symmetries and learning rules: which rule keeps which charge (theory.md section 7)."""

from __future__ import annotations

from types import ModuleType

from noether.laws.law import Family, Law, wrong
from noether.verdicts.record import ORDER

LAWS = (
    Law(
        key="M1",
        title="the map of symmetries and learning rules",
        statement=(
            "drift of each charge under each rule: exact, O(eta^p) with the constant that its sources "
            "say, or no charge"
        ),
        kind=ORDER,
        applies="all core cases together: six rows, eleven rules",
        blind=("a rule that keeps a charge by another law than the one measured",),
        faults=wrong(
            "sign descent keeps sum q",
            "Adam keeps |q|^2",
            "no source of the rescale charge under heavy ball",
            "fixed mass keeps U^T U - V^T V to first order",
            "beta^n J_0 under Nesterov",
            "second-order energy of the mirror",
            "no-op rule",
            "J dropped from the rescale charge",
            "J with the other sign in the rescale charge",
            "mass eta/2 in the source of U^T U - V^T V",
            "friction off by 1 %",
            "mass off by 1 % in the energy",
            "another memory of RMSProp",
            "RMSProp without its epsilon",
            "Adam without bias correction",
            "another second memory of Adam",
            "r(r+1)/2 charges of U V^T where n + l < r",
        ),
    ),
)


def measured() -> ModuleType:
    from noether.laws.map import cells

    return cells


FAMILY = Family(LAWS, measured)
