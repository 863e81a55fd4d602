"""S2: NLD Eq. 17 and the noise law, where each holds and where it fails (theory.md#S2; relaxation.py has the formulas).

    coherent      deterministic: the deviation of r^4 from Eq. 17 is of order 1 in eta k and has no limit but 0, that from
                  the corrected law is of order 2 and within what the orders after that may add
    relaxation    from one start: coherent r^4 grows by Eq. 17, white r^4 decays by the noise law
    correlation   settled r^4 over Eq. 17's, as the correlation of the noise goes from 0 to 1, and that correlation itself

Means are taken over lanes less what the noise does to them (variates.py). beta, 1 - beta, k, |ghat| and rho
are in general position: no two of them are equal or simply related, so that no other formula has the same
value.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from harness.normalisation.cell import BETA, MILD, Cell, G, K, U, ladder, limit, order, rms, within
from harness.normalisation.evidence import mean, mean_record
from harness.normalisation.launches import job, lanes, seed_of
from harness.normalisation.relaxation import SYMBOLS, Regime, corrected, gain
from harness.normalisation.variates import flips, scatter, signs
from harness.powers import STEP
from harness.verdicts import Record
from kernels import noise, noisy

MOMENTA = {"quick": (MILD,), "full": (MILD, BETA)}
HALVINGS = 6
RHO = {"quick": (0.0, 0.45, 0.83, 0.96), "full": (0.0, 0.27, 0.45, 0.7, 0.83, 0.93, 0.96, 0.985, 0.996)}
SETTINGS = {"quick": ((MILD, 10),), "full": ((MILD, 11), (BETA, 14))}
"""beta, and the exponent of eta k = 2^-exponent: what the orders after the first may add is below .1 % and .2 %."""
LAGS = 4
RATE = 1.025
"""A relaxation rate that is 2.5 % too large: what was once called undecided."""


def of_profile(table: dict, cell: Cell):
    return table["quick" if cell.quick else "full"]


def responses(r: Regime, n, unit, *more: str) -> dict:
    """What a relative change 1 of each symbol of (1) adds, in units of `unit`; n: steps, or a function that averages (1)."""
    average = n if callable(n) else lambda law: law(n)
    plain = average(lambda m: r.law(m))
    names = {**SYMBOLS, **{name: name for name in more}}
    return {
        name: (average(lambda m, word=word: r.changed(m, **{word: 1 + STEP})) - plain) / STEP / unit
        for name, word in names.items()
    }


def coherent(cell: Cell) -> list[Record]:
    """Lanes of halved eta, eight times within two relaxation times; r^4 starts at a quarter of its end."""
    return [r for beta in of_profile(MOMENTA, cell) for r in straight(cell, beta)]


def straight(cell: Cell, beta: float) -> list[Record]:
    many = HALVINGS
    eta = ladder(beta, many) / K
    r = replace(Regime(eta, beta, K, G, 1.0, 1.0), x0=Regime(eta, beta, K, G, 1.0, 1.0).settled() / 4)
    ends = np.rint(np.outer(np.arange(1, 9) / 4, r.steps)).astype(int)
    edge = eta * G * (1 + beta) / (2 * (1 - beta) ** 2)  # r^2 where m |ghat| = mu^2 r^2
    both, steps = np.concatenate([r.x0, edge**2]), int(ends.max())
    parts = lanes(np.tile(eta, 2), beta, K, G, 0.0, 1.0, both**0.25, number=0, seed=0)
    x = noisy.run(job(parts, windows=steps, every=1), cell.backend).means("r4")
    seen, at = np.take_along_axis(x[:, :many], ends - 1, axis=0), r.law(ends)
    first, later = (np.take_along_axis(y, ends - 1, axis=0) for y in corrected(r, steps))
    floor = 8 * U * ends[-1]  # each step rounds r^4 to 8 u at most
    ratio = seen / at
    about = {"beta": beta, "k": K, "|ghat|": G, "eta k": [float(K * eta[0]), float(K * eta[-1])],
             "r4 over Eq. 17": float(ratio[-1, -1]), "r4 over Eq. 17, extrapolated to eta 0": float(2 * ratio[-1, -1] - ratio[-1, -2])}  # fmt: skip
    says = (
        f"beta {beta:g}, r^4 over Eq. 17 is {about['r4 over Eq. 17']:.5f} at the smallest step, "
        f"{about['r4 over Eq. 17, extrapolated to eta 0']:.6f} in its limit"
    )

    def judge(deviations, stated, note, control=None):
        return order(
            cell, rms(deviations), floor, stated, about, note, x=K * eta, steps=steps, control=control
        )

    moved = responses(r, ends, at)
    told = f"{says}; against the law with its terms of relative order eta k"

    def vanishing(deviations, control=None):
        """The deviation from Eq. 17 in the limit of small steps."""
        return limit(cell, deviations, floor, moved, about, says, steps=steps, control=control)

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
    return [r for beta, exponent in of_profile(SETTINGS, cell) for r in relaxed(cell, beta, exponent)]


def relaxed(cell: Cell, beta: float, exponent: int) -> list[Record]:
    """Windows of half a relaxation time; a coherent and white lanes start at four times the white end."""
    eta, n = 2.0**-exponent / K, 8
    many = {"numpy": 192 if cell.quick else 512}.get(cell.backend, 1024)
    white = replace(Regime(eta, beta, K, G, 0.0, 1.0), x0=4 * Regime(eta, beta, K, G, 0.0, 1.0).settled())
    straight = replace(white, rho=1.0)
    every = round(white.steps / 2)
    steps, t = n * every, (np.arange(n) + 0.5) * every * eta
    number = np.arange(many + 1)
    parts = lanes(
        eta, beta, K, 0.0, G, np.where(number, 0.0, 1.0), white.x0**0.25, number=number, seed=seed_of(cell)
    )
    task = job(parts, windows=n, every=every)
    run = noisy.run(task, cell.backend)
    in_windows = lambda y: np.asarray(y).reshape(n, every, -1).mean(axis=1)  # noqa: E731
    x, noise_of = run.means("r4"), in_windows(scatter(white, signs(task)[:, 1:], np.full(steps, eta * G)))
    laws = {
        name: in_windows(r.law(np.arange(1, steps + 1)))[:, 0]
        for name, r in (("noise law", white), ("Eq. 17", straight))
    }
    at, rest = (in_windows(y)[:, 0] for y in corrected(white, steps))
    found = mean(x[:, 1:] - noise_of)
    ratio = {law: float(found.value[-1] / y[-1]) for law, y in laws.items()}
    first = float(at[-1] / laws["noise law"][-1])
    about = {"beta": beta, "k": K, "|ghat|": G, "eta": eta, "t": float(steps * eta), "white r4 over Eq. 17": ratio["Eq. 17"],
             "white r4 over the noise law": ratio["noise law"], "the same, with terms of order eta k": ratio["noise law"] / first,
             "coherent r4 over Eq. 17": float(x[-1, 0] / laws["Eq. 17"][-1])}  # fmt: skip
    plot = {"plot": "lines", "x": [float(v) for v in t], "xlabel": "time", "ylabel": "r^4", "xscale": "linear", "yscale": "log", "series": {
        "coherent, measured": [float(v) for v in x[:, 0]], "Eq. 17": [float(v) for v in laws["Eq. 17"]],
        "white, measured": [float(v) for v in found.value], "noise law": [float(v) for v in laws["noise law"]]},
        "caption": "From one start and with gradients of one size, r^4 follows Eq. 17 when they are coherent and the noise law when they are white."}  # fmt: skip
    note = (
        f"beta {beta:g}, white noise, r^4 over the noise law {ratio['noise law']:.4f}, of which {first:.4f} is the derived next order, "
        f"over Eq. 17 {ratio['Eq. 17']:.4f}"
    )
    error = float(found.q[-1] * found.error[-1] / laws["Eq. 17"][-1])
    claim = {"claim": {"published": 1.0, "measured": ratio["Eq. 17"], "ratio": ratio["Eq. 17"], "error": error,
                       "statement": "NLD Eq. 17 for the r^4 of minibatch noise"}, **plot}  # fmt: skip
    averaged = lambda law: in_windows(law(np.arange(1, steps + 1)))[:, 0]  # noqa: E731
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
            data=plot,
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
            control="Eq. 17 under white noise",
            data=claim,
        ),
    ]
    for control, law in (
        ("relaxation rate x 1.025", {"rate": RATE}),
        ("relaxation at 2 k/(1-beta)", {"rate": 0.5}),
    ):
        wrong = averaged(lambda m, law=law: white.changed(m, **law)) - laws["noise law"]
        out.append(
            mean_record(
                cell, found, at + wrong, rest, about, note, steps=steps, backend=run.backend, control=control
            )
        )
    return out


def correlation(cell: Cell) -> list[Record]:
    return [r for beta, exponent in of_profile(SETTINGS, cell) for r in correlated(cell, beta, exponent)]


def correlated(cell: Cell, beta: float, exponent: int) -> list[Record]:
    """Settled r^4 over Eq. 17's against (2); the worst correlation speaks."""
    many = 96 if cell.quick else 256
    rhos = np.array([noise.correlation(noise.threshold(x)) for x in of_profile(RHO, cell)])
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
        number=np.arange(len(of_lane)),
        seed=seed_of(cell),
    )
    task = job(parts, windows=1, every=steps)
    run = noisy.run(task, cell.backend)
    s, published, by_rho = signs(task), r.settled(rho=1.0), lambda y: np.reshape(y, (len(rhos), many))
    r4 = run.means("r4")[0] - scatter(r, s, np.full(steps, eta * G), of_lane).mean(axis=0)
    found = mean(by_rho(r4) / published)
    at, rest = (y.mean(axis=0) / published for y in corrected(r, steps))
    law = gain(beta, rhos) / gain(beta, 1.0)
    about = {"beta": beta, "k": K, "|ghat|": G, "eta": eta, "rho": [float(x) for x in rhos], "r4 over Eq. 17": [float(x) for x in found.value],
             "law": [float(x) for x in law]}  # fmt: skip
    plot = {"plot": "lines", "x": [float(v) for v in (1 + rhos) / (1 - rhos)], "xlabel": "correlation time of the gradient, steps",
            "ylabel": "r^4 over Eq. 17", "xscale": "log", "yscale": "log",
            "series": {"measured": [float(v) for v in found.value], "law": [float(v) for v in law], "noise law": [float(law[0])] * len(law), "Eq. 17": [1.0] * len(law)},
            "caption": "Between minibatch noise and a coherent gradient r^4 follows (1-beta)(1+rho beta)/((1+beta)(1-rho beta)) of Eq. 17, correlation rho a step."}  # fmt: skip
    note, out = f"beta {beta:g}, settled r^4 over Eq. 17's across the correlation", []
    averaged = lambda law: law(np.arange(1, steps + 1)[:, None]).mean(axis=0)  # noqa: E731
    moved = responses(r, averaged, published, "rho")
    for control, predicted in (
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
                control=control,
                data=plot,
                responses=moved,
            )
        )
    # E s_n s_(n+m) = rho^m, for the mean of what `scatter` takes off is zero only then.
    # Of more lanes than are stepped: a draw costs a hundredth of a step.
    heard = 512 if cell.quick else 1024
    parts = lanes(
        eta,
        beta,
        K,
        0.0,
        G,
        np.repeat(rhos, heard),
        1.0,
        number=np.arange(len(rhos) * heard),
        seed=seed_of(cell),
    )
    measured = flips(signs(job(parts, windows=1, every=min(steps, 400))), LAGS).reshape(-1, heard)
    lags = np.repeat(np.arange(1, LAGS + 1), len(rhos))
    stated = np.tile(rhos, LAGS) ** lags
    told = f"beta {beta:g}, correlation of the noise, 1 to {LAGS} steps on, at rho {', '.join(f'{x:.3g}' for x in rhos)}"
    moved = {"correlation of the noise": lags * stated}
    out.append(
        mean_record(
            cell,
            mean(measured),
            stated,
            0.0,
            about,
            told,
            steps=steps,
            backend="numpy",
            scale=1.0,
            responses=moved,
        )
    )
    out.append(
        mean_record(
            cell,
            mean(measured),
            np.tile(rhos, LAGS),
            0.0,
            about,
            told,
            steps=steps,
            backend="numpy",
            scale=1.0,
            control="noise that remembers one step only",
        )
    )
    return out
