"""From residuals to one record: the worst point, the evidence, the verdict."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from noether.laws.exact import EXACT, MOTION, ExactLaw, Residual
from noether.laws.exact.coefficients import of_law
from noether.laws.exact.traces import traces
from noether.mechanics.trajectory import Trajectory
from noether.verdicts import judgement
from noether.verdicts.record import HOLDS, Record

PATH_MOTION = 4.0  # a lane moved when its path is longer than this many times the sum of its own bounds
EVIDENCE_SHARE = 8  # one lane in so many must carry evidence


def spent_of(r: Residual) -> np.ndarray:
    """What each place of a residual spends. Where its bound overflowed, only what is equal to the bit spends
    nothing."""
    return judgement.spent_of(r.counted, r.predicted, np.where(np.isnan(r.bound), 0, r.bound))


@dataclass(frozen=True)
class Look:
    """What a law makes of a trajectory, lane by lane, whatever lanes are excused later.

    covered  (lanes,) bool, where the law speaks;  spent  what each place of the residual spends
    """

    covered: np.ndarray
    residual: Residual
    spent: np.ndarray

    def of(self, lanes: slice) -> Look:
        """What it makes of these lanes alone."""
        r, n = self.residual, len(self.covered)
        cut = lambda x: x[..., lanes] if np.shape(x)[-1:] == (n,) else x
        mine = Residual(cut(r.measured), cut(r.predicted), cut(r.bound), cut(r.signal), r.at_most)
        return Look(self.covered[lanes], mine, self.spent[..., lanes])


def look(t: Trajectory, law: ExactLaw, symmetry, **flaws) -> Look | None:
    """A law's look at a trajectory; None where it covers no lane.  flaws  as those of `judge`"""
    covered = law.covers(t, symmetry)
    if not covered.any():
        return None
    with np.errstate(all="ignore"):
        r = law.residual(t, symmetry, **flaws) if symmetry else law.residual(t, **flaws)
        return Look(covered, r, spent_of(r))


def looks(t: Trajectory, laws) -> dict:
    """{(key, name of the symmetry): Look or None}, of every law in `laws` (keys) on every symmetry."""
    return {(law.key, named(s)): look(t, law, s) for law, s in asked(t, laws)}


def asked(t: Trajectory, laws) -> list[tuple]:
    """Each law in `laws` (keys) with each symmetry that it is about; None of one that is about none."""
    of = lambda law: t.case.symmetries if law.about_symmetry else (None,)
    return [(EXACT[key], s) for key in laws for s in of(EXACT[key])]


def named(symmetry) -> str | None:
    return symmetry.name if symmetry else None


def judge(
    t: Trajectory,
    law: ExactLaw,
    symmetry,
    *,
    about: dict,
    outside=None,
    powers=False,
    enough=True,
    seen: Look | None = None,
    **flaws,
) -> Record | None:
    """One record, or None where the law covers no lane.

    outside  (lanes,) bool, decided by the caller from parameters or a reference, never from t; or a function
             that returns it, which only a violation calls: the references cost as much as the launch
    powers   whether the record says what it would have noticed, Record.powers
    enough   further evidence, beside that of the trajectory
    seen     the law's look at t where it is known already; flaws are then those it was looked with
    flaws    passed to the law's residual: a deliberately wrong law
    """
    seen = seen or look(t, law, symmetry, **flaws)
    if seen is None:
        return None
    covered, r, everywhere = seen.covered, seen.residual, seen.spent
    if callable(outside):
        outside = outside() if not (everywhere[..., covered] <= 1).all() else None
    excused = covered & outside if outside is not None else np.zeros(t.lanes, bool)
    lanes = np.flatnonzero(covered & ~excused)
    about = dict(about, law=law.key, symmetry=named(symmetry))
    about |= dict(lanes=int(len(lanes)), steps=t.steps)
    if not len(lanes):
        reason = f"all {int(excused.sum())} lanes leave the domain in the reference trajectory"
        return judgement.outside(reason, **about)
    worst, late = worst_of(r, everywhere[..., lanes], lanes)
    reason, carry = told(t, law, r, worst, lanes)
    if law.witness and worst.spent <= 1 and carry and enough:
        step, lane = min(worst.at[0], t.steps - 1), worst.at[-1]
        heard, worst, reason = law.witness(t, lane, step, lanes, worst, reason)
        carry = carry and heard
    if excused.any():
        reason += f"; {int(excused.sum())} lanes outside"
    place = portrait(t, worst.at[-1], worst.at[0], worst.at[1] if len(worst.at) == 3 else None)
    about |= dict(enough=carry and enough, place=place, data={"late": late})
    record = judgement.rounding(worst, reason, **about)
    if powers and record.verdict == HOLDS:
        record.powers = of_law(t, law, symmetry, lanes)
        record.data |= traces(t, law, r, everywhere[..., lanes], place["lane"])
    return record


def worst_of(r: Residual, spent: np.ndarray, lanes: np.ndarray) -> tuple[judgement.Worst, float]:
    """The worst place of what these lanes spent, (..., lanes), and the most that the later half of it spent.

    The place is told in the lanes of r.
    """
    at = judgement.highest(spent)
    place = (*at[:-1], int(lanes[at[-1]]))
    numbers = (float(x[place]) for x in (r.measured, r.predicted, r.bound))
    return judgement.Worst(float(spent[at]), *numbers, place), float(spent[len(spent) // 2 :].max())


def told(t: Trajectory, law: ExactLaw, r: Residual, worst: judgement.Worst, lanes) -> tuple[str, bool]:
    """The reason of a record, and whether enough of the lanes carry evidence."""
    with np.errstate(all="ignore"):
        carried = int(evidence(law, r, t)[lanes].sum())
    needed = max(1, len(lanes) // EVIDENCE_SHARE)
    if not worst.spent <= 1:
        return violation(t, worst.at[-1], worst.at[0], worst.spent), carried >= needed
    if carried < needed:
        reason = f"{carried} of {len(lanes)} lanes move by more than their rounding: must be {needed}"
        return reason, False
    return f"{carried} of {len(lanes)} lanes carry evidence", True


def evidence(law: ExactLaw, r: Residual, t: Trajectory) -> np.ndarray:
    """(lanes,) whether the lane's signal stands above its bound."""
    if law.about_path:
        return t.path >= PATH_MOTION
    ratio = np.nan_to_num((r.signal / r.bound).astype(float), nan=0.0, posinf=0.0)
    above = (ratio >= MOTION).reshape(-1, t.lanes).any(axis=0)
    return above if r.at_most else above & (t.path >= PATH_MOTION)  # the signal of a largest size is motion


def violation(t: Trajectory, lane: int, step: int, worst: float) -> str:
    """The reason of a violated record: what was not finite, or how many bounds the residual is."""
    bad = ~t.finite[:, lane]
    if bad.any():
        return f"non-finite state in lane {lane} at step {int(np.argmax(bad))}"
    return f"residual is {worst:.3g} bounds in lane {lane} at step {step}, must be at most 1"


def portrait(t: Trajectory, lane: int, step: int, component) -> dict:
    """Record.worst of a lane: its start and parameters in hex floats, enough to run it alone."""
    hexes = lambda x: [float(y).hex() for y in x]
    parameters = dict(zip(t.rule.parameters, hexes(t.params[:, lane]), strict=True))
    start = {"start": hexes(t.z[0, :, lane]), "kick": hexes(t.v[0, :, lane])}
    return {"lane": lane, "step": step, "component": component, **start, **parameters}


def judge_all(
    t: Trajectory, laws, *, about: dict, outside=None, powers: bool = False, seen: dict | None = None
) -> list[Record]:
    """The records of every law in `laws` (keys) on every symmetry that it covers.

    seen  as `looks` gives, where that is known already
    """
    seen, records = looks(t, laws) if seen is None else seen, []
    for law, symmetry in asked(t, laws):
        here = seen[law.key, named(symmetry)]
        if here is not None:
            how = dict(about=about, outside=outside, powers=powers, seen=here)
            records += filter(None, [judge(t, law, symmetry, **how)])
    return records
