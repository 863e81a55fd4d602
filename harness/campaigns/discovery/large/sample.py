"""A random affine field less the part of it that the loss breaks: what is left is a random symmetry.

The rows of nullspace.py (1), one a point, are never written out. With gradients g_k and points y_k = (t_k, 1)

    (M A)_k = <g_k, A y_k>,    M^T w = sum_k w_k g_k y_k^T                                                (1)

are two products of matrices each. For a random field z of standard normal entries the method of conjugate
gradients for least squares (Hestenes, Stiefel 1952; Bjorck 1996, section 7.4) finds c such that

    p = z - M^T c,    |M p| -> 0,                                                                         (2)

and p becomes the projection of z onto the null space. For a unit vector v of it, with delta >= |M v| what
rounding makes of 0,

    |<v, z>| <= |p| + delta |c|,                                                                          (3)

and <v, z> is a standard normal number: where the right side is tau, the chance that the loss has a symmetry v
all the same is below tau sqrt(2 / pi). It holds however many iterations were taken, and however badly M is
conditioned: then p stays large, and nothing is claimed. Where there are D symmetries, |p|^2 tends to a
chi-square number of D degrees: D, give or take sqrt(2 D).

Known symmetries are taken out of z beforehand. Translations are left out by a change of coordinates, in which
g has unit covariance, each product g_i y_j is in units of its rms size, and the iterations are few.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse.linalg import LinearOperator, lsqr

from noether.campaigns.discovery.large.fields import Box, Fields
from noether.campaigns.discovery.large.gradients import Traced
from noether.mechanics.wide import WIDE

OVERSAMPLED = 2  # rows over unknowns
BLOCK = 4096  # rows of a product at once
FIRST = 4096  # points from which the change of coordinates is made
COMPARED = 64  # points whose gradients are computed in 64 bits as well
USUAL, FEWEST, MOST, WORK = 100, 400, 4000, 5e12
"""Iterations that most losses need; and at most: what so many operations allow, within bounds."""
CONSTANT = np.sqrt(3.0)  # t_j, uniform from -1 to 1, times this has the size of 1


@dataclass(frozen=True)
class Rows:
    """The map M of (1) between fields (k, d + 1) and points (n,).

    g, y     (n, k) and (n, d + 1)
    scale    (k, d + 1) the unit of each product
    into     (k, d) a field of the coordinates t, its A y part, in those of g
    back     (d, k) the way back, translations left out
    delta    |M v| of a symmetry v, by the rounding of the gradients and of the products
    """

    g: np.ndarray
    y: np.ndarray
    scale: np.ndarray
    into: np.ndarray
    back: np.ndarray
    delta: float

    @property
    def shape(self) -> tuple[int, int]:
        """Of a field."""
        return self.scale.shape

    def forward(self, field: np.ndarray) -> np.ndarray:
        out, by = np.empty(len(self.g)), field * (self.scale / len(self.g) ** 0.5)
        for at in range(0, len(out), BLOCK):
            part = slice(at, at + BLOCK)
            out[part] = np.einsum("kj,kj->k", self.g[part] @ by, self.y[part])
        return out

    def transposed(self, w: np.ndarray) -> np.ndarray:
        out = np.zeros(self.shape)
        for at in range(0, len(self.g), BLOCK):
            part = slice(at, at + BLOCK)
            out += self.g[part].T @ (w[part, None] * self.y[part])
        return out * (self.scale / len(self.g) ** 0.5)

    def inside(self, field: np.ndarray) -> np.ndarray:
        """A field (d, d + 1) of the coordinates t, in those of M."""
        return (self.into @ (field / unit(field.shape[1]))) / self.scale

    def keeps(self, fields: Fields, box: Box, rng: np.random.Generator) -> bool:
        """Whether a random combination of fields is zero at all points but for rounding, and so each is."""
        whole = fields.in_box(box) @ rng.standard_normal(fields.count)
        inside = self.inside(whole.reshape(fields.dim, fields.dim + 1))
        return bool(np.linalg.norm(self.forward(inside)) <= self.delta * np.linalg.norm(inside))

    def outside(self, field: np.ndarray) -> np.ndarray:
        """The inverse of `inside`, the part along translations zero."""
        return (self.back @ (field * self.scale)) * unit(field.shape[1])


def unit(columns: int) -> np.ndarray:
    """Of each entry of y: t and 1."""
    return np.append(np.full(columns - 1, CONSTANT), 1.0)


def points(dim: int, moves: int, known: int) -> int:
    """How many rows M has for so many translations and known symmetries."""
    return OVERSAMPLED * max((dim - moves) * (dim + 1) - known, dim)


def iterations(rows: int, unknowns: int) -> int:
    """How many a sample may have: each is two products of rows x unknowns."""
    return int(np.clip(WORK / (4 * rows * unknowns), FEWEST, MOST))


def rows_of(traced: Traced, box: Box, moves: int, known: int, rng: np.random.Generator) -> Rows:
    """M at random points, for a loss with so many translations and known symmetries."""
    d = len(box.half)
    k = d - moves
    count = points(d, moves, known)
    t = rng.uniform(-1, 1, (d, max(FIRST // 2, 4 * d)))
    values, vectors = np.linalg.eigh(covariance(box.half[:, None] * traced.at(box.points(t), np.float64)))
    size = np.sqrt(values[-k:])
    back, into = vectors[:, -k:] / size, (vectors[:, -k:] * size).T
    g, y, at = np.empty((count, k)), np.empty((count, d + 1)), 0
    while at < count:
        t = rng.uniform(-1, 1, (d, min(FIRST, count - at)))
        part = slice(at, at + t.shape[1])
        y[part, :d], y[part, d] = CONSTANT * t.T, 1.0
        g[part] = (box.half[:, None] * traced.at(box.points(t), np.float64)).T @ back
        if not at:
            noise = rounding(g[:COMPARED], traced, box, t[:, :COMPARED], back)
        at += t.shape[1]
    length = np.linalg.norm(g, axis=1) * np.linalg.norm(y, axis=1)
    # Rows of one length, the root of the number of unknowns, so that an entry of M A has the size of A.
    g *= np.divide((k * (d + 1)) ** 0.5, length, out=np.zeros_like(length), where=length > 0)[:, None]
    return scaled(g, y, into, back, noise)


def scaled(g: np.ndarray, y: np.ndarray, into: np.ndarray, back: np.ndarray, noise: float) -> Rows:
    """M with each product in units of its rms size."""
    squares = np.zeros((g.shape[1], y.shape[1]))
    for at in range(0, len(g), BLOCK):
        squares += (g[at : at + BLOCK] ** 2).T @ y[at : at + BLOCK] ** 2
    mean = squares / len(g)
    scale = 1 / np.sqrt(np.maximum(mean, 1e-6 * mean.max()))
    # A row has length sqrt(unknowns) / sqrt(rows) and is known to `noise` of it. What p = z - M^T c rounds
    # besides is sums of BLOCK products, and of the blocks.
    sums = (BLOCK + len(g) / BLOCK) * 2.0**-53
    delta = scale.max() * scale.size**0.5 * (noise + sums)
    return Rows(g, y, scale, into, back, float(delta))


def covariance(g: np.ndarray) -> np.ndarray:
    """Of gradients (d, n), each over its length."""
    length = np.linalg.norm(g, axis=0)
    g = np.divide(g, length, out=np.zeros_like(g), where=length > 0)
    return g @ g.T / g.shape[1]


def rounding(g: np.ndarray, traced: Traced, box: Box, t: np.ndarray, back: np.ndarray) -> float:
    """The largest relative error of rows g (m, k) in float64, from the same in 64 bits."""
    right = (box.half[:, None] * traced.at(box.points(t), WIDE)).T @ back
    apart, length = (np.linalg.norm(x, axis=1) for x in (right - g, right))
    return float((apart / length)[length > 0].max(initial=0.0)) + 2.0**-52


@dataclass
class Sample:
    """A random field on its way to the null space: p, c, M p and the search direction of (2)."""

    rows: Rows
    p: np.ndarray
    z: np.ndarray
    c: np.ndarray
    left: np.ndarray
    slope: np.ndarray
    way: np.ndarray
    by: np.ndarray
    taken: int = 0

    @classmethod
    def start(cls, rows: Rows, known: Fields, box: Box, rng: np.random.Generator) -> Sample:
        """A random field without the known ones."""
        z = less(rng.standard_normal(rows.shape), rows, known, box)
        left = rows.forward(z)
        slope = rows.transposed(left)
        return cls(rows, z, z, np.zeros_like(left), left, slope, slope, left)

    def advance(self, most: int, enough: float, patience: int = 0) -> None:
        """Iterate, until |p| is `enough`, or `most` iterations are taken in all, or |p|^2 has not halved in
        so many as `patience` says, or what is left is kept but for rounding."""
        square, lengths = float((self.slope**2).sum()), [np.linalg.norm(self.p)]
        while self.taken < most and lengths[-1] > enough and square > 0:
            if np.linalg.norm(self.left) <= self.rows.delta * lengths[-1]:
                return
            if 0 < patience < len(lengths) and 2 * lengths[-1] ** 2 > lengths[-1 - patience] ** 2:
                return
            image = self.rows.forward(self.way)
            step = square / float(image @ image)
            self.p = self.p - step * self.way
            self.c += step * self.by
            self.left = self.left - step * image  # not in place: `by` may be the same array
            self.slope = self.rows.transposed(self.left)
            new = float((self.slope**2).sum())
            self.way = self.slope + (new / square) * self.way
            self.by = self.left + (new / square) * self.by
            square, self.taken = new, self.taken + 1
            lengths.append(np.linalg.norm(self.p))

    def bound(self) -> float:
        """tau of (3), p computed anew."""
        self.p = self.z - self.rows.transposed(self.c)
        return float(np.linalg.norm(self.p) + self.rows.delta * np.linalg.norm(self.c))

    @property
    def dimension(self) -> float:
        """|p|^2: at most about so many symmetries are left."""
        return float((self.p**2).sum())

    @property
    def broken(self) -> float:
        """|M p| / |p|: how much the loss breaks what is left, 1 for a random field."""
        return float(np.linalg.norm(self.left) / max(np.linalg.norm(self.p), 1e-300))


def less(z: np.ndarray, rows: Rows, known: Fields, box: Box) -> np.ndarray:
    """A field of M's coordinates without its part along the known ones."""
    if not known.count:
        return z
    columns, d = known.in_box(box), known.dim
    operator = LinearOperator(
        (z.size, known.count),
        matvec=lambda c: rows.inside((columns @ c.ravel()).reshape(d, d + 1)).ravel(),
        rmatvec=lambda b: (
            columns.T @ ((rows.into.T @ (b.reshape(z.shape) / rows.scale)) / unit(d + 1)).ravel()
        ),
        dtype=float,
    )
    # As far as float64 reaches; once more takes away what the first left by rounding. What stayed of a known
    # symmetry would be found again, and be counted as one more: never as nothing.
    for _ in range(2):
        c = lsqr(operator, z.ravel(), atol=1e-15, btol=1e-15, conlim=0, iter_lim=2000)[0]
        z = z - operator.matvec(c).reshape(z.shape)
    return z
