"""S3 under white noise, on the mean: where r settles, and how far it turns in a step there (theory.md#S3).

(3) and (4) of equilibrium.py, in the plane of q and in four dimensions; in the plane on their sums too
(balance.py).
"""

from __future__ import annotations

import numpy as np

from noether.cases.rules import RULES
from noether.kernels.loops import launch
from noether.kernels.loops.noisy_launch import NoisyJob, Sums
from noether.kernels.programs.precision import Precision
from noether.laws.normalisation import balance, faults
from noether.laws.normalisation.cell import Cell, G, K
from noether.laws.normalisation.equilibrium import chord, noisy_end
from noether.laws.normalisation.launches import job, lanes, seed_of
from noether.verdicts.means import mean_record, means_of
from noether.verdicts.record import Record

POINTS = {"quick": ((0.61, 2.0**-6), (0.43, 0.12)), "full": ((0.88, 2.0**-10), (0.61, 2.0**-6), (0.43, 0.12))}
"""beta, eta k of white noise; the last resolves the eta k of (3)."""
NAMES = ("r2", "inverse", "w2", "chord2", "r4")


def fluctuating(cell: Cell) -> list[Record]:
    """(3) and (4) for white noise in the plane of q: summed, to rounding, and on the mean."""
    many = 128 if cell.quick else 256 if cell.backend == "numpy" else 512
    points, steps = POINTS["quick" if cell.quick else "full"], 768
    beta, e = (np.repeat(x, many) for x in np.array(points).T)
    start, own = noisy_end(beta, e) ** 0.25, {"number": np.arange(len(e)), "seed": seed_of(cell)}
    parts = lanes(e / K, beta, K, 0.0, G, 0.0, start, **own)
    task = job(parts, windows=steps, every=1)
    run = launch.run(task, cell.backend)
    return [
        *balance.summed(cell, task, run),
        *averaged(cell, run, points, many, G**2, "white noise in a plane"),
    ]


def projected(cell: Cell) -> list[Record]:
    """(3) and (4) where the noise has an independent sign in each of four directions and is projected:
    E|ghat|^2 = 3 G^2."""
    many, points = 128, POINTS["full"]
    beta, e = (np.repeat(x, many) for x in np.array(points).T)
    r = noisy_end(beta, e, np.sqrt(3) * G) ** 0.25
    own = {"number": np.arange(len(e)), "seed": seed_of(cell)}
    q0, v0, params, counters = lanes(e / K, beta, K, 0.0, G, 0.0, r, **own)
    q0, v0 = (np.concatenate([x, np.zeros_like(x)]) for x in (q0, v0))
    rule, windows, every = RULES["heavy-ball"], 3, 512
    task = NoisyJob(rule, Precision("float64"), q0, v0, params, counters, windows, every, "projected")
    note = "white noise in four dimensions"
    return averaged(cell, launch.run(task, cell.backend), points, many, 3.0 * G**2, note)


def averaged(cell: Cell, run: Sums, points, many: int, power: float, note: str) -> list[Record]:
    """The last two thirds, ten relaxation times on or more (e^-10 of the start, which is the mean); a mean a
    point."""
    beta, e = np.array(points).T
    late = len(run.sums) // 3
    mean = {n: run.means(n)[late:].mean(axis=0).reshape(len(points), many) for n in NAMES}
    end, angle = noisy_end(beta, e, np.sqrt(power)), chord(beta, e)
    about = described(mean, points, end, angle)

    def judged(words, above, below, predicted, fault=None):
        # A ratio of means, linearised about its prediction: independent lanes, mean 1 where it is met. A
        # record a point.
        samples = above / (predicted[:, None] * overall(below)) - below / overall(below) + 1
        facts = {"steps": run.every * len(run.sums), "backend": run.backend, "fault": fault}
        out = []
        for row, (b, x) in zip(samples, points, strict=True):
            text = f"{note}, beta {b:g}, eta k {x:.3g}, {words} over its law"
            found = means_of(row[None], family=len(points))
            out.append(mean_record(cell, found, 1.0, 0.0, about, text, **facts))
        return out

    settled = "E r^2/E r^-2", mean["r2"], mean["inverse"]
    turned = "E|v|^2/E r^2", mean["w2"], mean["r2"]
    return [
        *judged(*settled, end),
        *judged(*settled, end * (1 + beta) / (1 - beta), faults.COHERENT_WHITE.name),
        *judged(*turned, angle),
        *judged(*turned, 2 * e, faults.ANGLE.name),
    ]


def overall(x: np.ndarray) -> np.ndarray:
    """(points, 1) of x (points, lanes)."""
    return x.mean(axis=1, keepdims=True)


def described(mean: dict, points, end: np.ndarray, angle: np.ndarray) -> dict:
    """What a record tells of the setting and of the other averages."""
    of = {name: overall(x) for name, x in mean.items()}
    floats = lambda x: [float(y) for y in x]
    return {
        "beta": [p[0] for p in points],
        "eta k": [p[1] for p in points],
        "k": K,
        "r2 over 1/r2, over (3)": floats((of["r2"] / of["inverse"])[:, 0] / end),
        "mean of r4 over (3)": floats(of["r4"][:, 0] / end),
        "root mean squared chord over sqrt(2 eta k/(1+beta))": floats(np.sqrt(of["chord2"][:, 0] / angle)),
    }
