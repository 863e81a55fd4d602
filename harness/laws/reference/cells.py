"""V1: the error of every trajectory that is judged, known by solutions of more bits (theory.md#V1), with
heyoka.

Asked for by `noether verify --reference` or `--law V1`, never part of a run that does not ask: heyoka is an
extra, and takes seconds a case to compile. "certify" holds what SciPy and the collocation claim against the
truth; "starts" judges the theorem on thousands of random starts, in batches.
"""

from __future__ import annotations

from noether.laws.continuous import cells as continuous
from noether.laws.reference.cell import CERTIFY, STARTS, Cell
from noether.laws.reference.integrator import missing  # noqa: F401
from noether.mechanics.symmetry_proof import proven
from noether.verdicts.claims import beyond
from noether.verdicts.record import Record


def cells(cases, profile: str = "quick", seed: int = 0, backend: str = "heyoka") -> list[Cell]:
    """On the trajectories of every T1, T2 and T5 by mass, and on random starts of every T1 and T2."""
    if profile == "glance":
        return []
    judged = [c for c in continuous.cells(cases, profile, seed) if c.part == "masses"]
    return [Cell(c, CERTIFY) for c in judged] + [Cell(c, STARTS) for c in judged if c.law in continuous.RULES]


def run_cell(cell: Cell) -> list[Record]:
    from noether.laws.reference.certify import certify
    from noether.laws.reference.starts import starts

    proven(cell.case)
    if cell.case.kinks:
        return [beyond(cell, "the loss has kinks: no Taylor series goes through one", backend="heyoka")]
    return {CERTIFY: certify, STARTS: starts}[cell.part](cell)
