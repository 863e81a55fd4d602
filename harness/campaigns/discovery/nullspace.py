"""The linear system whose null space is all affine symmetries, and the gap that separates kept from broken.

One row a point, d^2 + d unknowns,

    <g(q_i), A q_i + a> / |g(q_i)| = 0,     y = (q - centre) / size,   A q + a = size (A y + b)  (1)

more rows than unknowns. A singular value is the rms size of <g, xi> over the points for a unit field:
rounding leaves KEPT of the largest for a symmetry; what is above is broken, and by how much. Between the two
there must be a gap, else nothing is said.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from noether.campaigns.discovery.loss import Loss, differentiate
from noether.mechanics import wide
from noether.system.usage import UsageError

# Rows beyond the unknowns.
MORE = 32
GAP = 1e4
# Bytes that a command of noether may take.
MEMORY = 1.5e9
# Operations of a singular value decomposition over unknowns^3 (Golub, Van Loan); operations a second, two
# cores.
FLOPS, SPEED = 22, 2e10
# Points whose d^2 partial derivatives are held at once.
CHUNK = 256


@dataclass(frozen=True)
class Spectrum:
    """The null space as measured, and the fields that span it.

    values  singular values relative to the largest, in falling order
    fields  (n, d, d + 1) of all, rows as the values
    kept    how many of the last are symmetries
    floor   the rounding of the system
    """

    values: np.ndarray
    fields: np.ndarray
    floor: float
    kept: int
    centre: np.ndarray
    size: float

    @property
    def null(self) -> np.ndarray:
        """The fields that are kept, (kept, d, d + 1), orthonormal in the coordinates y."""
        return self.fields[len(self.fields) - self.kept :]

    @property
    def largest_kept(self) -> float | None:
        """The largest singular value of a field that is kept, None where none is."""
        return float(self.values[-self.kept]) if self.kept else None

    @property
    def smallest_broken(self) -> float | None:
        """The smallest singular value of a field that is not kept, None where all are."""
        return float(self.values[-self.kept - 1]) if self.kept < len(self.values) else None

    @property
    def gap(self) -> float:
        """The smallest broken singular value over the largest kept one, which counts as 2^-52 at least."""
        return (
            np.inf
            if self.smallest_broken is None
            else self.smallest_broken / max(self.largest_kept or 0.0, 2.0**-52)
        )

    @property
    def is_clear(self) -> bool:
        """Whether the gap between kept and broken is as wide as a decision needs."""
        return self.gap >= GAP

    @property
    def accuracy(self) -> float:
        """How far a null vector may be turned towards a broken one."""
        return max(self.largest_kept or 0.0, self.floor) / (self.smallest_broken or 1.0)

    @property
    def nearly(self) -> int:
        """How many of the broken ones lie below a second gap of GAP^(3/4): a symmetry that is broken
        weakly."""
        broken = self.values[: len(self.values) - self.kept]
        if len(broken) < 2:
            return 0
        steps = broken[:-1] / np.maximum(broken[1:], 1e-300)
        at = int(np.argmax(steps))
        return len(broken) - 1 - at if steps[at] >= GAP**0.75 else 0

    def size_of(self, field: np.ndarray) -> float:
        """The rms of <g, xi> over |g| for a field in the coordinates q, for its size in those of y: (1)."""
        along = self.fields.reshape(len(self.fields), -1) @ self.scaled(field).ravel()
        return float(np.linalg.norm(self.values * along) / np.linalg.norm(along))

    def original(self, field: np.ndarray) -> np.ndarray:
        """A field in the coordinates y as (A | a) in those of q: a = size b - A centre."""
        A, b = field[:, :-1], field[:, -1]
        return np.column_stack([A, self.size * b - A @ self.centre])

    def scaled(self, field: np.ndarray) -> np.ndarray:
        """The inverse of `original`."""
        A, a = field[:, :-1], field[:, -1]
        return np.column_stack([A, (a + A @ self.centre) / self.size])


def gradients(loss: Loss, points: np.ndarray) -> np.ndarray:
    """The gradient at each point, (d, n) float64 of 64-bit dual numbers, some points at a time."""
    parts = [
        differentiate(loss, points[:, at : at + CHUNK], wide.gradient)
        for at in range(0, points.shape[1], CHUNK)
    ]
    return np.concatenate(parts, axis=1)


def shape(dim: int) -> tuple[int, int]:
    """Rows and unknowns of (1)."""
    unknowns = dim * dim + dim
    return unknowns + max(MORE, unknowns // 8), unknowns


def memory(dim: int) -> int:
    """Bytes at the peak: the matrix twice, and what LAPACK's divide and conquer holds beside it (gesdd: six
    squares)."""
    rows, unknowns = shape(dim)
    return 8 * (2 * rows * unknowns + 6 * unknowns**2)


def seconds(dim: int) -> float:
    """Seconds of the decomposition, about."""
    return FLOPS * shape(dim)[1] ** 3 / SPEED


def check_size(loss: Loss) -> None:
    """Refuse a system of too many parameters beforehand. Raises UsageError."""
    if memory(loss.dim) <= MEMORY:
        return
    rows, unknowns = shape(loss.dim)
    most = max(d for d in range(1, loss.dim) if memory(d) <= MEMORY)
    hours = seconds(loss.dim) / 3600
    raise UsageError(
        f"{loss.origin.label}: {loss.name} has {loss.dim} parameters: the system of its affine fields has "
        f"{rows} x {unknowns} "
        f"entries and takes about {memory(loss.dim) / 1e9:.3g} GB and {hours:.2g} hours; it must fit in "
        f"{MEMORY / 1e9:g} GB, "
        f"as {most} parameters do"
    )


def spectrum(loss: Loss, seed: int) -> Spectrum | None:
    """None where the loss is constant: every field keeps it. Raises UsageError where it is too large."""
    check_size(loss)
    d, (rows, _) = loss.dim, shape(loss.dim)
    low, high = loss.box.T
    centre, size = (low + high) / 2, float((high - low).max() / 2)
    y = (np.random.default_rng(seed).uniform(-1, 1, (d, rows)).T * ((high - low) / 2 / size)).T
    return solved(gradients(loss, centre[:, None] + size * y), y, centre, size)


def solved(
    g: np.ndarray, y: np.ndarray, centre: np.ndarray, size: float, noise: float = 0.0
) -> Spectrum | None:
    """The spectrum of (1); None where all gradients are zero.

    g      (d, n) the gradient at each point;  y  (d, n) the points, in the coordinates of (1)
    noise  what errors of the gradients can make of a singular value of the system, beside its rounding
    """
    d, unknowns = len(g), len(g) * (len(g) + 1)
    length = np.sqrt((g * g).sum(axis=0))
    if not length.any():
        return None
    g, y = (g[:, length > 0] / length[length > 0]).astype(float), y[:, length > 0]
    system = (g[:, None, :] * np.concatenate([y, np.ones((1, y.shape[1]))])[None]).reshape(unknowns, -1).T
    _, values, vectors = np.linalg.svd(system, full_matrices=len(system) < unknowns)
    largest = values[0]
    values = np.concatenate([values, np.zeros(unknowns - len(values))]) / largest
    # LAPACK's singular values are right to p(m, n) u of the largest, p a modest polynomial that differs from
    # library to library (Anderson et al., LAPACK Users' Guide, 1999, section 4.9): max(m, n) is the customary
    # one (Golub, Van Loan, 2013, section 5.4.1). sqrt(m) was exceeded by 1.6 with AVX-512 kernels.
    floor = max(2.0**-52 * max(len(system), unknowns), noise / largest)
    return Spectrum(
        values, vectors.reshape(unknowns, d, d + 1), floor, int((values <= floor).sum()), centre, size
    )
