"""Normalisation: S1 to S4 of theory.md section 6, on losses of the catalogue and under tangential noise.

    relaxation     the formulas: Eq. 17, the noise law, and what finite eta adds to them
    launches       lanes of kernels/noisy.py;  evidence: verdicts on means;  cell: what a cell is
    norm_equation  S1;  fourth_power  S2;  equilibrium  S3;  twin  S4
"""

from __future__ import annotations

import time
from importlib import import_module

from harness.normalisation.cell import TANGENTIAL, Cell
from harness.normalisation.launches import executes
from harness.verdicts import Record

PARTS = {
    "S2": ("fourth_power", ("coherent", "relaxation", "correlation")),
}
DETERMINISTIC = ("coherent",)  # a few lanes: numpy's everywhere
REACHED_BY = "rayleigh"  # the scale-invariant case whose cells carry those of the tangential force


def cells(cases, profile: str = "quick", seed: int = 0, backend: str = "numpy") -> list[Cell]:
    if profile == "glance" or not any(c.name == REACHED_BY for c in cases):
        return []
    volume = executes(profile, backend)
    return [
        Cell(law, TANGENTIAL, part, profile, seed, "numpy" if part in DETERMINISTIC else volume)
        for law, (_, parts) in PARTS.items()
        for part in parts
    ]


def run_cell(cell: Cell) -> list[Record]:
    began = time.perf_counter()
    module, _ = PARTS[cell.law]
    out = getattr(import_module(f"harness.normalisation.{module}"), cell.part)(cell)
    for r in out:
        r.seconds = (time.perf_counter() - began) / len(out)
    return out
