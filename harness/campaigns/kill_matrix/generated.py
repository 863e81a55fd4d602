"""Judging generated faults: one faulty step from every state of a right run, seen by D0 or by its bits.

The states of a right launch are the lanes of one launch of one step, so that a fault costs one step and the
wide gradients of the evidence are formed once. What D0 lets pass has the right bits in every lane or it has
not; where it has, the two formulas are compared in exact arithmetic.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from noether.campaigns.kill_matrix import states
from noether.cases import CORE, Case
from noether.cases.rules import RULES
from noether.faults.operations import GeneratedFault, Off, Rounded, program_faults, stepping, update_faults
from noether.faults.same_formula import same_formula
from noether.kernels.loops import launch
from noether.kernels.programs.program import Program
from noether.kernels.programs.trace_rule import update_program
from noether.laws.exact import EXACT
from noether.laws.exact.cell import LaunchCell, rules_of
from noether.laws.exact.judge import spent_of
from noether.mechanics.trajectory import Trajectory
from noether.plan.cover import cover
from noether.plan.coverage import Requirement, shared
from noether.plan.coverage import rule as under
from noether.verdicts.judgement import noticed
from noether.verdicts.record import Record

LANES, STEPS = 61, 8
MOST, OF_EACH = 150, 8  # faults of an update in a quick run; about so many has an operation
MANY = 20_011
# Every so many faults are shown to the other laws too.
SAMPLE = 8


@dataclass(frozen=True)
class GeneratedCell:
    """Every `stride`-th generated fault of one case under one rule.

    what  "gradient", the program of the case's gradient; "metric", that of its metric; "update", the rule's
          step
    """

    case: Case
    rule: str
    precision: str
    what: str
    stride: int = 1
    seed: int = 0
    backend: str = "numpy"
    laws = tuple(EXACT)
    usual_seconds = 2.0

    @property
    def name(self) -> str:
        """The cell in a line."""
        return "/".join(("generated", self.case.name, self.rule, self.precision.replace("/", "-"), self.what))

    @cached_property
    def job(self) -> launch.Job:
        """The launch of one step, in the lanes where D0 holds of the right one: at an edge a loss may have no
        gradient.

        Raises RuntimeError where it holds in few: every fault would seem to be killed.
        """
        cell = LaunchCell(self.case, self.rule, self.precision, "numpy", "exact", (), LANES, self.seed, STEPS)
        job = states.of_a_run(cell.job())
        t = Trajectory.launched(self.case, job, *launch.run(job, "numpy").wide())
        with np.errstate(all="ignore"):
            sound = (spent_of(EXACT["D0"].residual(t)) <= 1).all(axis=(0, 1))
        if sound.sum() < job.lanes - states.APART:
            raise RuntimeError(f"{self.name}: D0 holds in {sound.sum()} of {job.lanes} lanes with no fault")
        return states.among(job, sound)

    def run(self) -> list[Record]:
        """The records of the cell."""
        begin, job = time.perf_counter(), self.job
        right = launch.run(job, "numpy").wide()
        known = Trajectory.launched(self.case, job, *right)
        names = ("g_kept", "g_broken", "g_error", *(("G", "G_error") if job.rule.on_metric else ()))
        evidence = {name: getattr(known, name) for name in names}
        found = Tally()
        for number, fault in enumerate(self.faults()):
            if number % self.stride:
                continue
            q, v = self.outcome(job, fault)
            t = Trajectory.launched(self.case, job, q, v)
            t.__dict__.update(evidence)
            killers = self.killers(t, sampled=number % (SAMPLE * self.stride) == 0)
            found.add(fault, killers, self.fate(fault, (q, v), right))
        return [self.record(job, found, time.perf_counter() - begin)]

    def faults(self) -> Iterator[GeneratedFault]:
        """Every fault of the program."""
        every = update_faults if self.what == "update" else program_faults
        return every(self.right, self.job.precision)

    @cached_property
    def right(self) -> Program:
        """The program of which there are faults."""
        if self.what == "update":
            return update_program(self.job.rule, len(self.job.q0))
        return self.job.metric if self.what == "metric" else self.job.program

    def outcome(self, job: launch.Job, fault: GeneratedFault):
        """q, v of a launch with a fault's program in its place."""
        if self.what == "update":
            return launch.run(job, "numpy", stepping(fault.program)).wide()
        which = "metric" if self.what == "metric" else "program"
        return launch.run(replace(job, **{which: fault.program}), "numpy").wide()

    def killers(self, t: Trajectory, sampled: bool) -> dict[str, bool]:
        """Whether D0 is violated, and where `sampled` whether each other law is that covers a lane."""
        out = {}
        for key, law in EXACT.items():
            if key != "D0" and not sampled:
                continue
            for symmetry in self.case.symmetries if law.about_symmetry else (None,):
                covered = law.covers(t, symmetry)
                if covered.any():
                    with np.errstate(all="ignore"):
                        spent = spent_of(law.residual(t, symmetry))[..., covered]
                    out[key] = out.get(key, False) or bool((spent > 1).any())
        return out

    def fate(self, fault: GeneratedFault, mine, right) -> Callable[[], str]:
        """What a fault that D0 lets pass is: asked only then."""

        def ask() -> str:
            differs = not same_bits(mine, right)
            if isinstance(fault.program, Program) and same_formula(fault.program, self.right):
                return REARRANGED if differs else SAME
            if differs or not same_bits(*self.on_many_states(fault)):
                return UNDER_ROUNDING
            if isinstance(fault.program, Rounded | Off) and only_its_sign_counts(
                self.right, fault.program.at
            ):
                return SAME
            if not (isinstance(fault.program, Rounded) and fault.program.to is None):
                return SURVIVES
            return SAME if needs_no_rounding(self.right, fault.program.at) else UNTOLD

        return ask

    def on_many_states(self, fault: GeneratedFault):
        """The first step of MANY other launches, by the fault and by the right step."""
        job = LaunchCell(self.case, self.rule, self.precision, "numpy", "exact", (), MANY, self.seed, 1).job()
        return self.outcome(job, fault), launch.run(job, "numpy").wide()

    def record(self, job: launch.Job, found: Tally, seconds: float) -> Record:
        """The record of all these faults: violated where none survives."""
        cell = LaunchCell(self.case, self.rule, self.precision, "numpy", "exact", (), job.lanes, self.seed, 1)
        reason = f"{found.killed} of {found.total} generated faults are killed by D0"
        about = {**cell.about(job, "numpy"), "cell": self.name, "law": "D0", "lanes": job.lanes, "steps": 1}
        data = {"generated": {"what": self.what, **found.plain()}}
        told = dict(fault=f"generated faults of the {self.what}", seconds=seconds, data=data)
        return noticed(not found.names[SURVIVES], reason, **about, **told)


FATES = ("equivalent", "rearranged", "below rounding", "untold", "survivors")
SAME, REARRANGED, UNDER_ROUNDING, UNTOLD, SURVIVES = FATES
"""What D0 lets pass:

equivalent      no bit differs, and it is proven: the same formula, an operation whose result needs no
                rounding, or a factor or a rounding of what is read by its sign alone
rearranged      the same formula in exact arithmetic, other bits: B1 kills it
below rounding  another value, within the a-priori bound of that precision: B1 kills it
untold          a rounding left out, and no bit differs on MANY states: nearer to the exact value, not proven
                equal
survivors       none of these
"""


def same_bits(a, b) -> bool:
    """Whether two outcomes (q, v) have the same bits; two NaN are the same."""
    return all(np.array_equal(x, y, equal_nan=True) for x, y in zip(a, b, strict=True))


def needs_no_rounding(program: Program, at: int) -> bool:
    """Whether operation number `at` gives the same with its rounding left out.

    A sign, a power of two or a doubling of what is rounded is rounded; and where only signs read the result,
    its rounding may come after them, for rounding is odd.
    """
    op = program.ops[at]
    constants = [program.ops[a].value for a in op.args if program.ops[a].name == "const"]
    if op.name == "neg":
        return True
    if op.name == "mul" and any(c and np.frexp(abs(c))[0] == 0.5 for c in constants):
        return True
    if op.name == "add" and op.args[0] == op.args[1]:
        return True
    readers = {o.name for o in program.ops if at in o.args}
    return readers == {"neg"} and at not in program.outputs


def only_its_sign_counts(program: Program, at: int) -> bool:
    """Whether operation number `at` is read by its sign alone: one that is positively larger, or that is
    rounded, has the same."""
    return at not in program.outputs and {o.name for o in program.ops if at in o.args} == {"sign"}


class Tally:
    """Counts: by kind and by law, and the names of those that D0 let pass."""

    def __init__(self):
        self.total = self.killed = 0
        self.kinds: dict[str, list[int]] = {}
        self.laws: dict[str, list[int]] = {}
        self.names: dict[str, list[str]] = {fate: [] for fate in FATES}

    def add(self, fault: GeneratedFault, killers: dict[str, bool], fate: Callable[[], str]) -> None:
        """Count a fault; fate() is asked where no law kills it."""
        dead = any(killers.values())
        self.total, self.killed = self.total + 1, self.killed + dead
        laws = [(self.laws, law, killed) for law, killed in killers.items()]
        for table, key, hit in ((self.kinds, fault.kind, dead), *laws):
            row = table.setdefault(key, [0, 0])
            row[0], row[1] = row[0] + 1, row[1] + hit
        if not dead:
            self.names[fate()].append(fault.name)

    def plain(self) -> dict:
        """The counts as data of a record."""
        counts = {"total": self.total, "killed": self.killed, "kinds": self.kinds, "laws": self.laws}
        return {**counts, **self.names}


def thin(case: Case, rule: str, full: bool) -> int:
    """Every how many of the faults of an update are shown: in full all of them, else so many that about MOST
    are, for the components of a step are written alike."""
    return 1 if full else 1 + len(update_program(RULES[rule], case.dim).ops) * OF_EACH // MOST


def cells(cases, profile: str, seed: int = 0) -> list[GeneratedCell]:
    """The cells of a run over generated faults.

    Quick: a sample in float64 of every gradient, and each rule's update once. Full: all of them, on every
    case, and in narrow types too.
    """
    full = profile != "quick"
    points = [(case, rule, "float64") for case in cases for rule in rules_of(case)]
    out = []
    for case, rule, _ in cover((p for p in points if not shared(p)), [Requirement((under,))]):
        whats = ("metric", "update") if RULES[rule].on_metric else ("update",)
        out += [GeneratedCell(case, rule, "float64", what, thin(case, rule, full), seed) for what in whats]
    core = [p for p in points if shared(p) and p[0] in CORE]
    updates = core if full else cover(core, [Requirement((under,))])  # the update is the same on every case
    for case in (c for c in cases if rules_of(c)):
        rules, every = tuple(r for r in rules_of(case) if RULES[r].screened), 4 if case in CORE else 16
        out.append(GeneratedCell(case, rules[-1], "float64", "gradient", 1 if full else every, seed))
        if case not in CORE:
            continue
        out += [GeneratedCell(*p, "update", 1, seed) for p in updates if p[0] is case]
        narrow = ("float32", "float16/eager") if full else ()
        out += [GeneratedCell(case, rules[0], p, "gradient", 3, seed) for p in narrow]
    return out
