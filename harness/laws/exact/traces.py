"""What the record of an exact law keeps of its trajectories for figures: short lists of plain numbers.

growth   the most that was spent in step 1, in steps 2 and 3, 4 to 7, 8 to 15 ...: whether a law gets tighter
charge   of the worst lane, J after at most POINTS steps, what the law says it must be, and the bound
path     of the worst lane where there are two parameters: q1, q2 and the displacements v1, v2 after at most
         PLANE steps
"""

from __future__ import annotations

import numpy as np

from noether.laws.exact import ExactLaw, Residual
from noether.mechanics.trajectory import Trajectory

CHARGES = ("D2", "D3", "D7", "D8")
"""Laws whose residual is a charge after each step, measured and as predicted."""
PATHS = "D0"
"""The law whose record keeps a path: every launch has one."""
POINTS, PLANE = 12, 33
DIGITS = 5
"""Digits that a figure can show."""


def traces(t: Trajectory, law: ExactLaw, r: Residual, spent: np.ndarray, lane: int) -> dict:
    """The entries of Record.data of one law on one launch.

    spent  (steps, ..., lanes), what each place of r spends, of the lanes that are judged
    lane   the worst lane, in the lanes of t
    """
    found = {"growth": growth(spent)}
    if law.key in CHARGES and np.ndim(r.measured) == 2:
        found["charge"] = charge(r, lane)
    if law.key == PATHS and t.q.shape[1] == 2:
        at = thinned(len(t.q), PLANE)
        found["path"] = [plain(x[at, i, lane]) for x in (t.q, t.v) for i in range(2)]
    return found


def growth(spent: np.ndarray) -> list[float]:
    """The largest of (steps, ...) in each range of steps that begins at a power of two."""
    worst = np.asarray(spent, float).reshape(len(spent), -1).max(axis=1)
    ends = [2**k - 1 for k in range(len(worst).bit_length())]
    return plain([worst[a : 2 * a + 1].max() for a in ends])


def charge(r: Residual, lane: int) -> dict:
    """Steps, and the charge of a lane after each: measured, predicted, and how far they may differ."""
    at = thinned(len(r.measured))
    values = {name: plain(np.asarray(getattr(r, name))[at, lane]) for name in ("measured", "predicted")}
    bound = np.broadcast_to(r.bound, np.shape(r.measured))[at, lane]
    return {"steps": [int(n) + 1 for n in at], **values, "bound": plain(bound)}


def thinned(count: int, most: int = POINTS) -> np.ndarray:
    """At most so many places of `count`, the first and the last among them."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int))


def plain(values) -> list[float]:
    """Floats of DIGITS digits."""
    return [float(f"{float(x):.{DIGITS}g}") for x in values]
