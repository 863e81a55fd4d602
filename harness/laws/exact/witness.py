"""A witness of the gradient that judges D0: differences of the loss at 50 digits know no rule of calculus."""

from __future__ import annotations

from dataclasses import replace

import mpmath
import numpy as np

from noether.mechanics.trajectory import Trajectory
from noether.mechanics.wide import FORWARD, U_WIDE, AtKink, gradient_mp, slope_mp
from noether.verdicts.judgement import Worst, spent_of

WITNESSES = 8  # further points that are asked where the worst one is at a kink


def witnessed(
    t: Trajectory, lane: int, step: int, lanes, worst: Worst, reason: str
) -> tuple[bool, Worst, str]:
    """Ask the wide gradient too, where D0 holds without it; at a kink another point is asked.

    Returns whether a point could be asked, and the worst place and the reason then.
    """
    # Of the places alone: nothing that was judged chooses them.
    others = np.random.default_rng(0).permutation(len(lanes) * t.steps)[:WITNESSES]
    for n, i in [(step, lane), *((int(x) % t.steps, int(lanes[int(x) // t.steps])) for x in others)]:
        try:
            apart = witness(t, i, n)
        except AtKink:
            continue
        if apart <= 1:
            return True, worst, reason
        reason = (
            f"the wide gradient is {apart:.3g} bounds from 50-digit differences of the loss in lane {i} at "
            f"step {n}"
        )
        return True, replace(worst, spent=apart), reason
    reason = f"{len(others) + 1} points are at a kink, where the loss has no gradient that could be witnessed"
    return False, worst, reason


def witness(t: Trajectory, lane: int, step: int) -> float:
    """|g_wide - g_50| at one point in units of the wide gradient's bound: differences at 50 digits know no
    rule of calculus."""
    q, eps, g = t.q[step, :, lane], t.params[3, lane], t.g[step, :, lane]
    total = lambda x, xp: t.case.total(x, mpmath.mpf(float(eps)), xp)
    # The kernel's gradient bound at 2^-64, for another order of operations, and mirror's q = exp z rounded
    # once.
    bound = 8 * t.g_error[step, :, lane] * (U_WIDE / t.precision.u_arith) + 8 * U_WIDE * np.abs(g)
    digits = 50
    with mpmath.workdps(digits):
        point = [exactly(x) for x in q]
        if t.dim <= FORWARD:
            exact = gradient_mp(total, point, digits)
            apart = [float(abs(e - exactly(x))) for e, x in zip(exact, g, strict=True)]
        else:  # all components at once, with signs that no fault can know: d differences would take minutes
            signs = np.random.default_rng(t.dim).choice([-1, 1], t.dim)
            paired = sum((int(s) * exactly(x) for s, x in zip(signs, g, strict=True)), mpmath.mpf(0))
            apart = [float(abs(slope_mp(total, point, [int(s) for s in signs], digits) - paired))]
            bound = np.sum(bound)
    return float(np.max(spent_of(apart, 0.0, np.where(np.isnan(bound), 0, bound))))


def exactly(x) -> mpmath.mpf:
    """The mpf that equals a longdouble, made from its two halves: float() would round it."""
    high = np.float64(x)
    return mpmath.mpf(float(high)) + mpmath.mpf(float(np.longdouble(x) - np.longdouble(high)))
