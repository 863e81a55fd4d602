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

import numpy as np

from noether.kernels.loops import launch
from noether.laws.normalisation.cell import (
    BETA,
    MILD,
    SETTINGS,
    Cell,
    G,
    K,
    U,
    ladder,
    limit,
    order,
    own,
    rms,
    within,
)
from noether.laws.normalisation.launches import job, lanes, seed_of
from noether.laws.normalisation.relaxation import Regime, corrected, responses
from noether.laws.normalisation.variates import scatter, signs
from noether.verdicts.figures import Claim, Lines
from noether.verdicts.means import mean_record, means_of
from noether.verdicts.record import Record

MOMENTA = {"quick": (MILD,), "full": (MILD, BETA)}
HALVINGS = 6
RATE = 1.025
"""A relaxation rate that is 2.5 % too large: what was once called undecided."""


def coherent(cell: Cell) -> list[Record]:
    """Lanes of halved eta, eight times within two relaxation times; r^4 starts at a quarter of its end."""
    return [r for beta in cell.of(MOMENTA) for r in straight(cell, beta)]


def straight(cell: Cell, beta: float) -> list[Record]:
    many = HALVINGS
    eta = ladder(beta, many) / K
    r = replace(Regime(eta, beta, K, G, 1.0, 1.0), x0=Regime(eta, beta, K, G, 1.0, 1.0).settled() / 4)
    ends = np.rint(np.outer(np.arange(1, 9) / 4, r.steps)).astype(int)
    edge = eta * G * (1 + beta) / (2 * (1 - beta) ** 2)  # r^2 where m |ghat| = mu^2 r^2
    both, steps = np.concatenate([r.x0, edge**2]), int(ends.max())
    parts = lanes(np.tile(eta, 2), beta, K, G, 0.0, 1.0, both**0.25, number=0, seed=0)
    x = launch.run(job(parts, windows=steps, every=1), cell.backend).means("r4")
    seen, at = np.take_along_axis(x[:, :many], ends - 1, axis=0), r.law(ends)
    first, later = (np.take_along_axis(y, ends - 1, axis=0) for y in corrected(r, steps))
    floor = 8 * U * ends[-1]  # each step rounds r^4 to 8 u at most
    ratio = seen / at
    about = {"beta": beta, "k": K, "|ghat|": G, "eta k": [float(K * eta[0]), float(K * eta[-1])],
             "r4 over Eq. 17": float(ratio[-1, -1]),
             "r4 over Eq. 17, extrapolated to eta 0": float(2 * ratio[-1, -1] - ratio[-1, -2])}  # fmt: skip
    says = (
        f"beta {beta:g}, r^4 over Eq. 17 is {about['r4 over Eq. 17']:.5f} at the smallest step, "
        f"{about['r4 over Eq. 17, extrapolated to eta 0']:.6f} in its limit"
    )

    def judge(deviations, stated, note, fault=None):
        return order(cell, rms(deviations), floor, stated, about, note, x=K * eta, steps=steps, fault=fault)

    moved = responses(r, ends, at)
    told = f"{says}; against the law with its terms of relative order eta k"

    def vanishing(deviations, fault=None):
        """The deviation from Eq. 17 in the limit of small steps."""
        return limit(cell, deviations, floor, moved, about, says, steps=steps, fault=fault)

    fast = r.changed(ends, rate=RATE)
    light = replace(r, G=G * np.sqrt(1 / (1 + beta)))  # a mass of eta/2 has no 1 + beta in the source
    early = replace(r, x0=edge**2).law(np.arange(1, 3)[:, None])
    return [
        judge(ratio - 1, 1, f"{says}; deviation from Eq. 17"),
        judge(
            seen / first - 1,
            2,
            f"beta {beta:g}, deviation from the law with its terms of relative order eta k",
        ),
        within(cell, ratio, first / at, later / at + floor, moved, about, told, steps=steps),
        vanishing(ratio - 1),
        vanishing(seen / fast - 1, "relaxation rate x 1.025"),
        judge(seen / r.law(ends, rho=0.0) - 1, 1, says, "noise law under coherent gradients"),
        judge(seen / light.law(ends) - 1, 1, says, "mass eta/2 in Eq. 17"),
        judge(x[:2, many:] / early - 1, 1, says, "Eq. 17 where m |ghat| = mu^2 r^2"),
    ]


def relaxation(cell: Cell) -> list[Record]:
    return [r for beta, exponent in cell.of(SETTINGS) for r in relaxed(cell, beta, exponent)]


def relaxed(cell: Cell, beta: float, exponent: int) -> list[Record]:
    """Windows of half a relaxation time; a coherent and white lanes start at four times the white end."""
    eta, n = 2.0**-exponent / K, 8
    many = {"numpy": 192 if cell.quick else 512}.get(cell.backend, 1024)
    white = replace(Regime(eta, beta, K, G, 0.0, 1.0), x0=4 * Regime(eta, beta, K, G, 0.0, 1.0).settled())
    straight = replace(white, rho=1.0)
    every = round(white.steps / 2)
    steps, t = n * every, (np.arange(n) + 0.5) * every * eta
    number = own(exponent, many + 1)
    parts = lanes(
        eta,
        beta,
        K,
        0.0,
        G,
        np.where(number > number[0], 0.0, 1.0),
        white.x0**0.25,
        number=number,
        seed=seed_of(cell),
    )
    task = job(parts, windows=n, every=every)
    run = launch.run(task, cell.backend)
    in_windows = lambda y: np.asarray(y).reshape(n, every, -1).mean(axis=1)
    x, noise_of = run.means("r4"), in_windows(scatter(white, signs(task)[:, 1:], np.full(steps, eta * G)))
    laws = {
        name: in_windows(r.law(np.arange(1, steps + 1)))[:, 0]
        for name, r in (("noise law", white), ("Eq. 17", straight))
    }
    at, rest = (in_windows(y)[:, 0] for y in corrected(white, steps))
    found = means_of(x[:, 1:] - noise_of)
    ratio = {law: float(found.value[-1] / y[-1]) for law, y in laws.items()}
    first = float(at[-1] / laws["noise law"][-1])
    about = {"beta": beta, "k": K, "|ghat|": G, "eta": eta, "t": float(steps * eta),
        "white r4 over Eq. 17": ratio["Eq. 17"],
             "white r4 over the noise law": ratio["noise law"],
             "the same, with terms of order eta k": ratio["noise law"] / first,
             "coherent r4 over Eq. 17": float(x[-1, 0] / laws["Eq. 17"][-1])}  # fmt: skip
    plot = Lines(
        x=t,
        series={
            "coherent, measured": x[:, 0],
            "Eq. 17": laws["Eq. 17"],
            "white, measured": found.value,
            "noise law": laws["noise law"],
        },
        xlabel="time",
        ylabel="r^4",
        xscale="linear",
        yscale="log",
        caption="From one start and with gradients of one size, r^4 follows Eq. 17 when they are coherent "
        "and the noise law when they are white.",
    )
    note = (
        f"beta {beta:g}, white noise, r^4 over the noise law {ratio['noise law']:.4f}, of which {first:.4f} "
        "is the derived next order, "
        f"over Eq. 17 {ratio['Eq. 17']:.4f}"
    )
    error = float(found.q[-1] * found.error[-1] / laws["Eq. 17"][-1])
    claim = replace(
        plot,
        claim=Claim(
            statement="NLD Eq. 17 for the r^4 of minibatch noise",
            published=1.0,
            measured=ratio["Eq. 17"],
            ratio=ratio["Eq. 17"],
            error=error,
        ),
    )
    averaged = lambda law: in_windows(law(np.arange(1, steps + 1)))[:, 0]
    out = [
        mean_record(
            cell,
            found,
            at,
            rest,
            about,
            note,
            steps=steps,
            backend=run.backend,
            figure=plot,
            responses=responses(white, averaged, 1.0),
        ),
        mean_record(
            cell,
            found,
            laws["Eq. 17"],
            rest,
            about,
            note,
            steps=steps,
            backend=run.backend,
            fault="Eq. 17 under white noise",
            figure=claim if (beta, exponent) == cell.of(SETTINGS)[-1] else plot,
        ),
    ]
    for fault, law in (
        ("relaxation rate x 1.025", {"rate": RATE}),
        ("relaxation at 2 k/(1-beta)", {"rate": 0.5}),
    ):
        wrong = averaged(lambda m, law=law: white.changed(m, **law)) - laws["noise law"]
        out.append(
            mean_record(
                cell, found, at + wrong, rest, about, note, steps=steps, backend=run.backend, fault=fault
            )
        )
    return out
