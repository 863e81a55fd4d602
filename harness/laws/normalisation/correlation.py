"""S2 between white and coherent: settled r^4 as the correlation of the noise goes from 0 to 1 (theory.md#S2).

Over Eq. 17's it is (1-beta) (1 + rho beta)/((1+beta) (1 - rho beta)) to leading order. E s_n s_{n+m} = rho^m
of the noise itself is judged beside it: the mean of what variates.py takes off is zero only then.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property, partial

import numpy as np

from noether.kernels.loops import launch, noise
from noether.laws.normalisation import faults
from noether.laws.normalisation.cell import SETTINGS, Cell, G, K, own
from noether.laws.normalisation.launches import job, lanes, seed_of
from noether.laws.normalisation.relaxation import Regime, corrected, gain, responses
from noether.laws.normalisation.variates import flips, scatter, signs
from noether.verdicts.figures import Lines
from noether.verdicts.means import Means, mean_record, means_of
from noether.verdicts.record import Record

RHO = {"quick": (0.0, 0.45, 0.83, 0.96), "full": (0.0, 0.27, 0.45, 0.7, 0.83, 0.93, 0.96, 0.985, 0.996)}
LAGS = 4
HEARD = 400  # steps of which the noise is listened to


def rhos_of(cell: Cell) -> np.ndarray:
    """The correlations, as near to RHO as the loop draws them."""
    return np.array([noise.correlation(noise.threshold(x)) for x in cell.of(RHO)])


def setting(beta: float, eta: float, rhos: np.ndarray) -> dict:
    return {"beta": beta, "k": K, "|ghat|": G, "eta": eta, "rho": [float(x) for x in rhos]}


# ---- settled r^4


def correlation(cell: Cell) -> list[Record]:
    return [r for beta, exponent in cell.of(SETTINGS) for r in correlated(cell, beta, exponent)]


class Settled:
    """r^4 of `many` lanes a correlation, from where it settles, averaged over four relaxation times."""

    def __init__(self, cell: Cell, beta: float, exponent: int):
        self.many, self.rhos = 96 if cell.quick else 256, rhos_of(cell)
        r = Regime(2.0**-exponent / K, beta, K, G, self.rhos, 1.0)
        self.r = r = replace(r, x0=r.settled())
        self.lane_of = of = np.repeat(np.arange(len(self.rhos)), self.many)
        number, seed = own(exponent, len(of)), seed_of(cell)
        parts = lanes(r.eta, beta, K, 0.0, G, self.rhos[of], r.x0[of] ** 0.25, number=number, seed=seed)
        self.job = job(parts, windows=1, every=round(4 * r.steps))
        self.run = launch.run(self.job, cell.backend)
        self.published = r.settled(rho=1.0)

    @cached_property
    def found(self) -> Means:
        """r^4 over Eq. 17's, less what the noise does to it."""
        g = np.full(self.job.steps, self.r.eta * G)
        by_noise = scatter(self.r, signs(self.job), g, self.lane_of).mean(axis=0)
        r4 = self.run.means("r4")[0] - by_noise
        return means_of(np.reshape(r4, (len(self.rhos), self.many)) / self.published)

    def averaged(self, law) -> np.ndarray:
        """(rho,) of a function of the number of steps."""
        return law(np.arange(1, self.job.steps + 1)[:, None]).mean(axis=0)


def correlated(cell: Cell, beta: float, exponent: int) -> list[Record]:
    """Settled r^4 over Eq. 17's against (2); the worst correlation speaks."""
    x = Settled(cell, beta, exponent)
    at, rest = (y.mean(axis=0) / x.published for y in corrected(x.r, x.job.steps))
    law = gain(beta, x.rhos) / gain(beta, 1.0)
    about = setting(beta, x.r.eta, x.rhos)
    about |= {"r4 over Eq. 17": [float(y) for y in x.found.value], "law": [float(y) for y in law]}
    note = f"beta {beta:g}, settled r^4 over Eq. 17's across the correlation"
    facts = {"bias": rest, "about": about, "note": note, "steps": x.job.steps, "backend": x.run.backend}
    judge = partial(mean_record, cell, x.found, **facts)
    moved = responses(x.r, x.averaged, x.published, "rho")
    wrong = {
        faults.RHO_SQUARED: at * gain(beta, x.rhos**2) / gain(beta, x.rhos),
        faults.ALWAYS_WHITE: at * gain(beta, 0.0) / gain(beta, x.rhos),
        faults.ALWAYS_COHERENT: np.ones_like(at),
    }
    right = judge(at, figure=drawn(x, law), responses=moved)
    return [right, *(judge(predicted, fault=fault.name) for fault, predicted in wrong.items())]


def drawn(x: Settled, law: np.ndarray) -> Lines:
    return Lines(
        x=(1 + x.rhos) / (1 - x.rhos),
        series={
            "measured": x.found.value,
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


# ---- the noise itself


def memory(cell: Cell) -> list[Record]:
    """How the noise itself remembers: what numpy draws, whatever steps it."""
    return [r for beta, exponent in cell.of(SETTINGS) for r in remembered(cell, beta, exponent)]


def remembered(cell: Cell, beta: float, exponent: int) -> list[Record]:
    """E s_n s_(n+m) = rho^m: the mean of what `scatter` takes off is zero only then.

    Of more lanes than are stepped: a draw costs a hundredth of a step.
    """
    rhos, eta, heard = rhos_of(cell), 2.0**-exponent / K, 512 if cell.quick else 1024
    number, seed = own(exponent, len(rhos) * heard), seed_of(cell)
    parts = lanes(eta, beta, K, 0.0, G, np.repeat(rhos, heard), 1.0, number=number, seed=seed)
    drawn = signs(job(parts, windows=1, every=HEARD))
    found = means_of(flips(drawn, LAGS).reshape(-1, heard))
    lags, each = np.repeat(np.arange(1, LAGS + 1), len(rhos)), np.tile(rhos, LAGS)
    about, told = setting(beta, eta, rhos), ", ".join(f"{x:.3g}" for x in rhos)
    note = f"beta {beta:g}, correlation of the noise, 1 to {LAGS} steps on, at rho {told}"
    facts = {"bias": 0.0, "about": about, "note": note, "steps": HEARD, "backend": "numpy", "scale": 1.0}
    judge = partial(mean_record, cell, found, **facts)
    stated = each**lags
    moved = {"correlation of the noise": lags * stated}
    return [judge(stated, responses=moved), judge(each, fault=faults.FORGETFUL.name)]
