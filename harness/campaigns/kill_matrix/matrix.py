"""The cells of the kill matrix: each planted fault shown to each law, at a few designed points (points.py).

At each, every fault that applies there is planted in the numpy
step and the launch is judged by every exact law, by B1 (bits of the right launch), and, where the point has
them, by D13 and E1. One record for a fault and a law: the worst of all symmetries, the first bad step, the
first bad lane.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from noether import faults
from noether.campaigns.kill_matrix.findings import least
from noether.cases.case import Case
from noether.faults.fault import Fault, LawFault
from noether.kernels.loops import launch
from noether.laws.exact import EXACT, breaking, law_faults
from noether.laws.exact.cell import LaunchCell
from noether.laws.exact.judge import spent_of
from noether.mechanics.domain import leaving, normal_steps
from noether.mechanics.trajectory import Trajectory
from noether.verdicts.judgement import Worst, judged
from noether.verdicts.judgement import spent_of as spent_at
from noether.verdicts.record import BITWISE, ROUNDING, Record

BLOCK = 2**16  # lanes judged at once: longdoubles of a million would not fit


@dataclass(frozen=True)
class Seen:
    """What one law sees of one launch: the worst spent, and the first step and lane where it exceeds 1."""

    spent: float
    first_step: int | None = None
    first_lane: int | None = None

    def worse(self, other: Seen) -> Seen:
        """The larger spent, and the first step and lane of either."""
        steps = least(self.first_step, other.first_step)
        return Seen(max(self.spent, other.spent), steps, least(self.first_lane, other.first_lane))


def seen(spent: np.ndarray, steps: int) -> Seen:
    """What is seen of a launch of `steps` steps.

    spent  (n, ..., lanes) in units of the bound; the last of n rows is the last step
    """
    flat = spent.reshape(len(spent), -1, spent.shape[-1]).max(axis=1)
    bad, worst = flat > 1, float(flat.max())
    if not bad.any():
        return Seen(worst)
    step, lane = np.argmax(bad.any(axis=1)), np.argmax(bad.any(axis=0))
    return Seen(worst, int(step) + 1 + steps - len(spent), int(lane))


@dataclass(frozen=True)
class MatrixCell:
    """All faults, or those named, at one point: a case under a rule in a precision.

    wide  it shows the faults that need a million lanes, and those alone
    own   it shows the wrong lines of the rule alone
    """

    case: Case
    rule: str
    precision: str
    names: tuple[str, ...] = ()
    wide: bool = False
    own: bool = False
    seed: int = 0
    backend: str = "numpy"
    laws = tuple(EXACT)
    usual_seconds = 10.0

    @property
    def name(self) -> str:
        """The point in a line, as of a cell."""
        words = ("faults", self.case.name, self.rule, self.precision.replace("/", "-"))
        return "/".join((*words, "wide") if self.wide else words)

    def cell(self, lanes=61, steps=12, kind="exact", overrides: tuple = ()) -> LaunchCell:
        """The launch at this point, in numpy, judged by nothing yet."""
        size = ((), lanes, self.seed, steps, overrides)
        return LaunchCell(self.case, self.rule, self.precision, "numpy", kind, *size)

    def run(self) -> list[Record]:
        """The records of the cell."""
        records = []
        for fault in faults.LINES if self.own else faults.KERNEL:
            if (fault.lanes > 10_000) == self.wide and (not self.names or fault.name in self.names):
                records += self.shown(fault)
        if not self.wide:
            records += self.judged_by_wrong_laws()
            records += self.right()
        return records

    def shown(self, fault: Fault) -> list[Record]:
        """One record for each law that is shown this fault; none where it changes nothing."""
        begin, job = time.perf_counter(), self.cell(fault.lanes, fault.steps).job()
        if not fault.applies(job):
            return []
        found = self.laws_on(job, fault.outcome(self.case, job))
        has_others = self.rule == "heavy-ball" and self.precision == "float64" and self.case.scale_free
        if has_others and not self.wide:
            found |= self.covariant(fault) | self.responding(fault)
        return self.records(found, job, fault, time.perf_counter() - begin)

    def right(self) -> list[Record]:
        """The same without a fault: what kills this kills everything."""
        job = self.cell().job()
        found = self.laws_on(job, launch.run(job, "numpy").wide())
        return self.records({law: x for law, x in found.items() if law != "B1"}, job, None, 0.0)

    def laws_on(self, job: launch.Job, outcome) -> dict[str, Seen]:
        """What B1 and every exact law see of an outcome (q, v), each of shape (steps + 1, d, lanes)."""
        found = {"B1": bits(outcome, launch.run(job, "numpy").wide())}
        for start in range(0, job.lanes, BLOCK):
            cut = slice(start, start + BLOCK)
            part = replace(job, q0=job.q0[:, cut], v0=job.v0[:, cut], params=job.params[:, cut])
            for key, x in exact(self.case, part, *(y[..., cut] for y in outcome)).items():
                x = replace(x, first_lane=x.first_lane + start) if x.first_lane is not None else x
                found[key] = found[key].worse(x) if key in found else x
        return found

    def covariant(self, fault: Fault) -> dict[str, Seen]:
        """D13 of the faulty kernel: its run at (2 q, 2 v, 4 eta, k/4) against 2 times its run."""
        job = self.cell(fault.lanes, fault.steps, "covariance", (("eps", 0.0),)).job()
        if not fault.applies(job):
            return {}
        params = job.params * np.array([4.0, 1.0, 0.25, 1.0])[:, None]
        other = replace(job, q0=2 * job.q0, v0=2 * job.v0, params=params)
        plain, scaled = (np.concatenate(fault.outcome(self.case, j), axis=1) for j in (job, other))
        with np.errstate(all="ignore"):
            off = (scaled != 2 * plain) & normal_steps(self.case, job)[:, None, :]
        return {"D13": seen(np.where(off, np.inf, 0.0)[1:], job.steps)}

    def responding(self, fault: Fault) -> dict[str, Seen]:
        """E1 of the faulty kernel, at the end of its run."""
        job, out = breaking.lanes_of(self.cell(17, fault.steps, "response")), Seen(0.0)
        if not fault.applies(job):
            return {}
        t = Trajectory.launched(self.case, job, *fault.outcome(self.case, job))
        for symmetry in self.case.symmetries:
            with np.errstate(all="ignore"):
                found = spent_at(*breaking.response(t, symmetry, t.eps))
            out = out.worse(seen(found[None], job.steps))
        return {"E1": out}

    def judged_by_wrong_laws(self) -> list[Record]:
        """The right launch, judged by laws that are almost right."""
        job, records = self.cell().job(), []
        t = Trajectory.launched(self.case, job, *launch.run(job, "numpy").wide())
        for fault in law_faults.FAULTS:
            if self.names and fault.name not in self.names:
                continue
            found = wrong_law(t, fault)
            if found:
                records += self.records({fault.law: found}, job, fault, 0.0)
        return records

    def records(self, found: dict[str, Seen], job, fault, seconds: float) -> list[Record]:
        """One record for each law, which share the seconds.

        fault  the Fault or LawFault that was planted, None where nothing was
        """
        name, kind, what = (fault.name, fault.kind, fault.what) if fault else (None, "", "nothing is planted")
        about = {**self.cell(job.lanes, job.steps).about(job, "numpy"), "cell": self.name}
        about |= dict(lanes=job.lanes, steps=job.steps, fault=name, seconds=seconds / len(found))
        records = []
        for law, x in found.items():
            unit = BITWISE if law in ("B1", "D13") else ROUNDING
            place = f"first seen at step {x.first_step} in lane {x.first_lane}" if x.spent > 1 else "not seen"
            data = {"kind": kind, "what": what, "first_step": x.first_step, "first_lane": x.first_lane}
            known = dict(law=law, data=data, enough=name is None)
            records.append(judged(unit, Worst(x.spent), f"{what}: {place}", **about, **known))
        return records


def exact(case: Case, job: launch.Job, q, v) -> dict[str, Seen]:
    """Every exact law on a launch; lanes that the references put outside are left out, where anything is
    violated."""
    t, found = Trajectory.launched(case, job, q, v), {}
    inside = None
    for law in EXACT.values():
        for symmetry in case.symmetries if law.about_symmetry else (None,):
            covered = law.covers(t, symmetry)
            if not covered.any():
                continue
            with np.errstate(all="ignore"):
                spent = spent_of(law.residual(t, symmetry))
            if (spent[..., covered] > 1).any():
                inside = ~left(case, Launched(job)) if inside is None else inside
                covered = covered & inside
            x = seen(np.where(covered, spent, 0.0), t.steps)
            found[law.key] = found[law.key].worse(x) if law.key in found else x
    return found


class Launched:
    """A launch, equal to another one of the same numbers: many faults are planted in one."""

    def __init__(self, job: launch.Job):
        self.job = job
        arrays = tuple(x.tobytes() for x in (job.q0, job.v0, job.params, job.known))
        # The programs by their identity: they are traced once, and held as long as this is.
        traced = id(job.program), id(job.metric)
        self.key = (*traced, job.rule, job.precision, job.steps, job.begun, job.known.shape, arrays)

    def __eq__(self, other) -> bool:
        return self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)


@lru_cache(maxsize=4)
def left(case: Case, launched: Launched) -> np.ndarray:
    """(lanes,) bool as `leaving`, which takes as long as the laws do."""
    return leaving(case, launched.job)


def wrong_law(t: Trajectory, fault: LawFault) -> Seen | None:
    """What a law that is almost right says of a right trajectory, None where it does not apply."""
    out, law = None, EXACT[fault.law]
    for symmetry in t.case.symmetries if law.about_symmetry else (None,):
        covered = law.covers(t, symmetry)
        if not covered.any() or not fault.applies(t.rule, symmetry):
            continue
        with np.errstate(all="ignore"):
            x = seen(np.where(covered, spent_of(fault.residual(t, symmetry)), 0.0), t.steps)
        out = out.worse(x) if out else x
    return out


def bits(mine, plain) -> Seen:
    """B1 on two launches, each (q, v) of shape (steps + 1, d, lanes): any stored value that differs; two NaN
    are the same.

    q and v are compared one after the other: joined, those of a million lanes would be held twice.
    """
    off = [(x != y) & ~(np.isnan(x) & np.isnan(y)) for x, y in zip(mine, plain, strict=True)]
    step, lane = (np.logical_or(*(x.any(axis=axis) for x in off)) for axis in ((1, 2), (0, 1)))
    if not step.any():
        return Seen(0.0)
    return Seen(np.inf, max(1, int(np.argmax(step))), int(np.argmax(lane)))
