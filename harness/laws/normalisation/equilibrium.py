"""S3: where r settles, and how far it turns in a step there (theory.md#S3).

    gradient descent                  r^4 = eta |ghat|^2/(k (2 - eta k))                                (1)
    coherent gradients                r^4 = eta |ghat|^2 (1+beta)^2/(k (1-beta)^2 (2(1+beta) - eta k))  (2)
    white noise      E r^2/E r^{-2}     = eta E|ghat|^2 (1+beta)/(k (1-beta) (2(1+beta) - eta k))       (3)
    each of them     E|v|^2/E r^2       = 2 eta k/(1+beta)                                              (4)

(1)-(4) are exact at every eta. (2): q_n = r e^{i n theta} solves the update when cos theta = 1 - eta
k/(1+beta) and (1-beta) sin theta = eta |ghat|/r^2. (3): with z = q + beta v/(1-beta), z' = z - eta (F + k
q)/(1-beta), the mean of |z'|^2 - |z|^2 vanishes, and E<v, F> = 0 for a white F; no moment of r but those two
enters (balance.py has it without a mean, summed). In (3) an average of r^4 is larger by 1 + 2 Var(r^2)/r^4: a
term of order eta k, not part of the law.

Where nothing fluctuates the bound is that of rounding: the reduced map of relaxation.py (3), linearised at
the fixed point, carries what each step rounds.
"""

from __future__ import annotations

import numpy as np

from noether.cases.rules import RULES
from noether.kernels.loops import launch, noisy_launch
from noether.kernels.loops.noisy_launch import NoisyJob
from noether.kernels.programs.precision import Precision
from noether.laws.normalisation import balance
from noether.laws.normalisation.cell import Cell, G, K, U
from noether.laws.normalisation.launches import job, lanes, seed_of
from noether.verdicts import judgement
from noether.verdicts.claims import facts
from noether.verdicts.means import mean_record, means_of
from noether.verdicts.powers import STEP, powers_of
from noether.verdicts.record import Record

FAR = 1.25  # r at the start, over its end
STEPS = 256
MOTION = 1e6  # bounds that r^4 must have come from its start
POINTS = {"quick": ((0.61, 2.0**-6), (0.43, 0.12)), "full": ((0.88, 2.0**-10), (0.61, 2.0**-6), (0.43, 0.12))}
"""beta, eta k of white noise; the last resolves the eta k of (3)."""


def straight(beta, e, G=G, k=K):
    """(2) as r^4; (1) at beta = 0."""
    return e / k**2 * G**2 * (1 + beta) ** 2 / ((1 - beta) ** 2 * (2 * (1 + beta) - e))


def noisy_end(beta, e, G=G, k=K):
    """(3)"""
    return e / k**2 * G**2 * (1 + beta) / ((1 - beta) * (2 * (1 + beta) - e))


def chord(beta, e, G=G, k=K):
    """(4)"""
    return 2 * e / (1 + beta)


def responses(law, beta, e) -> dict[str, np.ndarray]:
    """What a relative change 1 of each symbol adds to a formula in beta, e = eta k, |ghat| and k."""
    up, plain = 1 + STEP, law(beta, e)
    changed = {
        "eta": law(beta, up * e),
        "beta": law(up * beta, e),
        "k": law(beta, up * e, k=up * K),
        "|ghat|^2": law(beta, e, G=up**0.5 * G),
    }
    return {name: (x - plain) / STEP for name, x in changed.items()}


def reduced(z, beta, e, g):
    """One step of (R, C, L), complex or real, (3, lanes): relaxation.py (3)."""
    R, C, L = z
    c, L = beta * C - e * R, beta * L - g
    w = (c * c + L * L) / R
    return np.stack([R + 2 * c + w, c + w, L])


def rounding(beta, e, g, steps: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Bounds (lanes,) on the relative error of R and of |v|^2/R at the fixed point, and |J^steps|: what is
    left of the start.

    g: eta |ghat|. One step: |delta| <= u (beta|v| + eta (4|F| + 2|F + k q| + k|q|) + |v'|), |sigma| <= u
    |q'|, in norms, since the bounds hold componentwise: the force has three roundings in a/|q|^2 and one in
    each product (theory.md#R0).
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
    # |v|^2 R = C^2 + L^2 (Lagrange's identity); 8 u: the products and sums that form r^4, |v|^2 and the
    # prediction
    off = dR / R
    of_chord = (2 * abs(C) * dC + 2 * abs(L) * dL) / (W * R) + 2 * off + 8 * U
    return 2 * off + 8 * U, of_chord, abs(power).max(axis=(1, 2))


def settled(cell: Cell) -> list[Record]:
    """Gradient descent under signs and heavy ball under a steady force, from rest at FAR times the end, to
    rounding."""
    rng = np.random.default_rng(seed_of(cell))
    many = 125 if cell.quick else 251
    e = 2.0 ** rng.uniform(-4, -2, many)
    out = []
    for name, beta, rho in (
        ("gradient-descent", np.zeros(many), 0.0),
        ("heavy-ball", rng.uniform(0.25, 0.75, many), 1.0),
    ):
        end = straight(beta, e)
        parts = lanes(
            e / K, beta, K, 0.0, G, rho, FAR * end**0.25, number=np.arange(many), seed=seed_of(cell)
        )
        run = launch.run(job(parts, windows=1, every=STEPS, rule=name), cell.backend)
        bound, bound_chord, left = rounding(beta, e, e / K * G, STEPS)
        left = left * FAR**4 < U  # decided by the parameters: the start is forgotten
        r2, w2 = np.sum(run.q**2, axis=0), np.sum(run.v**2, axis=0)
        kind = "gradient descent, signs independent" if rho == 0 else "heavy ball, coherent"
        about = {
            "eta k": [float(e.min()), float(e.max())],
            "beta": [float(beta.min()), float(beta.max())],
            "k": K,
            "|ghat|": G,
        }

        def judged(
            fault,
            law,
            predicted,
            measured,
            bound,
            moved,
            what,
            beta=beta,
            e=e,
            left=left,
            kind=kind,
            about=about,
            run=run,
        ):
            of = {x: t / predicted for x, t in responses(law, beta, e).items()}
            return fixed(
                cell,
                measured,
                predicted,
                bound,
                left,
                moved,
                about,
                f"{kind}, {what}",
                run.backend,
                fault,
                of,
            )

        wrong = [
            ("equilibrium without its eta k", end * (2 * (1 + beta) - e) / (2 * (1 + beta))),
            ("k off by 1 %", straight(beta, 1.01 * e, k=1.01 * K)),
        ]
        if rho == 1:
            wrong.append(("white formula under coherent gradients", noisy_end(beta, e)))
        out += [
            judged(fault, straight, p, r2**2, bound, FAR**4 - 1, "r^4") for fault, p in ((None, end), *wrong)
        ]
        turns = [(None, chord(beta, e)), *([("angle per step sqrt(2 eta k)", 2 * e)] if rho == 1 else [])]
        out += [
            judged(fault, chord, p, w2 / r2, bound_chord, 1.0, "squared angle per step (chord)")
            for fault, p in turns
        ]
    return out


def fixed(
    cell: Cell, measured, predicted, bound, left, moved, about, note, backend, fault, responses: dict
) -> Record:
    """Relative deviations in units of relative bounds; moved: relative distance of the start, (evidence) many
    bounds."""
    off = judgement.spent_of(measured / predicted, 1.0, bound)
    worst = judgement.worst(measured, predicted, bound * predicted, inside=left, spent=off)
    (lane,) = worst.at
    reason = (
        f"{note}: {worst.measured:.12g}, predicted {worst.predicted:.12g} to {bound[lane]:.2g} of it; "
        f"{int(left.sum())} of {len(left)} lanes have forgotten their start"
    )
    of = {"prediction": np.ones(len(left)), **responses}
    return judgement.rounding(
        worst,
        reason,
        enough=left.sum() >= len(left) / 2 and moved > MOTION * bound[lane],
        **facts(cell, backend=backend, fault=fault),
        lanes=len(left),
        steps=STEPS,
        parameters=about,
        place={"lane": lane, "step": STEPS, "component": None},
        powers=powers_of((measured / predicted - 1)[left], bound[left], {x: t[left] for x, t in of.items()}),
    )


def fluctuating(cell: Cell) -> list[Record]:
    """(3) and (4) for white noise in the plane of q: summed, to rounding, and on the mean."""
    many = 128 if cell.quick else 256 if cell.backend == "numpy" else 512
    points, steps = POINTS["quick" if cell.quick else "full"], 768
    beta, e = (np.repeat(x, many) for x in np.array(points).T)
    parts = lanes(
        e / K, beta, K, 0.0, G, 0.0, noisy_end(beta, e) ** 0.25, number=np.arange(len(e)), seed=seed_of(cell)
    )
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
    q0, v0, params, counters = lanes(
        e / K, beta, K, 0.0, G, 0.0, r, number=np.arange(len(e)), seed=seed_of(cell)
    )
    fill = np.zeros_like(q0)
    parts = NoisyJob(
        RULES["heavy-ball"],
        Precision("float64"),
        np.concatenate([q0, fill]),
        np.concatenate([v0, fill]),
        params,
        counters,
        3,
        512,
        "projected",
    )
    return averaged(
        cell,
        launch.run(parts, cell.backend),
        points,
        many,
        3.0 * G**2,
        "white noise in four dimensions",
    )


def averaged(cell: Cell, run: noisy_launch.Sums, points, many: int, power: float, note: str) -> list[Record]:
    """The last two thirds, ten relaxation times on or more (e^-10 of the start, which is the mean); a mean a
    point."""
    beta, e = np.array(points).T
    late, steps = len(run.sums) // 3, run.every * len(run.sums)
    r2, inverse, w2, chord2, r4 = (
        run.means(n)[late:].mean(axis=0).reshape(len(points), many)
        for n in ("r2", "inverse", "w2", "chord2", "r4")
    )
    of = lambda x: x.mean(axis=1, keepdims=True)
    end, angle = noisy_end(beta, e, np.sqrt(power)), chord(beta, e)
    about = {
        "beta": [p[0] for p in points],
        "eta k": [p[1] for p in points],
        "k": K,
        "r2 over 1/r2, over (3)": [float(x) for x in (of(r2) / of(inverse))[:, 0] / end],
        "mean of r4 over (3)": [float(x) for x in of(r4)[:, 0] / end],
        "root mean squared chord over sqrt(2 eta k/(1+beta))": [
            float(x) for x in np.sqrt(of(chord2)[:, 0] / angle)
        ],
    }
    out = []

    def judged(fault, above, below, predicted, words):
        # A ratio of means, linearised about its prediction: independent lanes, mean 1 where it is met. A
        # record a point.
        samples = above / (predicted[:, None] * of(below)) - below / of(below) + 1
        for row, (b, x) in zip(samples, points, strict=True):
            text = f"{note}, beta {b:g}, eta k {x:.3g}, {words} over its law"
            much = {"steps": steps, "backend": run.backend, "fault": fault}
            out.append(
                mean_record(cell, means_of(row[None], family=len(points)), 1.0, 0.0, about, text, **much)
            )

    laws = [(None, end), ("coherent formula under white noise", end * (1 + beta) / (1 - beta))]
    for fault, predicted in laws:
        judged(fault, r2, inverse, predicted, "E r^2/E r^-2")
    for fault, predicted in ((None, angle), ("angle per step sqrt(2 eta k)", 2 * e)):
        judged(fault, w2, r2, predicted, "E|v|^2/E r^2")
    return out
