"""Cells of discrete updates: one launch each, judged by every exact law that covers it."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np

from noether.cases.case import BREGMAN, DIAGONAL, Case
from noether.cases.rule import Rule
from noether.cases.rules import RULES
from noether.kernels.loops import launch
from noether.kernels.programs.precision import parse
from noether.laws.exact import EXACT, breaking, parity, planted, shown_faults
from noether.laws.exact import bits as bitwise
from noether.laws.exact.certified import Domain, judge_inside
from noether.laws.exact.diagnosis import attach
from noether.laws.exact.judge import Look, judge, look, portrait
from noether.laws.exact.signs import paired
from noether.laws.exact.together import judged_together
from noether.mechanics import sweep, wide
from noether.mechanics.domain import leaving, normal_steps
from noether.mechanics.trajectory import Trajectory
from noether.system.seeds import derive
from noether.verdicts import judgement
from noether.verdicts.record import VIOLATED, Record


def rules_of(case: Case, names: Iterable[str] = RULES) -> tuple[str, ...]:
    """Those of the names whose rules fit a case, those that need no metric first; without names, of the
    catalogue."""
    fit = [RULES[name] for name in names if fits(RULES[name], case)]
    return tuple(rule.name for rule in sorted(fit, key=lambda rule: 2 * rule.signed + rule.on_metric))


@cache
def fits(rule: Rule, case: Case) -> bool:
    """Whether a case can be stepped by a rule.

    Those of a Bregman metric store log q, and fit where this is its grad h; normalised ones on the simplex.
    Those with a metric need that of the case. Sign descent fits where it has a law of its own, D8.
    """
    if not rule.fits(case.dim):
        return False
    if case.metric.kind == BREGMAN or rule.log_state:
        both = case.metric.kind == BREGMAN and rule.log_state
        return both and (case.metric.simplex or not rule.simplex) and entropic(case)
    if rule.on_metric:
        return case.metric.kind == DIAGONAL
    return not rule.signed or any(paired(s) for s in case.symmetries)


def entropic(case: Case) -> bool:
    """Whether grad h is log q up to a constant, as the kernels of mirror descent store it; read off h."""
    q = case.draw(np.random.default_rng(0), 4)
    apart = wide.gradient(case.metric.potential, q) - np.log(q.astype(wide.WIDE))
    # 2^-50: a dozen roundings of 2^-64 in numbers of order 1 are less.
    return bool((np.abs(apart - apart[0, 0]) < 2.0**-50).all())


@dataclass(frozen=True)
class LaunchCell:
    """One launch of a case under a rule in a precision on a backend.

    kind   exact | faults | parity | covariance | response
    laws   the keys of the laws that judge it
    steps  0 is as many as the rule and precision allow (harness/mechanics/sweep.py)
    tag    tells cells apart that are otherwise alike, and enters the seed
    extra  of parity: "sabotaged" shows it wrong PTX, "untraced" a launch without trace
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
        """What a run calls this cell: its fields, joined by slashes."""
        size, precision = f"{self.lanes}x{self.horizon}", self.precision.replace("/", "-")
        words = (self.kind, self.case.name, self.rule, precision, self.backend, size, self.tag)
        return "/".join(word for word in words if word)

    @property
    def horizon(self) -> int:
        """How many steps the launch takes."""
        most = sweep.horizon(RULES[self.rule], parse(self.precision))
        # At most as many where faults are planted: one that overflows would kill for nothing.
        return min(self.steps or most, most) if self.kind == "faults" else self.steps or most

    def job(self) -> launch.Job:
        """The launch: starts and parameters are drawn from the seed of this cell."""
        # Neither the backend nor the laws asked for enter the seed: what is compared must be the same lanes.
        words = ("discrete", self.case.name, self.rule, self.precision, str(self.lanes), self.tag)
        size = dict(lanes=self.lanes, steps=self.horizon, seed=derive(self.seed, "/".join(words)))
        rule, precision = RULES[self.rule], parse(self.precision)
        return sweep.draw(self.case, rule, precision, **size, overrides=dict(self.overrides))

    def about(self, job: launch.Job, backend: str) -> dict:
        """The fields that all records of this cell have; parameters as name -> [least, largest]."""
        ends = [[float(x.min()), float(x.max())] for x in job.params]
        facts = dict(case=self.case.name, rule=self.rule, backend=backend, precision=self.precision)
        return facts | dict(parameters=dict(zip(job.rule.parameters, ends, strict=True)), cell=self.name)

    def run(self) -> list[Record]:
        """The records of this cell, each with its replay line and its share of the seconds."""
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
    """What a launch of a cell has done, widened."""
    return Trajectory.launched(cell.case, job, *outcome.wide())


def run_exact(cell: LaunchCell) -> list[Record]:
    """Every exact law of the cell on its launch; a violation comes with its diagnosis."""
    job = cell.job()
    outcome = launch.run(job, cell.backend)
    t = trajectory(cell, job, outcome)
    domain = Domain(cell.case, job, t)
    records = judged(cell, job, t, cell.about(job, outcome.backend), domain)
    attach(records, t, job, lambda: domain.ends)
    return records


def judged(cell: LaunchCell, job: launch.Job, t: Trajectory, about: dict, domain: Domain) -> list[Record]:
    """Every law of the cell on a trajectory, in the same way whether it is right or planted.

    A way out for a wrong launch would let the faults out too.
    """
    return judge_inside(cell.case, job, t, cell.laws, about=about, domain=domain, powers=cell.kind == "exact")


def run_faults(cell: LaunchCell) -> list[Record]:
    """Every fault that applies to this launch, judged by every law; and every wrong law on the right one."""
    job, records = cell.job(), []
    about, leaves = cell.about(job, "numpy"), cache(lambda: leaving(cell.case, job))
    shown = [f for f in shown_faults.KERNEL_FAULTS if shown_faults.shown(f, job, cell.tag)]
    planted = [shown_faults.wrong_trajectory(cell.case, job, fault) for fault in shown]
    judged = judged_together(cell.case, job, planted, cell.laws, about=about, leaves=leaves)
    for fault, some in zip(shown, judged, strict=True):
        for record in some:
            record.fault = fault.name
            records.append(record)
    if cell.tag:
        return records
    right = trajectory(cell, job, launch.run(job, "numpy"))
    return records + run_law_faults(cell, right, about, Domain(cell.case, job, right, leaves))


def run_law_faults(cell: LaunchCell, right: Trajectory, about: dict, inside: Domain) -> list[Record]:
    """Every wrong law on a right trajectory."""
    looked, records = cache(lambda law, symmetry: look(right, EXACT[law], symmetry)), []
    for fault in shown_faults.LAW_FAULTS:
        for symmetry in cell.case.symmetries:
            if fault.law not in cell.laws or not fault.applies(right.rule, symmetry):
                continue
            of_law = looked(fault.law, symmetry)  # first: a wrong law keeps the bounds that are known by then
            wrong = replace(EXACT[fault.law], residual=fault.residual)
            seen = look(right, wrong, symmetry)
            if not shown_faults.differs(of_law, seen):
                continue
            # Outside as for a right law: an overflow kills no wrong one.
            record = judge(right, wrong, symmetry, about=about, outside=lambda: inside.ends, seen=seen)
            if record is None or (record.verdict != VIOLATED and not told_apart(of_law, seen, inside)):
                continue
            record.fault = fault.name
            records.append(record)
    return records


def told_apart(right: Look, wrong: Look, inside: Domain) -> bool:
    """Whether a wrong law is another one on a lane that is judged; else nothing here could have shown it."""
    return shown_faults.differs(right, wrong, right.covered & wrong.covered & ~inside.ends)


def run_covariance(cell: LaunchCell) -> list[Record]:
    """D13: run(a q0, a v0; a^2 eta, k/a^2) = a run(q0, v0; eta, k), bitwise for a = 2^j."""
    job = cell.job()
    base = launch.run(job, cell.backend)
    # An underflow or overflow breaks the covariance: the statement ends there, lane by lane.
    normal = normal_steps(cell.case, job)
    tried = [(1, 2, None), (1, 1, planted.NOT_SQUARED.name), (2, 2, None), (-1, 2, None)]
    records = [covariant(cell, job, base, normal, *how) for how in tried]
    if not any(r.spent for r in records if r.fault is None):
        records[0].powers = bitwise.of_covariance(job, cell.backend, *base.wide(), normal)
    return records


def covariant(
    cell: LaunchCell, job: launch.Job, base, normal: np.ndarray, j: int, power: int, fault
) -> Record:
    """The record of D13 for a = 2^j, with eta times a^power, beside the launch `base` of the job.

    normal  (steps + 1, lanes) bool: where nothing has underflowed or overflowed
    """
    q, v = base.wide()
    a = 2.0**j
    params = job.params * np.array([a**power, 1.0, a**-2, 1.0])[:, None]
    scaled = launch.Job(job.program, job.rule, job.precision, a * job.q0, a * job.v0, params, job.steps)
    z, w = launch.run(scaled, cell.backend).wide()
    off = ((z != a * q) | (w != a * v)) & normal[:, None, :]
    wrong = int(off.sum())
    moved = int((q[1] != q[0]).any(axis=0)[normal[1]].sum())
    reason = (
        f"a = {a}: {wrong} of {2 * q.shape[1] * int(normal.sum())} values differ in any bit; "
        f"{moved} of {job.lanes} lanes moved; {int((~normal[-1]).sum())} lanes leave "
        "the normal numbers in the reference"
    )
    step, component, lane = (int(i[0]) for i in np.nonzero(off)) if wrong else (job.steps, 0, 0)
    about = dict(cell.about(job, base.backend), law="D13", lanes=job.lanes, steps=job.steps, symmetry="scale")
    place = portrait(trajectory(cell, job, base), lane, step, component) if wrong else None
    return judgement.bits(wrong, reason, enough=moved * 2 >= job.lanes, fault=fault, place=place, **about)
