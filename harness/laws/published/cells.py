"""P1 to P6: published statements, each with what holds instead, and itself as the fault that must be
violated."""

from __future__ import annotations

from dataclasses import dataclass

from noether.cases import CORE
from noether.laws.cell import LawCell, Subject
from noether.laws.published import dampening, fourth_power, models, random_vectors
from noether.laws.published.book import BOOK
from noether.verdicts.record import Record

PUBLISHED = Subject("published")
WORK = {
    "P1": ("heavy-ball", fourth_power.fourth_power),
    "P2": ("heavy-ball", models.start_velocity),
    "P3": ("heavy-ball-dampened", dampening.dampened),
    "P4": ("gradient-descent", random_vectors.unrelated),
    "P5": ("heavy-ball", models.decay_rate),
    "P6": ("natural-gradient", models.curved),
}


@dataclass(frozen=True)
class Cell(LawCell):
    """One claim."""

    law: str
    profile: str
    seed: int
    case: object = PUBLISHED
    unit = 1.0
    precision, backend = "float64", "numpy"

    @property
    def rule(self) -> str:
        return WORK[self.law][0]

    @property
    def name(self) -> str:
        return f"{self.law}/published"

    words = ""


def cells(cases, profile: str = "quick", seed: int = 0, backend: str = "numpy") -> list[Cell]:
    """A claim is about a paper and not about a case: it is checked where all core cases are."""
    return (
        [Cell(law, profile, seed) for law in BOOK] if profile != "glance" and set(CORE) <= set(cases) else []
    )


def run_cell(cell: Cell) -> list[Record]:
    return WORK[cell.law][1](cell)
