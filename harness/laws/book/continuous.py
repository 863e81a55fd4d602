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
    LawInfo("T1", "the generalized Noether theorem", "dJ/dt + (mu/m) J = d_s T - <grad f, xi>", ROUNDING,
            ("a wrong kinetic factor on a Killing pair: cases with large kinetic breaking see it",),
            T_CONTROLS,
            "Euclidean and diagonal metrics, every affine symmetry"),
    LawInfo("T2", "the theorem for a Bregman kinetic energy",
            "d/dt <Delta,xi> + gamma' <Delta,xi> = <Delta, (Dxi) qdot> + e^alpha <Delta - e^-alpha hess h "
            "qdot, xi> - e^(alpha+beta) <grad f, xi>",
            ROUNDING, (), T_CONTROLS, "Bregman metrics"),
    LawInfo("T3", "overdamped: the charge over m vanishes as m", "<Delta, xi>/m = (m/mu) (<v, G (Dxi) v> + "
                                                                 "<v, (xi.dG) v>/2) + O(m^2) after the "
                                                                 "layer,  mu G v = -grad f", ORDER,
            ("a charge that vanishes for every direction: the control <Delta, w>/m must stay",),
            ("a direction that is no symmetry", "leading constant off by 1 %", "a charge twice as large",
            "another quadratic quantity"), "every case with a linear generator"),
    LawInfo("T4", "energy is lost to friction alone", "E = T + f:  dE/dt = -mu <qdot, G qdot>", ROUNDING,
    ("a force that does no work",),
            ("friction doubled", "friction off by 1e-3", "kinetic energy dropped",
            "kinetic energy without its metric"), "Euclidean and diagonal metrics, on "
                                                                                                                         "T1's trajectories"),
    LawInfo("T5", "a scale-invariant kinetic energy has no source", "T = m |qdot|^2 / (2 |q|^2):  J(t) = "
                                                                    "J(0) e^(-mu t/m)", ROUNDING,
            ("everything that keeps the scale symmetry",), ("curvature of the metric dropped",
            "friction off by 1e-3"), "scale-invariant losses"),
)  # fmt: skip
