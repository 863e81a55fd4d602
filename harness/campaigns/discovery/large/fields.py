"""An affine field of many parameters as its few entries, and many such fields at once.

Coordinates t = (q - centre) / half fill the box from -1 to 1: dt = A' t + a' is

    dq_i = sum_j half_i A'_ij / half_j (q_j - centre_j) + half_i a'_i.                                     (1)
"""

from __future__ import annotations

from dataclasses import dataclass

import mpmath
import numpy as np
from scipy.sparse import csc_array

from noether.campaigns.discovery.generator import DIGITS, Generator
from noether.campaigns.discovery.large.gradients import Exact

UNIT = 200
"""Bits after the point of a fixed-point number: 60 digits."""


@dataclass(frozen=True)
class Box:
    """The box in which points are drawn."""

    centre: np.ndarray
    half: np.ndarray

    @classmethod
    def of(cls, box: np.ndarray) -> Box:
        low, high = box.T
        return cls((low + high) / 2, (high - low) / 2)

    def points(self, t: np.ndarray) -> np.ndarray:
        """The points q of coordinates t (d, n)."""
        return self.centre[:, None] + self.half[:, None] * t


@dataclass(frozen=True)
class Fields:
    """Affine fields of d parameters as entries of (A | a): dq_i += x q_j, and j = d for a.

    count  how many fields;  of  (entries,) to which field an entry belongs
    """

    dim: int
    count: int
    of: np.ndarray
    i: np.ndarray
    j: np.ndarray
    x: np.ndarray

    @classmethod
    def none(cls, dim: int) -> Fields:
        empty = np.zeros(0, int)
        return cls(dim, 0, empty, empty, empty, np.zeros(0))

    @classmethod
    def dense(cls, fields: list) -> Fields:
        """Of matrices (d, d + 1), at least one."""
        places = [np.argwhere(f) for f in fields]
        of = np.repeat(np.arange(len(fields)), [len(p) for p in places])
        i, j = np.concatenate(places).T
        x = np.concatenate([f[tuple(p.T)] for f, p in zip(fields, places, strict=True)])
        return cls(len(fields[0]), len(fields), of, i, j, x)

    def __add__(self, other: Fields) -> Fields:
        joined = (np.concatenate([getattr(self, n), getattr(other, n)]) for n in ("i", "j", "x"))
        of = np.concatenate([self.of, other.of + self.count])
        return Fields(self.dim, self.count + other.count, of, *joined)

    def one(self, number: int) -> np.ndarray:
        """One field as a matrix (d, d + 1)."""
        out, at = np.zeros((self.dim, self.dim + 1)), self.of == number
        out[self.i[at], self.j[at]] = self.x[at]
        return out

    def after(self, start: int) -> Fields:
        """Those from a number on."""
        at = self.of >= start
        return Fields(self.dim, self.count - start, self.of[at] - start, self.i[at], self.j[at], self.x[at])

    def in_box(self, box: Box) -> csc_array:
        """The fields as columns (d (d + 1), count) of entries (A' | a') in the coordinates t: (1)."""
        d, at = self.dim, self.i * (self.dim + 1)
        half, centre = np.append(box.half, 1.0), np.append(box.centre, 1.0)
        x = self.x / box.half[self.i]
        inside = self.j < d  # of these x q_j = x half_j t_j + x centre_j
        places = np.concatenate([at + self.j, at[inside] + d])
        values = np.concatenate([x * half[self.j], (x * centre[self.j])[inside]])
        which = np.concatenate([self.of, self.of[inside]])
        return csc_array((values, (places, which)), shape=(d * (d + 1), self.count))

    def errors(self, points: list[Exact]) -> np.ndarray:
        """(count,) the largest |<g, xi>| / (|g| |xi|) of each field at 50 digits, or how far g is from its
        witness, where that is more."""
        with mpmath.workdps(DIGITS):
            each = [self.error_at(point) for point in points]
        return np.max([*each, np.full(self.count, max(p.apart for p in points))], axis=0)

    def error_at(self, point: Exact) -> np.ndarray:
        """The same at one point. Whole numbers of UNIT: a hundred times faster than mpmath's."""
        whole = lambda values: np.array([int(mpmath.nint(mpmath.ldexp(x, UNIT))) for x in values], object)
        length = mpmath.sqrt(sum(x * x for x in point.g))
        if not length:
            return np.zeros(self.count)
        g, one = whole(x / length for x in point.g), whole([*point.q, mpmath.mpf(1)])
        values, which = np.unique(self.x, return_inverse=True)
        x = whole(map(mpmath.mpf, values.tolist()))[which]
        along = np.full(self.count, 0, object)
        np.add.at(along, self.of, g[self.i] * x * one[self.j])
        near = np.array([*map(float, point.q), 1.0])
        moved = csc_array((self.x * near[self.j], (self.i, self.of)), shape=(self.dim, self.count))
        size = np.sqrt(np.asarray(moved.multiply(moved).sum(axis=0)).ravel())
        # An int divided by an int is rounded once, however large they are.
        error = np.array([abs(a) / (1 << 3 * UNIT) for a in along.tolist()])
        return np.divide(error, size, out=np.zeros_like(size), where=size > 0)

    def generators(self, errors: np.ndarray) -> list[Generator]:
        """Each field with its error."""
        return [Generator(self.one(k), float(errors[k])) for k in range(self.count)]


def unboxed(field: np.ndarray, box: Box) -> np.ndarray:
    """A field (A' | a') in the coordinates t as (A | a) in those of q: (1)."""
    A = box.half[:, None] * field[:, :-1] / box.half
    return np.column_stack([A, box.half * field[:, -1] - A @ box.centre])
