"""S4: the norm of a filter is the memory of an RMSProp, step by step (theory.md#S4).

    V' = rho V + (1-rho) |ghat|^2,   1-rho = 4 eta k/(1-beta)                                                 (1)
    angle' = angle + lr |ghat|/sqrt(V')                                                                      (2)
    coherent   V = 2k (1-beta)^2 r^4/(eta (1+beta)),   lr = sqrt(2 eta k/(1+beta))                            (3)
    white      V = 2k (1-beta) r^4/eta,                lr = sqrt(2 eta k/(1-beta)), ghat the mean gradient    (4)

One V a filter: with one a coordinate, the control, the twin parts from the filter at order 0. |ghat| alternates between
G and 1.5 G, so that a memory of another length shows. Where gradients are coherent everything is deterministic: the
deviations are orders in eta k, and vanish in the limit. Under white noise they are means over lanes, less what the noise
itself does to r^4 (variates.py), with what the next order adds:

    r^4        relaxation.py `corrected`, and a bound on the orders after it
    the drift  mean angle per step over lr <ghat>/sqrt V = 1 + V_R/2 - (eta k/(1+beta)) (1 + 4 sum_m beta^m w_m)   (5)

with V_R = 2 beta^2 eta k/((1-beta)^2 (1+beta)) the relative variance of r^2 and w_m = 1 + 2 beta (1-beta^(m-1))/(1-beta) + beta^m,
m >= 1, what is left in r^2 + <q, v'> of an l = <A q, v>^2 that entered m steps ago. It comes with opposite signs of the noise
in pairs of lanes, whose scatter cancels to first order; what is left is that of 1/r^2, half of that of r^4.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from harness.normalisation.cell import BETA, MILD, Cell, G, K, U, ladder, limit, order, rms, within
from harness.normalisation.evidence import mean, mean_record
from harness.normalisation.launches import job, lanes, seed_of
from harness.normalisation.relaxation import Regime, corrected, later
from harness.normalisation.variates import crossed, scatter, signs
from harness.powers import STEP
from harness.verdicts import Record
from kernels import noisy

SWING = 0.5
MOMENTA = {"quick": (MILD,), "full": (MILD, 0.86)}
HALVINGS = {MILD: 6, 0.86: 7}
SPANS = 3  # relaxation times; |ghat| changes after each
SETTINGS = {"quick": ((MILD, 10),), "full": ((MILD, 11), (BETA, 14))}
"""beta, and the exponent of eta k = 2^-exponent, of the cells under white noise."""
TILT = 1 / 64  # the mean gradient over the noise


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
    """(steps, ...) of |ghat|/G, as kernels/noisy.py swings it."""
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
    """The angle of a unit vector that takes RMSProp's steps with one V a coordinate, half of V each at the start."""
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


def of_profile(table: dict, cell: Cell):
    return table["quick" if cell.quick else "full"]


def coherent_twin(cell: Cell) -> list[Record]:
    return [r for beta in of_profile(MOMENTA, cell) for r in twins(cell, beta)]


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
        run = noisy.run(job(parts, windows=self.steps, every=1), backend)
        self.pace = paces(self.steps, shift)
        self.scale, self.lr = memory(beta, self.e, self.eta, True), learning_rate(beta, self.e, True)
        self.V, self.angle = self.at(run.means("r4")) * self.scale, self.at(-np.cumsum(run.means("turn"), axis=0))

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
    last = lambda x: float(x[-1, -1])  # noqa: E731
    about = {"beta": beta, "k": K, "|ghat|": G, "eta k": [float(f.e[0]), float(f.e[-1])], "V over RMSProp's": last(f.V / V),
             "angle over RMSProp's": last(f.angle / angle), "angle over the per-coordinate twin's": last(f.angle / each)}  # fmt: skip
    of_V, of_angle = (f"beta {beta:g}, {what} over RMSProp's {last(x):.5f} at the smallest step" for what, x in (("V", f.V / V), ("angle", f.angle / angle)))
    claims = (
        (f.V / V, of_V, None),
        (f.angle / angle, of_angle, None),
        (f.V / slow, of_V, "1 - rho = 2 eta k/(1-beta)"),
        (f.angle / each, of_angle, "RMSProp per coordinate"),
        (f.angle / (angle * np.sqrt(1 + beta)), of_angle, "learning rate sqrt(2 eta k)"),
        (f.angle / (angle * np.sqrt((1 + beta) / (1 - beta))), of_angle, "white learning rate under coherent gradients"),
    )
    floor = 16 * U * f.ends[-1]
    out = [order(cell, rms(ratio - 1), floor, 1, about, note, x=f.e, steps=f.steps, control=control) for ratio, note, control in claims]
    # V against RMSProp's and the next order; the angle in the limit of small steps.
    first, rest = (f.at(y) * f.scale for y in corrected(f.r, f.steps, pace=lambda n: f.pace[n]))
    changed = {name: [(y - y0) / STEP for y, y0 in zip(f.twin(**{word: 1 + STEP}), (V, angle), strict=True)] for name, word in TWIN.items()}
    for control, forgets in ((None, 1.0), ("memory 2.5 % too short", 1.025)):
        wrong = f.twin(forgets=forgets)[0] - V
        moved = {name: t / V for name, (t, _) in changed.items()}
        out.append(within(cell, f.V / V, (first + wrong) / V, rest / V + floor, moved, about, of_V, steps=f.steps, control=control))
        out.append(limit(cell, f.V / (V + wrong) - 1, floor, moved, about, of_V, steps=f.steps, control=control))
    for control, lr in ((None, 1.0), ("learning rate x 1.01", 1.01)):
        moved = {name: t / angle for name, (_, t) in changed.items()}
        out.append(limit(cell, f.angle / angle / lr - 1, floor, moved, about, of_angle, steps=f.steps, control=control))
    return out


TWIN = {"1-rho": "forgets", "V/r^4": "memory", "lr": "lr", "|ghat|": "ghat"}
"""The coefficients of (1) to (4), and what `Filter.twin` calls them; those of (4) are told as white."""


def next_order(beta: float, e: float) -> tuple[float, float]:
    """(5) - 1, and the sum of the sizes of its terms."""
    spread = beta**2 * e / ((1 - beta) ** 2 * (1 + beta))
    m = np.arange(1, 2 + int(50 / (1 - beta)))
    left = e / (1 + beta) * (1 + 4 * np.sum(beta**m * (1 + 2 * beta * (1 - beta ** (m - 1)) / (1 - beta) + beta**m)))
    return spread - left, spread + left


def white_memory(cell: Cell) -> list[Record]:
    return [r for beta, exponent in of_profile(SETTINGS, cell) for r in remembered(cell, beta, exponent)]


def remembered(cell: Cell, beta: float, exponent: int) -> list[Record]:
    """r^4 against (1) with (4) under white noise whose size alternates; windows of half a period, from twice the end."""
    many = 288 if cell.quick else 512 if cell.backend == "numpy" else 1024
    r = Regime(2.0**-exponent / K, beta, K, G, 0.0, 1.0)
    r = replace(r, x0=2 * r.settled())
    e, eta, windows, shift = 2.0**-exponent, float(r.eta), 6, round(np.log2(r.steps))  # half a period is about a relaxation time
    every = 2 ** (shift - 1)
    steps, scale = every * windows, float(memory(beta, e, eta, False))
    pace = paces(steps, shift)[:, 0]
    parts = lanes(eta, beta, K, 0.0, G, 0.0, r.x0**0.25, number=np.arange(many), seed=seed_of(cell), swing=SWING, shift=shift)
    task = job(parts, windows=windows, every=every)
    run = noisy.run(task, cell.backend)
    in_windows = lambda y: np.asarray(y).reshape(windows, every, -1).mean(axis=1)  # noqa: E731
    found = mean((run.means("r4") - in_windows(scatter(r, signs(task), eta * G * pace))) * scale)
    at, rest = (in_windows(y)[:, 0] * scale for y in corrected(r, steps, pace=lambda n: pace[n]))

    def twin(memory=1.0, forgets=1.0, ghat=1.0):
        start, ghats = np.array([r.x0 * scale * memory]), G * ghat * pace[:, None]
        return in_windows(run_twin(start, ghats, rate(beta, e) * forgets, 0.0)[0])[:, 0]

    V, out = twin(), []
    names = {f"{name}, white": word for name, word in TWIN.items() if word != "lr"}
    moved = {name: (twin(**{word: 1 + STEP}) - V) / STEP for name, word in names.items()}
    about = {"beta": beta, "eta k": e, "V over RMSProp's": [float(x) for x in found.value / V], "derived next order": [float(x) for x in at / V]}
    note = f"beta {beta:g}, white noise of alternating size, V of the filter against RMSProp's and the next order"
    t = (np.arange(windows) + 0.5) * every * eta
    plot = {"plot": "lines", "x": [float(x) for x in t], "series": {"2k(1-beta) r^4/eta": [float(x) for x in found.value], "RMSProp's V": [float(x) for x in V]},
            "xlabel": "time", "ylabel": "V", "xscale": "linear", "yscale": "linear",
            "caption": "Under white noise of alternating size r^4 is the memory of an RMSProp with 1-rho = 4 eta k/(1-beta)."}  # fmt: skip
    for control, forgets in ((None, 1.0), ("1 - rho = 2 eta k/(1-beta)", 0.5), ("memory 2.5 % too short", 1.025)):
        predicted = at + twin(forgets=forgets) - V
        out.append(mean_record(cell, found, predicted, rest, about, note, steps=steps, backend=run.backend, control=control, data=plot, responses=moved))
    return out


def white_drift(cell: Cell) -> list[Record]:
    return [r for beta, exponent in of_profile(SETTINGS, cell) for r in drifted(cell, beta, exponent)]


def drifted(cell: Cell, beta: float, exponent: int) -> list[Record]:
    """The mean angle per step against (2) with (4): white noise with a small mean, V settled; the scatter of r^2 takes its time to."""
    e, eta = 2.0**-exponent, 2.0**-exponent / K
    many = 384 if cell.quick else 512 if cell.backend == "numpy" else 1024
    r = Regime(eta, beta, K, G, 0.0, 1.0)
    steady = float(r.settled()) * (1 + TILT**2 * (1 + beta) / (1 - beta))
    r = replace(r, x0=steady)
    windows, burn = (3, 2) if cell.quick else (5, 3)
    every = round(1.5 * r.steps)
    steps = windows * every
    sign = np.tile([1.0, -1.0], many)
    parts = lanes(eta, beta, K, TILT * G, G * sign, 0.0, steady**0.25, number=np.repeat(np.arange(many), 2), seed=seed_of(cell))
    task = job(parts, windows=windows, every=every)
    run = noisy.run(task, cell.backend)
    turned = -run.means("turn")[burn:].mean(axis=0).reshape(many, 2).mean(axis=1)
    V = steady * memory(beta, e, eta, False)
    expected = learning_rate(beta, e, False) * TILT * G / np.sqrt(V)
    # 1/sqrt V scatters as r^4 does, half as much: both lanes of a pair alike, for their noise is the same but for its sign.
    pair, g = signs(task)[:, ::2], eta * G
    moved = scatter(r, pair, np.full(steps, g)) / steady / 2 + crossed(r, pair, g, TILT)
    moved = moved.reshape(windows, every, many)[burn:].mean(axis=(0, 1))
    first, size = next_order(beta, e)
    # The mean gradient adds its own, coherent part to the scatter of r^2, TILT^2 (1+beta)/(1-beta) of the first order, and of the
    # start, where nothing scatters, e^(-1.5 burn) is left.
    bias = later(size, size) + size * (TILT**2 * (1 + beta) / (1 - beta) + np.exp(-1.5 * burn))
    found = mean((turned / expected + moved)[None])
    ratio = np.sqrt((1 + beta) / (1 - beta))
    about = {"beta": beta, "eta k": e, "drift over RMSProp's": float(found.value[0]), "derived next order": float(1 + first), "learning rate over coherent": float(found.value[0] * ratio)}
    note = f"beta {beta:g}, drift under white noise over lr <ghat>/sqrt V (next order {first:+.4f}); {found.value[0] * ratio:.3f} times the coherent learning rate"
    out, one = [], np.array([1 + first])
    moved = {"lr, white": one, "<ghat>": one, "V/r^4, white": -one / 2}
    for control, predicted in (
        (None, 1 + first),
        ("coherent learning rate under white noise", (1 + first) / ratio),
        ("learning rate sqrt(2 eta k)", (1 + first) * np.sqrt(1 - beta)),
        ("learning rate x 1.01", (1 + first) * 1.01),
    ):
        out.append(mean_record(cell, found, predicted, bias, about, note, steps=steps, backend=run.backend, control=control, responses=moved))
    return out
