"""From the null space of all symmetries to the few simple generators that a person would have written.

The null space is a module: a constant field times any affine function is in it again (softmax: 3 translations
times 9 + 1 functions are its 30 dimensions). Constant fields are the translations; what is left of a field
when its part along them is taken away is in the null space too, and is no multiple:

    A q + a  ->  (1 - P) (A q + a),    P the projection onto the translations  (1)

Of those the antisymmetric A are Killing fields of the Euclidean metric, the symmetric ones gradients; each
subspace is brought to reduced echelon form, which is unique, sparse, and rational where the subspace is. Two
symmetries'
bracket is one:  [A q + a, B q + b] = (B A - A B) q + B a - A b.  (2)
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import gcd, lcm

import numpy as np

from noether.campaigns.discovery.nullspace import Spectrum

DENOMINATOR = 24  # of the fractions that a generator may have, once its first entry is 1
PAIRS = 400  # brackets that are looked at


@dataclass(frozen=True)
class Found:
    """Generators (d, d + 1) in the coordinates q: translations, then Killing, symmetric and other fields."""

    translations: list
    killing: list
    symmetric: list
    others: list
    unclosed: float  # the largest part of a bracket outside the null space, relative

    @property
    def all(self) -> list:
        """Every generator, translations first."""
        return [*self.translations, *self.killing, *self.symmetric, *self.others]


def span(vectors: np.ndarray, tolerance: float) -> np.ndarray:
    """An orthonormal basis (r, n) of the rows."""
    if not len(vectors):
        return vectors
    _, values, rows = np.linalg.svd(vectors, full_matrices=False)
    return rows[values > tolerance]


def kernel(matrix: np.ndarray, tolerance: float) -> np.ndarray:
    """An orthonormal basis (r, m) of the c with c @ matrix = 0, matrix (m, n)."""
    if not len(matrix):
        return np.zeros((0, 0))
    vectors, values, _ = np.linalg.svd(matrix, full_matrices=matrix.shape[0] > matrix.shape[1])
    return vectors[:, int((values > tolerance).sum()) :].T


def echelon(rows: np.ndarray, tolerance: float) -> np.ndarray:
    """Reduced row echelon form: each pivot 1, alone in its column."""
    rows, done = rows.copy(), 0
    for column in range(rows.shape[1]):
        if done == len(rows):
            break
        best = done + int(np.argmax(np.abs(rows[done:, column])))
        if abs(rows[best, column]) <= tolerance:
            continue
        rows[[done, best]] = rows[[best, done]]
        rows[done] /= rows[done, column]
        others = np.arange(len(rows)) != done
        rows[others] -= np.outer(rows[others, column], rows[done])
        done += 1
    rows[np.abs(rows) <= tolerance] = 0.0
    return rows[:done]


def divided(found: Spectrum) -> Found:
    """The generators of the module, and whether they close under brackets."""
    d, tolerance = len(found.centre), min(1e-2, max(1e-9, 1e3 * found.accuracy))
    if not found.kept:
        return Found([], [], [], [], 0.0)
    null = np.array([found.original(f) for f in found.null]).reshape(-1, d, d + 1)
    constant = kernel(null[:, :, :-1].reshape(len(null), -1), tolerance)
    moves = (
        span(np.einsum("km,mi->ki", constant, null[:, :, -1]), tolerance)
        if len(constant)
        else np.zeros((0, d))
    )
    rest = null - np.einsum("ki,kj,mjc->mic", moves, moves, null)  # (1)
    rest = span(rest.reshape(len(rest), -1), tolerance).reshape(-1, d, d + 1)
    flat = rest.reshape(-1, d * (d + 1))

    def part(sign):
        return np.einsum("km,mic->kic", kernel(part_of(rest, sign), tolerance), rest).reshape(-1, d * (d + 1))

    killing, symmetric = (part(+1), part(-1)) if len(rest) else (flat, flat)
    inside = span(np.concatenate([killing, symmetric]), tolerance)
    left = span(flat - flat @ inside.T @ inside, 1e-6)
    reduced = [
        [rational(r.reshape(d, d + 1), tolerance) for r in echelon(x, tolerance)]
        for x in (killing, symmetric, left)
    ]
    if len(left):  # not orthogonal to the others is sparser: the whole's echelon form, as far as it is new
        reduced[2] = new_rows(echelon(flat, tolerance), inside, len(left), d, tolerance)
    reduced = (
        [[plainer(f, moves, tolerance) for f in fields] for fields in reduced] if len(moves) else reduced
    )
    steps = [
        np.column_stack([np.zeros((d, d)), rational(r[:, None], tolerance)])
        for r in echelon(moves, tolerance)
    ]
    return Found(steps, *reduced, unclosed(found, [*steps, *reduced[0], *reduced[1], *reduced[2]]))


def part_of(fields: np.ndarray, sign: int) -> np.ndarray:
    """The part A + A^T of fields where `sign` is 1, zero for a Killing field, or A - A^T where it is -1: (m,
    d d)."""
    A = fields[:, :, :-1]
    return (A + sign * A.swapaxes(1, 2)).reshape(len(A), A.shape[1] ** 2)


def new_rows(rows: np.ndarray, inside: np.ndarray, count: int, d: int, tolerance: float) -> list:
    """`count` of the rows that lie outside of a subspace and of each other."""
    out = []
    for row in rows:
        beyond = row - row @ inside.T @ inside
        if len(out) < count and np.linalg.norm(beyond) > 1e-3 * np.linalg.norm(row):
            inside = np.vstack([inside, beyond / np.linalg.norm(beyond)])
            out.append(rational(row.reshape(d, d + 1), tolerance))
    return out


def rational(field: np.ndarray, tolerance: float) -> np.ndarray:
    """The field with small whole numbers where it is a multiple of such a field; else as it is."""
    flat = field.ravel()
    at = np.flatnonzero(flat)
    near = [Fraction(float(x)).limit_denominator(DENOMINATOR) for x in flat[at]]
    close = all(abs(float(f) - x) <= 1e2 * tolerance for f, x in zip(near, flat[at], strict=True))
    factor = lcm(*(f.denominator for f in near))
    whole = [int(f * factor) for f in near]
    if not close or factor > 10 * DENOMINATOR or not any(whole):
        return field
    out = np.zeros_like(flat)
    out[at] = [x / gcd(*whole) for x in whole]
    return out.reshape(field.shape)


def plainer(field: np.ndarray, moves: np.ndarray, tolerance: float) -> np.ndarray:
    """The field with a multiple of q along the translations added where that makes it sparser: q for q less
    its mean."""
    best = field
    for c in {
        round(float(x.real), 6)
        for x in np.linalg.eigvals(field[:, :-1])
        if abs(x.imag) < 1e-6 and abs(x.real) > 1e-6
    }:
        other = field.copy()
        other[:, :-1] += c * moves.T @ moves
        other[np.abs(other) <= tolerance] = 0.0
        best = min(best, other, key=np.count_nonzero)
    return rational(best, tolerance)


def bracket(X: np.ndarray, Y: np.ndarray) -> np.ndarray:
    """The bracket (2) of two fields, each (d, d + 1)."""
    A, a, B, b = X[:, :-1], X[:, -1], Y[:, :-1], Y[:, -1]
    return np.column_stack([B @ A - A @ B, B @ a - A @ b])


def unclosed(found: Spectrum, fields: list) -> float:
    """The largest share of a bracket that is outside the null space; a random choice of pairs where there are
    many."""
    pairs = [(i, j) for i in range(len(fields)) for j in range(i)]
    if len(pairs) > PAIRS:
        chosen = np.random.default_rng(0).choice(len(pairs), PAIRS, replace=False)
        pairs = [pairs[k] for k in chosen]
    null, worst = found.null.reshape(found.kept, -1), 0.0
    for i, j in pairs:
        Z = found.scaled(bracket(fields[i], fields[j])).ravel()
        size = np.linalg.norm(found.scaled(fields[i])) * np.linalg.norm(found.scaled(fields[j]))
        worst = max(worst, float(np.linalg.norm(Z - null.T @ (null @ Z)) / size))
    return worst
