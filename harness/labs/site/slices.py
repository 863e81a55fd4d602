"""A plane through the parameters of a case that a symmetry maps into itself, so that its orbits can be drawn.

The plane is base + x e_1 + y e_2. Where A e_1, A e_2 and A base + a lie along it, an orbit that begins on it
stays on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.linalg import expm

from noether.cases.case import Case, Symmetry
from noether.kernels.programs.namespaces import NUMPY

ROUND = 1e-9  # of numbers of order 1 after a projection in float64, beside 1: what is left is the plane's own
COARSE = 17


@dataclass(frozen=True, eq=False)
class Plane:
    """base (d,), axes (2, d) of full rank, window ((x0, x1), (y0, y1)).

    pair   the two parameters that are the axes, None where the axes are other directions
    """

    case: Case
    symmetry: Symmetry
    base: np.ndarray
    axes: np.ndarray
    window: tuple[tuple[float, float], tuple[float, float]]
    pair: tuple[int, int] | None

    @property
    def field(self) -> np.ndarray:
        """The generator on the plane, (3, 3): d/ds (x, y, 1) = field (x, y, 1)."""
        to_plane = np.linalg.pinv(self.axes.T)
        out = np.zeros((3, 3))
        out[:2, :2] = to_plane @ self.symmetry.matrix @ self.axes.T
        out[:2, 2] = to_plane @ (self.symmetry.matrix @ self.base + self.symmetry.shift)
        return out

    def at(self, x, y) -> np.ndarray:
        """The parameters at points of the plane, (d, ...)."""
        x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
        axes = self.axes.reshape(2, -1, *(1,) * x.ndim)
        return self.base.reshape(-1, *(1,) * x.ndim) + axes[0] * x + axes[1] * y

    def loss(self, x, y) -> np.ndarray:
        """The loss at points of the plane; NaN where it has none."""
        with np.errstate(all="ignore"):
            values = np.asarray(self.case.loss(list(self.at(x, y)), NUMPY), dtype=float)
        return np.where(np.isfinite(values), values, np.nan)

    def orbit(self, start: np.ndarray, spans: np.ndarray) -> np.ndarray:
        """Points (n, 2) of the orbit of a point (2,) after the times `spans` (n,)."""
        return np.array([(expm(s * self.field) @ np.append(start, 1.0))[:2] for s in spans])


def is_invariant(symmetry: Symmetry, base: np.ndarray, axes: np.ndarray) -> bool:
    """Whether the generator of a symmetry is tangent to the plane at each of its points."""
    moved = np.column_stack([symmetry.matrix @ axes.T, (symmetry.matrix @ base + symmetry.shift)[:, None]])
    left = moved - axes.T @ (np.linalg.pinv(axes.T) @ moved)
    return bool(np.abs(left).max() <= ROUND * (1 + np.abs(moved).max()))


def bases(case: Case, inside: tuple[int, ...]) -> list[np.ndarray]:
    """Where the other parameters may stand: in the middle of the box, or at 0."""
    middle = np.array(case.box, dtype=float).mean(axis=1)
    middle[list(inside)] = 0
    return [middle, np.zeros(case.dim)]


def coordinate_planes(case: Case, symmetry: Symmetry) -> list[Plane]:
    """The planes of two parameters that the symmetry keeps and moves."""
    out = []
    for pair in combinations(range(case.dim), 2):
        axes = np.eye(case.dim)[list(pair)]
        for base in bases(case, pair):
            if is_invariant(symmetry, base, axes):
                plane = Plane(case, symmetry, base, axes, window(case, symmetry, pair), pair)
                out += [plane] if np.any(plane.field) else []
                break
    return out


def window(case: Case, symmetry: Symmetry, pair: tuple[int, int]) -> tuple:
    """What is shown of two parameters: around the box, and around 0 where the symmetry has its centre."""
    centred = not symmetry.is_translation and not np.any(symmetry.shift)
    moved = [bool(np.any(symmetry.matrix[i])) for i in pair]
    reach = 1.55 * max(abs(edge) for i in pair for edge in case.box[i])
    return tuple(
        ((0.04 * reach if case.metric.kind == "bregman" else -reach), reach)
        if centred and moves
        else widened(case.box[i], case.metric.kind == "bregman")
        for i, moves in zip(pair, moved, strict=True)
    )


def widened(interval: tuple[float, float], is_positive: bool) -> tuple[float, float]:
    """An interval with as much again on both sides, above 0 where the loss lives there."""
    low, high = interval
    low, high = low - (high - low), high + (high - low)
    return (max(low, 0.04 * high), high) if is_positive else (low, high)


def other_planes(case: Case, symmetry: Symmetry) -> list[Plane]:
    """Planes through a point of the box, for a symmetry that no two parameters show.

    Their axes are its shift, what grows of the point and what shrinks, a part and what it becomes, or halves.
    """
    box = np.array(case.box, dtype=float)
    point = box[:, 0] + (box[:, 1] - box[:, 0]) * 0.75
    wide, near = (-1.9, 1.9), (-1.5, 1.5)
    tried = []
    if symmetry.is_translation:
        tried.append((point, symmetry.shift, steepest(case, point, symmetry.shift), near))
    else:
        fixed = point - np.linalg.pinv(symmetry.matrix) @ (symmetry.matrix @ point)
        moving, turned = point - fixed, symmetry.matrix @ (point - fixed)
        half = moving * (np.arange(case.dim) < case.dim / 2)
        tried += [
            (fixed, moving, symmetry.shift, near),
            (fixed, moving + turned, moving - turned, wide),
            (fixed, moving, turned, wide),
            (fixed, half, moving - half, (0.08, 1.9) if box.min() > 0 else wide),
        ]
    return [
        Plane(case, symmetry, base, np.array([first, second]), (shown, shown), None)
        for base, first, second, shown in tried
        if np.linalg.matrix_rank([first, second]) == 2
        and is_invariant(symmetry, base, np.array([first, second]))
    ]


def steepest(case: Case, point: np.ndarray, along: np.ndarray) -> np.ndarray:
    """A direction across another one in which the loss changes much, (d,)."""
    from noether.mechanics.symbolic import gradient

    slope = gradient(case)(point[:, None], np.zeros(1))[:, 0]
    across = slope - along * (slope @ along) / (along @ along)
    return across / np.linalg.norm(across) * np.linalg.norm(along)


def variation(plane: Plane) -> float:
    """How much of the loss a plane shows: its smallest change from one quarter of the heights to the next, 0
    where a part of the plane has no loss. Planes in which the symmetry moves both parameters count thrice."""
    (x0, x1), (y0, y1) = plane.window
    x, y = np.meshgrid(np.linspace(x0, x1, COARSE + 1), np.linspace(y0, y1, COARSE + 1))
    values = plane.loss(x, y)
    if np.isnan(values).mean() > 0.1:
        return 0.0
    low, *_, high = quarters = np.nanquantile(values, (0.1, 0.3, 0.5, 0.7, 0.9))
    if high - low <= ROUND * (1 + abs(low)):
        return 0.0
    is_moved = plane.pair and all(np.any(plane.symmetry.matrix[i]) for i in plane.pair)
    heights = np.unique(np.round((values - low) / (high - low), 6))
    is_stepped = len(heights) < values.size / 5  # a normalisation of one number is its sign
    return float(np.diff(quarters).min()) * (3 if is_moved else 1) * (0.01 if is_stepped else 1)


def plane_of(case: Case, symmetry: Symmetry) -> Plane | None:
    """The plane that shows most of the loss, one of two parameters where there is one; None where there is
    none."""
    for planes in (coordinate_planes, other_planes):
        found = [(variation(plane), n, plane) for n, plane in enumerate(planes(case, symmetry))]
        if any(spread > 0 for spread, *_ in found):
            return max(found, key=lambda each: (each[0], -each[1]))[2]
    return None
