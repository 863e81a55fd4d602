"""S2: NLD Eq. 17 and the noise law, where each holds and where it fails (theory.md#S2; relaxation.py has the
formulas).

    coherent      deterministic: the deviation of r^4 from Eq. 17 is of order 1 in eta k and has no limit but
                  0, that from
                  the corrected law is of order 2 and within what the orders after that may add
    relaxation    from one start: coherent r^4 grows by Eq. 17, white r^4 decays by the noise law

correlation.py has settled r^4 between the two, as the correlation of the noise goes from 0 to 1.

Means are taken over lanes less what the noise does to them (variates.py). beta, 1 - beta, k, |ghat| and rho
are in general position: no two of them are equal or simply related, so that no other formula has the same
value.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property, partial

import numpy as np

from noether.kernels.loops import launch
from noether.laws.normalisation import faults
from noether.laws.normalisation.cell import (
    BETA,
    MILD,
    SETTINGS,
    Cell,
    G,
    K,
    U,
    limit,
    order,
    own,
    rms,
    within,
)
from noether.laws.normalisation.halved import Halved
from noether.laws.normalisation.launches import in_windows, job, lanes, seed_of
from noether.laws.normalisation.relaxation import Regime, corrected, responses
from noether.laws.normalisation.variates import scatter, signs
from noether.verdicts.figures import Claim, Lines
from noether.verdicts.means import Means, mean_record, means_of
from noether.verdicts.record import Record

MOMENTA = {"quick": (MILD,), "full": (MILD, BETA)}
HALVINGS = 6
WINDOWS = 8


# ---- coherent


def coherent(cell: Cell) -> list[Record]:
    """Lanes of halved eta, eight times within two relaxation times; r^4 starts at a quarter of its end."""
    return [r for beta in cell.of(MOMENTA) for r in straight(cell, beta)]


class Straight(Halved):
    """r^4 of the lanes at `ends`, and of others in their first two steps from where m |ghat| = mu^2 r^2.

    seen (times, lanes), early (2, lanes)   as measured;  edge (lanes,)  the r^4 where the others start
    """

    def __init__(self, beta: float, backend: str):
        super().__init__(beta, HALVINGS, spans=2)
        self.edge = (self.eta * G * (1 + beta) / (2 * (1 - beta) ** 2)) ** 2
        both = np.concatenate([self.r.x0, self.edge])
        parts = lanes(np.tile(self.eta, 2), beta, K, G, 0.0, 1.0, both**0.25, number=0, seed=0)
        r4 = launch.run(job(parts, windows=self.steps, every=1), backend).means("r4")
        self.seen, self.early = self.at(r4[:, :HALVINGS]), r4[:2, HALVINGS:]

    def over_wrong_laws(self) -> dict:
        """Measured over predicted, by a law that is not theirs."""
        # A mass of eta/2 has no 1 + beta in the source.
        light = replace(self.r, G=G * np.sqrt(1 / (1 + self.beta)))
        at_once = replace(self.r, x0=self.edge).law(np.arange(1, 3)[:, None])
        return {
            faults.NOISE_LAW_COHERENT: self.seen / self.r.law(self.ends, rho=0.0),
            faults.EQ_17_MASS: self.seen / light.law(self.ends),
            faults.EQ_17_EARLY: self.early / at_once,
        }


def straight(cell: Cell, beta: float) -> list[Record]:
    x = Straight(beta, cell.backend)
    law, (first, later) = x.r.law(x.ends), (x.at(y) for y in corrected(x.r, x.steps))
    ratio, sizes = x.seen / law, K * x.eta
    floor = 8 * U * x.ends[-1]  # each step rounds r^4 to 8 u at most
    last, limited = float(ratio[-1, -1]), float(2 * ratio[-1, -1] - ratio[-1, -2])
    about = {"beta": beta, "k": K, "|ghat|": G, "eta k": [float(sizes[0]), float(sizes[-1])]}
    about |= {"r4 over Eq. 17": last, "r4 over Eq. 17, extrapolated to eta 0": limited}
    says = f"beta {beta:g}, r^4 over Eq. 17 is {last:.5f} at the smallest step, {limited:.6f} in its limit"
    second = f"beta {beta:g}, deviation from the law with its terms of relative order eta k"
    told = f"{says}; against the law with its terms of relative order eta k"
    moved = responses(x.r, x.ends, law)

    def judge(deviations, stated, note, fault=None):
        facts = {"x": sizes, "steps": x.steps, "fault": fault}
        return order(cell, rms(deviations), floor, stated, about, note, **facts)

    def vanishing(deviations, fault=None):
        """The deviation from Eq. 17 in the limit of small steps."""
        return limit(cell, deviations, floor, moved, about, says, steps=x.steps, fault=fault)

    fast = x.r.changed(x.ends, **faults.RATE_OFF.changed)
    return [
        judge(ratio - 1, 1, f"{says}; deviation from Eq. 17"),
        judge(x.seen / first - 1, 2, second),
        within(cell, ratio, first / law, later / law + floor, moved, about, told, steps=x.steps),
        vanishing(ratio - 1),
        vanishing(x.seen / fast - 1, faults.RATE_OFF.name),
        *(judge(y - 1, 1, says, fault.name) for fault, y in x.over_wrong_laws().items()),
    ]


# ---- relaxation


def relaxation(cell: Cell) -> list[Record]:
    return [r for beta, exponent in cell.of(SETTINGS) for r in relaxed(cell, beta, exponent)]


class Relaxation:
    """A coherent lane, the first, and white ones, all from four times the white end; windows of half a
    relaxation time."""

    def __init__(self, cell: Cell, beta: float, exponent: int):
        self.eta = 2.0**-exponent / K
        white = Regime(self.eta, beta, K, G, 0.0, 1.0)
        self.white = white = replace(white, x0=4 * white.settled())
        many = {"numpy": 192 if cell.quick else 512}.get(cell.backend, 1024)
        number = own(exponent, many + 1)
        rho = np.where(number > number[0], 0.0, 1.0)
        parts = lanes(self.eta, beta, K, 0.0, G, rho, white.x0**0.25, number=number, seed=seed_of(cell))
        self.job = job(parts, windows=WINDOWS, every=round(white.steps / 2))
        self.run = launch.run(self.job, cell.backend)
        self.coherent = self.run.means("r4")[:, 0]

    @cached_property
    def found(self) -> Means:
        """r^4 of the white lanes, less what the noise does to it."""
        g = np.full(self.job.steps, self.eta * G)
        by_noise = in_windows(scatter(self.white, signs(self.job)[:, 1:], g), self.job)
        return means_of(self.run.means("r4")[:, 1:] - by_noise)

    def averaged(self, law) -> np.ndarray:
        """(windows,) of a function of the number of steps."""
        return in_windows(law(np.arange(1, self.job.steps + 1)), self.job)[:, 0]

    @cached_property
    def laws(self) -> dict[str, np.ndarray]:
        """The law of r^4 for white noise and the published one, (windows,) each."""
        published = replace(self.white, rho=1.0)
        return {"noise law": self.averaged(self.white.law), "Eq. 17": self.averaged(published.law)}

    @cached_property
    def next_order(self) -> tuple[np.ndarray, np.ndarray]:
        """The noise law with the order after it, and a bound on all later ones, (windows,) each."""
        at, rest = (in_windows(y, self.job)[:, 0] for y in corrected(self.white, self.job.steps))
        return at, rest

    def over(self, law: str) -> float:
        """White r^4 over a law in the last window."""
        return float(self.found.value[-1] / self.laws[law][-1])


def drawn(x: Relaxation) -> Lines:
    return Lines(
        x=(np.arange(WINDOWS) + 0.5) * x.job.every * x.eta,
        series={
            "coherent, measured": x.coherent,
            "Eq. 17": x.laws["Eq. 17"],
            "white, measured": x.found.value,
            "noise law": x.laws["noise law"],
        },
        xlabel="time",
        ylabel="r^4",
        xscale="linear",
        yscale="log",
        caption="From one start and with gradients of one size, r^4 follows Eq. 17 when they are coherent "
        "and the noise law when they are white.",
    )


def claimed(x: Relaxation) -> Claim:
    """What Eq. 17 says of white noise, and what was measured."""
    ratio, published = x.over("Eq. 17"), x.laws["Eq. 17"][-1]
    return Claim(
        statement="NLD Eq. 17 for the r^4 of minibatch noise",
        published=1.0,
        measured=ratio,
        ratio=ratio,
        error=float(x.found.q[-1] * x.found.error[-1] / published),
    )


def relaxed(cell: Cell, beta: float, exponent: int) -> list[Record]:
    """White lanes against the noise law and its next order, and against Eq. 17."""
    x = Relaxation(cell, beta, exponent)
    (at, rest), ratio, published = x.next_order, x.over("noise law"), x.over("Eq. 17")
    first = float(at[-1] / x.laws["noise law"][-1])
    about = {"beta": beta, "k": K, "|ghat|": G, "eta": x.eta, "t": float(x.job.steps * x.eta)}
    about |= {"white r4 over Eq. 17": published, "white r4 over the noise law": ratio}
    about |= {"the same, with terms of order eta k": ratio / first}
    about |= {"coherent r4 over Eq. 17": float(x.coherent[-1] / x.laws["Eq. 17"][-1])}
    note = (
        f"beta {beta:g}, white noise, r^4 over the noise law {ratio:.4f}, of which {first:.4f} is the "
        f"derived next order, over Eq. 17 {published:.4f}"
    )

    facts = {"bias": rest, "about": about, "note": note, "steps": x.job.steps, "backend": x.run.backend}
    judge = partial(mean_record, cell, x.found, **facts)
    last = (beta, exponent) == cell.of(SETTINGS)[-1]
    claim = replace(drawn(x), claim=claimed(x)) if last else None
    out = [
        judge(at, figure=drawn(x), responses=responses(x.white, x.averaged, 1.0)),
        judge(x.laws["Eq. 17"], fault=faults.EQ_17_WHITE.name, figure=claim),
    ]
    for fault in faults.RATES:
        wrong = x.averaged(lambda n, fault=fault: x.white.changed(n, **fault.changed))
        out.append(judge(at + (wrong - x.laws["noise law"]), fault=fault.name))
    return out
