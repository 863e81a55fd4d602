"""S3: where r settles, and how far it turns in a step there (theory.md#S3).

    gradient descent                  r^4 = eta |ghat|^2/(k (2 - eta k))                                     (1)
    coherent gradients                r^4 = eta |ghat|^2 (1+beta)^2/(k (1-beta)^2 (2(1+beta) - eta k))       (2)
    white noise      E r^2/E r^{-2}     = eta E|ghat|^2 (1+beta)/(k (1-beta) (2(1+beta) - eta k))            (3)
    each of them     E|v|^2/E r^2       = 2 eta k/(1+beta)                                                   (4)

(1)-(4) are exact at every eta. (2): q_n = r e^{i n theta} solves the update when cos theta = 1 - eta k/(1+beta) and
(1-beta) sin theta = eta |ghat|/r^2. (3): with z = q + beta v/(1-beta), z' = z - eta (F + k q)/(1-beta), the mean of |z'|^2 - |z|^2
vanishes, and E<v, F> = 0 for a white F; no moment of r but those two enters. In (3) an average of r^4 is larger by
1 + 2 Var(r^2)/r^4: a term of order eta k, not part of the law.

Where nothing fluctuates the bound is that of rounding: the reduced map of relaxation.py (3), linearised at the fixed
point, carries what each step rounds.
"""

from __future__ import annotations

import numpy as np

from harness.normalisation.cell import Cell, U
from harness.normalisation.evidence import mean, mean_record, record
from harness.normalisation.launches import job, lanes, seed_of
from harness.verdicts import HOLDS, INCONCLUSIVE, ROUNDING, VIOLATED, Record
from kernels import noisy
from kernels.noisy import NoisyJob
from kernels.precision import Precision
from kernels.rules import RULES

K = 1 / 8
FAR = 1.25  # r at the start, over its end
STEPS = 256
MOTION = 1e6  # bounds that r^4 must have come from its start
POINTS = ((0.9, 2.0**-10), (0.5, 2.0**-6), (0.5, 2.0**-3))  # beta, eta k of white noise; the last resolves the eta k of (3)


def straight(beta, e, G=1.0):
    """(2) as r^4; (1) at beta = 0."""
    return e / K**2 * G**2 * (1 + beta) ** 2 / ((1 - beta) ** 2 * (2 * (1 + beta) - e))


def noisy_end(beta, e, G=1.0):
    """(3)"""
    return e / K**2 * G**2 * (1 + beta) / ((1 - beta) * (2 * (1 + beta) - e))


def chord(beta, e):
    """(4)"""
    return 2 * e / (1 + beta)


def reduced(z, beta, e, g):
    """One step of (R, C, L), complex or real, (3, lanes): relaxation.py (3)."""
    R, C, L = z
    c, L = beta * C - e * R, beta * L - g
    w = (c * c + L * L) / R
    return np.stack([R + 2 * c + w, c + w, L])


def rounding(beta, e, g, steps: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Bounds (lanes,) on the relative error of R and of |v|^2/R at the fixed point, and |J^steps|: what is left of the start.

    One step: |delta| <= u (beta|v| + eta (4|F| + 2|F + k q| + k|q|) + |v'|), |sigma| <= u |q'|, in norms, since the bounds
    hold componentwise: the force has three roundings in a/|q|^2 and one in each product (theory.md#R0).
    """
    R = np.sqrt(straight(beta, e, g / e * K))
    r, W = np.sqrt(R), chord(beta, e) * R
    v, C, L, F = np.sqrt(W), W / 2, -g / (1 - beta), g / R * np.sqrt(R)
    delta = U * (beta * v + 4 * F + 2 * np.hypot(F, e * r) + e * r + v)
    sigma = U * r
    start = np.stack([2 * r * (delta + sigma), r * delta + v * (delta + sigma), r * delta + v * sigma])
    z, J = np.stack([R, C, L]), np.empty((len(R), 3, 3))
    for i in range(3):
        moved = z.astype(complex)
        moved[i] += 1e-30j
        J[:, :, i] = reduced(moved, beta, e, g).imag.T / 1e-30
    power, total = np.repeat(np.eye(3)[None], len(R), axis=0), np.zeros((len(R), 3))
    for _ in range(steps):
        total += np.einsum("lij,lj->li", abs(power), start.T)
        power = J @ power
    dR, dC, dL = total.T
    # |v|^2 R = C^2 + L^2 (Lagrange's identity); 8 u: the products and sums that form r^4, |v|^2 and the prediction
    off = dR / R
    return 2 * off + 8 * U, (2 * abs(C) * dC + 2 * abs(L) * dL) / (W * R) + 2 * off + 8 * U, abs(power).max(axis=(1, 2))


def settled(cell: Cell) -> list[Record]:
    """Gradient descent under signs and heavy ball under a steady force, from rest at FAR times the end, to rounding."""
    rng = np.random.default_rng(seed_of(cell))
    many = 125 if cell.quick else 251
    e = 2.0 ** rng.uniform(-4, -2, many)
    out = []
    for name, beta, rho in (("gradient-descent", np.zeros(many), 0.0), ("heavy-ball", rng.uniform(0.25, 0.75, many), 1.0)):
        eta, end = e / K, straight(beta, e)
        parts = lanes(eta, beta, K, 0.0, 1.0, rho, FAR * end**0.25, number=np.arange(many), seed=seed_of(cell))
        run = noisy.run(job(parts, windows=1, every=STEPS, rule=name), cell.backend)
        bound, bound_chord, left = rounding(beta, e, eta, STEPS)
        left = left * FAR**4 < U  # decided by the parameters: the start is forgotten
        r2, w2 = np.sum(run.q**2, axis=0), np.sum(run.v**2, axis=0)
        kind = "gradient descent, signs independent" if rho == 0 else "heavy ball, coherent"
        wrong = [("equilibrium without its eta k", end * (2 * (1 + beta) - e) / (2 * (1 + beta))), ("k off by 1 %", straight(beta, e * 1.01) / 1.01**2)]
        if rho == 1:
            wrong.append(("white formula under coherent gradients", noisy_end(beta, e)))
        about = {"eta k": [float(e.min()), float(e.max())], "beta": [float(beta.min()), float(beta.max())], "k": K}
        for control, predicted in ((None, end), *wrong):
            out.append(fixed(cell, r2**2, predicted, bound, left, FAR**4 - 1, about, f"{kind}, r^4", run.backend, control))
        for control, predicted in ((None, chord(beta, e)), ("angle per step sqrt(2 eta k)", 2 * e)) if rho == 1 else ((None, chord(beta, e)),):
            out.append(fixed(cell, w2 / r2, predicted, bound_chord, left, 1.0, about, f"{kind}, squared angle per step (chord)", run.backend, control))
    return out


def fixed(cell: Cell, measured, predicted, bound, left, moved, about, note, backend, control) -> Record:
    """Relative deviations in units of relative bounds; moved: relative distance of the start, (evidence) many bounds."""
    spent = np.where(left, abs(measured / predicted - 1) / bound, 0.0)
    worst = int(np.argmax(np.where(np.isnan(spent), np.inf, spent)))
    verdict = VIOLATED if not spent[worst] <= 1 else HOLDS if left.sum() >= len(left) / 2 and moved > MOTION * bound[worst] else INCONCLUSIVE
    reason = f"{note}: {measured[worst]:.12g}, predicted {predicted[worst]:.12g} to {bound[worst]:.2g} of it; {int(left.sum())} of {len(left)} lanes have forgotten their start"
    return record(cell, predicted[worst], measured[worst], bound[worst] * predicted[worst], spent[worst], verdict, reason, about, ROUNDING, lanes=len(left),
                  steps=STEPS, backend=backend, control=control, worst={"lane": worst, "step": STEPS, "component": None})  # fmt: skip


def fluctuating(cell: Cell) -> list[Record]:
    """(3) and (4) for white noise in the plane of q."""
    many = 128 if cell.quick else 256 if cell.backend == "numpy" else 4096
    points, every = (POINTS[::2], 256) if cell.quick else (POINTS, 512)
    beta, e = (np.repeat(x, many) for x in np.array(points).T)
    parts = lanes(e / K, beta, K, 0.0, 1.0, 0.0, noisy_end(beta, e) ** 0.25, number=np.arange(len(e)), seed=seed_of(cell))
    return averaged(cell, job(parts, windows=3, every=every), points, many, 1.0, "white noise in a plane")


def projected(cell: Cell) -> list[Record]:
    """(3) and (4) where the noise has an independent sign in each of four directions and is projected: E|ghat|^2 = 3."""
    many = 128
    beta, e = (np.repeat(x, many) for x in np.array(POINTS).T)
    q0, v0, params, counters = lanes(e / K, beta, K, 0.0, 1.0, 0.0, noisy_end(beta, e, np.sqrt(3)) ** 0.25, number=np.arange(len(e)), seed=seed_of(cell))
    fill = np.zeros_like(q0)
    parts = NoisyJob(RULES["heavy-ball"], Precision("float64"), np.concatenate([q0, fill]), np.concatenate([v0, fill]), params, counters, 3, 512, "projected")
    return averaged(cell, parts, POINTS, many, 3.0, "white noise in four dimensions")


def averaged(cell: Cell, parts: NoisyJob, points, many: int, power: float, note: str) -> list[Record]:
    """The window after the first, ten relaxation times on or more (e^-10 of the start, which is the mean); one mean a point, the worst speaks."""
    run = noisy.run(parts, cell.backend)
    beta, e = np.array(points).T
    r2, inverse, w2, chord2, r4 = (run.means(n)[1:].mean(axis=0).reshape(len(points), many) for n in ("r2", "inverse", "w2", "chord2", "r4"))
    of = lambda x: x.mean(axis=1, keepdims=True)  # noqa: E731
    end, angle = noisy_end(beta, e, np.sqrt(power)), chord(beta, e)
    about = {"beta": [p[0] for p in points], "eta k": [p[1] for p in points], "k": K, "r2 over 1/r2, over (3)": [float(x) for x in (of(r2) / of(inverse))[:, 0] / end],
             "mean of r4 over (3)": [float(x) for x in of(r4)[:, 0] / end], "root mean squared chord over sqrt(2 eta k/(1+beta))": [float(x) for x in np.sqrt(of(chord2)[:, 0] / angle)]}  # fmt: skip
    out = []

    def judged(control, above, below, predicted, words):
        # A ratio of means, linearised about its prediction: independent lanes, mean 1 where it is met.
        samples = above / (predicted[:, None] * of(below)) - below / of(below) + 1
        out.append(mean_record(cell, mean(samples), 1.0, 0.0, about, f"{note}, {words} over its law", steps=parts.steps, backend=run.backend, control=control))

    laws = [(None, end), ("coherent formula under white noise", end * (1 + beta) / (1 - beta)), ("equilibrium without its eta k", end * (2 * (1 + beta) - e) / (2 * (1 + beta)))]
    for control, predicted in laws:
        judged(control, r2, inverse, predicted, "E r^2/E r^-2")
    for control, predicted in ((None, angle), ("angle per step sqrt(2 eta k)", 2 * e)):
        judged(control, w2, r2, predicted, "E|v|^2/E r^2")
    return out
