"""One cell of recovery: which magnitude of which case, in how many trajectories."""

from __future__ import annotations

from dataclasses import dataclass

from noether.cases.case import Case
from noether.faults.fault import Fault
from noether.kernels.loops.launch import Job
from noether.laws.cell import LawCell
from noether.laws.exact import shown_faults
from noether.mechanics.trajectory import Trajectory
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
        shared = {name: getattr(self, name) for name in ("law", "rule", "precision", "lanes", "steps")}
        own = {"case": self.case.name, "cell": self.name, "backend": backend, "parameters": parameters}
        return shared | own

    def wrong_steps(self, job: Job, faults: tuple[Fault, ...]) -> dict[Fault, Trajectory]:
        """What a launch is with each wrong step that concerns it."""
        wrong = [fault for fault in faults if fault.applies(job)]
        return {fault: shown_faults.wrong_trajectory(self.case, job, fault) for fault in wrong}
