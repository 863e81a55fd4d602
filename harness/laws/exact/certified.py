"""How far a trajectory can be judged, where references cannot say: up to a step that must overflow, certified
from the start.

Past the stability edge two right trajectories part within a few steps, and a reference may stay where the
trajectory under test rightly overflows. That trajectory may speak of itself as far as D0 has certified it:
each state follows from the one before within rounding, by gradients and parameters that are not the kernel's.
Where the true next step from a certified state comes near overflow, or where no finite bound of its gradient
exists, the statement ends. A wrong kernel cannot excuse itself so: the first wrong step stands before any
state that it leads to.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np

from noether.cases.case import Case
from noether.kernels.loops import launch
from noether.kernels.programs import trace
from noether.laws.exact import judge, update
from noether.mechanics import bounds
from noether.mechanics.domain import MARGIN, OVERFLOW, leaving
from noether.mechanics.trajectory import Trajectory
from noether.verdicts.record import VIOLATED, Record


def certified_steps(t: Trajectory, spent: np.ndarray | None = None) -> np.ndarray:
    """(lanes,) how many steps can be judged; all of them where D0 is violated before the end of what can.

    spent  what D0 spends, where that is known already
    """
    with np.errstate(all="ignore"):
        fine = ((judge.spent_of(update(t)) if spent is None else spent) <= 1).all(axis=1)
        ends = overflowing_next(t) | ~np.isfinite(t.g_error).all(axis=1)
        if t.rule.on_metric:
            ends |= ~np.isfinite(t.G_error).all(axis=1)
    first = np.where(ends.any(axis=0), ends.argmax(axis=0), t.steps)
    before = np.arange(t.steps)[:, None] < first
    return np.where((fine | ~before).all(axis=0), first, t.steps)


def overflowing_next(t: Trajectory) -> np.ndarray:
    """(steps, lanes) whether the true step from state n comes near the largest number of a store or an
    operation."""
    p, d = t.precision, t.q.shape[1]
    q = np.moveaxis(t.q[:-1].astype(np.float64), 1, 0).reshape(d, -1)
    eps = np.broadcast_to(t.params[3], (t.steps, t.lanes)).reshape(-1)
    inside = bounds.value_range(trace.gradient(t.case), q, eps, p)[1].reshape(t.steps, t.lanes)
    if t.rule.on_metric:
        kappa = np.broadcast_to(t.params[t.rule.index("kappa")], (t.steps, t.lanes)).reshape(-1)
        more = bounds.value_range(trace.metric(t.case, t.rule), q, kappa, p)[1].reshape(t.steps, t.lanes)
        inside = np.maximum(inside, more)
    w = t.expected_v
    new = sum(t.summed(w)[0].values())
    near = lambda size, kind: ~(size < OVERFLOW[kind] / MARGIN)
    return (
        near(inside, p.rounded)
        | near(t.reached, p.rounded)
        | near(np.abs(w).max(axis=1), p.v_store)
        | near(np.abs(new).max(axis=1), p.q_store)
    )


def part(t: Trajectory, lanes, steps: int | None = None) -> Trajectory:
    """Some lanes of a trajectory, cut after `steps`."""
    end = None if steps is None else steps + 1
    state = t.z[:end][..., lanes], t.v[:end][..., lanes], t.params[:, lanes]
    return Trajectory(t.case, t.rule, t.precision, *state, t.begun)


class Domain:
    """Where the laws speak of a trajectory of a launch; asked only where something is violated, for it costs
    as much as the launch.

    outside  (lanes,) bool, a reference leaves the domain: the statement does not cover the lane
    until    (lanes,) int, the steps that can be judged of the others: as far as they are certified

    leaves and certified give both where they are known otherwise than from this launch alone: leaves() as
    `leaving`, certified() as `certified_steps`
    """

    def __init__(
        self,
        case: Case,
        job: launch.Job,
        t: Trajectory,
        leaves: Callable | None = None,
        certified: Callable | None = None,
    ):
        self.t, self.leaves = t, leaves or (lambda: leaving(case, job))
        self.certified = certified or (lambda: certified_steps(t))

    @cached_property
    def outside(self) -> np.ndarray:
        """(lanes,) bool: the lanes that leave the domain in a reference."""
        return self.leaves()

    @cached_property
    def until(self) -> np.ndarray:
        """(lanes,) how many steps of each lane are certified."""
        return np.where(self.outside, self.t.steps, self.certified())

    @property
    def ends(self) -> np.ndarray:
        """(lanes,) bool: the lanes of which the laws do not speak to the last step."""
        return self.outside | (self.until < self.t.steps)


def judge_inside(
    case: Case,
    job: launch.Job,
    t: Trajectory,
    laws,
    *,
    about: dict,
    domain: Domain | None = None,
    powers=False,
    seen: dict | None = None,
) -> list[Record]:
    """The records of every law on what is inside the domain.

    Lanes that a reference sees leave it are excused; others are judged as far as they are certified.

    seen  the laws' looks at t (judge.looks), where they are known already
    """
    seen = judge.looks(t, laws) if seen is None else seen
    how = dict(about=about, powers=powers, seen=seen)
    records = judge.judge_all(t, laws, **how)
    if not violated(records):
        return records
    domain = domain or Domain(case, job, t)
    records = judge.judge_all(t, laws, outside=domain.outside, **how)
    if not violated(records):
        return records
    until = domain.until
    cut = until < t.steps
    if not cut.any():
        return records
    records = judge.judge_all(t, laws, outside=domain.ends, **how)
    for steps in np.unique(until[cut & (until > 0)]):
        lanes = np.flatnonzero(until == steps)
        for record in judge.judge_all(part(t, lanes, int(steps)), laws, about=about):
            if record.verdict == VIOLATED:
                record.worst["lane"] = int(lanes[record.worst["lane"]])
                records.append(record)
    return records


def violated(records: list[Record]) -> bool:
    """Whether any of these records is violated."""
    return any(r.verdict == VIOLATED for r in records)
