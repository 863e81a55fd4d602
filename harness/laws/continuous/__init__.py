"""The theorem in continuous time, T1 to T5: charges along solutions of equations of motion (theory.md#T1)."""

from __future__ import annotations

from types import ModuleType

from noether.laws.continuous import faults
from noether.laws.law import Family, Law
from noether.verdicts.record import ORDER, ROUNDING

OF_THE_THEOREM = (
    faults.KINETIC_DROPPED,
    faults.KINETIC_DOUBLED,
    faults.FRICTION,
    faults.KINETIC_MASS,
    faults.DROPPED["breaking"],
    faults.DROPPED["decay"],
    faults.DECAY,
    faults.LAGRANGIAN,
)
"""What T1 and T2 must kill alike."""

LAWS = (
    Law(
        key="T1",
        title="generalized Noether theorem",
        equation=r"\dot J + \frac{\mu}{m} J = \partial_s T - \langle \nabla f, \xi \rangle",
        kind=ROUNDING,
        applies="Euclidean and diagonal metrics, every affine symmetry",
        blind=("a wrong kinetic factor on a Killing pair: cases with large kinetic breaking see it",),
        faults=OF_THE_THEOREM,
    ),
    Law(
        key="T2",
        title="theorem for a Bregman kinetic energy",
        equation=(
            r"\frac{d}{dt} \langle \Delta, \xi \rangle + \dot\gamma \langle \Delta, \xi \rangle = \langle "
            r"\Delta, (D\xi) \dot q \rangle + e^{\alpha} \langle \Delta - e^{-\alpha} \nabla^2 h(q)\, "
            r"\dot q, \xi \rangle - e^{\alpha + \beta} \langle \nabla f, \xi \rangle"
        ),
        kind=ROUNDING,
        applies="Bregman metrics",
        blind=(),
        faults=OF_THE_THEOREM,
    ),
    Law(
        key="T3",
        title="overdamped limit of a charge",
        equation=(
            r"\frac{1}{m} \langle \Delta, \xi \rangle = \frac{m}{\mu} \left( \langle v, G (D\xi) v "
            r"\rangle + \frac{1}{2} \langle v, (\xi \cdot \partial G) v \rangle \right) + O(m^2), \quad "
            r"\mu G v = -\nabla f"
        ),
        adds="past the initial layer",
        kind=ORDER,
        applies="every case with a linear generator",
        blind=("a charge that vanishes for every direction: the fault <Delta, w>/m must stay",),
        faults=(faults.NO_SYMMETRY, faults.CONSTANT, faults.TWICE, faults.OTHER_QUANTITY),
    ),
    Law(
        key="T4",
        title="energy is lost to friction alone",
        equation=r"\dot E = -\mu \langle \dot q, G \dot q \rangle, \quad E = T + f",
        kind=ROUNDING,
        applies="Euclidean and diagonal metrics, on T1's trajectories",
        blind=("a force that does no work",),
        faults=(faults.FRICTION_DOUBLED, faults.FRICTION, faults.NO_KINETIC_ENERGY, faults.NO_METRIC),
    ),
    Law(
        key="T5",
        title="scale-invariant kinetic energy",
        equation=r"J(t) = J(0)\, e^{-\mu t/m}, \quad T = \frac{m |\dot q|^2}{2 |q|^2}",
        kind=ROUNDING,
        applies="scale-invariant losses",
        blind=("everything that keeps the scale symmetry",),
        faults=(faults.NO_CURVATURE, faults.FRICTION),
    ),
)


def measured() -> ModuleType:
    from noether.laws.continuous import cells

    return cells


FAMILY = Family(LAWS, measured)
