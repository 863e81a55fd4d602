"""S2: NLD Eq. 17 and the noise law, where each holds and where it fails (theory.md#S2; relaxation.py has the formulas).

    coherent      deterministic: the deviation of r^4 from Eq. 17 is of order 1 in eta k, from the corrected law of order 2
    relaxation    beta .9, from one start: coherent r^4 grows by Eq. 17, white r^4 decays by the noise law
    correlation   settled r^4 over Eq. 17's, as the correlation of the noise goes from 0 to 1
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from harness.normalisation.cell import Cell, U, order, rms
from harness.normalisation.evidence import mean, mean_record
from harness.normalisation.launches import job, lanes, seed_of
from harness.normalisation.relaxation import Regime, corrected, gain
from harness.verdicts import Record
from kernels import noise, noisy

K = 1 / 8
BETA = 0.9  # where the published figure is read
MOMENTA = {"quick": (0.5,), "full": (0.5, BETA)}
HALVINGS = {0.5: 6, BETA: 6}
RHO = {"quick": (0.0, 0.5, 0.875, 1 - 2.0**-6), "full": (0.0, 0.25, 0.5, 0.75, 0.875, 1 - 2.0**-4, 1 - 2.0**-5, 1 - 2.0**-6, 1 - 2.0**-8)}


def coherent(cell: Cell) -> list[Record]:
    """Lanes of halved eta, G and k fixed, eight times within two relaxation times; r^4 starts at a quarter of its end."""
    out = []
    for beta in MOMENTA["quick" if cell.quick else "full"]:
        many = HALVINGS[beta]
        exponents = np.arange(many) + round(np.log2(8 / (1 - beta) ** 2)) + 1
        eta = 2.0**-exponents / K
        r = replace(Regime(eta, beta, K, 1.0, 1.0, 1.0), x0=Regime(eta, beta, K, 1.0, 1.0, 1.0).settled() / 4)
        ends = np.rint(np.outer(np.arange(1, 9) / 4, r.steps)).astype(int)
        edge = eta * (1 + beta) / (2 * (1 - beta) ** 2)  # r^2 where m |ghat| = mu^2 r^2
        both = np.concatenate([r.x0, edge**2])
        steps = int(ends.max())
        run = noisy.run(job(lanes(np.tile(eta, 2), beta, K, 1.0, 0.0, 1.0, both**0.25, number=0, seed=0), windows=steps, every=1), cell.backend)
        x = run.means("r4")
        seen, at = np.take_along_axis(x[:, :many], ends - 1, axis=0), r.law(ends)
        better = np.take_along_axis(corrected(r, steps)[0], ends - 1, axis=0)
        floor = 8 * U * ends[-1]  # each step rounds r^4 to 8 u at most
        about = {"beta": beta, "k": K, "eta k": [float(K * eta[0]), float(K * eta[-1])], "r4 over Eq. 17": float(seen[-1, -1] / at[-1, -1]),
                 "r4 over Eq. 17, extrapolated to eta 0": float(2 * seen[-1, -1] / at[-1, -1] - seen[-1, -2] / at[-1, -2])}  # fmt: skip

        def judge(deviations, stated, note, control=None, floor=floor, about=about, eta=eta, steps=steps):
            return order(cell, rms(deviations), floor, stated, about, note, x=K * eta, steps=steps, control=control)

        says = f"beta {beta:g}, r^4 over Eq. 17 is {about['r4 over Eq. 17']:.5f} at the smallest step, {about['r4 over Eq. 17, extrapolated to eta 0']:.6f} in its limit"
        out.append(judge(seen / at - 1, 1, f"{says}; deviation from Eq. 17"))
        out.append(judge(seen / better - 1, 2, f"beta {beta:g}, deviation from the law with its terms of relative order eta k"))
        out.append(judge(seen / r.law(ends, rho=0.0) - 1, 1, says, "noise law under coherent gradients"))
        light = replace(r, G=np.sqrt(1 / (1 + beta)))  # a mass of eta/2 has no 1 + beta in the source
        out.append(judge(seen / light.law(ends) - 1, 1, says, "mass eta/2 in Eq. 17"))
        early = replace(r, x0=edge**2).law(np.arange(1, 3)[:, None])
        out.append(judge(x[:2, many:] / early - 1, 1, says, "Eq. 17 where m |ghat| = mu^2 r^2"))
    return out


def relaxation(cell: Cell) -> list[Record]:
    """Windows of half a relaxation time; coherent and white lanes start at four times the white end."""
    exponent, spans = (12, 4) if cell.quick else (14, 6)
    eta, n = 2.0**-exponent / K, 2 * spans
    many = {"numpy": 256}.get(cell.backend, 16384)
    white = replace(Regime(eta, BETA, K, 1.0, 0.0, 1.0), x0=4 * Regime(eta, BETA, K, 1.0, 0.0, 1.0).settled())
    straight = replace(white, rho=1.0)
    every = round(white.steps / 2)
    parts = lanes(eta, BETA, K, 0.0, 1.0, np.where(np.arange(many + 1), 0.0, 1.0), white.x0**0.25, number=np.arange(many + 1), seed=seed_of(cell))
    run = noisy.run(job(parts, windows=n, every=every), cell.backend)
    x = run.means("r4")
    steps, t = n * every, (np.arange(n) + 0.5) * every * eta
    in_windows = lambda y: np.asarray(y).reshape(n, every).mean(axis=1)  # noqa: E731
    laws = {name: in_windows(r.law(np.arange(1, steps + 1))) for name, r in (("noise law", white), ("Eq. 17", straight))}
    at, rest = (in_windows(y) for y in corrected(white, steps))
    found = mean(x[:, 1:])
    ratio = {law: float(found.value[-1] / y[-1]) for law, y in laws.items()}
    first = float(at[-1] / laws["noise law"][-1])
    about = {"beta": BETA, "k": K, "eta": eta, "t": float(steps * eta), "white r4 over Eq. 17": ratio["Eq. 17"], "white r4 over the noise law": ratio["noise law"],
             "the same, with terms of order eta k": ratio["noise law"] / first, "coherent r4 over Eq. 17": float(x[-1, 0] / laws["Eq. 17"][-1])}  # fmt: skip
    plot = {"plot": "lines", "x": [float(v) for v in t], "xlabel": "time", "ylabel": "r^4", "xscale": "linear", "yscale": "log", "series": {
        "coherent, measured": [float(v) for v in x[:, 0]], "Eq. 17": [float(v) for v in laws["Eq. 17"]],
        "white, measured": [float(v) for v in found.value], "noise law": [float(v) for v in laws["noise law"]]},
        "caption": "From one start and with gradients of one size, r^4 follows Eq. 17 when they are coherent and the noise law when they are white."}  # fmt: skip
    note = f"white noise, r^4 over the noise law {ratio['noise law']:.4f}, of which {first:.4f} is the derived next order, over Eq. 17 {ratio['Eq. 17']:.4f}"
    claim = {"claim": {"published": 1.0, "measured": ratio["Eq. 17"], "ratio": ratio["Eq. 17"], "statement": "NLD Eq. 17 for the r^4 of minibatch noise",
                       "error": float(found.q[-1] * found.error[-1] / laws["Eq. 17"][-1])}, **plot}  # fmt: skip
    out = [mean_record(cell, found, at, rest, about, note, steps=steps, backend=run.backend, data=plot)]
    out.append(mean_record(cell, found, laws["Eq. 17"], rest, about, note, steps=steps, backend=run.backend, control="Eq. 17 under white noise", data=claim))
    faster, slower = (replace(white, k=K * f).law(np.arange(1, steps + 1)) for f in (2.0, 0.5))
    out += [mean_record(cell, found, in_windows(y), rest, about, note, steps=steps, backend=run.backend, control=name)
            for name, y in (("relaxation at 8 k/(1-beta)", faster), ("relaxation at 2 k/(1-beta)", slower))]  # fmt: skip
    return out


def correlation(cell: Cell) -> list[Record]:
    """Settled r^4 over Eq. 17's against (2); the worst correlation speaks."""
    exponent, spans, many = (12, 4, 96) if cell.quick else (14, 4, 512 if cell.backend == "numpy" else 2048)
    rhos = np.array([noise.correlation(noise.threshold(x)) for x in RHO["quick" if cell.quick else "full"]])
    eta = 2.0**-exponent / K
    r = replace(Regime(eta, BETA, K, 1.0, rhos, 1.0), x0=Regime(eta, BETA, K, 1.0, rhos, 1.0).settled())
    steps = round(spans * r.steps)
    parts = lanes(eta, BETA, K, 0.0, 1.0, np.repeat(rhos, many), np.repeat(r.x0, many) ** 0.25, number=np.arange(many * len(rhos)), seed=seed_of(cell))
    run = noisy.run(job(parts, windows=1, every=steps), cell.backend)
    published = r.settled(rho=1.0)
    found = mean(run.means("r4").reshape(len(rhos), many) / published)
    at, rest = (y.mean(axis=0) / published for y in corrected(r, steps))
    law = gain(BETA, rhos) / gain(BETA, 1.0)
    about = {"beta": BETA, "k": K, "eta": eta, "rho": [float(x) for x in rhos], "r4 over Eq. 17": [float(x) for x in found.value], "law": [float(x) for x in law]}
    time = (1 + rhos) / (1 - rhos)
    plot = {"plot": "lines", "x": [float(v) for v in time], "xlabel": "correlation time of the gradient, steps", "ylabel": "r^4 over Eq. 17", "xscale": "log",
            "yscale": "log", "series": {"measured": [float(v) for v in found.value], "law": [float(v) for v in law], "noise law": [float(law[0])] * len(law), "Eq. 17": [1.0] * len(law)},
            "caption": "Between minibatch noise and a coherent gradient r^4 follows (1-beta)(1+rho beta)/((1+beta)(1-rho beta)) of Eq. 17, correlation rho a step."}  # fmt: skip
    note, out = "settled r^4 over Eq. 17's across the correlation", []
    for control, predicted in (
        (None, at),
        ("correlation rho^2 for rho", at * gain(BETA, rhos**2) / gain(BETA, rhos)),
        ("white noise at every correlation", at * gain(BETA, 0.0) / gain(BETA, rhos)),
        ("Eq. 17 at every correlation", np.ones_like(at)),
    ):
        out.append(mean_record(cell, found, predicted, rest, about, note, steps=steps, backend=run.backend, control=control, data=plot))
    return out

