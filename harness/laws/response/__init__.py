"""Broken symmetry measured back from trajectories, E2 to E4 (theory.md#E2)."""

from __future__ import annotations

from types import ModuleType

from noether.laws.law import Family, Law
from noether.laws.response import faults
from noether.verdicts.record import STATISTICAL

LAWS = (
    Law(
        key="E2",
        title="eps is recovered from trajectories, with honest error bars",
        statement="eps^ = sum x y / sum x^2,  y = J' - beta J - <A v', v'>,  x = -eta <grad b, xi>",
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
        title="kappa is recovered from trajectories, of updates and of the equations of motion",
        statement=(
            "y = J' - beta J - <A (p'/G), p'> = 0 at G(q; kappa);  [j] - int e^(-(b-t) mu/m) d_s T/m = 0 "
            "at kappa"
        ),
        kind=STATISTICAL,
        applies="metrics that kappa deforms: heavy ball on the metric, and T1's equations of motion",
        blind=("the loss, as long as it is symmetric",),
        faults=faults.E3,
    ),
    Law(
        key="E4",
        title="the smallest breaking that can be told from none is what the roundings make it",
        statement=(
            "limit = 3 sd(eps^) at eps = 0,  Var = sum x^2 Var(<xi, delta> + <A^T v', sigma>) / (sum x^2)^2"
        ),
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
