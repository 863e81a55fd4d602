"""The work that is measured: lanes x steps of the rule heavy-ball, with the charge law of every
symmetry beside it.

    worst = max over steps and symmetries of |measured - predicted| / bound of D2 (theory.md#D2)

The programs are those that the kernels run: the traced gradient and, from harness/laws/exact/residuals.py,
the residual with its bound, in float64. The residual reads the parameters from an array of its own, so that
no compiler can share them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from noether.cases import CATALOG, Case
from noether.cases.rules import HEAVY_BALL
from noether.kernels.loops.launch import Job
from noether.kernels.loops.screen_launch import Screen
from noether.kernels.programs import trace
from noether.kernels.programs.precision import parse
from noether.kernels.programs.program import Program
from noether.laws.exact.residuals import residuals, speaking
from noether.mechanics import sweep

LAWS = ("D2",)
CHECKED, UPDATE = "checked", "update"
KINDS = (CHECKED, UPDATE)
SCALED = "rayleigh"  # the case whose dimension can be chosen: rayleigh:16


def case_of(name: str) -> Case:
    """A case of the catalogue, or rayleigh:d."""
    word, _, d = name.partition(":")
    if d:
        from noether.cases.losses.rayleigh import rayleigh
    return rayleigh(int(d)) if d else next(c for c in CATALOG if c.name == word)


@dataclass(frozen=True)
class Work:
    """One measurement's work; small, so that every tool's process draws the same lanes from it.

    case  a name of the catalogue, or rayleigh:d;  kind  checked: with the residual; update: without
    """

    case: str
    precision: str
    lanes: int
    steps: int
    kind: str = CHECKED
    seed: int = 0

    @cached_property
    def subject(self) -> Case:
        """The case."""
        return case_of(self.case)

    @property
    def label(self) -> str:
        """The work in a line."""
        return f"{self.case} {self.precision} {self.kind} {self.lanes} x {self.steps}"

    @property
    def dim(self) -> int:
        """How many parameters the case has."""
        return self.subject.dim

    @property
    def arith(self) -> str:
        """The type in which the step is computed."""
        return parse(self.precision).arith

    @property
    def residual_arith(self) -> str:
        """The type in which the residual is computed."""
        return "float64"

    @cached_property
    def job(self) -> Job:
        """The launch, without its trace."""
        size = dict(lanes=self.lanes, steps=self.steps, seed=self.seed)
        return replace(sweep.draw(self.subject, HEAVY_BALL, parse(self.precision), **size), trace=False)

    @property
    def gradient(self) -> Program:
        """The program of the gradient."""
        return trace.gradient(self.subject)

    @cached_property
    def residual(self) -> Program | None:
        """The program of the residuals with their bounds, None of the update alone."""
        if self.kind == UPDATE:
            return None
        pairs = tuple(speaking(self.subject, HEAVY_BALL, LAWS))
        return residuals(self.subject, HEAVY_BALL, parse(self.precision), pairs).program

    @cached_property
    def screen(self) -> Screen:
        """The same work as kernels/loops/screen_launch.py takes it."""
        return Screen(self.job, self.residual, (1,) * len(self.residual.outputs), self.again())

    @property
    def bytes(self) -> int:
        """Bytes of the arrays that a launch reads or writes."""
        launched = self.job if self.residual is None else self.screen
        return sum(x.nbytes for x in launched.buffers())

    def arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The starts q, v (d, lanes) and the parameters (4, lanes), in the arithmetic type."""
        job = self.job
        return tuple(np.ascontiguousarray(x.astype(self.arith)) for x in (job.q0, job.v0, job.params))

    def again(self, flaw: float = 0.0) -> np.ndarray:
        """The parameters that the residual reads, (4, lanes) float64; a flaw makes its momentum wrong."""
        again = self.job.params.astype(self.residual_arith)
        again[1] *= 1 + flaw
        return again

    @property
    def operations(self) -> int:
        """Arithmetic operations of one step of one lane, as they are written."""
        count = lambda p: sum(op.name not in ("input", "const") for op in p.ops)
        watched = 0 if self.residual is None else count(self.residual) + len(self.residual.outputs)
        return count(self.gradient) + 6 * self.dim + watched
