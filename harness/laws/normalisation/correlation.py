"""S2 between white and coherent: settled r^4 as the correlation of the noise goes from 0 to 1 (theory.md#S2).

Over Eq. 17's it is (1-beta) (1 + rho beta)/((1+beta) (1 - rho beta)) to leading order. E s_n s_{n+m} = rho^m
of the noise itself is judged beside it: the mean of what variates.py takes off is zero only then.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from noether.kernels.loops import launch, noise
from noether.laws.normalisation.cell import SETTINGS, Cell, G, K, own
from noether.laws.normalisation.launches import job, lanes, seed_of
from noether.laws.normalisation.relaxation import Regime, corrected, gain, responses
from noether.laws.normalisation.variates import flips, scatter, signs
from noether.verdicts.figures import Lines
from noether.verdicts.means import mean_record, means_of
from noether.verdicts.record import Record

RHO = {"quick": (0.0, 0.45, 0.83, 0.96), "full": (0.0, 0.27, 0.45, 0.7, 0.83, 0.93, 0.96, 0.985, 0.996)}
LAGS = 4
HEARD = 400  # steps of which the noise is listened to


def correlation(cell: Cell) -> list[Record]:
    return [r for beta, exponent in cell.of(SETTINGS) for r in correlated(cell, beta, exponent)]


def correlated(cell: Cell, beta: float, exponent: int) -> list[Record]:
    """Settled r^4 over Eq. 17's against (2); the worst correlation speaks."""
    many = 96 if cell.quick else 256
    rhos = np.array([noise.correlation(noise.threshold(x)) for x in cell.of(RHO)])
    eta = 2.0**-exponent / K
    r = replace(Regime(eta, beta, K, G, rhos, 1.0), x0=Regime(eta, beta, K, G, rhos, 1.0).settled())
    steps = round(4 * r.steps)
    of_lane = np.repeat(np.arange(len(rhos)), many)
    parts = lanes(
        eta,
        beta,
        K,
        0.0,
        G,
        rhos[of_lane],
        r.x0[of_lane] ** 0.25,
        number=own(exponent, len(of_lane)),
        seed=seed_of(cell),
    )
    task = job(parts, windows=1, every=steps)
    run = launch.run(task, cell.backend)
    s, published, by_rho = signs(task), r.settled(rho=1.0), lambda y: np.reshape(y, (len(rhos), many))
    r4 = run.means("r4")[0] - scatter(r, s, np.full(steps, eta * G), of_lane).mean(axis=0)
    found = means_of(by_rho(r4) / published)
    at, rest = (y.mean(axis=0) / published for y in corrected(r, steps))
    law = gain(beta, rhos) / gain(beta, 1.0)
    about = {"beta": beta, "k": K, "|ghat|": G, "eta": eta, "rho": [float(x) for x in rhos],
        "r4 over Eq. 17": [float(x) for x in found.value],
             "law": [float(x) for x in law]}  # fmt: skip
    plot = Lines(
        x=(1 + rhos) / (1 - rhos),
        series={
            "measured": found.value,
            "law": law,
            "noise law": [law[0]] * len(law),
            "Eq. 17": [1.0] * len(law),
        },
        xlabel="correlation time of the gradient, steps",
        ylabel="r^4 over Eq. 17",
        xscale="log",
        yscale="log",
        caption="Between minibatch noise and a coherent gradient r^4 follows (1-beta)(1+rho "
        "beta)/((1+beta)(1-rho beta)) of Eq. 17, correlation rho a step.",
    )
    note, out = f"beta {beta:g}, settled r^4 over Eq. 17's across the correlation", []
    averaged = lambda law: law(np.arange(1, steps + 1)[:, None]).mean(axis=0)
    moved = responses(r, averaged, published, "rho")
    for fault, predicted in (
        (None, at),
        ("correlation rho^2 for rho", at * gain(beta, rhos**2) / gain(beta, rhos)),
        ("white noise at every correlation", at * gain(beta, 0.0) / gain(beta, rhos)),
        ("Eq. 17 at every correlation", np.ones_like(at)),
    ):
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


def memory(cell: Cell) -> list[Record]:
    """How the noise itself remembers: what numpy draws, whatever steps it."""
    return [r for beta, exponent in cell.of(SETTINGS) for r in remembered(cell, beta, exponent)]


def remembered(cell: Cell, beta: float, exponent: int) -> list[Record]:
    """E s_n s_(n+m) = rho^m: the mean of what `scatter` takes off is zero only then.

    Of more lanes than are stepped: a draw costs a hundredth of a step.
    """
    out: list[Record] = []
    rhos = np.array([noise.correlation(noise.threshold(x)) for x in cell.of(RHO)])
    eta, heard = 2.0**-exponent / K, 512 if cell.quick else 1024
    parts = lanes(
        eta,
        beta,
        K,
        0.0,
        G,
        np.repeat(rhos, heard),
        1.0,
        number=own(exponent, len(rhos) * heard),
        seed=seed_of(cell),
    )
    measured = flips(signs(job(parts, windows=1, every=HEARD)), LAGS).reshape(-1, heard)
    lags = np.repeat(np.arange(1, LAGS + 1), len(rhos))
    stated = np.tile(rhos, LAGS) ** lags
    about = {"beta": beta, "k": K, "|ghat|": G, "eta": eta, "rho": [float(x) for x in rhos]}
    told = (
        f"beta {beta:g}, correlation of the noise, 1 to {LAGS} steps on, at rho "
        f"{', '.join(f'{x:.3g}' for x in rhos)}"
    )
    moved = {"correlation of the noise": lags * stated}
    out.append(
        mean_record(
            cell,
            means_of(measured),
            stated,
            0.0,
            about,
            told,
            steps=HEARD,
            backend="numpy",
            scale=1.0,
            responses=moved,
        )
    )
    out.append(
        mean_record(
            cell,
            means_of(measured),
            np.tile(rhos, LAGS),
            0.0,
            about,
            told,
            steps=HEARD,
            backend="numpy",
            scale=1.0,
            fault="noise that remembers one step only",
        )
    )
    return out
