"""The backend or planted fault that is fuzzed, and the judging of a few of its lanes in wide numbers.

A probe is a backend, or a planted fault in the numpy step. Both are screened by the same program and judged
by the same host: what finds a planted fault is what would find a true one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from noether.cases.case import Case
from noether.kernels.loops import launch
from noether.laws.exact import EXACT, screen
from noether.laws.exact.certified import judge_inside
from noether.mechanics.trajectory import Trajectory
from noether.system.usage import unknown
from noether.verdicts.record import VIOLATED, Record


@dataclass(frozen=True)
class Probe:
    """What is fuzzed.

    backend  a name of noether.kernels.loops.launch.BACKENDS, resolved
    plant    the name of a planted fault, '' for none
    """

    backend: str
    plant: str = ""

    def applies(self, job: launch.Job) -> bool:
        """Whether the planted fault, if there is one, changes anything in this launch."""
        return not self.plant or fault(self.plant).applies(job)

    def screen(self, case: Case, job: launch.Job) -> screen.Screening:
        """The launch with every law beside the step; of a planted fault, its states with the same program."""
        if not self.plant:
            return screen.screen(case, job, backend=self.backend)
        return screen.screen_states(case, job, *fault(self.plant).outcome(case, job))

    def trajectory(self, case: Case, job: launch.Job) -> Trajectory:
        """The whole launch, every step kept."""
        if self.plant:
            states = fault(self.plant).outcome(case, job)
        else:
            states = launch.run(job, self.backend).wide()
        return Trajectory(case, job.rule, job.precision, *states, job.params)

    def about(self, case: Case, job: launch.Job) -> dict:
        """What the records of a launch say of it."""
        rule, precision = job.rule.name, job.precision.label
        return dict(case=case.name, rule=rule, backend=self.backend, precision=precision, parameters={})

    def judge(self, case: Case, job: launch.Job, t: Trajectory | None = None) -> list[Record]:
        """Every exact law on every lane of a small launch, in wide arithmetic on the host."""
        t = self.trajectory(case, job) if t is None else t
        return judge_inside(case, job, t, EXACT, about=self.about(case, job))

    def violation(self, case: Case, job: launch.Job, law: str, symmetry: str | None) -> Record | None:
        """The record of one law that a small launch violates, or None where it does not (or has left the
        domain)."""
        if not self.applies(job):
            return None
        t = self.trajectory(case, job)
        records = judge_inside(case, job, t, (law,), about=self.about(case, job))
        mine = [r for r in records if r.verdict == VIOLATED and r.symmetry == symmetry]
        return max(mine, key=lambda r: r.spent, default=None)


def fault(name: str):
    """A planted fault by name. Raises UsageError."""
    known = faults()
    if name not in known:
        raise unknown("fault", name, known)
    return known[name]


def faults() -> dict:
    """Every planted fault of a kernel, by name."""
    from noether.faults import BY_NAME

    return BY_NAME


def final_states_differ(job: launch.Job, found: screen.Screening, t: Trajectory, lanes: np.ndarray) -> int:
    """How many stored values of the screen's final states are not those of the replay, bit for bit; NaN
    equals NaN."""
    from noether.kernels.programs.precision import widen

    p, count = job.precision, 0
    for mine, theirs, kind in ((found.q, t.z[-1], p.q_store), (found.v, t.v[-1], p.v_store)):
        screened = widen(mine, kind)[:, lanes]
        count += int(((screened != theirs) & ~(np.isnan(screened) & np.isnan(theirs))).sum())
    return count
