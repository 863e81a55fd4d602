"""D17, changes of scale under which a learning rule goes its way again, to the bit (theory.md#D17)."""

from __future__ import annotations

from types import ModuleType

from noether.laws.covariance import faults
from noether.laws.law import Family, Law
from noether.verdicts.record import ROUNDING

LAWS = (
    Law(
        key="D17",
        title="scales and turns of a learning rule",
        equation=(
            r"\text{run}(a^x q_0, a^y v_0; a^z p) = (a^x, a^y) \, \text{run}(q_0, v_0; p), \quad a = 2^j"
        ),
        adds=(
            r"with the powers $x$, $y$, $z$ that the lines of the rule ask for; a stability $s$ left behind "
            r"departs by $(a^{-z} - 1) s \, dq/ds + O(s^2)$; and turns with which its lines commute"
        ),
        kind=ROUNDING,
        applies="every rule, on deformed-rayleigh or entropy-mirror (any loss would do); long exponents",
        blind=("whatever has the right units: a wrong number in the place of another",),
        faults=faults.D17,
    ),
)


def measured() -> ModuleType:
    from noether.laws.covariance import cells

    return cells


FAMILY = Family(LAWS, measured)
"""One cell is one rule in one precision."""
