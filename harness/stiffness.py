"""How stiff a loss is where its starts are drawn: the largest curvature on the box.

    L = max |lambda(H(q))|  over sampled q of the box,  H the Hessian of loss + eps * breaking            (1)

A step size eta is past the stability edge of heavy ball where eta L > 2 (1 + beta), of Nesterov where
eta L > 2 (1 + beta)/(1 + 2 beta) (Cohen et al. 2021, arXiv 2103.00065). Both are decided from the case, before anything
runs. H is taken by central differences of the wide gradient, which knows no Hessian of its own: with 64 bits and a
step of 2^-20 of the box the differences are right to about 2^-40, far below what a choice of step size needs.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from cases.case import Case
from harness import wide

POINTS = 32  # of the box; with as many again on its faces, where a polynomial loss is stiffest
LARGEST_EPS = 0.5  # the largest breaking magnitude that a launch has (harness/sweep.py)


@cache
def largest_curvature(case: Case, eps: float = 0.0) -> float:
    """L of (1), in units of the loss over those of q squared; inf where the loss has no finite curvature there."""
    rng = np.random.default_rng(0)  # of the case alone: no seed of a run may change what is stiff
    inside = case.draw(rng, POINTS)
    low, high = (np.array(side)[:, None] for side in zip(*case.box, strict=True))
    faces = np.where(rng.random(inside.shape) < 0.5, low, high)
    q = np.concatenate([inside, faces / faces.sum(axis=0) if case.metric.simplex else faces], axis=1)
    with np.errstate(all="ignore"):
        H = hessian(case, q, eps)
    if not np.isfinite(H).all():
        return float("inf")
    return float(np.abs(np.linalg.eigvalsh(H)).max())


def hessian(case: Case, q: np.ndarray, eps: float) -> np.ndarray:
    """(n, d, d) float64 at q (d, n), made symmetric."""
    d, n = q.shape
    low, high = np.array(case.box).T
    h = (2.0**-20 * (high - low)).astype(wide.WIDE)
    columns = np.empty((d, d, n))
    for i in range(d):
        by = np.zeros((d, 1), wide.WIDE)
        by[i] = h[i]
        ahead, behind = (wide.gradient(lambda x, xp: case.total(x, wide.WIDE(eps), xp), q + s * by) for s in (1, -1))
        columns[i] = ((ahead - behind) / (2 * h[i])).astype(float)
    H = np.moveaxis(columns, 2, 0)
    return (H + np.swapaxes(H, 1, 2)) / 2


def edge(case: Case, beta: float, eps: float = 0.0) -> float:
    """The step size at which heavy ball leaves the stable range of the stiffest direction, 2 (1 + beta)/L."""
    L = largest_curvature(case, eps)
    return 2 * (1 + beta) / L if L else float("inf")
