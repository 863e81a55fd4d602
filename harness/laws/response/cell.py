"""One cell of recovery: which magnitude of which case, in how many trajectories."""

from __future__ import annotations

from dataclasses import dataclass

from noether.cases.case import Case
from noether.laws.cell import LawCell
from noether.system.seeds import derive


@dataclass(frozen=True)
class Cell(LawCell):
    """law on case, run under a rule in a precision on a backend; `part` tells cells of one law apart."""

    law: str
    case: Case
    rule: str
    precision: str
    backend: str
    profile: str
    lanes: int
    steps: int
    seed: int
    part: str = ""
    asked: str = ""

    @property
    def name(self) -> str:
        words = (
            self.law,
            self.case.name,
            self.rule,
            self.precision.replace("/", "-"),
            self.backend,
            f"{self.lanes}x{self.steps}",
            self.part,
        )
        return "/".join(x for x in words if x)

    @property
    def words(self) -> str:
        return self.asked or self.case.name

    @property
    def draws(self) -> int:
        """The seed of its lanes. Neither backend nor size enter: what is compared must be the same lanes."""
        return derive(self.seed, "/".join((self.law, self.case.name, self.rule, self.precision)))

    def about(self, backend: str, parameters: dict) -> dict:
        return dict(law=self.law, case=self.case.name, rule=self.rule, backend=backend,
            precision=self.precision, lanes=self.lanes,
                    steps=self.steps, cell=self.name, parameters=parameters)  # fmt: skip
