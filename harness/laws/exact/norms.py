"""Norms of the parameters at every step, and how far their own evaluation may be off."""

from __future__ import annotations

import numpy as np

from noether.cases.matrices import shape
from noether.mechanics.wide import U_WIDE


def largest(q) -> tuple[np.ndarray, np.ndarray]:
    """The largest component, of q (n, d, lanes): (n, lanes) longdouble, and no error."""
    size = np.abs(q).max(axis=1)
    return size, 0 * size


def spectral(q) -> tuple[np.ndarray, np.ndarray]:
    """The largest singular value of the matrices that q (n, d, lanes) are by rows, and a bound on its error.

    With G = M M^T, V eigenvectors of it from float64, and V^T G V = D + O, D diagonal, V^T V = 1 + E,

        max D_ii / (1 + E_ii)  <=  |M|^2  <=  (max D_ii + |O|_F) / (1 - |E|_F)                         (1)

    for |M|^2 is the largest of <x, V^T G V x> / <x, V^T V x>. The left side is taken, in wide numbers.
    """
    r, c = shape(q.shape[1])
    M = np.moveaxis(q, 1, -1).reshape(*q.shape[::2], r, c)
    fine = np.isfinite(M).all(axis=(-1, -2))
    M = np.where(fine[..., None, None], M, 0)
    scale = np.abs(M).max(axis=(-1, -2), keepdims=True)
    M = M / np.where(scale > 0, scale, 1)
    G = np.einsum("...ij,...kj->...ik", M, M)
    V = np.linalg.eigh(G.astype(np.float64))[1].astype(q.dtype)
    B = np.einsum("...ji,...jk,...kl->...il", V, G, V)
    E = np.einsum("...ji,...jk->...ik", V, V) - np.eye(r)
    diagonal = np.einsum("...ii->...i", B)
    low = (diagonal / (1 + np.einsum("...ii->...i", E))).max(axis=-1)
    of_V, of_B = frobenius(E), frobenius(B - diagonal[..., None] * np.eye(r))
    high = (diagonal.max(axis=-1) + of_B) / (1 - of_V)
    size = scale[..., 0, 0] * np.sqrt(np.maximum(low, 0))
    # Sums of r and of c products, twice: each entry of B is off by its own roundings, of numbers of order 1.
    own = (high - low) + (2 * r + c + 8) * U_WIDE * r * c
    error = scale[..., 0, 0] * np.where(low > own, own / np.sqrt(np.maximum(low, own)), np.sqrt(own))
    return np.where(fine, size, np.nan), error


def frobenius(M) -> np.ndarray:
    """The root of the sum of all squares of matrices (..., r, c)."""
    return np.sqrt((M * M).sum(axis=(-1, -2)))


NORMS = {"max": largest, "spectral": spectral}
"""By the names that cases/rule.py has for them."""
