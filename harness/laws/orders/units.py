"""The unit of time in which a case is looked at from its starts, a power of two from its stiffness there.

    L = max |lambda(G^-1 H)|,  H the Hessian of loss + eps breaking, G the metric (1 where there is none)
    unit = 2^floor(log2(TAME / L)), at most 1  (1)

on the whole box, or ROOM times the largest at the starts where that is less: a corner of the box where a loss
is a hundred times as stiff would leave nothing but rounding to see elsewhere.

A run with steps unit eta, decay k/unit and the loss f is, to the bit where unit is a power of two, the run
with steps eta, decay k and the loss unit f: orders are measured on the second. In it no eigenvalue exceeds
TAME, at the starts half of it, so that the largest step size, 2^-5, has eta lambda <= 1/16, far below the
stability edge 2 (1 + beta), and FINAL is a few times 1/lambda. Nothing of this looks at a run.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

from noether.cases.case import EUCLIDEAN, Case
from noether.mechanics import stiffness
from noether.mechanics.own_units import Units, written
from noether.mechanics.symbolic_metric import curved

TAME = 2.0
EPS = 1 / 16  # small enough that no start of a scale-invariant case reaches q = 0 before FINAL
KAPPA = 1.0


ROOM = 2.0  # what a run may meet, over what its starts have: it descends, mostly to where a loss bends less
LEAST_WARMTH = 2.0**-6


@cache
def largest(case: Case) -> float:
    """L of (1) on the box; inf where the loss has no finite curvature on it."""
    L = stiffness.largest_curvature(case, EPS)
    if case.metric.kind == EUCLIDEAN or not np.isfinite(L):
        return L
    return max(L, curvature(case, case.draw(np.random.default_rng(0), stiffness.POINTS)))


def curvature(case: Case, q: np.ndarray) -> float:
    """L of (1) at q (d, n)."""
    with np.errstate(all="ignore"):
        H = stiffness.hessian(case, q, EPS)
        if case.metric.kind == EUCLIDEAN:
            return stiffness.spectral_radius(H)
        return max(
            stiffness.spectral_radius(M)
            for M in (H, stiffness.weighted(H, 1 / curved(case).entries(q, KAPPA)))
        )


def warmth(case: Case, q: np.ndarray, w: np.ndarray) -> np.ndarray:
    """(n,) how fast a start at q may be along w, both (d, n): the largest step, 2^-5 of that, changes max
    |lambda(H)| by a sixteenth."""
    beside = 2.0**-12 * w
    with np.errstate(all="ignore"):
        H, before, after = (
            np.abs(np.linalg.eigvalsh(np.nan_to_num(stiffness.hessian(case, x, EPS)))).max(axis=1)
            for x in (q, q - beside, q + beside)
        )
        return np.clip(np.nan_to_num(2 * H * 2.0**-11 / np.abs(after - before), nan=1.0), LEAST_WARMTH, 1.0)


def unit(L: float) -> float:
    """(1), 1 of a loss without curvature."""
    if not np.isfinite(L) or L <= 0:
        return 1.0
    return min(1.0, float(2.0 ** np.floor(np.log2(TAME / L))))


@cache
def slowed(case: Case, u: float) -> Case:
    """The case with its loss and its breaking u times as large; the case itself where that is 1."""
    if u == 1:
        return case
    return written(replace(case, pace=None, samples=None), Units(loss=u, breaking=u))
