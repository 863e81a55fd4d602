"""Broken symmetry measured back from trajectories, E2 to E4 (theory.md#E2)."""

from __future__ import annotations

from types import ModuleType

from noether.laws.law import Family, Law
from noether.laws.response import faults
from noether.verdicts.record import STATISTICAL

LAWS = (
    Law(
        key="E2",
        title="breaking magnitude, recovered",
        equation=(
            r"\hat\varepsilon = \frac{\sum x y}{\sum x^2}, \quad y = J' - \beta J - \langle A v', v' "
            r"\rangle, \quad x = -\eta \langle \nabla b, \xi \rangle"
        ),
        kind=STATISTICAL,
        applies=(
            "heavy ball without decay; quick: rayleigh, mexican-hat and cases of one's own, full: the "
            "core cases"
        ),
        blind=("faults in g that keep the symmetry",),
        faults=faults.E2,
    ),
    Law(
        key="E3",
        title="metric deformation, recovered",
        equation=r"J' - \beta J - \langle A (p'/G), p' \rangle = 0 \quad \text{at} \quad G(q; \kappa)",
        adds=r"and the integrated theorem of the flow leaves nothing at the same $\kappa$",
        kind=STATISTICAL,
        applies="metrics that kappa deforms: heavy ball on the metric, and T1's equations of motion",
        blind=("the loss, as long as it is symmetric",),
        faults=faults.E3,
    ),
    Law(
        key="E4",
        title="smallest breaking that is seen",
        equation=(
            r"\varepsilon_{\min} = 3\, \text{sd}(\hat\varepsilon), \quad \text{Var}\, \hat\varepsilon = "
            r"\frac{\sum x^2\, \text{Var}(\langle \xi, \delta \rangle + \langle A^T v', \sigma "
            r"\rangle)}{(\sum x^2)^2}"
        ),
        adds=r"where $\varepsilon = 0$",
        kind=STATISTICAL,
        applies="heavy ball on the Mexican hat in eight dimensions",
        blind=("faults in g that keep the symmetry",),
        faults=faults.E4,
    ),
)


def measured() -> ModuleType:
    from noether.laws.response import cells

    return cells


FAMILY = Family(LAWS, measured)
