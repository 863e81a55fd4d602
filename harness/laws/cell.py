"""A cell: one unit of work, which finds the records of one or some laws at one point."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from noether.system.seeds import generator
from noether.verdicts.claims import undecided
from noether.verdicts.record import Record


class Cell(Protocol):
    """All that the runner, the fuzzer, the kill matrix and the executors know of a unit of work.

    Picklable, and independent of the order of cells: its random numbers derive from the run's seed and from
    its name.

    name        unlike every other of a run
    case        what it is about: a case, or another subject that has a name
    rule, precision, backend   "" where it has none
    laws        the laws of which run() gives records
    """

    name: str
    case: object
    rule: str
    precision: str
    backend: str
    laws: tuple[str, ...]

    def run(self) -> list[Record]: ...


@dataclass(frozen=True)
class Subject:
    """What a cell is about where that is no case; records have its name in the place of a case's."""

    name: str


@dataclass(frozen=True)
class LawCell:
    """A cell of a family of laws that judges no launch of its own.

    Each family adds its fields: law, case, rule, profile, seed and what else tells its cells apart, and its
    name. Profile "glance" is what a quick run does beside the core cases.

    wanted   those of its laws that were asked for; all where empty
    work     what finds its records
    """

    also = ()  # further laws of which its work gives records

    wanted: tuple[str, ...] = field(default=(), kw_only=True)
    work: Callable[[LawCell], list[Record]] | None = field(
        default=None, kw_only=True, compare=False, repr=False
    )

    @property
    def laws(self) -> tuple[str, ...]:
        return self.wanted or (self.law, *self.also)

    @property
    def words(self) -> str:
        """The case to ask for, so that a run has this cell; "" where a run has it that asks for none."""
        return self.case.name

    @property
    def replay(self) -> str:
        """One line that runs the cell again, with the others of its law."""
        profile = "quick" if self.profile == "glance" else self.profile
        asked = f"noether verify {self.words}".rstrip()
        return f"{asked} --law {self.law} --profile {profile} --seed {self.seed}"

    def random(self) -> np.random.Generator:
        """Random numbers of this cell alone."""
        return generator(self.seed, self.name)

    def run(self) -> list[Record]:
        """The records of its laws; undecided where a solver gives up, which FloatingPointError says."""
        began = time.perf_counter()
        try:
            found = self.work(self)
        except FloatingPointError as error:
            cells = [replace(self, law=law) for law in (self.law, *self.also)]
            found = [undecided(cell, str(error), backend=self.backend) for cell in cells]
        for record in found:
            record.seconds = (time.perf_counter() - began) / len(found)
        return [record for record in found if record.law in self.laws]
