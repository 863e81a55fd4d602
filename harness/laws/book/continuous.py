"""The theorem in continuous time."""

from noether.laws.book.info import LawInfo
from noether.verdicts.record import ORDER, ROUNDING

T_CONTROLS = (
    "dropped kinetic term",
    "doubled kinetic term",
    "friction off by 1e-3",
    "mass of the kinetic term off by 2^-10",
    "breaking term dropped",
    "decay term dropped",
    "k off by 1 %",
    "another Lagrangian: friction off by 2^-100",
)

CONTINUOUS = (
    LawInfo(
        key="T1",
        title="the generalized Noether theorem",
        equation="dJ/dt + (mu/m) J = d_s T - <grad f, xi>",
        kind=ROUNDING,
        blind=("a wrong kinetic factor on a Killing pair: cases with large kinetic breaking see it",),
        controls=T_CONTROLS,
        applies="Euclidean and diagonal metrics, every affine symmetry",
    ),
    LawInfo(
        key="T2",
        title="the theorem for a Bregman kinetic energy",
        equation=(
            "d/dt <Delta,xi> + gamma' <Delta,xi> = <Delta, (Dxi) qdot> + e^alpha <Delta - e^-alpha hess h "
            "qdot, xi> - e^(alpha+beta) <grad f, xi>"
        ),
        kind=ROUNDING,
        blind=(),
        controls=T_CONTROLS,
        applies="Bregman metrics",
    ),
    LawInfo(
        key="T3",
        title="overdamped: the charge over m vanishes as m",
        equation=(
            "<Delta, xi>/m = (m/mu) (<v, G (Dxi) v> + <v, (xi.dG) v>/2) + O(m^2) after the layer,  mu G v "
            "= -grad f"
        ),
        kind=ORDER,
        blind=("a charge that vanishes for every direction: the control <Delta, w>/m must stay",),
        controls=(
            "a direction that is no symmetry",
            "leading constant off by 1 %",
            "a charge twice as large",
            "another quadratic quantity",
        ),
        applies="every case with a linear generator",
    ),
    LawInfo(
        key="T4",
        title="energy is lost to friction alone",
        equation="E = T + f:  dE/dt = -mu <qdot, G qdot>",
        kind=ROUNDING,
        blind=("a force that does no work",),
        controls=(
            "friction doubled",
            "friction off by 1e-3",
            "kinetic energy dropped",
            "kinetic energy without its metric",
        ),
        applies="Euclidean and diagonal metrics, on T1's trajectories",
    ),
    LawInfo(
        key="T5",
        title="a scale-invariant kinetic energy has no source",
        equation="T = m |qdot|^2 / (2 |q|^2):  J(t) = J(0) e^(-mu t/m)",
        kind=ROUNDING,
        blind=("everything that keeps the scale symmetry",),
        controls=("curvature of the metric dropped", "friction off by 1e-3"),
        applies="scale-invariant losses",
    ),
)
