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

from dataclasses import replace

import numpy as np

from noether.kernels.loops import launch
from noether.laws.normalisation.cell import MILD, Cell, G, K, U, ladder, limit, order, rms, within
from noether.laws.normalisation.launches import job, lanes
from noether.laws.normalisation.relaxation import Regime, corrected
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


def coherent_twin(cell: Cell) -> list[Record]:
    return [r for beta in cell.of(MOMENTA) for r in twins(cell, beta)]


class Filter:
    """Lanes of halved eta; twelve times within three relaxation times, r^4 from a quarter of its end."""

    def __init__(self, beta: float, backend: str):
        self.beta, many = beta, HALVINGS[beta]
        self.e = ladder(beta, many)
        self.eta = self.e / K
        r = Regime(self.eta, beta, K, G, 1.0, 1.0)
        self.r = r = replace(r, x0=r.settled() / 4)
        shift = np.rint(np.log2(r.steps)).astype(int)
        self.ends = np.rint(np.outer(np.arange(1, 4 * SPANS + 1) / 4, r.steps)).astype(int)
        self.steps = int(self.ends.max())
        parts = lanes(self.eta, beta, K, G, 0.0, 1.0, r.x0**0.25, number=0, seed=0, swing=SWING, shift=shift)
        run = launch.run(job(parts, windows=self.steps, every=1), backend)
        self.pace = paces(self.steps, shift)
        self.scale, self.lr = memory(beta, self.e, self.eta, True), learning_rate(beta, self.e, True)
        self.V, self.angle = (
            self.at(run.means("r4")) * self.scale,
            self.at(-np.cumsum(run.means("turn"), axis=0)),
        )

    def at(self, y):
        return np.take_along_axis(y, self.ends - 1, axis=0)

    def twin(self, *, memory=1.0, forgets=1.0, lr=1.0, ghat=1.0):
        """V and angle of the twin with other coefficients: factors."""
        V0, forgotten = self.r.x0 * self.scale * memory, rate(self.beta, self.e) * forgets
        return [self.at(y) for y in run_twin(V0, self.pace * G * ghat, forgotten, self.lr * lr)]


def twins(cell: Cell, beta: float) -> list[Record]:
    f = Filter(beta, cell.backend)
    V, angle = f.twin()
    slow = f.twin(forgets=0.5)[0]
    each = f.at(run_coordinates(f.r.x0 * f.scale, f.pace * G, rate(beta, f.e), f.lr))
    last = lambda x: float(x[-1, -1])
    about = {"beta": beta, "k": K, "|ghat|": G, "eta k": [float(f.e[0]), float(f.e[-1])],
        "V over RMSProp's": last(f.V / V),
             "angle over RMSProp's": last(f.angle / angle),
             "angle over the per-coordinate twin's": last(f.angle / each)}  # fmt: skip
    of_V, of_angle = (
        f"beta {beta:g}, {what} over RMSProp's {last(x):.5f} at the smallest step"
        for what, x in (("V", f.V / V), ("angle", f.angle / angle))
    )
    claims = (
        (f.V / V, of_V, None),
        (f.angle / angle, of_angle, None),
        (f.V / slow, of_V, "1 - rho = 2 eta k/(1-beta)"),
        (f.angle / each, of_angle, "RMSProp per coordinate"),
        (f.angle / (angle * np.sqrt(1 + beta)), of_angle, "learning rate sqrt(2 eta k)"),
        (
            f.angle / (angle * np.sqrt((1 + beta) / (1 - beta))),
            of_angle,
            "white learning rate under coherent gradients",
        ),
    )
    floor = 16 * U * f.ends[-1]
    out = [
        order(cell, rms(ratio - 1), floor, 1, about, note, x=f.e, steps=f.steps, fault=fault)
        for ratio, note, fault in claims
    ]
    # V against RMSProp's and the next order; the angle in the limit of small steps.
    first, rest = (f.at(y) * f.scale for y in corrected(f.r, f.steps, pace=lambda n: f.pace[n]))
    changed = {
        name: [(y - y0) / STEP for y, y0 in zip(f.twin(**{word: 1 + STEP}), (V, angle), strict=True)]
        for name, word in TWIN.items()
    }
    for fault, forgets in ((None, 1.0), ("memory 2.5 % too short", 1.025)):
        wrong = f.twin(forgets=forgets)[0] - V
        moved = {name: t / V for name, (t, _) in changed.items()}
        out.append(
            within(
                cell,
                f.V / V,
                (first + wrong) / V,
                rest / V + floor,
                moved,
                about,
                of_V,
                steps=f.steps,
                fault=fault,
            )
        )
        out.append(limit(cell, f.V / (V + wrong) - 1, floor, moved, about, of_V, steps=f.steps, fault=fault))
    for fault, lr in ((None, 1.0), ("learning rate x 1.01", 1.01)):
        moved = {name: t / angle for name, (_, t) in changed.items()}
        out.append(
            limit(cell, f.angle / angle / lr - 1, floor, moved, about, of_angle, steps=f.steps, fault=fault)
        )
    return out


TWIN = {"1-rho": "forgets", "V/r^4": "memory", "lr": "lr", "|ghat|": "ghat"}
"""The coefficients of (1) to (4), and what `Filter.twin` calls them; those of (4) are told as white."""
