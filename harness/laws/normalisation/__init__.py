"""Normalisation: S1 to S4 of theory.md section 6, on losses of the catalogue and under tangential noise.

relaxation     the formulas: Eq. 17, the noise law, and what finite eta adds to them
launches       lanes of kernels/loops/noisy_launch.py;  evidence: verdicts on means;  cell: what a cell is
variates       what the known noise does to r^4, which is taken off a mean
norm_equation  S1;  fourth_power, correlation  S2;  equilibrium, balance  S3;  twin, white_twin  S4;  parity
               B1 of the noisy loop
"""

from __future__ import annotations

import time
from importlib import import_module

from noether.cases.case import EUCLIDEAN
from noether.laws.normalisation import parity
from noether.laws.normalisation.cell import TANGENTIAL, Cell
from noether.laws.normalisation.launches import executes
from noether.verdicts.record import Record

MODULES = {
    "norm_equation": ("S1", ("flow", "approximation")),  # of each scale-invariant case
    "fourth_power": ("S2", ("coherent", "relaxation")),
    "correlation": ("S2", ("correlation", "memory")),
    "equilibrium": ("S3", ("settled", "fluctuating", "projected")),
    "twin": ("S4", ("coherent_twin",)),
    "white_twin": ("S4", ("white_memory", "white_drift")),
    "parity": ("B1", ("compared",)),
}
HOME = {part: module for module, (_, parts) in MODULES.items() for part in parts}
FEW = ("coherent", "memory", "settled", "projected", "coherent_twin")  # lanes, or none: numpy's everywhere
FULL = ("projected",)  # beyond a quick run
REACHED_BY = "rayleigh"  # the scale-invariant case whose cells carry those of the tangential force


def cells(cases, profile: str = "quick", seed: int = 0, backend: str = "numpy") -> list[Cell]:
    if profile == "glance":
        return []
    volume, (_, flows) = executes(profile, backend), MODULES["norm_equation"]
    smooth = [c for c in cases if c.scale_free and c.metric.kind == EUCLIDEAN]
    if profile == "quick":
        smooth = smooth[:1]
    out = [
        Cell("S1", c, part, profile, seed, "scipy", rule="lagrangian", asked=c.name)
        for c in smooth
        for part in flows
    ]
    if any(c.name == REACHED_BY for c in cases):
        out += [
            Cell(law, TANGENTIAL, part, profile, seed, "numpy" if part in FEW else volume)
            for law, parts in MODULES.values()
            for part in parts
            if law not in ("S1", "B1") and (profile != "quick" or part not in FULL)
        ]
        out += parity.cells(profile, seed, backend, TANGENTIAL)
    return out


def run_cell(cell: Cell) -> list[Record]:
    began = time.perf_counter()
    part = cell.part.partition(":")[0]
    out = getattr(import_module(f"noether.laws.normalisation.{HOME[part]}"), part)(cell)
    for r in out:
        r.seconds = (time.perf_counter() - began) / len(out)
    return out
