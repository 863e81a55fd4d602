"""The stiffness of a loss: its largest curvature on the box from which starts are drawn.

    L = max |lambda(H(q))|  over sampled q of the box,  H the Hessian of loss + eps * breaking            (1)
    on a metric, of G^-1 H; of mirror descent, whose coordinate is log q, of H diag(q)                   (2)

A step size eta is past the stability edge of heavy ball where eta L > 2 (1 + beta), of Nesterov where eta L >
2 (1 + beta)/(1 + 2 beta) (Cohen et al. 2021, arXiv 2103.00065). Both are decided from the case, before
anything runs. H is taken by central differences of the traced gradient, which knows no Hessian of its own: in
float64 and with a step of 2^-20 of the box the differences are right to about 2^-30, far below what a choice
of step size needs. Points with a kink of the loss between them say nothing of its curvature, and are left
out.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from noether.cases.case import BREGMAN, DIAGONAL, Case
from noether.kernels.programs import trace
from noether.kernels.programs.namespaces import NUMPY
from noether.kernels.programs.precision import Precision
from noether.mechanics import wide

POINTS = 32  # of the box, and as many on its corners, where a polynomial loss is stiffest
ENTRIES = 2**11  # points x d at most
DENSE = 32
"""Parameters up to which a Hessian is formed; of more its largest eigenvalue is found by products with it."""
PRODUCTS, FEW = 24, 4
"""Products with the Hessian of a large case, and at about how many points of the box."""
LEAST_KAPPA = 0.25  # the least deformation of a metric (harness/mechanics/sweep.py)


@cache
def largest_curvature(case: Case, eps: float = 0.0) -> float:
    """L of (1), in units of the loss over those of q squared; inf where no curvature is finite."""
    q = points(case)
    with np.errstate(all="ignore"):
        if len(q) > DENSE:
            return by_powers(case, q[:, :: max(1, q.shape[1] // FEW)], eps)
        return spectral_radius(hessian(case, q, eps))


@cache
def step_curvature(case: Case, eps: float = 0.0) -> float:
    """The largest L of (1) and (2) over the rules of a case: the largest stable step is of order 1/L."""
    q = points(case)
    if len(q) > DENSE:
        return largest_curvature(case, eps)  # Euclidean: a large case has no other metric
    with np.errstate(all="ignore"):
        H = hessian(case, q, eps)
        if case.metric.kind == BREGMAN:
            return spectral_radius(weighted(H, q))
        if case.metric.kind != DIAGONAL:
            return spectral_radius(H)
        G = [wide.metric(case, q, np.full(q.shape[1], kappa)).astype(float) for kappa in (LEAST_KAPPA, 1.0)]
        return max(spectral_radius(M) for M in (H, *(weighted(H, 1 / g) for g in G)))


def weighted(H: np.ndarray, w: np.ndarray) -> np.ndarray:
    """The matrix sqrt(W) H sqrt(W), symmetric, with the eigenvalues of W H; w (d, n) is the diagonal of W."""
    root = np.sqrt(w).T
    return root[:, :, None] * H * root[:, None, :]


def spectral_radius(H: np.ndarray) -> float:
    """The largest |lambda| of symmetric (n, d, d); inf where one of them is not finite, 0 of none."""
    return float(np.abs(np.linalg.eigvalsh(H)).max(initial=0.0)) if np.isfinite(H).all() else float("inf")


def points(case: Case) -> np.ndarray:
    """Random points (d, n) of the box, none of them beside a kink."""
    rng = np.random.default_rng(0)  # of the case alone: no seed of a run may change what is stiff
    inside = case.draw(rng, max(4, min(POINTS, ENTRIES // case.dim)))
    low, high = (np.array(side)[:, None] for side in zip(*case.box, strict=True))
    corners = np.where(rng.random(inside.shape) < 0.5, low, high)
    q = np.concatenate([inside, corners / corners.sum(axis=0) if case.metric.simplex else corners], axis=1)
    return q[:, ~kinked(case, q)]


def kinked(case: Case, q: np.ndarray) -> np.ndarray:
    """(n,) bool: whether a kink lies within the differences at q."""
    if case.kinks is None:
        return np.zeros(q.shape[1], bool)
    beside = [q, *(q + sign * by for by in differences(case) for sign in (1, -1))]
    values = [[np.broadcast_to(u, q.shape[1]) for u in case.kinks(list(x), NUMPY)] for x in beside]
    sides = np.sign(np.array(values, dtype=float).reshape(len(beside), -1, q.shape[1]))  # also of no kink
    return (sides != sides[0]).any(axis=(0, 1)) | (sides[0] == 0).any(axis=0)


def differences(case: Case) -> np.ndarray:
    """The step of each component, (d, d, 1)."""
    low, high = np.array(case.box, dtype=float).T
    return np.diag(2.0**-20 * (high - low))[:, :, None]


def hessian(case: Case, q: np.ndarray, eps: float) -> np.ndarray:
    """The Hessian (n, d, d) float64 at q (d, n), by differences of the traced gradient, made symmetric."""
    program, columns = trace.gradient(case), []
    eps = np.full(q.shape[1], eps)
    gradient = lambda at: np.stack(program.run(list(at), eps, Precision("float64")))
    for i, by in enumerate(differences(case)):
        columns.append((gradient(q + by) - gradient(q - by)) / (2 * by[i]))
    H = np.moveaxis(np.stack(columns, axis=1), 2, 0)
    return (H + np.swapaxes(H, 1, 2)) / 2


def by_powers(case: Case, q: np.ndarray, eps: float) -> float:
    """The largest |lambda| of the Hessians at q (d, n) by power iteration, H x by a central difference.

    From below: where eigenvalues crowd, k products of d parameters are short of |lambda| by a share of about
    log(d)/k (Kuczynski, Wozniakowski 1992), a quarter here; by far less where one stands out. A
    step size that is a power of two below the edge has that room.
    """
    program, more = trace.gradient(case), np.full(q.shape[1], eps)
    gradient = lambda at: np.stack(program.run(list(at), more, FLOAT64))
    width = float(np.mean(np.ptp(np.array(case.box, float), axis=1)))
    x = np.random.default_rng(0).standard_normal(q.shape)
    size = np.zeros(q.shape[1])
    for _ in range(PRODUCTS):
        x /= np.sqrt((x * x).sum(axis=0))
        h = 2.0**-18 * width * np.sqrt(len(q)) * x
        x = (gradient(q + h) - gradient(q - h)) / (2.0**-17 * width * np.sqrt(len(q)))
        size = np.sqrt((x * x).sum(axis=0))
        if not size.all() or not np.isfinite(size).all():
            break
    return float(size.max(initial=0.0)) if np.isfinite(size).all() else float("inf")


FLOAT64 = Precision("float64")


def edge(case: Case, beta: float, eps: float = 0.0) -> float:
    """The step size at which heavy ball leaves the stable range of the stiffest direction, 2 (1 + beta)/L."""
    L = largest_curvature(case, eps)
    return 2 * (1 + beta) / L if L else float("inf")
