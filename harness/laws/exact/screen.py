"""The screen: every exact law on every step of every lane, in the kernel, at volume (theory.md section 4).

What it finds is a reason to look, never a verdict: a lane above 1, the worst lanes and a random sample are
run again with their whole trajectory and judged on the host in wide arithmetic (`confirm`). The bounds are
those of the laws with the rounding of float64 residuals added, so that an honest launch never shows more than
1.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from noether.cases.case import Case
from noether.kernels.loops import launch, screen_launch
from noether.laws.exact import EXACT
from noether.laws.exact.certified import certified_steps, judge_inside
from noether.laws.exact.residuals import residuals, speaking
from noether.mechanics.domain import leaving
from noether.mechanics.trajectory import Trajectory
from noether.mechanics.wide import WIDE
from noether.verdicts.judgement import bits
from noether.verdicts.record import Record


@dataclass(frozen=True)
class Screening:
    """Summaries of one launch; a step n takes state n to n + 1.

    laws        (law, symmetry name or None)
    spent       (laws, lanes) float64, the largest over the steps; inf for what is not finite; NaN where not
                covered
    worst_step  (laws, lanes) where that was;  first_bad  (laws, lanes) the first step above 1;  -1: none
    covered     (laws, lanes) whether the law speaks of the lane
    moved       (lanes,) steps on which the stored q changed
    q, v        (d, lanes) final buffers
    checks      lanes x steps x laws, without what is not covered
    """

    laws: tuple[tuple[str, str | None], ...]
    spent: np.ndarray
    worst_step: np.ndarray
    first_bad: np.ndarray
    covered: np.ndarray
    moved: np.ndarray
    q: np.ndarray
    v: np.ndarray
    backend: str
    seconds: float
    steps: int
    checks: int
    notes: dict = field(default_factory=dict)

    @property
    def worst(self) -> float:
        """The most that any lane spends of any law; 0 where nothing is covered."""
        return float(self.spent[self.covered].max(initial=0.0))

    @property
    def alarmed(self) -> np.ndarray:
        """The lanes that are above 1 in some law; `outside` says which of them left the domain."""
        return (self.covered & ~(self.spent <= 1)).any(axis=0)


def screen(
    case: Case, job: launch.Job, laws: Iterable[str] | None = None, backend: str = "auto"
) -> Screening:
    """Run a launch and every law that speaks of it. Raises BackendMissing; ValueError where no law does."""
    prepared, pairs, covered = prepare(case, job, laws)
    found = launch.run(prepared, launch.automatic() if backend == "auto" else backend)
    return summary(pairs, covered, prepared, found)


def screen_states(case: Case, job: launch.Job, q, v, laws: Iterable[str] | None = None) -> Screening:
    """What `screen` gives for states that something else made, (steps + 1, d, lanes) float64."""
    prepared, pairs, covered = prepare(case, job, laws)
    return summary(pairs, covered, prepared, screen_launch.recorded(prepared, q, v))


def prepare(case: Case, job: launch.Job, laws: Iterable[str] | None = None):
    """The screen of a launch, its (law, symmetry) pairs and the lanes that each covers."""
    if not job.rule.screened:
        raise ValueError(f"rule {job.rule.name} cannot be screened: its laws are not traced into a kernel")
    nowhere = np.broadcast_to(np.zeros((), WIDE), (job.steps + 1, *job.q0.shape))
    t = Trajectory(case, job.rule, job.precision, nowhere, nowhere, job.params)
    symmetries = {s.name: s for s in case.symmetries} | {None: None}
    covers = {pair: EXACT[pair[0]].covers(t, symmetries[pair[1]]) for pair in speaking(case, job.rule, laws)}
    pairs = tuple(pair for pair, lanes in covers.items() if lanes.any())
    if not pairs:
        raise ValueError(
            f"no law of {tuple(laws or EXACT)} speaks of {case.name} under {job.rule.name}: nothing to screen"
        )
    program = residuals(case, job.rule, job.precision, pairs)
    prepared = screen_launch.Screen(job, program.program, program.lags, job.params.copy())
    return prepared, pairs, np.array([covers[pair] for pair in pairs])


def summary(pairs, covered, prepared: screen_launch.Screen, found: screen_launch.Found) -> Screening:
    """The Screening of what a launch has found, without the lanes that a law does not cover."""
    steps = prepared.job.steps
    pairs_of_lanes = zip(covered, prepared.lags, strict=True)
    checks = sum(int(lanes.sum()) * (steps - lag + 1) for lanes, lag in pairs_of_lanes)
    step_of = lambda x: np.where(covered, x, -1).astype(np.int64)
    spent = np.where(covered, found.spent, np.nan)
    where = (step_of(found.worst_step), step_of(found.first_bad), covered, found.moved.astype(np.int64))
    about = (found.backend, found.seconds, steps, checks, found.notes)
    return Screening(pairs, spent, *where, found.q, found.v, *about)


def some_lanes(job: launch.Job, lanes: Sequence[int], steps: int | None = None) -> launch.Job:
    """The chosen lanes of a launch, traced; cut after `steps`."""
    at = np.asarray(lanes)
    start = dict(q0=job.q0[:, at], v0=job.v0[:, at], params=job.params[:, at])
    return replace(job, **start, steps=min(job.steps, steps or job.steps), trace=True)


def outside(case: Case, job: launch.Job, found: Screening) -> np.ndarray:
    """(lanes,) alarmed lanes that leave the domain: in a reference, or by their own certified steps before
    they alarm.

    References and certificates are made for alarmed lanes only.
    """
    out = np.zeros(job.lanes, bool)
    for lanes in portions(job, np.flatnonzero(found.alarmed)):
        out[lanes] = leaving(case, some_lanes(job, lanes))
    for lanes in portions(job, np.flatnonzero(found.alarmed & ~out)):
        bad = np.where(found.first_bad < 0, found.steps, found.first_bad)[:, lanes].min(axis=0)
        part = some_lanes(job, lanes, int(bad.max()) + 1)
        t = Trajectory(case, job.rule, job.precision, *launch.run(part, found.backend).wide(), part.params)
        out[lanes] = certified_steps(t) <= bad
    return out


def portions(job: launch.Job, lanes: np.ndarray) -> list[np.ndarray]:
    return np.array_split(lanes, -(-len(lanes) // launch_size(job))) if len(lanes) else []


def launch_size(job: launch.Job) -> int:
    """Lanes whose references fit into some 100 MB: steps x d numbers of 16 bytes, a few dozen times."""
    return max(1, 2**22 // ((job.steps + 1) * len(job.q0)))


def chosen(found: Screening, seed: int, sample: int = 4) -> np.ndarray:
    """The lane that spent most in each law, and `sample` others at random: what is replayed on the host."""
    spent = np.where(found.covered, found.spent, -1.0)
    lanes = found.spent.shape[1]
    others = np.random.default_rng(seed).choice(lanes, min(sample, lanes), replace=False)
    return np.unique(np.concatenate([spent.argmax(axis=1), others]))


def confirm(
    case: Case, job: launch.Job, lanes: Sequence[int], *, found: Screening | None = None, steps=None
) -> list[Record]:
    """The chosen lanes again: whole trajectories, judged on the host in wide arithmetic by every exact law.

    found  the screening they come from: its backend runs them, and their final states must be its own, bit
           for bit (B1)
    steps  cut after so many; the final states are then not compared
    """
    part = some_lanes(job, lanes, steps)
    outcome = launch.run(part, found.backend if found else "numpy")
    about = dict(case=case.name, rule=job.rule.name, backend=outcome.backend)
    about |= dict(precision=job.precision.label, parameters={})
    t = Trajectory(case, job.rule, job.precision, *outcome.wide(), part.params)
    records = judge_inside(case, part, t, EXACT, about=about)
    for record in records:
        if record.worst:
            record.worst["lane"] = int(np.asarray(lanes)[record.worst["lane"]])
    if found is not None and part.steps == found.steps:
        final = replace(outcome, q=found.q[None][..., lanes], v=found.v[None][..., lanes])
        differ = launch.differing_bits(replace(outcome, q=outcome.q[-1:], v=outcome.v[-1:]), final)
        if differ:
            reason = f"{differ} values of the final states differ between the screen and its replay"
            about = dict(about, law="B1", lanes=part.lanes, steps=part.steps)
            records.append(bits(differ, reason, enough=True, **about))
    return records
