"""Classes of fields of which a large loss is searched wholly: translations, diagonal fields, pairs.

    translations   dt = a                                                     d unknowns
    diagonal       dt_i = x_i t_i + a_i: scales and rescales about any point  2 d unknowns
    pairs          dt_i and dt_j from t_i, t_j and 1, all else at rest        6 unknowns, d (d - 1) / 2 times

Rotations of two parameters, by an ellipse or a hyperbola as well, about any point, are pairs. Each system is
small enough for all its singular values. A pair's is in units of its own two derivatives, not of the whole
gradient's length: a pair that the loss hardly feels is no symmetry.

Multiples of a translation by affine functions are no new symmetries (algebra.py). A diagonal field or one of
a pair is such a multiple only along a translation that moves one parameter, or the two, alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from noether.campaigns.discovery.algebra import echelon, rational
from noether.campaigns.discovery.large.fields import Box, Fields, unboxed
from noether.campaigns.discovery.large.gradients import Traced
from noether.campaigns.discovery.large.kernels import Kernels, kernels, tolerance

ROWS = 64  # of the system of a pair
INFORMATIVE = 12  # of them at least those at which a pair has any derivative: twice the unknowns
AT_ONCE = 4096  # pairs: 13 MB
OFF, COLUMNS = 2, 6
"""Columns of a pair: t_j moves i, t_i moves j; t_i moves i, t_j moves j, and both constants."""


@dataclass(frozen=True)
class Found:
    """What the classes hold.

    moves     (k, d) the translations, orthonormal in the coordinates t
    fields    translations, diagonal fields, pairs, in the coordinates q
    starts    where the diagonal fields, and the pairs, begin
    weak      fields of pairs that are broken weakly, and how much
    unclear   how many systems have no gap;  unseen  pairs of which too few points tell anything
    """

    moves: np.ndarray
    fields: Fields
    starts: tuple[int, int]
    weak: Fields
    sizes: np.ndarray
    unclear: int
    unseen: int

    @property
    def others(self) -> int:
        """How many fields are no translations."""
        return self.fields.count - self.starts[0]


def searched(traced: Traced, box: Box, rng: np.random.Generator) -> Found | None:
    """The fields of all classes; None where the gradient is zero at every point."""
    d = len(box.half)
    rows = 2 * d + max(ROWS, d // 2)
    t = rng.uniform(-1, 1, (d, rows))
    g = box.half[:, None] * traced.at(box.points(t))
    length = np.sqrt((g * g).sum(axis=0))
    if not length.any():
        return None
    t, g = t[:, length > 0], g[:, length > 0] / length[length > 0]
    still = kernels(g.T[None])
    steps = cleaned(still, 0, lambda v: np.column_stack([np.zeros((d, d)), v]), box, np.zeros((0, d)))
    free = free_parameters(still.null(0), tolerance(still.accuracy[0]))
    live = np.flatnonzero(~free)
    scaled = kernels(np.concatenate([(g * t)[live], g[live]]).T[None])
    along = np.linalg.qr((still.null(0) * box.half).T)[0].T  # the translations in the coordinates q
    spread = lambda v: spread_out(v, live, d)
    diagonal = cleaned(scaled, 0, spread, box, along, without=len(live))
    pairs, weak, sizes, unclear, unseen = of_pairs(g, t, live, still.null(0), box)
    parts = [Fields.dense(x) if x else Fields.none(d) for x in (steps, diagonal)]
    both = int(not still.is_clear[0]) + int(not scaled.is_clear[0])
    return Found(
        still.null(0), parts[0] + parts[1] + pairs, (len(steps), len(steps) + len(diagonal)), weak, sizes,
        both + unclear, unseen,
    )  # fmt: skip


def free_parameters(moves: np.ndarray, within: float) -> np.ndarray:
    """(d,) which parameters a translation moves alone."""
    return (moves * moves).sum(axis=0) >= 1 - within if len(moves) else np.zeros(moves.shape[1], bool)


def spread_out(v: np.ndarray, live: np.ndarray, d: int) -> np.ndarray:
    """A diagonal field of the parameters that no translation moves alone, as a matrix (d, d + 1)."""
    out = np.zeros((d, d + 1))
    out[live, live], out[live, d] = v[: len(live)], v[len(live) :]
    return out


def cleaned(
    found: Kernels, at: int, spread, box: Box, along: np.ndarray, without: int = 0
) -> list[np.ndarray]:
    """The null space of one system as sparse matrices with small whole numbers where there are such.

    along    translations, orthonormal, along which nothing is to move
    without  so many first columns must not all be zero: else it is a translation
    """
    within = tolerance(found.accuracy[at])
    out = []
    for v in echelon(found.null(at), within):
        if not without or v[:without].any():
            field = unboxed(spread(v), box)
            field[:, -1] -= along.T @ (along @ field[:, -1])
            field[np.abs(field) <= within * np.abs(field).max()] = 0.0
            out.append(rational(field / first(field), within))
    return out


def first(field: np.ndarray) -> float:
    """The first entry that is not zero."""
    return field.ravel()[np.flatnonzero(field)[0]]


def of_pairs(g: np.ndarray, t: np.ndarray, live: np.ndarray, moves: np.ndarray, box: Box):
    """The fields of pairs, those broken weakly with their sizes, and how many pairs are unclear or unseen."""
    d, rows = len(g), min(g.shape[1], ROWS)
    first_of, second_of = (live[x] for x in np.triu_indices(len(live), 1))
    kept, weak, sizes, unclear, unseen = [], [], [], 0, 0
    for at in range(0, len(first_of), AT_ONCE):
        i, j = first_of[at : at + AT_ONCE], second_of[at : at + AT_ONCE]
        systems, informative = systems_of(g[:, :rows], t[:, :rows], i, j)
        seen = informative >= INFORMATIVE
        i, j, found = i[seen], j[seen], kernels(systems[seen])
        unseen += int((~seen).sum())
        unclear += int((~found.is_clear).sum())
        for k in np.flatnonzero(found.kept):
            within = tolerance(found.accuracy[k])
            null = without_moves(found.null(k), moves[:, [i[k], j[k]]], within)
            kept += [pair_field(v, i[k], j[k], box, within) for v in echelon(null, within) if v[:OFF].any()]
        for k in np.flatnonzero(found.is_weak & found.is_clear):
            last = COLUMNS - found.kept[k] - 1
            size = float(found.values[k, last])
            v = found.rows[k, last]
            weak.append(pair_field(v / v[np.argmax(np.abs(v))], i[k], j[k], box, min(1e-2, 1e2 * size)))
            sizes.append(size)
    made = [joined(d, x) if x else Fields.none(d) for x in (kept, weak)]
    return *made, np.array(sizes), unclear, unseen


def systems_of(g: np.ndarray, t: np.ndarray, i: np.ndarray, j: np.ndarray):
    """The systems (m, rows, COLUMNS) of pairs, and at how many rows each has a derivative at all."""
    length = np.sqrt(g[i] ** 2 + g[j] ** 2)
    a, b = (np.divide(g[x], length, out=np.zeros_like(length), where=length > 0) for x in (i, j))
    return np.stack([a * t[j], b * t[i], a * t[i], b * t[j], a, b], axis=2), (length > 0).sum(axis=1)


def without_moves(null: np.ndarray, moves: np.ndarray, within: float) -> np.ndarray:
    """The null space of a pair less the multiples of a translation that moves the two alone.

    moves  (k, 2) the two components of the translations
    """
    if not len(moves):
        return null
    _, values, directions = np.linalg.svd(moves)
    if values[0] < 1 - within:  # no translation lies in the plane of the two
        return null
    x, y = directions[0]
    multiples = np.zeros((3, COLUMNS))  # (x, y) times t_j, t_i and 1
    multiples[0, [0, 3]], multiples[1, [2, 1]], multiples[2, [4, 5]] = (x, y), (x, y), (x, y)
    rest = null - null @ multiples.T @ multiples
    _, sizes, rows = np.linalg.svd(rest, full_matrices=False)
    return rows[sizes > 1e-3]


def pair_field(v: np.ndarray, i: int, j: int, box: Box, within: float) -> tuple[int, int, np.ndarray]:
    """A field of a pair as (i, j, (2, 3)): the moves of q_i and q_j by q_i, q_j and 1."""
    two = Box(box.centre[[i, j]], box.half[[i, j]])
    field = unboxed(np.array([[v[2], v[0], v[4]], [v[1], v[3], v[5]]]), two)
    field[np.abs(field) <= within * np.abs(field).max()] = 0.0
    field = field / first(field)
    near = np.rint(field)
    return int(i), int(j), near if np.abs(near - field).max() <= within else rational(field, within)


def joined(d: int, pairs: list) -> Fields:
    """Fields of pairs as entries."""
    i, j, c = (np.array(x) for x in zip(*pairs, strict=True))
    of, row, column = np.nonzero(c)
    at = np.stack([i, j, np.full(len(i), d)], axis=1)
    return Fields(d, len(c), of, at[of, row], at[of, column], c[of, row, column])
