"""Normalisation: S1 to S4 of theory.md section 6, on losses of the catalogue and under tangential noise.

relaxation     the formulas: Eq. 17, the noise law, and what finite eta adds to them
launches       lanes of kernels/loops/noisy_launch.py;  evidence: verdicts on means;  cell: what a cell is
variates       what the known noise does to r^4, which is taken off a mean
norm_equation  S1;  fourth_power, correlation  S2;  equilibrium, white_noise, balance  S3;  twin, white_twin
               S4;  parity  B1 of the noisy loop
halved         lanes of halved eta;  faults: what each law must kill
"""

from __future__ import annotations

from noether.cases.case import EUCLIDEAN
from noether.laws.normalisation import (
    correlation,
    equilibrium,
    fourth_power,
    norm_equation,
    parity,
    twin,
    white_noise,
    white_twin,
)
from noether.laws.normalisation.cell import REACHED_BY, TANGENTIAL, Cell
from noether.laws.normalisation.launches import executes
from noether.verdicts.record import Record

PARTS = {
    "S1": (norm_equation.flow, norm_equation.approximation),  # of each scale-invariant case
    "S2": (fourth_power.coherent, fourth_power.relaxation, correlation.correlation, correlation.memory),
    "S3": (equilibrium.settled, white_noise.fluctuating, white_noise.projected),
    "S4": (twin.coherent_twin, white_twin.white_memory, white_twin.white_drift),
    "B1": (parity.compared,),
}
"""What is measured of each law: a part of a cell is the name of its function."""

WORK = {work.__name__: work for works in PARTS.values() for work in works}
FEW = ("coherent", "memory", "settled", "projected", "coherent_twin")  # lanes, or none: numpy's everywhere
FULL = ("projected",)  # beyond a quick run


def cells(cases, profile: str = "quick", seed: int = 0, backend: str = "numpy") -> list[Cell]:
    if profile == "glance":
        return []
    volume = executes(profile, backend)
    smooth = [c for c in cases if c.scale_free and c.metric.kind == EUCLIDEAN]
    if profile == "quick":
        smooth = smooth[:1]
    out = [
        Cell("S1", c, part, profile, seed, "scipy", rule="lagrangian", asked=c.name)
        for c in smooth
        for part in (work.__name__ for work in PARTS["S1"])
    ]
    if REACHED_BY in cases:
        out += [
            Cell(law, TANGENTIAL, part, profile, seed, "numpy" if part in FEW else volume)
            for law, works in PARTS.items()
            for part in (work.__name__ for work in works)
            if law not in ("S1", "B1") and (profile != "quick" or part not in FULL)
        ]
        out += parity.cells(profile, seed, backend, TANGENTIAL)
    return out


def run_cell(cell: Cell) -> list[Record]:
    return WORK[cell.part.partition(":")[0]](cell)
