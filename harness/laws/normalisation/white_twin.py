"""S4 under white noise: the memory of the norm and the drift of the angle, as means over lanes (theory.md#S4;
twin.py).

    r^4        relaxation.py `corrected`, and a bound on the orders after it
    the drift  mean angle per step over lr <ghat>/sqrt V
                   = 1 + V_R/2 - (eta k/(1+beta)) (1 + 4 sum_m beta^m w_m)  (1)

with V_R = 2 beta^2 eta k/((1-beta)^2 (1+beta)) the relative variance of r^2 and, m >= 1,

    w_m = 1 + 2 beta (1-beta^(m-1))/(1-beta) + beta^m  (2)

what is left in r^2 + <q, v'> of an l = <A q, v>^2 that entered m steps ago. The drift is measured with
opposite signs of the noise in pairs of lanes, whose scatter cancels to first order; the rest is that of
1/r^2, half of that of r^4, and what noise and mean gradient do together, both known from the noise
(variates.py).
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from noether.kernels.loops import launch
from noether.laws.normalisation import faults
from noether.laws.normalisation.cell import SETTINGS, Cell, G, K, own
from noether.laws.normalisation.launches import in_windows, job, lanes, seed_of
from noether.laws.normalisation.relaxation import Regime, corrected, later
from noether.laws.normalisation.twin import SWING, TWIN, learning_rate, memory, paces, rate, run_twin
from noether.laws.normalisation.variates import crossed, scatter, signs
from noether.verdicts.figures import Lines
from noether.verdicts.means import Means, mean_record, means_of
from noether.verdicts.powers import STEP
from noether.verdicts.record import Record

TILT = 1 / 64  # the mean gradient over the noise
WINDOWS = 6  # of the memory


def next_order(beta: float, e: float) -> tuple[float, float]:
    """(1) - 1, and the sum of the sizes of its terms."""
    spread = beta**2 * e / ((1 - beta) ** 2 * (1 + beta))
    m = np.arange(1, 2 + int(50 / (1 - beta)))
    w = 1 + 2 * beta * (1 - beta ** (m - 1)) / (1 - beta) + beta**m
    left = e / (1 + beta) * (1 + 4 * np.sum(beta**m * w))
    return spread - left, spread + left


# ---- the memory


def white_memory(cell: Cell) -> list[Record]:
    return [r for beta, exponent in cell.of(SETTINGS) for r in remembered(cell, beta, exponent)]


class Memory:
    """r^4 of lanes under white noise whose size alternates, from twice the end; windows of half a period."""

    def __init__(self, cell: Cell, beta: float, exponent: int):
        self.e, self.beta = 2.0**-exponent, beta
        r = Regime(self.e / K, beta, K, G, 0.0, 1.0)
        self.r = r = replace(r, x0=2 * r.settled())
        many = 288 if cell.quick else 512 if cell.backend == "numpy" else 1024
        shift = round(np.log2(r.steps))  # half a period is about a relaxation time
        draws = {"number": own(exponent, many), "seed": seed_of(cell)}
        parts = lanes(r.eta, beta, K, 0.0, G, 0.0, r.x0**0.25, **draws, swing=SWING, shift=shift)
        self.job = job(parts, windows=WINDOWS, every=2 ** (shift - 1))
        self.run = launch.run(self.job, cell.backend)
        self.pace = paces(self.job.steps, shift)[:, 0]
        self.scale = float(memory(beta, self.e, r.eta, False))

    def found(self) -> Means:
        """V of the filter, less what the noise does to it."""
        by_noise = in_windows(scatter(self.r, signs(self.job), self.r.eta * G * self.pace), self.job)
        return means_of((self.run.means("r4") - by_noise) * self.scale)

    def next_order(self) -> tuple[np.ndarray, np.ndarray]:
        """V with the order after it, and a bound on all later ones, (windows,) each."""
        both = corrected(self.r, self.job.steps, pace=lambda n: self.pace[n])
        at, rest = (in_windows(y, self.job)[:, 0] * self.scale for y in both)
        return at, rest

    def twin(self, memory=1.0, forgets=1.0, ghat=1.0) -> np.ndarray:
        """(windows,) V of the twin with other coefficients: factors."""
        start, ghats = np.array([self.r.x0 * self.scale * memory]), G * ghat * self.pace[:, None]
        V, _ = run_twin(start, ghats, rate(self.beta, self.e) * forgets, 0.0)
        return in_windows(V, self.job)[:, 0]


def remembered(cell: Cell, beta: float, exponent: int) -> list[Record]:
    """V of the filter against RMSProp's, by (1) of twin.py with (4), and the next order."""
    x = Memory(cell, beta, exponent)
    found, (at, rest), V = x.found(), x.next_order(), x.twin()
    words = {f"{name}, white": word for name, word in TWIN.items() if word != "lr"}
    moved = {name: (x.twin(**{word: 1 + STEP}) - V) / STEP for name, word in words.items()}
    about = {"beta": beta, "eta k": x.e, "V over RMSProp's": [float(y) for y in found.value / V]}
    about |= {"derived next order": [float(y) for y in at / V]}
    note = (
        f"beta {beta:g}, white noise of alternating size, V of the filter against RMSProp's and the next "
        "order"
    )
    facts = {
        "steps": x.job.steps,
        "backend": x.run.backend,
        "figure": drawn(x, found, V, at),
        "responses": moved,
    }

    def judge(fault=None, **changed):
        predicted = at + x.twin(**changed) - V
        return mean_record(cell, found, predicted, rest, about, note, fault=fault, **facts)

    wrong = (faults.HALF_MEMORY, faults.SHORT_MEMORY)
    return [judge(), *(judge(fault.name, **fault.changed) for fault in wrong)]


def drawn(x: Memory, found: Means, V: np.ndarray, at: np.ndarray) -> Lines:
    return Lines(
        x=(np.arange(WINDOWS) + 0.5) * x.job.every * x.r.eta,
        series={"2k(1-beta) r^4/eta, measured": found.value, "RMSProp's V": V, "with the next order": at},
        xlabel="time",
        ylabel="V",
        xscale="linear",
        yscale="linear",
        caption="Under white noise of alternating size r^4 is the memory of an RMSProp with 1-rho = 4 eta "
        "k/(1-beta), to first order in eta; with the next order it must be what was measured.",
    )


# ---- the drift


def white_drift(cell: Cell) -> list[Record]:
    return [r for beta, exponent in cell.of(SETTINGS) for r in drifted(cell, beta, exponent)]


class Drift:
    """Pairs of lanes under white noise of opposite signs with a small mean, V settled.

    burn   windows left out: the scatter of r^2 takes its time to settle
    """

    def __init__(self, cell: Cell, beta: float, exponent: int):
        self.e, self.beta = 2.0**-exponent, beta
        self.many = many = 384 if cell.quick else 512 if cell.backend == "numpy" else 1024
        r = Regime(self.e / K, beta, K, G, 0.0, 1.0)
        self.r = replace(r, x0=float(r.settled()) * (1 + self.coherent))
        windows, self.burn = (3, 2) if cell.quick else (5, 3)
        sign, number = np.tile([1.0, -1.0], many), np.repeat(own(exponent, many), 2)
        start, draws = self.r.x0**0.25, {"number": number, "seed": seed_of(cell)}
        parts = lanes(r.eta, beta, K, TILT * G, G * sign, 0.0, start, **draws)
        self.job = job(parts, windows=windows, every=round(1.5 * r.steps))
        self.run = launch.run(self.job, cell.backend)

    @property
    def coherent(self) -> float:
        """What the mean gradient adds to the scatter of r^2, over that of the noise."""
        return TILT**2 * (1 + self.beta) / (1 - self.beta)

    def found(self) -> Means:
        """The mean angle per step over lr <ghat>/sqrt V, less what the noise does to it."""
        turned = -self.run.means("turn")[self.burn :].mean(axis=0).reshape(self.many, 2).mean(axis=1)
        V = self.r.x0 * memory(self.beta, self.e, self.r.eta, False)
        expected = learning_rate(self.beta, self.e, False) * TILT * G / np.sqrt(V)
        return means_of((turned / expected + self.by_noise())[None])

    def by_noise(self) -> np.ndarray:
        """(pairs,). 1/sqrt V scatters as r^4 does, half as much: both lanes of a pair alike, for their noise
        is the same but for its sign."""
        pair, g = signs(self.job)[:, ::2], self.r.eta * G
        of_r4 = scatter(self.r, pair, np.full(self.job.steps, g))
        moved = of_r4 / self.r.x0 / 2 + crossed(self.r, pair, g, TILT)
        moved = moved.reshape(self.job.windows, self.job.every, self.many)
        return moved[self.burn :].mean(axis=(0, 1))

    def bias(self, size: float) -> float:
        """All orders after the first; the scatter of r^2 from the mean gradient; and what is left of the
        start, where nothing scatters: e^(-1.5 burn) of the first. size: of the first order."""
        return later(size, size) + size * (self.coherent + np.exp(-1.5 * self.burn))


def drifted(cell: Cell, beta: float, exponent: int) -> list[Record]:
    """The mean angle per step against (2) with (4) of twin.py, and the next order (1)."""
    x = Drift(cell, beta, exponent)
    found, (first, size) = x.found(), next_order(beta, x.e)
    seen, ratio = float(found.value[0]), np.sqrt((1 + beta) / (1 - beta))
    about = {"beta": beta, "eta k": x.e, "drift over RMSProp's": seen}
    about |= {"derived next order": float(1 + first)}
    about |= {"learning rate over coherent": float(found.value[0] * ratio)}
    note = (
        f"beta {beta:g}, drift under white noise over lr <ghat>/sqrt V (next order {first:+.4f}); "
        f"{found.value[0] * ratio:.3f} times the coherent learning rate"
    )
    facts = {"about": about, "note": note, "steps": x.job.steps, "backend": x.run.backend}
    judge = partial(mean_record, cell, found, bias=x.bias(size), **facts)
    law = 1 + first
    moved = {"lr, white": 1.0, "<ghat>": 1.0, "V/r^4, white": -0.5}
    wrong = {
        faults.COHERENT_LR_WHITE: law / ratio,
        faults.LR_WITHOUT_BETA: law * np.sqrt(1 - beta),
        faults.LR_OFF: law * faults.LR_OFF.changed["lr"],
    }
    return [
        judge(law, responses={name: np.array([by * law]) for name, by in moved.items()}),
        *(judge(predicted, fault=fault.name) for fault, predicted in wrong.items()),
    ]
