"""Turns of the parameters of one tensor, whose numbers a computer holds without rounding.

    T q = L q + t,   the gradient of f(T^-1 q) at T q is L^-T g                                   (1)

L has dyadic entries: permutations, signs, powers of 2, and rotations that are products of two reflections
1 - 2 v v^T / |v|^2 with whole v whose |v|^2 is a power of 2. Starts and gradients are whole numbers over 2^8,
so that both sides of (1) are exact in float64, and in float32 too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from noether.campaigns.audit.scripted import Script

STEPS = 6
"""Enough for RAdam, which changes its mind in step 6 with beta2 = .999."""
BITS, SPAN = 8, 2**9
"""Numbers are whole multiples of 2^-BITS, below SPAN of them: at most 2."""
WHOLE = {4: (1, 1, 1, 1), 6: (3, 2, 1, 1, 1, 0), 24: (3, *[1] * 23)}
"""Of each dimension a vector of whole numbers, whose square is a power of 2."""
SHAPES = {"matrix": (4, 6), "vector": (24,)}


@dataclass(frozen=True)
class Turn:
    """One T of (1).

    matrix  (d, d) float64, L
    pull    (d, d) float64, L^-T
    shift   (d,) float64, t
    """

    name: str
    matrix: np.ndarray
    pull: np.ndarray
    shift: np.ndarray

    def of(self, plain: Script) -> Script:
        """The start and the gradients of the turned run."""
        d = plain.q0.size
        q0 = self.matrix @ plain.q0.ravel() + self.shift
        gradients = plain.gradients.reshape(-1, d) @ self.pull.T
        return Script(q0.reshape(plain.q0.shape), gradients.reshape(plain.gradients.shape))


def script(shape: tuple[int, ...], seed: int = 0, steps: int = STEPS) -> Script:
    """Whole numbers over 2^BITS, none of them 0."""
    rng = np.random.default_rng([seed, steps, *shape])
    draw = lambda *size: rng.choice([-1.0, 1.0], size) * rng.integers(1, SPAN, size) / 2**BITS
    return Script(draw(*shape), draw(steps, *shape))


def rotation(rng, d: int) -> np.ndarray:
    """Two reflections of d dimensions, one after the other."""
    found = np.eye(d)
    for _ in range(2):
        v = rng.permutation(WHOLE[d]) * rng.choice([-1.0, 1.0], d)
        found = found - np.outer(v, v @ found) * (2 / (v @ v))
    return found


def permutation(rng, d: int) -> np.ndarray:
    """Every number in another place."""
    order = np.roll(np.arange(d), 1)
    mixed = rng.permutation(d)
    found = np.zeros((d, d))
    found[mixed, mixed[order]] = 1
    return found


def signs(rng, d: int) -> np.ndarray:
    """Half of the signs."""
    return np.diag(rng.permutation(np.where(np.arange(d) % 2, -1.0, 1.0)))


def powers(rng, d: int) -> np.ndarray:
    """Each number times 1/2, 1, 2 or 4."""
    return np.diag(rng.permutation(2.0 ** (np.arange(d) % 4 - 1)))


MIXED = {"rotation": rotation, "permutation": permutation, "sign flip": signs, "rescale": powers}
SIDES = {"left rotation": (0, rotation), "right rotation": (1, rotation), "row permutation": (0, permutation),
         "column permutation": (1, permutation), "row sign flip": (0, signs), "column sign flip": (1, signs),
         "row rescale": (0, powers), "column rescale": (1, powers)}  # fmt: skip
"""What acts on the rows of a matrix, or on its columns."""
SIDES_OF = {"rotation": ("left rotation", "right rotation")}
SIDES_OF |= {name: (f"row {name}", f"column {name}") for name in ("permutation", "sign flip", "rescale")}
SYMMETRIES = ("translation", "rotation", "left rotation", "right rotation", "permutation", "row permutation",
              "column permutation", "sign flip", "row sign flip", "column sign flip", "scale", "rescale",
              "row rescale", "column rescale")  # fmt: skip
"""In the order in which they are told."""


def turns(shape: tuple[int, ...], seed: int = 0) -> list[Turn]:
    """The turns of a shape of SHAPES, in the order of SYMMETRIES."""
    rng, d = np.random.default_rng([seed, 1, *shape]), int(np.prod(shape))
    still = np.zeros(d)
    moved = script(shape, seed + 1).q0.ravel()
    linear = {"scale": 2 * np.eye(d)} | {name: made(rng, d) for name, made in MIXED.items()}
    if len(shape) == 2:
        for name, (axis, made) in SIDES.items():
            one = made(rng, shape[axis])
            linear[name] = np.kron(one, np.eye(shape[1])) if axis == 0 else np.kron(np.eye(shape[0]), one)
    found = {"translation": Turn("translation", np.eye(d), np.eye(d), moved)}
    # An orthogonal matrix is its own inverse transposed; a diagonal one of powers of 2 has an exact inverse.
    for name, L in linear.items():
        pull = np.diag(1 / np.diag(L)) if name.endswith("scale") else L
        found[name] = Turn(name, L, pull, still)
    return [found[name] for name in SYMMETRIES if name in found]
