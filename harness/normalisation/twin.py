"""S4: the norm of a filter is the memory of an RMSProp, step by step (theory.md#S4).

    V' = rho V + (1-rho) |ghat|^2,   1-rho = 4 eta k/(1-beta)                                                 (1)
    angle' = angle + lr |ghat|/sqrt(V')                                                                      (2)
    coherent   V = 2k (1-beta)^2 r^4/(eta (1+beta)),   lr = sqrt(2 eta k/(1+beta))                            (3)
    white      V = 2k (1-beta) r^4/eta,                lr = sqrt(2 eta k/(1-beta)), ghat the mean gradient    (4)

One V a filter: with one a coordinate, the control, the twin parts from the filter at order 0. |ghat| alternates between
G and 1.5 G, so that a memory of another length shows. Where gradients are coherent everything is deterministic and the
deviations are orders in eta k; under white noise they are means over lanes, with what the next order adds:

    r^4        relaxation.py `corrected`;  the deviation from (1) is bounded by it
    the drift  mean angle per step over lr <ghat>/sqrt V = 1 + V_R/2 - (eta k/(1+beta)) (1 + 4 sum_m beta^m w_m)   (5)

with V_R = 2 beta^2 eta k/((1-beta)^2 (1+beta)) the relative variance of r^2 and w_m = 1 + 2 beta (1-beta^(m-1))/(1-beta) + beta^m,
m >= 1, what is left in r^2 + <q, v'> of an l = <A q, v>^2 that entered m steps ago. It comes with opposite signs of the noise
in pairs of lanes, whose scatter cancels to first order.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from harness.normalisation.cell import Cell, U, order, rms
from harness.normalisation.evidence import mean, mean_record
from harness.normalisation.launches import job, lanes, seed_of
from harness.normalisation.relaxation import Regime, corrected, later
from harness.verdicts import Record
from kernels import noisy

K = 1 / 8
SWING = 0.5
BETA = 0.9
MOMENTA = {"quick": (0.5,), "full": (0.5, 0.875)}
HALVINGS = {0.5: 6, 0.875: 7}
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


def coherent_twin(cell: Cell) -> list[Record]:
    return [r for beta in MOMENTA["quick" if cell.quick else "full"] for r in twins(cell, beta)]


def twins(cell: Cell, beta: float) -> list[Record]:
    """Lanes of halved eta; twelve times within three relaxation times, r^4 from a quarter of its end."""
    e = 2.0 ** -(np.arange(HALVINGS[beta]) + round(np.log2(8 / (1 - beta) ** 2)) + 1)
    eta = e / K
    r = Regime(eta, beta, K, 1.0, 1.0, 1.0)
    x0, shift = r.settled() / 4, np.rint(np.log2(r.steps)).astype(int)
    ends = np.rint(np.outer(np.arange(1, 4 * SPANS + 1) / 4, r.steps)).astype(int)
    steps = int(ends.max())
    run = noisy.run(job(lanes(eta, beta, K, 1.0, 0.0, 1.0, x0**0.25, number=0, seed=0, swing=SWING, shift=shift), windows=steps, every=1), cell.backend)
    ghat, scale, lr = paces(steps, shift), memory(beta, e, eta, True), learning_rate(beta, e, True)

    def at(y):
        return np.take_along_axis(y, ends - 1, axis=0)

    filtered, turned = at(run.means("r4")) * scale, at(-np.cumsum(run.means("turn"), axis=0))
    V, angle = map(at, run_twin(x0 * scale, ghat, rate(beta, e), lr))
    slow, each = at(run_twin(x0 * scale, ghat, rate(beta, e) / 2, lr)[0]), at(run_coordinates(x0 * scale, ghat, rate(beta, e), lr))
    about = {"beta": beta, "k": K, "eta k": [float(e[0]), float(e[-1])], "V over RMSProp's": float((filtered / V)[-1, -1]),
             "angle over RMSProp's": float((turned / angle)[-1, -1]), "angle over the per-coordinate twin's": float((turned / each)[-1, -1])}  # fmt: skip
    of_V, of_angle = (f"beta {beta:g}, {what} over RMSProp's {float(x[-1, -1]):.5f} at the smallest step" for what, x in (("V", filtered / V), ("angle", turned / angle)))
    claims = (
        (filtered / V, of_V, None),
        (turned / angle, of_angle, None),
        (filtered / slow, of_V, "1 - rho = 2 eta k/(1-beta)"),
        (turned / each, of_angle, "RMSProp per coordinate"),
        (turned / (angle * np.sqrt(1 + beta)), of_angle, "learning rate sqrt(2 eta k)"),
        (turned / (angle * np.sqrt((1 + beta) / (1 - beta))), of_angle, "white learning rate under coherent gradients"),
    )
    return [order(cell, rms(ratio - 1), 16 * U * ends[-1], 1, about, note, x=e, steps=steps, control=control) for ratio, note, control in claims]


def next_order(beta: float, e: float) -> tuple[float, float]:
    """(5) - 1, and the sum of the sizes of its terms."""
    spread = beta**2 * e / ((1 - beta) ** 2 * (1 + beta))
    m = np.arange(1, 2 + int(50 / (1 - beta)))
    left = e / (1 + beta) * (1 + 4 * np.sum(beta**m * (1 + 2 * beta * (1 - beta ** (m - 1)) / (1 - beta) + beta**m)))
    return spread - left, spread + left


def white_memory(cell: Cell) -> list[Record]:
    """r^4 against (1) with (4) under white noise whose size alternates; windows of half a period, from twice the end."""
    beta, exponent, many = (0.5, 9, 256) if cell.quick else (BETA, 14, 256 if cell.backend == "numpy" else 4096)
    e, shift, windows = 2.0**-exponent, exponent - 3, 6  # half a period is 1 relaxation time, or 1.25
    r = Regime(e / K, beta, K, 1.0, 0.0, 1.0)
    r = replace(r, x0=2 * r.settled())
    every = 2 ** (shift - 1)
    steps, scale, ghat = every * windows, float(memory(beta, e, e / K, False)), paces(every * windows, shift)[:, 0]
    parts = lanes(e / K, beta, K, 0.0, 1.0, 0.0, r.x0**0.25, number=np.arange(many), seed=seed_of(cell), swing=SWING, shift=shift)
    run = noisy.run(job(parts, windows=windows, every=every), cell.backend)
    found = mean(run.means("r4") * scale)
    in_windows = lambda y: np.asarray(y).reshape(windows, -1).mean(axis=1)  # noqa: E731
    at, rest = (in_windows(y) * scale for y in corrected(r, steps, pace=lambda n: ghat[n]))
    start = np.array([r.x0 * scale])
    out = []
    for control, forgets in ((None, rate(beta, e)), ("1 - rho = 2 eta k/(1-beta)", rate(beta, e) / 2)):
        V = in_windows(run_twin(start, ghat[:, None], forgets, 0.0)[0])
        about = {"beta": beta, "eta k": e, "V over RMSProp's": [float(x) for x in found.value / V], "derived next order": [float(x) for x in at / V]}
        t = (np.arange(windows) + 0.5) * (steps // windows) * float(r.eta)
        plot = {"plot": "lines", "x": [float(x) for x in t], "series": {"2k(1-beta) r^4/eta": [float(x) for x in found.value], "RMSProp's V": [float(x) for x in V]},
                "xlabel": "time", "ylabel": "V", "xscale": "linear", "yscale": "linear",
                "caption": "Under white noise of alternating size r^4 is the memory of an RMSProp with 1-rho = 4 eta k/(1-beta)."}  # fmt: skip
        out.append(mean_record(cell, found, V, abs(at - V) * (control is None) + rest, about, "white noise of alternating size, V of the filter against RMSProp's",
                               steps=steps, backend=run.backend, control=control, data=plot))  # fmt: skip
    return out


def white_drift(cell: Cell) -> list[Record]:
    """The mean angle per step against (2) with (4): white noise with a small mean, V settled; the scatter of r^2 takes its time to."""
    e, tilt = 2.0 ** -(12 if cell.quick else 14), 1 / 64
    many = 96 if cell.quick else 256 if cell.backend == "numpy" else 4096
    steady = float(Regime(e / K, BETA, K, 1.0, 0.0, 1.0).settled()) * (1 + tilt**2 * (1 + BETA) / (1 - BETA))
    windows, burn = (3, 2) if cell.quick else (5, 3)
    every = round(1.5 * Regime(e / K, BETA, K, 1.0, 0.0, 1.0).steps)
    steps = windows * every
    parts = lanes(e / K, BETA, K, tilt, np.tile([1.0, -1.0], many), 0.0, steady**0.25, number=np.repeat(np.arange(many), 2), seed=seed_of(cell))
    run = noisy.run(job(parts, windows=windows, every=every), cell.backend)
    turned = -run.means("turn")[burn:].mean(axis=0).reshape(many, 2).mean(axis=1)
    V = steady * memory(BETA, e, e / K, False)
    expected = learning_rate(BETA, e, False) * tilt / np.sqrt(V)
    first, size = next_order(BETA, e)
    # The mean gradient adds its own, coherent part to the scatter of r^2, tilt^2 (1+beta)/(1-beta) of the first order, and of the
    # start, where nothing scatters, e^(-1.5 burn) is left.
    bias = later(size, size) + size * (tilt**2 * (1 + BETA) / (1 - BETA) + np.exp(-1.5 * burn))
    found = mean(turned[None] / expected)
    ratio = np.sqrt((1 + BETA) / (1 - BETA))
    about = {"beta": BETA, "eta k": e, "drift over RMSProp's": float(found.value[0]), "derived next order": float(1 + first), "learning rate over coherent": float(found.value[0] * ratio)}
    note = f"drift under white noise over lr <ghat>/sqrt V (next order {first:+.4f}); {found.value[0] * ratio:.3f} times the coherent learning rate"
    out = []
    for control, predicted in ((None, 1 + first), ("coherent learning rate under white noise", (1 + first) / ratio), ("learning rate sqrt(2 eta k)", (1 + first) * np.sqrt(1 - BETA))):
        out.append(mean_record(cell, found, predicted, bias, about, note, steps=steps, backend=run.backend, control=control))
    return out
