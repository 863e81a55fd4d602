"""S3 (3) and (4) without a mean: what they are averages of, summed over the steps of one lane (theory.md#S3).

Heavy ball with coupled decay under F = a A q/|q|^2, a = |ghat| s with known signs s. With e = eta k, R =
|q|^2, V = |v|^2, C = <v, q>, z = q + beta v/(1-beta), Z = |z|^2 and L = <A q, v>, every step has

    R' - R = 2 C' - V',   C' = beta C - e R + V',   L' = beta L - eta a               (1)
    Z' - Z = -2 eta/(1-beta) (beta/(1-beta) a L/R + k R + k beta/(1-beta) C)          (2)
             + eta^2/(1-beta)^2 (a^2/R + k^2 R)

and summed over a window, d being the difference of its ends,

    sum V'  = 2 e/(1+beta) sum R + (1-beta)/(1+beta) dR + 2 beta/(1+beta) dC          (3)
    e (2 (1+beta) - e)/((1-beta)(1+beta)) sum R = eta^2/(1-beta)^2 sum a^2/R - 2 eta beta/(1-beta)^2 sum a L/R
                                     - dZ - 2 e beta/((1-beta)^2 (1+beta)) (dR - dC)  (4)

(3) and (4) are exact: their means are S3's where the run is stationary and a L/R, the force times a velocity
that does not know it, averages to nothing. Both are judged on the first 1, 2, 4 ... steps, in units of what
their steps round.
"""

from __future__ import annotations

import numpy as np

from noether.kernels.loops.noisy_launch import NoisyJob, Sums
from noether.laws.normalisation import faults
from noether.laws.normalisation.cell import Cell, U
from noether.laws.normalisation.variates import signs, turned
from noether.verdicts import judgement
from noether.verdicts.claims import facts
from noether.verdicts.powers import STEP, powers_of
from noether.verdicts.record import Record

MOTION = 2.0**20  # bounds that the sums must be
EVERY = 4  # of so many lanes one is summed: it is no mean, and a lane shows as much as a hundred
WIDE = np.longdouble


class Lane:
    """R, V, C, Z (steps + 1, lanes), a, L (steps, lanes) of a run with one window a step, wide; and what each
    step rounds.

    delta, sigma (steps, lanes): as in equilibrium.rounding, in norms.  of_R, of_C, of_Z, of_L: of (1) and
    (2).
    """

    def __init__(self, job: NoisyJob, run: Sums, some: slice):
        self.eta, self.beta, self.k, _, self.G, _ = job.params[:, some].astype(WIDE)
        s, u = signs(job)[:, some], WIDE(U)
        q0, v0 = job.q0[:, some], job.v0[:, some]
        start = ((np.sum(q0**2, axis=0), "r2"), (np.sum(v0**2, axis=0), "w2"))
        self.R, self.V = (np.concatenate([x[None], run.means(n)[:, some]]).astype(WIDE) for x, n in start)
        begun = np.sum(q0 * v0, axis=0)[None]
        self.C = np.concatenate([begun, (np.diff(self.R, axis=0) + self.V[1:]) / 2])
        self.b = self.beta / (1 - self.beta)
        self.Z = self.R + 2 * self.b * self.C + self.b**2 * self.V
        self.a = s * self.G
        self.L = np.concatenate([0 * self.a[:1], turned(s, self.beta, self.eta * self.G)[:-1]])
        r, r1, v, v1 = np.sqrt(self.R[:-1]), np.sqrt(self.R[1:]), np.sqrt(self.V[:-1]), np.sqrt(self.V[1:])
        F, sigma = self.G / r, u * r1
        delta = u * (self.beta * v + self.eta * (4 * F + 2 * np.hypot(F, self.k * r) + self.k * r) + v1)
        # 2 u of R and of V are those of the sums that leave a step, 2 roundings of every square.
        self.of_R, self.of_C = 2 * r * sigma + sigma**2, r * delta + v1 * sigma
        away = delta / (1 - self.beta) + sigma
        self.of_Z = 2 * (r1 + self.b * v1) * away + away**2
        of_L = np.empty_like(delta)
        total = 0 * delta[0]
        for n, x in enumerate(r * delta + v1 * sigma):
            of_L[n] = total
            total = self.beta * total + x
        self.of_L, self.read_C = of_L, u * (self.R[1:] + self.R[:-1] + self.V[1:]) + self.of_R / 2
        self.read_Z = 2 * u * (self.R[1:] + self.b**2 * self.V[1:]) + 2 * self.b * self.read_C


def sides(
    x: Lane, ends: np.ndarray, *, eta=1.0, beta=1.0, k=1.0, ghat2=1.0, half=1.0
) -> tuple[np.ndarray, np.ndarray]:
    """Of (3) and (4), each over its coefficient of sum R: sum R as measured and as predicted, (2, windows,
    lanes).

    eta .. ghat2: factors of another law; half: of the e in 2 (1+beta) - e.
    """
    eta, beta, k = eta * x.eta, beta * x.beta, k * x.k
    e, first = eta * k, lambda y: np.cumsum(y, axis=0)[ends - 1]
    R, dR, dC, dZ = first(x.R[:-1]), x.R[ends] - x.R[0], x.C[ends] - x.C[0], x.Z[ends] - x.Z[0]
    chord = (first(x.V[1:]) - ((1 - beta) * dR + 2 * beta * dC) / (1 + beta)) / (2 * e / (1 + beta))
    pushed = ghat2 * (eta**2 * first(x.a**2 / x.R[:-1]) - 2 * eta * beta * first(x.a * x.L / x.R[:-1]))
    settled = (pushed - 2 * e * beta / (1 + beta) * (dR - dC)) / (1 - beta) ** 2 - dZ
    return np.stack([R, R]), np.stack([chord, settled / coefficient(beta, e, half)])


def coefficient(beta, e, half=1.0):
    """Of sum R in (4)."""
    return e * (2 * (1 + beta) - half * e) / ((1 - beta) * (1 + beta))


def rounded(x: Lane, ends: np.ndarray) -> np.ndarray:
    """What the steps of a window round in `sides`, (2, windows, lanes)."""
    eta, beta, e, u = x.eta, x.beta, x.eta * x.k, WIDE(U)
    first, last = lambda y: np.cumsum(y, axis=0)[ends - 1], ends - 1
    of_V = ((1 - beta) * x.of_R + 2 * x.of_C) / (1 + beta)
    ends_of = 2 * u * x.R[ends] + x.read_C[last]
    chord = first(of_V + 2 * u * x.V[1:]) + ends_of
    force = eta**2 * x.a**2 * 3 * u / x.R[:-1] + 2 * eta * beta * abs(x.a) / x.R[:-1] * (
        x.of_L + 3 * u * abs(x.L)
    )
    settled = first(x.of_Z + (force + 2 * e * beta * (x.of_R + of_V) / 2) / (1 - beta) ** 2)
    settled = settled + x.read_Z[last] + 2 * e * beta / ((1 - beta) ** 2 * (1 + beta)) * ends_of
    return np.stack([chord / (2 * e / (1 + beta)), settled / coefficient(beta, e)]) + 2 * u * first(x.R[:-1])


NAMES = {"eta": "eta", "beta": "beta", "k": "k", "|ghat|^2": "ghat2", "eta k in 2(1+beta) - eta k": "half"}


def summed(cell: Cell, job: NoisyJob, run: Sums) -> list[Record]:
    x = Lane(job, run, slice(None, None, EVERY))
    ends = np.unique([*2 ** np.arange(int(np.log2(job.steps)) + 1), job.steps])
    measured, predicted = sides(x, ends)
    bound = rounded(x, ends)
    scale = np.stack([measured[0]] * 2)
    moved = {
        name: (sides(x, ends, **{word: 1 + STEP})[1] - predicted) / STEP / scale
        for name, word in NAMES.items()
    }
    out = [judged(cell, run, measured, predicted, bound, ends, None)]
    out[0].powers = powers_of(
        (measured - predicted) / scale, bound / scale, {"prediction": predicted / scale, **moved}
    )
    wrong = sides(x, ends, **faults.WITHOUT_ETA_K.changed)[1]
    return [*out, judged(cell, run, measured, wrong, bound, ends, faults.WITHOUT_ETA_K.name)]


def judged(cell: Cell, run: Sums, measured, predicted, bound, ends, fault) -> Record:
    worst = judgement.worst(measured, predicted, bound)
    which, window, lane = worst.at
    moves = (measured[:, -1] / bound[:, -1]).min()
    words = ("sum |v|^2 gives", "sum |ghat|^2/|q|^2 gives")[which]
    reason = (
        f"{words} sum |q|^2 = {worst.predicted:.12g} over the first {ends[window]} steps, it is "
        f"{worst.measured:.12g}, bound {worst.bound:.2g}; over all of them it is {float(moves):.2g} bounds"
    )
    return judgement.rounding(
        worst,
        reason,
        enough=moves > MOTION,
        **facts(cell, backend=run.backend, fault=fault),
        lanes=measured.shape[2],
        steps=len(run.sums),
        parameters={},
        place={"lane": EVERY * lane, "step": int(ends[window]), "component": which},
    )
