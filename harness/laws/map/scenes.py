"""Where each row of the map is measured: a case, its generator, positive starts so that every column can
run."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from noether.cases import LINEAR_NETWORK, SOFTMAX, Case
from noether.cases.case import Symmetry, linear
from noether.cases.losses.mexican_hat import mexican_hat
from noether.cases.losses.rayleigh import rayleigh
from noether.laws.map.stepping import gradient_of
from noether.system.seeds import derive

FINAL, STARTS = 0.25, 3
CANDIDATES, PROBES = 256, 4
LARGEST = 4
"""The largest step size is 2^-LARGEST of a scene's pace."""
SIZES = {"quick": 6, "full": 8, "stress": 9}
"""How many step sizes a profile has, each half of the one before."""
MOST_SIZES = 10
"""How many a column gets at most where that many decide no order."""


RAYLEIGH = rayleigh(4)


def pairs_loss(q, xp):
    """Two elementwise products, coupled, one too large and one too small: what D8 is true of, a rank-one
    matrix it is not."""
    a, b = q[0] * q[2] - 0.125, q[1] * q[3] - 2.5
    return a * a / 2 + b * b / 2 + q[0] * q[2] * q[1] * q[3] / 4


def pairs_breaking(q, xp):
    return q[0]


PAIRS = Case(
    name="pairs",
    title="elementwise product of two pairs of factors: rescale",
    source="Tanaka, Kunin (2021), Table 1; theory.md#D8",
    loss=pairs_loss,
    breaking=pairs_breaking,
    box=((0.5, 1.25),) * 4,
    symmetries=(linear(np.diag([1, 1, -1, -1]), "rescale"),),
)


HAT = mexican_hat(4)
"""A function of |q| alone: any two parameters may change places."""


@dataclass(frozen=True)
class Scene:
    """low, high: the box of the starts, positive;  pace multiplies the step sizes and the time, as in Case.

    No power of two, so that steps of sign descent round too.
    """

    row: str
    case: Case
    symmetry: Symmetry | None
    low: float
    high: float
    pace: float = 0.93

    @property
    def final(self) -> float:
        return FINAL * self.pace

    def steps(self, count: int) -> np.ndarray:
        """So many step sizes, halved from one to the next; the last one takes FINAL / 2^-j steps."""
        return self.pace * 2.0 ** -np.arange(LARGEST, LARGEST + count, dtype=float)


def named(case: Case, name: str) -> Symmetry:
    return next(s for s in case.symmetries if s.name == name)


@cache
def scenes() -> dict[str, Scene]:
    return {
        s.row: s
        for s in (
            Scene(
                row="translation", case=SOFTMAX, symmetry=named(SOFTMAX, "translation-0"), low=0.5, high=1.5
            ),
            Scene(row="scale", case=RAYLEIGH, symmetry=named(RAYLEIGH, "scale"), low=0.75, high=1.25),
            Scene(row="rescale", case=PAIRS, symmetry=named(PAIRS, "rescale"), low=0.75, high=1.25),
            Scene(
                row="GL(r)",
                case=LINEAR_NETWORK,
                symmetry=named(LINEAR_NETWORK, "general-linear"),
                low=0.75,
                high=1.25,
                pace=0.47,
            ),
            Scene(
                row="rotation",
                case=LINEAR_NETWORK,
                symmetry=named(LINEAR_NETWORK, "rotation"),
                low=0.75,
                high=1.25,
                pace=0.47,
            ),
            Scene(row="time", case=LINEAR_NETWORK, symmetry=None, low=0.75, high=1.25, pace=0.47),
            Scene(row="permutation", case=LINEAR_NETWORK, symmetry=None, low=0.75, high=1.25, pace=0.47),
            Scene(row="sign flip", case=LINEAR_NETWORK, symmetry=None, low=0.75, high=1.25, pace=0.47),
            Scene(row="exchange", case=HAT, symmetry=None, low=0.75, high=1.25, pace=0.47),
        )
    }


def start(scene: Scene, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """q_0 and the start velocity w, (d, STARTS) each.

    Of CANDIDATES those along whose sign flow the least component of the gradient stays largest: where a
    component vanishes, sign and the diagonal rules chatter, and no order can be decided; nor where <sign g,
    xi> vanishes, along which they move the charge. Decided here, before anything is measured.
    """
    rng, d = np.random.default_rng(derive(seed, f"M1/{scene.case.name}")), scene.case.dim
    q = scene.low + (scene.high - scene.low) * rng.random((d, CANDIDATES))
    g, q0 = gradient_of(scene.case), q
    way = np.sign(g(q))
    margin = np.full(CANDIDATES, np.inf)
    for _ in range(PROBES + 1):
        force = g(q) * way
        margin = np.minimum(margin, (force / np.abs(force).max(axis=0)).min(axis=0))
        if scene.symmetry:
            xi = scene.symmetry.matrix @ q + scene.symmetry.shift[:, None]
            margin = np.minimum(margin, np.abs(np.sum(way * xi, axis=0)) / np.abs(xi).sum(axis=0))
        q = q - scene.final / PROBES * way
    q0 = q0[:, np.argsort(-margin)[:STARTS]]
    return q0, rng.uniform(0.25, 0.75, q0.shape) * rng.choice([-1.0, 1.0], q0.shape)
