"""Broken symmetry measured back: from states alone to the magnitudes that were put in, with error bars.

    E2  eps recovered from discrete trajectories            breaking.py
    E3  kappa recovered, the deformation of a metric        deformation.py, deformed_flow.py
    E4  the smallest eps that can be told from none         detection.py

estimate.py has the least squares and the fractions of a normal variable, rounding.py what roundings scatter
(one_rounding.py, gradient_rounding.py; of a trajectory: scatter.py), honest.py whether error bars are as wide
as the errors, resolved.py how a recovered magnitude is told, faults.py what each law must kill.
"""

from __future__ import annotations

from noether.laws.response import breaking, deformation, detection
from noether.verdicts.record import Record

PARTS = {"E2": breaking, "E3": deformation, "E4": detection}


def cells(cases, profile: str, seed: int, backend: str) -> list:
    """Every part's cells, in order."""
    return [cell for part in PARTS.values() for cell in part.cells(cases, profile, seed, backend)]


def run_cell(cell) -> list[Record]:
    records = PARTS[cell.law].run_cell(cell)
    for record in records:
        record.replay = cell.replay
    return records
