"""From residuals to one record: the worst point, the evidence, the verdict."""

from __future__ import annotations

import mpmath
import numpy as np

from noether.laws.exact import EXACT, MOTION, ExactLaw, Residual
from noether.laws.exact.coefficients import of_law
from noether.mechanics.trajectory import Trajectory
from noether.mechanics.wide import U_WIDE, AtKink, gradient_mp
from noether.verdicts.record import HOLDS, INCONCLUSIVE, OUTSIDE, VIOLATED, Record

PATH_MOTION = 4.0  # a lane moved when its path is longer than this many times the sum of its own bounds
WITNESSES = 8  # further points that are asked where the worst one is at a kink
EVIDENCE_SHARE = 8  # one lane in so many must carry evidence


def spent_of(r: Residual) -> np.ndarray:
    """|measured - predicted| / bound; 0/0 is 0, a non-finite difference is infinite."""
    with np.errstate(all="ignore"):
        off = np.abs(r.measured - r.predicted)
        spent = np.where(off == 0, 0, off / r.bound)
    return np.where(np.isfinite(off) & ~np.isnan(spent), spent, np.inf).astype(float)


def judge(
    t: Trajectory, law: ExactLaw, symmetry, *, about: dict, outside=None, powers: bool = False, **flaws
) -> Record | None:
    """One record, or None where the law covers no lane.

    outside  (lanes,) bool, decided by the caller from parameters or a reference, never from t; or a function
             that
             returns it, which only a violation asks: the references cost as much as the launch
    powers   whether the record says what it would have noticed, Record.powers
    flaws    passed to the law's residual: a deliberately wrong law
    """
    covered = law.covers(t, symmetry)
    if not covered.any():
        return None
    with np.errstate(all="ignore"):
        r = law.residual(t, symmetry, **flaws) if symmetry else law.residual(t, **flaws)
        everywhere = spent_of(r)
    if callable(outside):
        outside = outside() if not (everywhere[..., covered] <= 1).all() else None
    excused = covered & outside if outside is not None else np.zeros(t.lanes, bool)
    lanes = np.flatnonzero(covered & ~excused)
    base = dict(
        law=law.key,
        symmetry=symmetry.name if symmetry else None,
        lanes=int(len(lanes)),
        steps=t.steps,
        **about,
    )
    if not len(lanes):
        reason = f"all {int(excused.sum())} lanes leave the domain in the reference trajectory"
        return Record(
            **base, predicted=None, measured=None, bound=None, spent=None, verdict=OUTSIDE, reason=reason
        )
    spent = everywhere[..., lanes]
    flat = int(np.argmax(spent))
    index = np.unravel_index(flat, spent.shape)
    lane, step = int(lanes[index[-1]]), int(index[0])
    place = (*index[:-1], lane)
    component = int(index[1]) if spent.ndim == 3 else None
    worst = float(spent[index])
    with np.errstate(all="ignore"):
        carried = evidence(law, r, t)[lanes]
    enough = int(carried.sum()) >= max(1, len(lanes) // EVIDENCE_SHARE)
    if not worst <= 1:
        verdict, reason = VIOLATED, violation(t, lane, step, worst, lanes)
    elif not enough:
        verdict = INCONCLUSIVE
        reason = (
            f"{int(carried.sum())} of {len(lanes)} lanes move by more than their rounding: must be "
            f"{max(1, len(lanes) // EVIDENCE_SHARE)}"
        )
    else:
        verdict, reason = HOLDS, f"{int(carried.sum())} of {len(lanes)} lanes carry evidence"
    if law.key == "D0" and verdict == HOLDS:
        verdict, worst, reason = witnessed(t, lane, min(step, t.steps - 1), lanes, worst, reason)
    if excused.any():
        reason += f"; {int(excused.sum())} lanes outside"
    return Record(
        **base,
        predicted=number(r.predicted[place]), measured=number(r.measured[place]),
        bound=number(r.bound[place]),
        spent=worst, verdict=verdict, reason=reason, worst=portrait(t, lane, step, component),
        powers=of_law(t, law, symmetry, lanes) if powers and verdict == HOLDS else {},
        data={"late": float(spent[len(spent) // 2 :].max())},
    )  # fmt: skip


def witnessed(
    t: Trajectory, lane: int, step: int, lanes, worst: float, reason: str
) -> tuple[str, float, str]:
    """Verdict, spent and reason of D0 where it holds, once the wide gradient was asked too; at a kink another
    point is asked."""
    others = np.random.default_rng(0).permutation(len(lanes) * t.steps)[
        :WITNESSES
    ]  # of the places alone: nothing that was judged chooses them
    for n, i in [(step, lane), *((int(x) % t.steps, int(lanes[int(x) // t.steps])) for x in others)]:
        try:
            apart = witness(t, i, n)
        except AtKink:
            continue
        if not apart <= 1:
            return (
                VIOLATED,
                apart,
                f"the wide gradient is {apart:.3g} bounds from 50-digit differences of the loss in lane {i} "
                f"at step {n}",
            )
        return HOLDS, worst, reason
    return (
        INCONCLUSIVE,
        worst,
        f"{len(others) + 1} points are at a kink, where the loss has no gradient that could be witnessed",
    )


def witness(t: Trajectory, lane: int, step: int) -> float:
    """|g_wide - g_50| at one point in units of the wide gradient's bound: differences at 50 digits know no
    rule of calculus."""
    q, eps = t.q[step, :, lane], t.params[3, lane]
    digits = 50
    with mpmath.workdps(digits):
        exact = gradient_mp(
            lambda x, xp: t.case.total(x, mpmath.mpf(float(eps)), xp), [exactly(x) for x in q], digits
        )
        apart = [float(abs(e - exactly(g))) for e, g in zip(exact, t.g[step, :, lane], strict=True)]
    # The kernel's gradient bound at 2^-64, for another order of operations, and mirror's q = exp z rounded
    # once.
    bound = 8 * t.g_error[step, :, lane] * (U_WIDE / t.precision.u_arith) + 8 * U_WIDE * np.abs(
        t.g[step, :, lane]
    )
    apart = np.array(apart)
    return float(np.max(np.where(apart == 0, 0, apart / np.where(apart == 0, 1, bound))))


def exactly(x) -> mpmath.mpf:
    """A longdouble as an mpf, by its two halves: float() would round it."""
    high = np.float64(x)
    return mpmath.mpf(float(high)) + mpmath.mpf(float(np.longdouble(x) - np.longdouble(high)))


def evidence(law: ExactLaw, r: Residual, t: Trajectory) -> np.ndarray:
    """(lanes,) whether the lane's signal stands above its bound."""
    if law.key == "D0":
        return t.path >= PATH_MOTION
    ratio = np.nan_to_num((r.signal / r.bound).astype(float), nan=0.0, posinf=0.0)
    return (ratio >= MOTION).reshape(-1, t.lanes).any(axis=0) & (t.path >= PATH_MOTION)


def violation(t: Trajectory, lane: int, step: int, worst: float, lanes) -> str:
    bad = ~t.finite[:, lane]
    if bad.any():
        return f"non-finite state in lane {lane} at step {int(np.argmax(bad))}"
    return f"residual is {worst:.3g} bounds in lane {lane} at step {step}, must be at most 1"


def portrait(t: Trajectory, lane: int, step: int, component) -> dict:
    """The worst lane: start and parameters in hex floats, enough to run it alone."""
    hexes = lambda x: [float(y).hex() for y in x]  # noqa: E731
    return {
        "lane": lane, "step": step, "component": component, "start": hexes(t.z[0, :, lane]),
        "kick": hexes(t.v[0, :, lane]),
        **{n: float(x).hex() for n, x in zip(t.rule.parameters, t.params[:, lane], strict=True)},
    }  # fmt: skip


def number(x) -> float:
    return float(x)


def judge_all(t: Trajectory, laws, *, about: dict, outside=None, powers: bool = False) -> list[Record]:
    """Every law in `laws` (keys) on every symmetry that it covers."""
    records = []
    for key in laws:
        law = EXACT[key]
        for symmetry in t.case.symmetries if law.about_symmetry else (None,):
            record = judge(t, law, symmetry, about=about, outside=outside, powers=powers)
            if record is not None:
                records.append(record)
    return records
