"""N5 to N9: laws of normalised filters and of charges, in networks that are trained on real data.

They are about no case: `noether verify networks` asks for them alone. Nothing here loads torch before a cell
runs.

digits     the networks, their data and their training;  rounding  what a step of torch's SGD may round
evidence   how numbers become records;  faults  what each law must kill
"""

from __future__ import annotations

from dataclasses import dataclass

from noether.kernels.loops.launch import installed
from noether.laws.cell import LawCell, Subject
from noether.system.machine import remedy
from noether.verdicts.record import Record

DIGITS = Subject("digits-network")
PARTS = (("N9", "memory"),)
"""(law, part): what is measured of each law; `work_of` has the functions."""
RULES = {("N9", "memory"): "gradient-descent"}
"""Those that are not heavy ball."""


@dataclass(frozen=True)
class Cell(LawCell):
    """One part of one law."""

    law: str
    part: str
    profile: str
    seed: int
    precision: str = "float64"
    case: object = DIGITS
    backend = "torch"
    words = "networks"

    @property
    def rule(self) -> str:
        return RULES.get((self.law, self.part), "heavy-ball")

    @property
    def name(self) -> str:
        return f"{self.law}/{self.case.name}/{self.part}/{self.precision}"

    @property
    def quick(self) -> bool:
        return self.profile == "quick"


def not_here() -> str:
    """Why no network can be trained here, or ''."""
    lacking = [
        name for name, package in (("torch", "torch"), ("scikit-learn", "sklearn")) if not installed(package)
    ]
    if not lacking:
        return ""
    return f"{' and '.join(lacking)} not installed: {remedy('torch')}, pip install scikit-learn"


def cells(cases=(), profile: str = "quick", seed: int = 0, backend: str = "torch") -> list[Cell]:
    """None where torch or scikit-learn is missing. No case leads here: `cases` and `backend` are not read."""
    if not_here():
        return []
    return [Cell(law, part, profile, seed) for law, part in PARTS]


def run_cell(cell: Cell) -> list[Record]:
    return work_of()[cell.law, cell.part](cell)


def work_of() -> dict:
    """(law, part) -> the function that finds its records. Loads torch."""
    from noether.laws.networks import memory

    return {("N9", "memory"): memory.memory}
