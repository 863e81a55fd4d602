"""Losses of many parameters or many operations: which cells decide something of them, and what is left out.

A kernel of a large loss keeps its state in memory and its gradient in loops (kernels/loops/memory_loop.py),
and the exact laws judge it as any other. Laws about solutions of differential equations, about orders and
about averages take a solution for each number that they state, and are left out: what they would take is
estimated from what a cell of theirs takes on the catalogue, and told before anything runs.
"""

from __future__ import annotations

from dataclasses import replace
from statistics import median

from noether.cases import CATALOG
from noether.cases.case import Case
from noether.cases.rules import OWN, RULES
from noether.kernels.loops import launch
from noether.kernels.programs.loop_program import LoopProgram
from noether.kernels.programs.precision import parse
from noether.kernels.programs.trace import FEW, MOST, MOST_OF_FEW, gradient
from noether.laws.exact import EXACT
from noether.laws.exact.cell import LaunchCell, rules_of
from noether.mechanics import sweep
from noether.system.usage import UsageError

MEMORY = 2**26
"""Bytes of the trajectories of one cell that are alive together."""
ARRAYS = 40
"""Arrays of a trajectory in wide numbers that a law keeps, and those of its bounds."""
WIDE_BYTES = 16
WORK = 2**25
"""Operations of all gradients of a launch: judging takes about half a microsecond for each."""
STEPS, FEWEST, LANES = 12, 6, 61
FEWEST_STEPS = 3
OF_FAULTS = 2.0**-3
"""Share of a launch where faults are shown: as many are judged as there are faults."""
SECONDS = (0.4, 1.0)
"""What a cell of a law that is left out takes on a case of the catalogue, at least and at most (costs.py)."""


def is_large(case: Case) -> bool:
    """Whether the gradient of a case has loops, and its kernel keeps the state in memory."""
    return isinstance(gradient(case), LoopProgram)


def refuse(cases, why: str, instead: str) -> None:
    """Refuse large cases where something cannot take them. Raises UsageError."""
    for case in cases:
        if is_large(case):
            raise UsageError(
                f"case {case.name} is large, {gradient(case).work} operations a gradient: {why}, it "
                f"must have at most {MOST}, or {MOST_OF_FEW} of up to {FEW} parameters; {instead}"
            )


def parted(selection):
    """The selection of the cases that are not large, and those that are."""
    large = tuple(c for c in selection.cases if is_large(c))
    return (
        (replace(selection, cases=tuple(c for c in selection.cases if c not in large)), large)
        if large
        else (
            selection,
            (),
        )
    )


def size_of(case: Case, share: float = 1.0) -> dict:
    """Lanes and steps of a launch whose trajectories fit MEMORY and whose gradients fit WORK, or a share of
    both."""
    program = gradient(case)
    each = WIDE_BYTES * (ARRAYS * case.dim + program.size)
    points = share * min(MEMORY / each, WORK / program.work)
    steps = int(min(STEPS, max(FEWEST_STEPS, points // FEWEST)))
    return {"lanes": int(min(LANES, max(FEWEST, points // steps))), "steps": steps}


class Large:
    """The cells of one large case on a backend."""

    def __init__(self, selection, backend: str, case: Case):
        self.selection, self.backend, self.case = selection, backend, case
        given = dict(selection.overrides)
        self.size = size_of(case) | {k: given[k] for k in ("lanes", "steps") if k in given}
        self.values = tuple(sorted((k, v) for k, v in given.items() if k not in ("lanes", "steps")))
        self.laws = tuple(k for k in selection.laws if k in EXACT)

    @property
    def points(self) -> list[tuple[str, str]]:
        """Each rule once, in the types in turn; where rules or types were asked for, all of them."""
        s = self.selection
        rules = rules_of(self.case, s.rules)
        if "rules" not in s.asked:
            rules = tuple(r for r in rules if RULES[r].screened or r in OWN)
        types = [p for p in s.precisions if "/" not in p] or list(s.precisions)
        if {"rules", "precisions"} & s.asked:
            return [(r, p) for r in rules for p in (s.precisions if "precisions" in s.asked else types)]
        return [(r, types[i % len(types)]) for i, r in enumerate(rules)]

    def cell(self, point: tuple[str, str], kind: str, laws, **about) -> LaunchCell:
        """The cell of a point."""
        rule, precision = point
        if kind != "parity":
            laws = tuple(k for k in laws if EXACT[k].concerns(self.case, RULES[rule], precision))
        about = {"backend": self.backend, **self.size, **about}
        if "steps" not in self.selection.overrides:  # a rule that maximises leaves the domain soon
            about["steps"] = min(about["steps"], sweep.horizon(RULES[rule], parse(precision)))
        values = self.values if kind == "exact" else ()
        words = dict(kind=kind, laws=tuple(laws), seed=self.selection.seed, overrides=values)
        return LaunchCell(self.case, rule, precision, **words, **about)

    def cells(self) -> list[LaunchCell]:
        """All of them."""
        points = self.points
        out = [self.cell(p, "exact", self.laws) for p in points] if self.laws else []
        out += self.faults([c for c in out if c.laws])
        return [c for c in out if c.laws] + self.parity(points)

    def faults(self, exact: list[LaunchCell]) -> list[LaunchCell]:
        """Where planted faults are shown to each law that is judged: under as few rules as speak for all, in
        the widest type."""
        widest = min({c.precision for c in exact}, key=lambda p: parse(p).u_q, default="")
        laws_of = {c.rule: self.cell((c.rule, widest), "exact", self.laws).laws for c in exact}
        left, out = {law for c in exact for law in c.laws}, []
        size = size_of(self.case, OF_FAULTS)
        while left and (most := max(laws_of, key=lambda rule: len(left & {*laws_of[rule]}))):
            if not left & {*laws_of[most]}:
                break
            left -= {*laws_of.pop(most)}
            laws = tuple(dict.fromkeys(("D0", *self.laws)))
            out.append(self.cell((most, widest), "faults", laws, backend="numpy", **size))
        return out

    def parity(self, points) -> list[LaunchCell]:
        """B1 on what compiles: an operation of the interpreter or of the evaluator of PTX takes as long as a
        thousand of these."""
        if "B1" not in self.selection.laws or self.selection.backend == "numpy":
            return []
        able = [b for b in ("triton-cpu", "triton-gpu") if not launch.missing(b)]
        few = {p[1]: p for p in points}
        return [self.cell(p, "parity", ("B1",), backend=b, steps=3) for b in able for p in few.values()]


def cells(selection, backend: str, cases: tuple[Case, ...]) -> list[LaunchCell]:
    """The cells of the large cases of a selection."""
    return [cell for case in cases for cell in Large(selection, backend, case).cells()]


def estimate(case: Case, seconds: float) -> float:
    """Seconds that a cell would take on a case, of what one takes on the catalogue: in proportion to the
    operations of the gradient, and to the parameters, whose Hessian it solves with."""
    work = median(gradient(c).length for c in CATALOG)
    dims = median(c.dim for c in CATALOG)
    return seconds * gradient(case).length / work * case.dim / dims


def told(laws: tuple[str, ...], cases: tuple[Case, ...]) -> list[str]:
    """The notes about what is left out of large cases."""
    left = [k for k in laws if k not in EXACT and k != "B1"]
    out = []
    for case in cases:
        program, size = gradient(case), size_of(case)
        low, high = (words(estimate(case, s)) for s in SECONDS)
        out.append(
            f"case {case.name} is large: {case.dim} parameters, {program.work} operations a gradient, "
            f"{size['lanes']} lanes of {size['steps']} steps; the exact laws and B1 judge it"
            + (
                f"; left out: {', '.join(left)}, of which a cell would take about {low} to {high}"
                if left
                else ""
            )
        )
    return out


def words(seconds: float) -> str:
    """A time in the unit that suits it."""
    for unit, size in (("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
