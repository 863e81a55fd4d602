"""Symmetries read off a random one: where its entries are large, a small system is solved exactly.

A random element of the null space has an entry wherever any symmetry has one. So the largest entries of a
sample, which need not have converged, say which products g_i y_j the symmetries are made of; with these
columns alone, at points of their own, all singular values fit. What is kept is in the null space whatever the
sample was.
"""

from __future__ import annotations

import numpy as np

from noether.campaigns.discovery.algebra import echelon, rational
from noether.campaigns.discovery.large.classes import first
from noether.campaigns.discovery.large.fields import Box, Fields, unboxed
from noether.campaigns.discovery.large.gradients import Traced
from noether.campaigns.discovery.large.kernels import kernels, tolerance
from noether.campaigns.discovery.large.sample import Rows, less

MOST = 1536  # columns: 8 seconds of one core
NEW = 1e-3  # of a field outside the span of others: the rounding of one inside is below 1e-4 (GAP)


def on_support(
    field: np.ndarray, small: float, traced: Traced, box: Box, rng: np.random.Generator
) -> tuple[list[np.ndarray], bool]:
    """The fields (d, d + 1) kept that have entries only where `field`, of the coordinates t, has its MOST
    largest, none below `small` of the largest; and whether there is a clear gap."""
    size = np.abs(field).ravel()
    columns = np.sort(np.argsort(size)[::-1][:MOST])
    columns = columns[size[columns] >= small * size.max()]
    i, j = np.divmod(columns, field.shape[1])
    rows = len(columns) + max(32, len(columns) // 8)
    t = rng.uniform(-1, 1, (len(field), rows))
    g = box.half[:, None] * traced.at(box.points(t))
    length = np.linalg.norm(g, axis=0)
    t, g = np.vstack([t, np.ones((1, rows))])[:, length > 0], g[:, length > 0] / length[length > 0]
    if g.shape[1] < len(columns):
        return [], True
    found = kernels((g[i] * t[j]).T[None])
    if not found.is_clear[0]:
        return [], False
    within, out = tolerance(found.accuracy[0]), []
    for v in echelon(found.null(0), within):
        matrix = np.zeros(field.shape)
        matrix[i, j] = v
        matrix = unboxed(matrix, box)
        matrix[np.abs(matrix) <= within * np.abs(matrix).max()] = 0.0
        out.append(rational(matrix / first(matrix), within))
    return out, True


def new_ones(fields: list[np.ndarray], rows: Rows, moves: np.ndarray, known: Fields, box: Box) -> Fields:
    """Those that are no combination of known ones, of multiples of translations, and of each other."""
    out = Fields.none(known.dim)
    for field in fields:
        one = Fields.dense([field])
        in_box = one.in_box(box).toarray().reshape(field.shape)
        if np.linalg.norm(in_box - moves.T @ (moves @ in_box)) <= NEW * np.linalg.norm(in_box):
            continue
        inside = rows.inside(in_box)
        if np.linalg.norm(less(inside, rows, known + out, box)) > NEW * np.linalg.norm(inside):
            out = out + one
    return out
