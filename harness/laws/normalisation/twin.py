"""S4: the norm of a filter is the memory of an RMSProp, step by step (theory.md#S4).

    V' = rho V + (1-rho) |ghat|^2,   1-rho = 4 eta k/(1-beta)                                        (1)
    angle' = angle + lr |ghat|/sqrt(V')                                                              (2)
    coherent   V = 2k (1-beta)^2 r^4/(eta (1+beta)),   lr = sqrt(2 eta k/(1+beta))                   (3)
    white      V = 2k (1-beta) r^4/eta,                lr = sqrt(2 eta k/(1-beta)), ghat the mean gradient (4)

One V a filter: with one a coordinate, the fault, the twin parts from the filter at order 0. |ghat|
alternates between G and 1.5 G, so that a memory of another length shows. Here gradients are coherent and
everything is deterministic: the deviations are orders in eta k, and vanish in the limit. white_twin.py has
the means under white noise.
"""

from __future__ import annotations

import numpy as np

from noether.kernels.loops import launch
from noether.laws.normalisation import faults
from noether.laws.normalisation.cell import MILD, Cell, G, K, U, limit, order, rms, within
from noether.laws.normalisation.halved import Halved
from noether.laws.normalisation.launches import job, lanes
from noether.laws.normalisation.relaxation import corrected
from noether.verdicts.powers import STEP
from noether.verdicts.record import Record

SWING = 0.5
MOMENTA = {"quick": (MILD,), "full": (MILD, 0.86)}
HALVINGS = {MILD: 6, 0.86: 7}
SPANS = 3  # relaxation times; |ghat| changes after each


def rate(beta, e):
    """1-rho of (1)."""
    return 4 * e / (1 - beta)


def learning_rate(beta, e, coherent: bool):
    """lr of (3), (4)."""
    return np.sqrt(2 * e / (1 + beta if coherent else 1 - beta))


def memory(beta, e, eta, coherent: bool):
    """V/r^4 of (3), (4)."""
    return 2 * e * (1 - beta) * ((1 - beta) / (1 + beta) if coherent else 1.0) / eta**2


def paces(steps: int, shift) -> np.ndarray:
    """(steps, ...) of |ghat|/G, as kernels/loops/noisy_launch.py swings it."""
    return 1 + SWING * ((np.arange(steps)[:, None] >> np.atleast_1d(shift)) & 1)


def run_twin(V, ghat, forgets, lr) -> tuple[np.ndarray, np.ndarray]:
    """(1), (2): V and the angle after each step; ghat (steps, lanes)."""
    angle, Vs, angles = np.zeros_like(V), [], []
    for g in ghat:
        V = V + forgets * (g * g - V)
        angle = angle + lr * g / np.sqrt(V)
        Vs.append(V)
        angles.append(angle)
    return np.array(Vs), np.array(angles)


def run_coordinates(V, ghat, forgets, lr) -> np.ndarray:
    """The angle of a unit vector that takes RMSProp's steps with one V a coordinate, half of V each at the
    start."""
    x, y, Vx, Vy = np.ones_like(V), np.zeros_like(V), V / 2, V / 2
    angle, angles = np.zeros_like(V), []
    for g in ghat:
        gx, gy = -g * y, g * x
        Vx, Vy = Vx + forgets * (gx * gx - Vx), Vy + forgets * (gy * gy - Vy)
        u, w = x + lr * gx / np.sqrt(Vx), y + lr * gy / np.sqrt(Vy)
        angle = angle + np.arctan2(x * w - y * u, x * u + y * w)
        x, y = (z / np.hypot(u, w) for z in (u, w))
        angles.append(angle)
    return np.array(angles)


TWIN = {"1-rho": "forgets", "V/r^4": "memory", "lr": "lr", "|ghat|": "ghat"}
"""The coefficients of (1) to (4), and what `Filter.twin` calls them; those of (4) are told as white."""


def coherent_twin(cell: Cell) -> list[Record]:
    return [r for beta in cell.of(MOMENTA) for r in twins(cell, beta)]


class Filter(Halved):
    """V and the angle of lanes of halved eta, twelve times within three relaxation times; and their twins."""

    def __init__(self, beta: float, backend: str):
        super().__init__(beta, HALVINGS[beta], SPANS)
        shift = np.rint(np.log2(self.r.steps)).astype(int)
        start, swings = self.r.x0**0.25, {"swing": SWING, "shift": shift}
        parts = lanes(self.eta, beta, K, G, 0.0, 1.0, start, number=0, seed=0, **swings)
        run = launch.run(job(parts, windows=self.steps, every=1), backend)
        self.pace = paces(self.steps, shift)
        self.scale, self.lr = memory(beta, self.e, self.eta, True), learning_rate(beta, self.e, True)
        self.V = self.at(run.means("r4")) * self.scale
        self.angle = self.at(-np.cumsum(run.means("turn"), axis=0))

    def twin(self, *, memory=1.0, forgets=1.0, lr=1.0, ghat=1.0):
        """V and angle of the twin with other coefficients: factors."""
        V0, forgotten = self.r.x0 * self.scale * memory, rate(self.beta, self.e) * forgets
        return [self.at(y) for y in run_twin(V0, self.pace * G * ghat, forgotten, self.lr * lr)]

    def by_coordinate(self) -> np.ndarray:
        """The angle of the twin with one V a coordinate."""
        start, forgotten = self.r.x0 * self.scale, rate(self.beta, self.e)
        return self.at(run_coordinates(start, self.pace * G, forgotten, self.lr))

    def moved(self, V: np.ndarray, angle: np.ndarray) -> tuple[dict, dict]:
        """By coefficient, what a relative change 1 of it adds to the twin's V, and to its angle: relative."""
        by = {name: self.twin(**{word: 1 + STEP}) for name, word in TWIN.items()}
        of_V = {name: (changed - V) / STEP / V for name, (changed, _) in by.items()}
        return of_V, {name: (changed - angle) / STEP / angle for name, (_, changed) in by.items()}


def twins(cell: Cell, beta: float) -> list[Record]:
    """V and the angle over the twin's: of order 1 in eta k, and in the limit of small steps."""
    f = Filter(beta, cell.backend)
    V, angle = f.twin()
    each, floor = f.by_coordinate(), 16 * U * f.ends[-1]
    last = lambda x: float(x[-1, -1])
    about = {"beta": beta, "k": K, "|ghat|": G, "eta k": [float(f.e[0]), float(f.e[-1])]}
    about |= {"V over RMSProp's": last(f.V / V), "angle over RMSProp's": last(f.angle / angle)}
    about |= {"angle over the per-coordinate twin's": last(f.angle / each)}
    of_V, of_angle = (
        f"beta {beta:g}, {what} over RMSProp's {last(x):.5f} at the smallest step"
        for what, x in (("V", f.V / V), ("angle", f.angle / angle))
    )

    def judge(ratio, note, fault=None):
        return order(cell, rms(ratio - 1), floor, 1, about, note, x=f.e, steps=f.steps, fault=fault)

    slow = f.twin(**faults.HALF_MEMORY.changed)[0]
    without, white = angle * np.sqrt(1 + beta), angle * np.sqrt((1 + beta) / (1 - beta))
    return [
        judge(f.V / V, of_V),
        judge(f.angle / angle, of_angle),
        judge(f.V / slow, of_V, faults.HALF_MEMORY.name),
        judge(f.angle / each, of_angle, faults.PER_COORDINATE.name),
        judge(f.angle / without, of_angle, faults.LR_WITHOUT_BETA.name),
        judge(f.angle / white, of_angle, faults.WHITE_LR_COHERENT.name),
        *in_the_limit(cell, f, V, angle, floor, about, (of_V, of_angle)),
    ]


def in_the_limit(cell: Cell, f: Filter, V, angle, floor, about: dict, notes) -> list[Record]:
    """V against RMSProp's and the next order; V and the angle in the limit of small steps."""
    first, rest = (f.at(y) * f.scale for y in corrected(f.r, f.steps, pace=lambda n: f.pace[n]))
    (of_V, of_angle), (moved, turned) = notes, f.moved(V, angle)

    def of_memory(fault=None, **changed):
        wrong, facts = f.twin(**changed)[0] - V, {"steps": f.steps, "fault": fault}
        predicted, bound = (first + wrong) / V, rest / V + floor
        off = f.V / (V + wrong) - 1
        return [
            within(cell, f.V / V, predicted, bound, moved, about, of_V, **facts),
            limit(cell, off, floor, moved, about, of_V, **facts),
        ]

    def of_rate(fault=None, lr=1.0):
        off = f.angle / angle / lr - 1
        return limit(cell, off, floor, turned, about, of_angle, steps=f.steps, fault=fault)

    short, off = faults.SHORT_MEMORY, faults.LR_OFF
    return [
        *of_memory(),
        *of_memory(short.name, **short.changed),
        of_rate(),
        of_rate(off.name, **off.changed),
    ]
