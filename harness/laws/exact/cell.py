"""Cells of discrete updates: one launch each, judged by every exact law that covers it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np

from noether.cases.case import BREGMAN, DIAGONAL, Case
from noether.cases.rules import RULES
from noether.kernels.loops import launch
from noether.kernels.programs.precision import parse
from noether.laws.exact import EXACT, breaking, parity, shown_faults
from noether.laws.exact import bits as bitwise
from noether.laws.exact.certified import Domain, judge_inside
from noether.laws.exact.diagnosis import attach
from noether.laws.exact.judge import judge, portrait
from noether.laws.exact.signs import paired
from noether.mechanics import sweep, wide
from noether.mechanics.domain import leaving, normal_steps
from noether.mechanics.trajectory import Trajectory
from noether.system.seeds import derive
from noether.verdicts import judgement
from noether.verdicts.record import Record

BY_METRIC = {
    kind: tuple(r.name for r in RULES.values() if r.metric == kind)
    for kind in ("euclidean", DIAGONAL, BREGMAN, "maximum")
}


@cache
def rules_of(case: Case) -> tuple[str, ...]:
    """The rules whose state and metric fit a case: of a Bregman metric those that store log q, where that is
    its grad h, else none.

    Sign descent where it has a law of its own, D8.
    """
    if case.metric.kind == BREGMAN:
        return (
            tuple(r for r in BY_METRIC[BREGMAN] if case.metric.simplex or not RULES[r].simplex)
            if entropic(case)
            else ()
        )
    out = BY_METRIC["euclidean"] + (BY_METRIC[DIAGONAL] if case.metric.kind == DIAGONAL else ())
    return out + (BY_METRIC["maximum"] if any(paired(s) for s in case.symmetries) else ())


def entropic(case: Case) -> bool:
    """Whether grad h is log q up to a constant: what the kernels of mirror descent store. Read off h, not
    declared."""
    q = case.draw(np.random.default_rng(0), 4)
    apart = wide.gradient(case.metric.potential, q) - np.log(q.astype(wide.WIDE))
    return bool(
        (np.abs(apart - apart[0, 0]) < 2.0**-50).all()
    )  # a dozen roundings of 2^-64 in numbers of order 1


@dataclass(frozen=True)
class LaunchCell:
    """One launch of a case under a rule in a precision on a backend.

    kind: exact | faults | parity | covariance | response;  extra, of parity: "sabotaged" shows it wrong
                                                              PTX, "untraced" a launch without trace
    """

    case: Case
    rule: str
    precision: str
    backend: str
    kind: str
    laws: tuple[str, ...]
    lanes: int
    seed: int
    steps: int = 0
    overrides: tuple = ()
    tag: str = ""
    extra: dict = field(default_factory=dict, compare=False, hash=False)

    @property
    def name(self) -> str:
        size = f"{self.lanes}x{self.horizon}"
        return "/".join(
            x
            for x in (
                self.kind,
                self.case.name,
                self.rule,
                self.precision.replace("/", "-"),
                self.backend,
                size,
                self.tag,
            )
            if x
        )

    @property
    def horizon(self) -> int:
        most = sweep.horizon(RULES[self.rule], parse(self.precision))
        return (
            min(self.steps or most, most) if self.kind == "faults" else self.steps or most
        )  # a fault that overflows would kill for nothing

    def job(self) -> launch.Job:
        # Neither the backend nor the laws asked for enter the seed: what is compared must be the same lanes.
        seed = derive(
            self.seed,
            "/".join(("discrete", self.case.name, self.rule, self.precision, str(self.lanes), self.tag)),
        )
        return sweep.draw(
            self.case, RULES[self.rule], parse(self.precision), lanes=self.lanes, steps=self.horizon,
            seed=seed,
            overrides=dict(self.overrides),
        )  # fmt: skip

    def about(self, job: launch.Job, backend: str) -> dict:
        ranges = {
            n: [float(x.min()), float(x.max())] for n, x in zip(job.rule.parameters, job.params, strict=True)
        }
        return dict(
            case=self.case.name,
            rule=self.rule,
            backend=backend,
            precision=self.precision,
            parameters=ranges,
            cell=self.name,
        )

    def run(self) -> list[Record]:
        begin = time.perf_counter()
        records = {
            "exact": run_exact,
            "faults": run_faults,
            "parity": parity.judge_parity,
            "covariance": run_covariance,
            "response": breaking.judge_response,
        }[self.kind](self)
        share = (time.perf_counter() - begin) / max(1, len(records))
        for record in records:
            record.seconds = share
            if record.worst and record.fault is None:
                record.replay = f"noether replay RUN --law {record.law} --cell {self.name}"
        return records


def trajectory(cell: LaunchCell, job: launch.Job, outcome: launch.Outcome) -> Trajectory:
    return Trajectory.launched(cell.case, job, *outcome.wide())


def run_exact(cell: LaunchCell) -> list[Record]:
    job = cell.job()
    outcome = launch.run(job, cell.backend)
    t = trajectory(cell, job, outcome)
    domain = Domain(cell.case, job, t)
    records = judged(cell, job, t, cell.about(job, outcome.backend), domain)
    attach(records, t, job, lambda: domain.ends)
    return records


def judged(cell: LaunchCell, job: launch.Job, t: Trajectory, about: dict, domain: Domain) -> list[Record]:
    """Every law on a trajectory, right or planted alike: a way out for a wrong launch would let the faults
    out too."""
    return judge_inside(cell.case, job, t, cell.laws, about=about, domain=domain, powers=cell.kind == "exact")


def run_faults(cell: LaunchCell) -> list[Record]:
    """Every fault that applies to this launch, judged by every law; and every wrong law on the right
    launch."""
    job, records = cell.job(), []
    about, leaves = cell.about(job, "numpy"), cache(lambda: leaving(cell.case, job))
    for fault in shown_faults.KERNEL_FAULTS:
        if shown_faults.shown(fault, job, cell.tag):
            t = shown_faults.wrong_trajectory(cell.case, job, fault)
            for record in judged(cell, job, t, about, Domain(cell.case, job, t, leaves)):
                record.fault = fault.name
                records.append(record)
    right = trajectory(cell, job, launch.run(job, "numpy"))
    inside = Domain(cell.case, job, right, leaves)
    for fault in () if cell.tag else shown_faults.LAW_FAULTS:
        for symmetry in cell.case.symmetries:
            if (
                fault.law in cell.laws
                and fault.applies(job.rule, symmetry)
                and shown_faults.changes(fault, right, symmetry)
            ):
                wrong = replace(EXACT[fault.law], residual=fault.residual)
                record = judge(
                    right, wrong, symmetry, about=about, outside=lambda: inside.ends
                )  # an overflow kills no wrong law
                if record is not None:
                    record.fault = fault.name
                    records.append(record)
    return records


def run_covariance(cell: LaunchCell) -> list[Record]:
    """D13: run(a q0, a v0; a^2 eta, k/a^2) = a run(q0, v0; eta, k), bitwise for a = 2^j."""
    job, records = cell.job(), []
    base = launch.run(job, cell.backend)
    q, v = base.wide()
    normal = normal_steps(
        cell.case, job
    )  # an underflow breaks the covariance: the statement ends there, lane by lane
    for j in (1, 2, -1):
        a = 2.0**j
        for fault, power in ((None, 2), ("eta scaled as a, not a^2", 1)):
            if fault and j != 1:
                continue
            params = job.params * np.array([a**power, 1.0, a**-2, 1.0])[:, None]
            other = launch.run(
                launch.Job(job.program, job.rule, job.precision, a * job.q0, a * job.v0, params, job.steps),
                cell.backend,
            )
            z, w = other.wide()
            off = ((z != a * q) | (w != a * v)) & normal[:, None, :]
            wrong = int(off.sum())
            moved = int((q[1] != q[0]).any(axis=0)[normal[1]].sum())
            at = [int(i[0]) for i in np.nonzero(off)] if wrong else None
            t = trajectory(cell, job, base)
            records.append(
                judgement.bits(
                    wrong,
                    f"a = {a}: {wrong} of {2 * q.shape[1] * int(normal.sum())} values differ in any bit; "
                    f"{moved} of {job.lanes} lanes moved; {int((~normal[-1]).sum())} lanes end at an "
                    "underflow of the reference",
                    enough=moved * 2 >= job.lanes,
                    law="D13",
                    lanes=job.lanes,
                    steps=job.steps,
                    fault=fault,
                    symmetry="scale",
                    **cell.about(job, base.backend),
                    place=portrait(t, at[2], at[0], at[1]) if at and at[0] < t.steps + 1 else None,
                )
            )
    if not any(r.spent for r in records if r.fault is None):
        records[0].powers = bitwise.of_covariance(job, cell.backend, q, v, normal)
    return records
