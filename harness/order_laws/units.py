"""The unit of time in which a case is looked at, a power of two from its stiffness.

    L = max |lambda(G^-1 H)| on the box,  H the Hessian of loss + eps breaking, G the metric (1 where there is none)
    unit = 2^floor(log2(TAME / L)), at most 1                                                               (1)

A run with steps unit eta, decay k/unit and the loss f is, to the bit where unit is a power of two, the run with steps
eta, decay k and the loss unit f: orders are measured on the second. In it no eigenvalue exceeds TAME, so that the largest
step size, 2^-5, has eta lambda <= 1/16, far below the stability edge 2 (1 + beta), and FINAL is a few times 1/lambda.
Nothing of this looks at a run.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

from cases.case import EUCLIDEAN, Case
from harness import stiffness
from harness.symbolic_metric import curved

TAME = 2.0
EPS = 1 / 16  # small enough that no start of a scale-invariant case reaches q = 0 before FINAL
KAPPA = 1.0


@cache
def largest(case: Case) -> float:
    """L of (1); inf where the loss has no finite curvature on its box."""
    L = stiffness.largest_curvature(case, EPS)
    if case.metric.kind == EUCLIDEAN or not np.isfinite(L):
        return L
    q = case.draw(np.random.default_rng(0), stiffness.POINTS)
    root = np.sqrt(curved(case).entries(q, KAPPA)).T
    H = stiffness.hessian(case, q, EPS) / (root[:, :, None] * root[:, None, :])
    return max(L, float(np.abs(np.linalg.eigvalsh(H)).max()) if np.isfinite(H).all() else float("inf"))


@cache
def unit(case: Case) -> float:
    L = largest(case)
    if not np.isfinite(L) or L <= 0:
        return 1.0
    return min(1.0, float(2.0 ** np.floor(np.log2(TAME / L))))


@cache
def slowed(case: Case) -> Case:
    """The case with its loss and its breaking times the unit; the case itself where that is 1."""
    u = unit(case)
    if u == 1:
        return case
    return replace(
        case,
        loss=lambda q, xp: case.loss(q, xp) * u,
        breaking=lambda q, xp: case.breaking(q, xp) * u,
        samples=None,
    )
