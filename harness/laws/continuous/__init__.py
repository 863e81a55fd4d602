"""The theorem in continuous time, T1 to T5: charges along solutions of equations of motion (theory.md#T1)."""

from __future__ import annotations

from types import ModuleType

from noether.laws.law import Family, Law, wrong
from noether.verdicts.record import ORDER, ROUNDING

OF_THE_THEOREM = wrong(
    "dropped kinetic term",
    "doubled kinetic term",
    "friction off by 1e-3",
    "mass of the kinetic term off by 2^-10",
    "breaking term dropped",
    "decay term dropped",
    "k off by 1 %",
    "another Lagrangian: friction off by 2^-100",
)
"""What T1 and T2 must kill alike."""

LAWS = (
    Law(
        key="T1",
        title="the generalized Noether theorem",
        statement="dJ/dt + (mu/m) J = d_s T - <grad f, xi>",
        kind=ROUNDING,
        applies="Euclidean and diagonal metrics, every affine symmetry",
        blind=("a wrong kinetic factor on a Killing pair: cases with large kinetic breaking see it",),
        faults=OF_THE_THEOREM,
    ),
    Law(
        key="T2",
        title="the theorem for a Bregman kinetic energy",
        statement=(
            "d/dt <Delta,xi> + gamma' <Delta,xi> = <Delta, (Dxi) qdot> + e^alpha <Delta - e^-alpha hess "
            "h qdot, xi> - e^(alpha+beta) <grad f, xi>"
        ),
        kind=ROUNDING,
        applies="Bregman metrics",
        blind=(),
        faults=OF_THE_THEOREM,
    ),
    Law(
        key="T3",
        title="overdamped: the charge over m vanishes as m",
        statement=(
            "<Delta, xi>/m = (m/mu) (<v, G (Dxi) v> + <v, (xi.dG) v>/2) + O(m^2) after the layer,  mu G "
            "v = -grad f"
        ),
        kind=ORDER,
        applies="every case with a linear generator",
        blind=("a charge that vanishes for every direction: the fault <Delta, w>/m must stay",),
        faults=wrong(
            "a direction that is no symmetry",
            "leading constant off by 1 %",
            "a charge twice as large",
            "another quadratic quantity",
        ),
    ),
    Law(
        key="T4",
        title="energy is lost to friction alone",
        statement="E = T + f:  dE/dt = -mu <qdot, G qdot>",
        kind=ROUNDING,
        applies="Euclidean and diagonal metrics, on T1's trajectories",
        blind=("a force that does no work",),
        faults=wrong(
            "friction doubled",
            "friction off by 1e-3",
            "kinetic energy dropped",
            "kinetic energy without its metric",
        ),
    ),
    Law(
        key="T5",
        title="a scale-invariant kinetic energy has no source",
        statement="T = m |qdot|^2 / (2 |q|^2):  J(t) = J(0) e^(-mu t/m)",
        kind=ROUNDING,
        applies="scale-invariant losses",
        blind=("everything that keeps the scale symmetry",),
        faults=wrong(
            "curvature of the metric dropped",
            "friction off by 1e-3",
        ),
    ),
)


def measured() -> ModuleType:
    from noether.laws.continuous import cells

    return cells


FAMILY = Family(LAWS, measured)
