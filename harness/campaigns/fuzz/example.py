"""One violating launch as plain data, which the minimiser makes small and the corpus keeps.

An example of several lanes holds one column and how often it is repeated, unless its lanes must differ.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from noether.cases.rules import RULES
from noether.kernels.loops.launch import Job
from noether.kernels.programs import trace
from noether.kernels.programs.precision import parse, representable
from noether.plan.casefiles import load, trial_process
from noether.plan.casefiles import trust as casetrust
from noether.plan.choices import case_named
from noether.system.usage import UsageError
from noether.verdicts.record import Record

PARAMETERS = ("eta", "beta", "k", "eps")
FOUND = ("spent", "measured", "predicted", "bound", "reason")
"""What an example keeps of the record that it violates, beside the place."""


@dataclass(frozen=True)
class Subject:
    """What was run and which law it violates.

    file     the word of the case file, '' for a case of the catalogue
    backend  what executed;  plant  the planted fault, '' for an honest kernel
    """

    case: str
    rule: str
    precision: str
    backend: str
    law: str
    symmetry: str | None
    plant: str = ""
    file: str = ""

    @property
    def place(self) -> str:
        """Where it is violated, in a line."""
        words = (self.law, self.case, self.symmetry or "", self.rule, self.precision, self.backend)
        return " ".join(word for word in words if word)


def found_in(r: Record) -> dict:
    """Where a record is violated, and by how much: what an Example keeps of it."""
    place = {name: r.worst[name] for name in ("lane", "step", "component")}
    return {**place, **{name: getattr(r, name) for name in FOUND}}


@dataclass(frozen=True)
class Example:
    """A launch: q0, v0 (d, columns), params (4 or, with kappa, 5, columns) float64; lanes is columns, or the
    copies of a single column."""

    q0: np.ndarray
    v0: np.ndarray
    params: np.ndarray
    steps: int
    lanes: int
    found: dict = field(default_factory=dict, compare=False)
    """Where it is violated: lane, step, component, spent, measured, predicted, bound."""

    def job(self, subject: Subject) -> Job:
        """The launch, of which a single column is repeated in every lane."""
        case, rule, precision = case_named(subject.case), RULES[subject.rule], parse(subject.precision)
        copies = lambda x: np.repeat(x, self.lanes, axis=1) if x.shape[1] == 1 else x
        state = (copies(self.q0), copies(self.v0), copies(self.params), self.steps)
        return Job(trace.gradient(case), rule, precision, *state, metric=trace.metric(case, rule))

    def with_numbers(self, numbers: np.ndarray, subject: Subject) -> Example:
        """The same with other numbers, (2 d + 4, columns), rounded to where they are stored."""
        p, d = parse(subject.precision), len(self.q0)
        q0, v0 = representable(numbers[:d], p.q_store), representable(numbers[d : 2 * d], p.v_store)
        return replace(self, q0=q0, v0=v0, params=representable(numbers[2 * d :], p.arith), found={})

    @property
    def numbers(self) -> np.ndarray:
        """All numbers, (2 d + 4, columns) float64: q0, v0, then the parameters."""
        return np.concatenate([self.q0, self.v0, self.params])

    @classmethod
    def of(cls, job: Job, lanes, steps: int | None = None) -> Example:
        """Some lanes of a launch, over at most so many steps."""
        at = np.atleast_1d(lanes)
        q0, v0, params = (x[:, at] for x in (job.q0, job.v0, job.params))
        return cls(q0, v0, params, min(job.steps, steps or job.steps), len(at))

    def as_dict(self) -> dict:
        """Numbers as hex floats, one list a lane."""
        hexes = lambda x: [[float(y).hex() for y in column] for column in x.T]
        rows = zip((*PARAMETERS, "kappa"), self.params, strict=False)
        params = {name: [float(y).hex() for y in row] for name, row in rows}
        state = {"lanes": self.lanes, "steps": self.steps, "start": hexes(self.q0), "kick": hexes(self.v0)}
        return {**state, **params, "found": self.found}


def source(subject: Subject) -> None:
    """Load the case file of a subject that this run was given, where it has one. Raises UsageError."""
    if subject.file and subject.case not in load.LOADED:
        load.load(subject.file)


def admit(subject: Subject, digests: dict, what: str, trust: bool) -> None:
    """Load the case file that a data file names; one that was named beside it is loaded already.

    digests  name -> sha256 of what it must be; with `trust` it may have changed since, as a regression is for
    Raises UsageError, with nothing run, where this user has not run it from here.
    """
    if not subject.file or subject.case in load.LOADED:
        return
    if not load.is_file_word(subject.file):
        raise UsageError(f"file is {subject.file!r}, must be a case file: path/to/case.py")
    files = casetrust.located({subject.file: "", **digests}, [subject.file])
    casetrust.allow(what, files, start=None, trust=trust)
    if not trust:
        casetrust.check_unchanged(what, files)
    with load.expecting(None if trust else files):
        load.load(subject.file, trial_process.tried(subject.file))
