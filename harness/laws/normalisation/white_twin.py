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

import numpy as np

from noether.kernels.loops import launch
from noether.laws.normalisation.cell import SETTINGS, Cell, G, K, own
from noether.laws.normalisation.launches import job, lanes, seed_of
from noether.laws.normalisation.relaxation import Regime, corrected, later
from noether.laws.normalisation.twin import SWING, TWIN, learning_rate, memory, paces, rate, run_twin
from noether.laws.normalisation.variates import crossed, scatter, signs
from noether.verdicts.figures import Lines
from noether.verdicts.means import mean_record, means_of
from noether.verdicts.powers import STEP
from noether.verdicts.record import Record

TILT = 1 / 64  # the mean gradient over the noise


def next_order(beta: float, e: float) -> tuple[float, float]:
    """(1) - 1, and the sum of the sizes of its terms."""
    spread = beta**2 * e / ((1 - beta) ** 2 * (1 + beta))
    m = np.arange(1, 2 + int(50 / (1 - beta)))
    left = (
        e
        / (1 + beta)
        * (1 + 4 * np.sum(beta**m * (1 + 2 * beta * (1 - beta ** (m - 1)) / (1 - beta) + beta**m)))
    )
    return spread - left, spread + left


def white_memory(cell: Cell) -> list[Record]:
    return [r for beta, exponent in cell.of(SETTINGS) for r in remembered(cell, beta, exponent)]


def remembered(cell: Cell, beta: float, exponent: int) -> list[Record]:
    """r^4 against (1) with (4) under white noise whose size alternates; windows of half a period, from twice
    the end."""
    many = 288 if cell.quick else 512 if cell.backend == "numpy" else 1024
    r = Regime(2.0**-exponent / K, beta, K, G, 0.0, 1.0)
    r = replace(r, x0=2 * r.settled())
    e, eta, windows, shift = (
        2.0**-exponent,
        float(r.eta),
        6,
        round(np.log2(r.steps)),
    )  # half a period is about a relaxation time
    every = 2 ** (shift - 1)
    steps, scale = every * windows, float(memory(beta, e, eta, False))
    pace = paces(steps, shift)[:, 0]
    parts = lanes(
        eta,
        beta,
        K,
        0.0,
        G,
        0.0,
        r.x0**0.25,
        number=own(exponent, many),
        seed=seed_of(cell),
        swing=SWING,
        shift=shift,
    )
    task = job(parts, windows=windows, every=every)
    run = launch.run(task, cell.backend)
    in_windows = lambda y: np.asarray(y).reshape(windows, every, -1).mean(axis=1)
    found = means_of((run.means("r4") - in_windows(scatter(r, signs(task), eta * G * pace))) * scale)
    at, rest = (in_windows(y)[:, 0] * scale for y in corrected(r, steps, pace=lambda n: pace[n]))

    def twin(memory=1.0, forgets=1.0, ghat=1.0):
        start, ghats = np.array([r.x0 * scale * memory]), G * ghat * pace[:, None]
        return in_windows(run_twin(start, ghats, rate(beta, e) * forgets, 0.0)[0])[:, 0]

    V, out = twin(), []
    names = {f"{name}, white": word for name, word in TWIN.items() if word != "lr"}
    moved = {name: (twin(**{word: 1 + STEP}) - V) / STEP for name, word in names.items()}
    about = {
        "beta": beta,
        "eta k": e,
        "V over RMSProp's": [float(x) for x in found.value / V],
        "derived next order": [float(x) for x in at / V],
    }
    note = (
        f"beta {beta:g}, white noise of alternating size, V of the filter against RMSProp's and the next "
        "order"
    )
    t = (np.arange(windows) + 0.5) * every * eta
    plot = Lines(
        x=t,
        series={"2k(1-beta) r^4/eta": found.value, "RMSProp's V": V},
        xlabel="time",
        ylabel="V",
        xscale="linear",
        yscale="linear",
        caption="Under white noise of alternating size r^4 is the memory of an RMSProp with 1-rho = 4 eta "
        "k/(1-beta).",
    )
    for fault, forgets in (
        (None, 1.0),
        ("1 - rho = 2 eta k/(1-beta)", 0.5),
        ("memory 2.5 % too short", 1.025),
    ):
        predicted = at + twin(forgets=forgets) - V
        out.append(
            mean_record(
                cell,
                found,
                predicted,
                rest,
                about,
                note,
                steps=steps,
                backend=run.backend,
                fault=fault,
                figure=plot,
                responses=moved,
            )
        )
    return out


def white_drift(cell: Cell) -> list[Record]:
    return [r for beta, exponent in cell.of(SETTINGS) for r in drifted(cell, beta, exponent)]


def drifted(cell: Cell, beta: float, exponent: int) -> list[Record]:
    """The mean angle per step against (2) with (4): white noise with a small mean, V settled; the scatter of
    r^2 takes its time to."""
    e, eta = 2.0**-exponent, 2.0**-exponent / K
    many = 384 if cell.quick else 512 if cell.backend == "numpy" else 1024
    r = Regime(eta, beta, K, G, 0.0, 1.0)
    steady = float(r.settled()) * (1 + TILT**2 * (1 + beta) / (1 - beta))
    r = replace(r, x0=steady)
    windows, burn = (3, 2) if cell.quick else (5, 3)
    every = round(1.5 * r.steps)
    steps = windows * every
    sign = np.tile([1.0, -1.0], many)
    parts = lanes(
        eta,
        beta,
        K,
        TILT * G,
        G * sign,
        0.0,
        steady**0.25,
        number=np.repeat(own(exponent, many), 2),
        seed=seed_of(cell),
    )
    task = job(parts, windows=windows, every=every)
    run = launch.run(task, cell.backend)
    turned = -run.means("turn")[burn:].mean(axis=0).reshape(many, 2).mean(axis=1)
    V = steady * memory(beta, e, eta, False)
    expected = learning_rate(beta, e, False) * TILT * G / np.sqrt(V)
    # 1/sqrt V scatters as r^4 does, half as much: both lanes of a pair alike, for their noise is the same but
    # for its sign.
    pair, g = signs(task)[:, ::2], eta * G
    moved = scatter(r, pair, np.full(steps, g)) / steady / 2 + crossed(r, pair, g, TILT)
    moved = moved.reshape(windows, every, many)[burn:].mean(axis=(0, 1))
    first, size = next_order(beta, e)
    # The mean gradient adds its own, coherent part to the scatter of r^2, TILT^2 (1+beta)/(1-beta) of the
    # first order, and of the start, where nothing scatters, e^(-1.5 burn) is left.
    bias = later(size, size) + size * (TILT**2 * (1 + beta) / (1 - beta) + np.exp(-1.5 * burn))
    found = means_of((turned / expected + moved)[None])
    ratio = np.sqrt((1 + beta) / (1 - beta))
    about = {
        "beta": beta,
        "eta k": e,
        "drift over RMSProp's": float(found.value[0]),
        "derived next order": float(1 + first),
        "learning rate over coherent": float(found.value[0] * ratio),
    }
    note = (
        f"beta {beta:g}, drift under white noise over lr <ghat>/sqrt V (next order {first:+.4f}); "
        f"{found.value[0] * ratio:.3f} times the coherent learning rate"
    )
    out, one = [], np.array([1 + first])
    moved = {"lr, white": one, "<ghat>": one, "V/r^4, white": -one / 2}
    for fault, predicted in (
        (None, 1 + first),
        ("coherent learning rate under white noise", (1 + first) / ratio),
        ("learning rate sqrt(2 eta k)", (1 + first) * np.sqrt(1 - beta)),
        ("learning rate x 1.01", (1 + first) * 1.01),
    ):
        out.append(
            mean_record(
                cell,
                found,
                predicted,
                bias,
                about,
                note,
                steps=steps,
                backend=run.backend,
                fault=fault,
                responses=moved,
            )
        )
    return out
