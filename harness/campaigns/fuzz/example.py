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

PARAMETERS = ("eta", "beta", "k", "eps")


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
        return " ".join(
            x
            for x in (self.law, self.case, self.symmetry or "", self.rule, self.precision, self.backend)
            if x
        )


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
        case, rule, precision = case_named(subject.case), RULES[subject.rule], parse(subject.precision)
        copies = lambda x: np.repeat(x, self.lanes, axis=1) if x.shape[1] == 1 else x
        return Job(
            trace.gradient(case),
            rule,
            precision,
            copies(self.q0),
            copies(self.v0),
            copies(self.params),
            self.steps,
            metric=trace.metric(case, rule),
        )

    def with_numbers(self, numbers: np.ndarray, subject: Subject) -> Example:
        """The same with other numbers, (2 d + 4, columns), rounded to where they are stored."""
        p, d = parse(subject.precision), len(self.q0)
        return replace(self, q0=representable(numbers[:d], p.q_store), v0=representable(numbers[d : 2 * d],
            p.v_store),
                       params=representable(numbers[2 * d :], p.arith), found={})  # fmt: skip

    @property
    def numbers(self) -> np.ndarray:
        """(2 d + 4, columns)"""
        return np.concatenate([self.q0, self.v0, self.params])

    @classmethod
    def of(cls, job: Job, lanes, steps: int | None = None) -> Example:
        at = np.atleast_1d(lanes)
        return cls(
            job.q0[:, at], job.v0[:, at], job.params[:, at], min(job.steps, steps or job.steps), len(at)
        )

    def as_dict(self) -> dict:
        """Numbers as hex floats, one list a lane."""
        hexes = lambda x: [[float(y).hex() for y in column] for column in x.T]
        return {"lanes": self.lanes, "steps": self.steps, "start": hexes(self.q0), "kick": hexes(self.v0),
                **{n: [float(y).hex() for y in row] for n, row in zip((*PARAMETERS, "kappa"), self.params,
                strict=False)}, "found": self.found}  # fmt: skip


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
