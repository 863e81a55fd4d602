"""Where statements about solutions end: a kink of the loss on the way (theory.md section 8).

A solution that meets a kink is no smoother than its force, which jumps there: no method has its order, and no 1e-12 is
to be had. Decided by a reference that no verdict is about, a solution of the same equations at a loose tolerance.
"""

from __future__ import annotations

import numpy as np

from cases.case import Case
from harness.namespace import NUMPY


class Kinked(RuntimeError):
    """The reference meets a kink: what a cell would say of its solution is outside."""


def arguments(case: Case, q: np.ndarray) -> np.ndarray:
    """(n, kinks, lanes) of case.kinks along q (n, d, lanes)."""
    found = case.kinks(list(np.moveaxis(q, 1, 0)), NUMPY)
    return np.stack([np.broadcast_to(x, (q.shape[0], q.shape[2])) for x in found], axis=1)


def met(case: Case, q: np.ndarray) -> np.ndarray:
    """(lanes,) whether an argument changes its sign along q, or comes so near 0 that it may have between two rows.

    Near: below half of what it moves by in the interval before or after.
    """
    u = arguments(case, q)
    reach = np.abs(np.diff(u, axis=0)) / 2
    before, after = np.abs(u[:-1]) <= reach, np.abs(u[1:]) <= reach
    changed = np.sign(u[1:]) != np.sign(u[:-1])
    return (changed | before | after).any(axis=(0, 1))


def require_smooth(case: Case, q: np.ndarray, times: np.ndarray) -> None:
    """Raises Kinked when a lane of the reference q (n, d, lanes) at times (n, lanes) meets a kink."""
    if case.kinks is None:
        return
    lanes = np.flatnonzero(met(case, q))
    if len(lanes):
        lane = int(lanes[0])
        upto = next(n for n in range(2, len(q) + 1) if met(case, q[:n, :, lane : lane + 1])[0])
        raise Kinked(f"the reference meets a kink before t = {times[upto - 1, lane]:.3g} in lane {lane}; {len(lanes)} of {q.shape[2]} lanes do")
