"""D12: what the averages of a long run of a scale-invariant loss must be, whatever its gradients do (theory.md#D12).

Heavy ball with decay, <g, q> = 0: s = 1 and kappa = k where decay is coupled, s = 1 - eta k and kappa = 0 where it is not.
With R = |q|^2, V = |v|^2, C = <v, q>, every step has

    C' = s beta C - s eta kappa R + V'  (D2),    R' = s^2 R + 2 C' - V'                                          (1)

and summed over a window, dR and dC being the differences of its ends,

    sum V' = rho sum R + (1 - s beta)/(1 + s beta) dR + 2 s beta/(1 + s beta) dC                                 (2)
    rho    = (1 - s beta)/(1 + s beta) (1 - s^2) + 2 s eta kappa/(1 + s beta)
    sum <q, q'> = (s + (beta rho - eta kappa)/(1 - s beta)) sum R + beta/(1 + s beta) (dR - dC)   (3)

so <|v|^2>/<|q|^2> = rho = 2 eta k/(1+beta) coupled, (1-a^2)(1-a beta)/(1+a beta) decoupled, up to the ends: it can fail only
through non-stationarity. The ends and the summed roundings of (1) are the bound; a lane whose ends are more than
SMALL of what they are compared with proves nothing.

The runs are long enough to shrink to the edge of stability, where gradients burst for ever and nothing converges.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from cases.case import Case
from harness import trace
from harness.laws import charge_bound, charge_own, dot, formed, size
from harness.laws.norm import scales
from harness.seeds import derive
from harness.trajectory import Trajectory
from harness.verdicts import HOLDS, INCONCLUSIVE, VIOLATED, Record
from kernels import launch
from kernels.precision import parse, representable
from kernels.rules import RULES

SMALL = 1 / 16
SIZE = {"quick": (24, 1024), "full": (32, 2048)}  # lanes and steps of the window; as many before it are left out
STEP, DECAYS, BETAS = 0.5, (1 / 16, 1 / 8), (0.5, 0.75, 0.9)


@dataclass(frozen=True)
class Cell:
    """One scale-invariant case under one rule."""

    case: Case
    rule: str
    precision: str
    backend: str
    profile: str
    seed: int
    law: str = "D12"

    @property
    def name(self) -> str:
        return f"{self.law}/{self.case.name}/{self.rule}/{self.precision}"

    def job(self) -> launch.Job:
        lanes, window = SIZE.get(self.profile, SIZE["full"])
        rng = np.random.default_rng(derive(self.seed, self.name))
        precision = parse(self.precision)
        q0 = representable(self.case.draw(rng, lanes), precision.q_store)
        params = np.array([np.full(lanes, STEP * self.case.pace), rng.choice(BETAS, lanes), rng.choice(DECAYS, lanes), np.zeros(lanes)])
        return launch.Job(trace.gradient(self.case), RULES[self.rule], precision, q0, 0 * q0, representable(params, precision.arith), 2 * window)


def cells(cases, profile: str = "quick", seed: int = 0, backend: str = "numpy") -> list[Cell]:
    suited = [c for c in cases if c.scale_free and any(scales(s) for s in c.symmetries)] if profile != "glance" else []
    if profile == "quick":
        smallest = sorted(suited, key=lambda c: c.dim)[:1]
        return [Cell(c, rule, "float64", "numpy", profile, seed) for c in smallest for rule in ("heavy-ball", "heavy-ball-decoupled")]
    both = [(c, p) for c in suited for p in ("float64", "float32") if p == "float64" or c.dim <= 4]
    return [Cell(c, rule, p, backend, profile, seed) for c, p in both for rule in ("heavy-ball", "heavy-ball-decoupled")]


@dataclass(frozen=True)
class Sums:
    """Of a window: sum R, sum V', sum <q, q'>, |dR|, |dC|, and the summed roundings of (1) and of <q, q'>; (lanes,) each."""

    R: np.ndarray
    V: np.ndarray
    product: np.ndarray
    dR: np.ndarray
    dC: np.ndarray
    of_R: np.ndarray
    of_C: np.ndarray
    of_product: np.ndarray
    forming: np.ndarray

    @classmethod
    def over(cls, t: Trajectory) -> Sums:
        symmetry = next(s for s in t.case.symmetries if scales(s))
        q, after, w, sigma = t.q[:-1], t.q[1:], t.v[1:], t.sigma
        R, C, V = dot(t.q, t.q), dot(t.v, t.q), dot(w, w)
        # (1)'s roundings: that of C' is D2's, that of R' is 2 <q' - v', sigma> - |sigma|^2; (3) reads <q, q'> with <q, sigma> beside.
        of_R = 2 * size(after - w, sigma) + dot(sigma, sigma) + formed(t, len(symmetry.a) + 12, R[1:], R[:-1], size(w, after), V)
        of_C = charge_bound(t, symmetry) + charge_own(t, symmetry)
        total = R[:-1].sum(axis=0)
        return cls(total, V.sum(axis=0), dot(q, after).sum(axis=0), np.abs(R[-1] - R[0]), np.abs(C[-1] - C[0]),
                   of_R.sum(axis=0), of_C.sum(axis=0), size(q, sigma).sum(axis=0), formed(t, 2 * len(R), total))  # fmt: skip


@dataclass(frozen=True)
class Averages:
    """(2, lanes): <|v'|^2>/<|q|^2> and <q, q'>/<|q|^2>, what they must be, the ends' share of the bound and all of it."""

    measured: np.ndarray
    predicted: np.ndarray
    ends: np.ndarray
    bound: np.ndarray


def averages(t: Trajectory, sums: Sums, *, beta=None, decay: float = 1.0, decoupled: bool | None = None) -> Averages:
    """(2) and (3). beta, decay (a factor), decoupled: those of another law."""
    k, b = decay * t.k, t.beta if beta is None else beta * np.ones_like(t.beta)
    apart = t.rule.decoupled if decoupled is None else decoupled
    s, kappa = (1 - t.eta * k, 0 * k) if apart else (np.ones_like(k), k)
    rho = (1 - s * b) / (1 + s * b) * (1 - s * s) + 2 * s * t.eta * kappa / (1 + s * b)
    cosine = s + (b * rho - t.eta * kappa) / (1 - s * b)
    ends = np.stack([(1 - s * b) * sums.dR + 2 * s * b * sums.dC, b * (sums.dR + sums.dC)]) / (1 + s * b)
    rounding = np.stack([(1 - s * b) * sums.of_R + 2 * sums.of_C, sums.of_R + sums.of_C / (1 - s * b) + sums.of_product])
    measured = np.stack([sums.V, sums.product])
    return Averages(measured / sums.R, np.stack([rho, cosine]), ends / sums.R, (ends + rounding + sums.forming) / sums.R)


WRONG = {
    "momentum left out of the average": dict(beta=0.0),
    "decay off by a quarter": dict(decay=1.25),
}


def run_cell(cell: Cell) -> list[Record]:
    began = time.perf_counter()
    job = cell.job()
    outcome = launch.run(job, cell.backend)
    t = settled(cell, job, outcome)
    sums = Sums.over(t)
    other = "coupled decay's average for decoupled decay's" if t.rule.decoupled else "decoupled decay's average for coupled decay's"
    wrong = {**WRONG, other: dict(decoupled=not t.rule.decoupled)}
    records = [judged(cell, job, averages(t, sums), outcome.backend, None)]
    records += [judged(cell, job, averages(t, sums, **flaw), outcome.backend, name) for name, flaw in wrong.items()]
    still = Trajectory(cell.case, job.rule, job.precision, np.repeat(t.z[:1], 9, axis=0), 0 * t.v[:9], job.params)
    records.append(judged(cell, job, averages(still, Sums.over(still)), "numpy", "no-op kernel"))
    for r in records:
        r.seconds = (time.perf_counter() - began) / len(records)
    return records


def settled(cell: Cell, job: launch.Job, outcome: launch.Outcome) -> Trajectory:
    """The second half of a run."""
    q, v = (x[job.steps // 2 :] for x in outcome.wide())
    return Trajectory(cell.case, job.rule, job.precision, q, v, job.params)


def judged(cell: Cell, job: launch.Job, found: Averages, backend: str, control: str | None) -> Record:
    with np.errstate(all="ignore"):
        off = np.abs(found.measured - found.predicted)
        spent = np.where(off == 0, 0, off / found.bound).astype(float)
    spent = np.where(np.isfinite(off) & ~np.isnan(spent), spent, np.inf)
    # The cosine is compared with how far it is from 1, or a run that stands still would have the most of it.
    against = np.stack([found.predicted[0], np.abs(1 - found.predicted[1])])
    stationary = (found.ends <= SMALL * against).all(axis=0)
    which, lane = np.unravel_index(int(np.argmax(spent)), spent.shape)
    worst = float(spent[which, lane])
    enough = 2 * int(stationary.sum()) >= job.lanes
    verdict = VIOLATED if not worst <= 1 else HOLDS if enough else INCONCLUSIVE
    ratio = (found.measured[0] / found.predicted[0]).astype(float)
    names = ("<|v|^2>/<|q|^2>", "<q, q'>/<|q|^2>")
    return Record(
        law=cell.law, case=cell.case.name, rule=cell.rule, backend=backend, precision=cell.precision, lanes=job.lanes, steps=job.steps,
        parameters={"eta": float(job.params[0, lane]), "beta": float(job.params[1, lane]), "k": float(job.params[2, lane])},
        predicted=float(found.predicted[which, lane]), measured=float(found.measured[which, lane]), bound=float(found.bound[which, lane]), spent=worst,
        verdict=verdict, symmetry="scale", control=control, cell=cell.name, worst={"lane": int(lane), "step": job.steps // 2, "component": int(which)},
        reason=f"{names[which]} is {float(found.measured[which, lane]):.6g}, must be {float(found.predicted[which, lane]):.6g} up to the ends of the window; "
        f"{names[0]} over its prediction {ratio.min():.3f} to {ratio.max():.3f}; {int(stationary.sum())} of {job.lanes} lanes are stationary to 1/16",
        replay=f"noether verify {cell.case.name} --law D12 --profile {cell.profile} --seed {cell.seed}",
        data={} if control else {
            "plot": "response", "x": [float(x) for x in np.sort(found.predicted[0].astype(float))], "xlabel": "predicted", "ylabel": "<|v|^2>/<|q|^2>",
            "series": {"measured": [float(x) for x in found.measured[0][np.argsort(found.predicted[0].astype(float))]],
                       "predicted": [float(x) for x in np.sort(found.predicted[0].astype(float))]},
            "caption": "The mean squared step over the mean squared norm is 2 eta k/(1+beta), whatever the gradients do.",
        },
    )  # fmt: skip


