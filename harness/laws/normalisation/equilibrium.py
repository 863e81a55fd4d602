"""S3: where r settles, and how far it turns in a step there (theory.md#S3).

    gradient descent                  r^4 = eta |ghat|^2/(k (2 - eta k))                                (1)
    coherent gradients                r^4 = eta |ghat|^2 (1+beta)^2/(k (1-beta)^2 (2(1+beta) - eta k))  (2)
    white noise      E r^2/E r^{-2}     = eta E|ghat|^2 (1+beta)/(k (1-beta) (2(1+beta) - eta k))       (3)
    each of them     E|v|^2/E r^2       = 2 eta k/(1+beta)                                              (4)

(1)-(4) are exact at every eta. (2): q_n = r e^{i n theta} solves the update when cos theta = 1 - eta
k/(1+beta) and (1-beta) sin theta = eta |ghat|/r^2. (3): with z = q + beta v/(1-beta), z' = z - eta (F + k
q)/(1-beta), the mean of |z'|^2 - |z|^2 vanishes, and E<v, F> = 0 for a white F; no moment of r but those two
enters. In (3) an average of r^4 is larger by 1 + 2 Var(r^2)/r^4: a term of order eta k, not part of the law.

Judged here is where nothing fluctuates, to rounding: the reduced map of relaxation.py (3), linearised at the
fixed point, carries what each step rounds. white_noise.py has the means, balance.py what they are means of.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from noether.kernels.loops import launch
from noether.laws.normalisation import faults
from noether.laws.normalisation.cell import Cell, G, K, U
from noether.laws.normalisation.launches import job, lanes, seed_of
from noether.verdicts import judgement
from noether.verdicts.claims import facts
from noether.verdicts.powers import STEP, powers_of
from noether.verdicts.record import Record

FAR = 1.25  # r at the start, over its end
STEPS = 256
MOTION = 1e6  # bounds that r^4 must have come from its start


def straight(beta, e, G=G, k=K):
    """(2) as r^4; (1) at beta = 0."""
    return e / k**2 * G**2 * (1 + beta) ** 2 / ((1 - beta) ** 2 * (2 * (1 + beta) - e))


def noisy_end(beta, e, G=G, k=K):
    """Where r^4 settles under white noise, by the law (3)."""
    return e / k**2 * G**2 * (1 + beta) / ((1 - beta) * (2 * (1 + beta) - e))


def chord(beta, e, G=G, k=K):
    """The squared chord of a step over r^2 by the law (4)."""
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


@dataclass(frozen=True)
class Quantity:
    """What is judged of lanes at their end.

    law        in beta and eta k;  measured, bound  (lanes,), the bound relative
    come       how far, relatively, it is from its start
    """

    what: str
    law: Callable
    measured: np.ndarray
    bound: np.ndarray
    come: float


class Steady:
    """Lanes of one kind after STEPS steps, from rest at FAR times the end.

    forgotten (lanes,)   whether nothing is left of the start, decided by the parameters
    """

    def __init__(self, cell: Cell, kind: str, rule: str, rho: float, beta: np.ndarray, e: np.ndarray):
        self.kind, self.beta, self.e = kind, beta, e
        start = FAR * straight(beta, e) ** 0.25
        own = {"number": np.arange(len(e)), "seed": seed_of(cell)}
        parts = lanes(e / K, beta, K, 0.0, G, rho, start, **own)
        run = launch.run(job(parts, windows=1, every=STEPS, rule=rule), cell.backend)
        bound, of_chord, left = rounding(beta, e, e / K * G, STEPS)
        r2, w2 = np.sum(run.q**2, axis=0), np.sum(run.v**2, axis=0)
        self.forgotten, self.backend = left * FAR**4 < U, run.backend
        self.r4 = Quantity("r^4", straight, r2**2, bound, FAR**4 - 1)
        self.angle = Quantity("squared angle per step (chord)", chord, w2 / r2, of_chord, 1.0)

    def wrong(self) -> dict:
        """r^4 by another law."""
        beta, e, k = self.beta, self.e, faults.K_OFF.changed["k"]
        halved = straight(beta, e) * (2 * (1 + beta) - e) / (2 * (1 + beta))
        return {faults.WITHOUT_ETA_K: halved, faults.K_OFF: straight(beta, k * e, k=k * K)}


def settled(cell: Cell) -> list[Record]:
    """Gradient descent under signs and heavy ball under a steady force, from rest at FAR times the end, to
    rounding."""
    rng = np.random.default_rng(seed_of(cell))
    many = 125 if cell.quick else 251
    e, beta = 2.0 ** rng.uniform(-4, -2, many), rng.uniform(0.25, 0.75, many)
    descent = Steady(cell, "gradient descent, signs independent", "gradient-descent", 0.0, 0 * beta, e)
    ball = Steady(cell, "heavy ball, coherent", "heavy-ball", 1.0, beta, e)
    of_ball = {**ball.wrong(), faults.WHITE_COHERENT: noisy_end(beta, e)}
    return [
        *fixed(cell, descent, descent.r4, descent.wrong()),
        *fixed(cell, descent, descent.angle, {}),
        *fixed(cell, ball, ball.r4, of_ball),
        *fixed(cell, ball, ball.angle, {faults.ANGLE: 2 * e}),
    ]


def fixed(cell: Cell, run: Steady, x: Quantity, wrong: dict) -> list[Record]:
    """A quantity against its law, and against each wrong prediction of it."""
    right = at_the_end(cell, run, x, x.law(run.beta, run.e))
    return [right, *(at_the_end(cell, run, x, y, fault.name) for fault, y in wrong.items())]


def at_the_end(cell: Cell, run: Steady, x: Quantity, predicted, fault: str | None = None) -> Record:
    """Relative deviations in units of relative bounds; the quantity must have come MOTION bounds."""
    bound, inside = x.bound, run.forgotten
    off = judgement.spent_of(x.measured / predicted, 1.0, bound)
    worst = judgement.worst(x.measured, predicted, bound * predicted, inside=inside, spent=off)
    (lane,) = worst.at
    reason = (
        f"{run.kind}, {x.what}: {worst.measured:.12g}, predicted {worst.predicted:.12g} to {bound[lane]:.2g} "
        f"of it; {int(inside.sum())} of {len(inside)} lanes have forgotten their start"
    )
    moved = {name: t / predicted for name, t in responses(x.law, run.beta, run.e).items()}
    moved = {"prediction": np.ones(len(inside)), **moved}
    between = {"eta k": run.e, "beta": run.beta}
    return judgement.rounding(
        worst,
        reason,
        enough=inside.sum() >= len(inside) / 2 and x.come > MOTION * bound[lane],
        **facts(cell, backend=run.backend, fault=fault),
        lanes=len(inside),
        steps=STEPS,
        parameters={name: [float(y.min()), float(y.max())] for name, y in between.items()}
        | {"k": K, "|ghat|": G},
        place={"lane": lane, "step": STEPS, "component": None},
        powers=powers_of(
            (x.measured / predicted - 1)[inside], bound[inside], {n: t[inside] for n, t in moved.items()}
        ),
    )
