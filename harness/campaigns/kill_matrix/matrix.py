"""The cells of the kill matrix: each planted fault shown to each law, at a few designed points.

A point is a case under a rule in a precision. At each, every fault that applies there is planted in the numpy
step and the launch is judged by every exact law, by B1 (bits of the right launch), and, where the point has
them, by D13 and E1. One record for a fault and a law: the worst of all symmetries, the first bad step, the
first bad lane.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np

from noether import faults
from noether.cases.case import Case
from noether.cases.rules import RULES
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
QUICK = (
    ("mexican-hat", "heavy-ball", "float64"),
    ("rayleigh", "heavy-ball", "float64"),
    ("softmax", "gradient-descent", "float64"),
    ("mexican-hat", "heavy-ball-decoupled", "float64"),
    ("entropy-mirror", "mirror-descent", "float64"),
    ("mexican-hat", "heavy-ball", "float32"),
    ("mexican-hat", "heavy-ball", "float16"),
    ("mexican-hat", "heavy-ball", "bfloat16"),
    ("mexican-hat", "heavy-ball", "bfloat16/mixed"),
    ("rayleigh", "nesterov", "float64"),
    ("rayleigh", "heavy-ball-dampened", "float64"),
    ("mexican-hat", "heavy-ball-maximize", "float64"),
    ("deformed-rayleigh", "gradient-descent", "float64"),
    ("deformed-rayleigh", "natural-gradient", "float64"),
    ("deformed-rayleigh", "heavy-ball-metric", "float64"),
    ("gaussian-fisher", "heavy-ball-scheduled", "float64"),
    ("product", "sign-descent", "float64"),
    ("entropy-simplex", "exponentiated-gradient", "float64"),
)
MORE = (
    ("linear-network", "heavy-ball", "float64"),
    ("linear-network", "heavy-ball-decoupled", "float16"),
    ("deformed-rayleigh", "gradient-descent", "float32"),
    ("softmax", "heavy-ball", "bfloat16"),
    ("rayleigh", "gradient-descent", "bfloat16/mixed"),
    ("entropy-mirror", "mirror-descent", "float32"),
    ("mexican-hat", "heavy-ball", "float16/eager"),
)


def points(profile: str) -> tuple[tuple[str, str, str], ...]:
    return QUICK + (MORE if profile != "quick" else ())


@dataclass(frozen=True)
class Seen:
    """What one law sees of one launch: the worst spent, and the first step and lane where it exceeds 1."""

    spent: float
    first_step: int | None = None
    first_lane: int | None = None

    def worse(self, other: Seen) -> Seen:
        least = lambda a, b: b if a is None else a if b is None else min(a, b)
        return Seen(
            max(self.spent, other.spent),
            least(self.first_step, other.first_step),
            least(self.first_lane, other.first_lane),
        )


def seen(spent: np.ndarray, steps: int) -> Seen:
    """spent (n, ..., lanes); the last of n rows is the last step."""
    flat = spent.reshape(len(spent), -1, spent.shape[-1]).max(axis=1)
    bad = flat > 1
    if not bad.any():
        return Seen(float(flat.max()))
    return Seen(
        float(flat.max()),
        int(np.argmax(bad.any(axis=1))) + 1 + steps - len(spent),
        int(np.argmax(bad.any(axis=0))),
    )


@dataclass(frozen=True)
class MatrixCell:
    """All faults (or those named) at one point; `wide` shows those that need many lanes."""

    case: Case
    rule: str
    precision: str
    names: tuple[str, ...] = ()
    wide: bool = False
    seed: int = 0
    backend: str = "numpy"
    laws = tuple(EXACT)

    @property
    def name(self) -> str:
        return "/".join(
            (
                "faults",
                self.case.name,
                self.rule,
                self.precision.replace("/", "-"),
                *(("wide",) if self.wide else ()),
            )
        )

    def cell(
        self, lanes: int = 61, steps: int = 12, kind: str = "exact", overrides: tuple = ()
    ) -> LaunchCell:
        return LaunchCell(
            self.case, self.rule, self.precision, "numpy", kind, (), lanes, self.seed, steps, overrides
        )

    def run(self) -> list[Record]:
        records = []
        for fault in faults.KERNEL:
            if (fault.lanes > 10_000) == self.wide and (not self.names or fault.name in self.names):
                records += self.shown(fault)
        if not self.wide:
            records += self.judged_by_wrong_laws()
            records += self.right()
        return records

    def shown(self, fault: Fault) -> list[Record]:
        begin, job = time.perf_counter(), self.cell(fault.lanes, fault.steps).job()
        if not fault.applies(job):
            return []
        found = self.laws_on(job, fault.outcome(self.case, job))
        if (
            not self.wide
            and RULES[self.rule].name == "heavy-ball"
            and self.precision == "float64"
            and self.case.scale_free
        ):
            found |= self.covariant(fault) | self.responding(fault)
        return self.records(found, job, fault.name, fault.kind, fault.what, time.perf_counter() - begin)

    def right(self) -> list[Record]:
        """The same without a fault: what kills this kills everything."""
        job = self.cell().job()
        found = self.laws_on(job, launch.run(job, "numpy").wide())
        return self.records(
            {k: x for k, x in found.items() if k != "B1"}, job, None, "", "nothing is planted", 0.0
        )

    def laws_on(self, job: launch.Job, outcome) -> dict[str, Seen]:
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
        other = replace(
            job, q0=2 * job.q0, v0=2 * job.v0, params=job.params * np.array([4.0, 1.0, 0.25, 1.0])[:, None]
        )
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
        job, records = self.cell().job(), []
        t = Trajectory.launched(self.case, job, *launch.run(job, "numpy").wide())
        for fault in law_faults.FAULTS:
            if self.names and fault.name not in self.names:
                continue
            found = wrong_law(t, fault)
            if found:
                records += self.records({fault.law: found}, job, fault.name, fault.kind, fault.what, 0.0)
        return records

    def records(
        self, found: dict[str, Seen], job, name, kind: str, what: str, seconds: float
    ) -> list[Record]:
        about = self.cell(job.lanes, job.steps).about(job, "numpy")
        return [
            judged(
                BITWISE if key in ("B1", "D13") else ROUNDING,
                Worst(x.spent),
                f"{what}: first seen at step {x.first_step} in lane {x.first_lane}"
                if x.spent > 1
                else f"{what}: not seen",
                enough=name is None,
                **{**about, "cell": self.name},
                law=key,
                lanes=job.lanes,
                steps=job.steps,
                fault=name,
                seconds=seconds / len(found),
                data={
                    "kind": kind,
                    "what": what,
                    "first_step": x.first_step,
                    "first_lane": x.first_lane,
                },
            )
            for key, x in found.items()
        ]


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
                inside = ~leaving(case, job) if inside is None else inside
                covered = covered & inside
            x = seen(np.where(covered, spent, 0.0), t.steps)
            found[law.key] = found[law.key].worse(x) if law.key in found else x
    return found


def wrong_law(t: Trajectory, fault: LawFault) -> Seen | None:
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
