"""D12: what a long run of a scale-invariant loss must do, whatever its gradients do (theory.md#D12).

Heavy ball with decay, <g, q> = 0: s = 1 and kappa = k where decay is coupled, s = 1 - eta k and kappa = 0
where it is not. With R = |q|^2, V = |v|^2, C = <v, q>, every step has

    C' = s beta C - s eta kappa R + V'  (D2),    R' = s^2 R + 2 C' - V'  (1)

and summed over a window, dR and dC being the differences of its ends,

    sum V' = rho sum R + (1 - s beta)/(1 + s beta) dR + 2 s beta/(1 + s beta) dC                 (2)
    rho    = (1 - s beta)/(1 + s beta) (1 - s^2) + 2 s eta kappa/(1 + s beta)
    sum <q, q'> = (s + (beta rho - eta kappa)/(1 - s beta)) sum R + beta/(1 + s beta) (dR - dC)  (3)

(2) and (3) are exact: their bound is what the steps of the window round, summed. They are judged on its first
1, 2, 4 ... steps, since roundings add up like a random walk and their bounds do not. Where the run is
stationary the ends are small beside the sums, and <|v|^2>/<|q|^2> = rho = 2 eta k/(1+beta) coupled,
(1-a^2)(1-a beta)/(1+a beta) decoupled. That is the evidence: half of the lanes must have ends of at most
SMALL of what they are compared with.

The runs are long enough to shrink to the edge of stability, where gradients burst for ever and nothing
converges. A loss that is least along a whole line has no such edge: there q shrinks by the decay alone, until
|q|^2 underflows and the loss is 0/0. Such a lane is judged as far as it is certified (certified.py).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from noether.cases.case import BREGMAN, Case
from noether.cases.rules import RULES
from noether.kernels.loops import launch
from noether.kernels.programs import trace
from noether.kernels.programs.precision import parse, representable
from noether.laws.averages import faults
from noether.laws.cell import LawCell
from noether.laws.exact import charge_bound, charge_own, dot, formed, size
from noether.laws.exact.certified import Domain
from noether.laws.exact.norm import scales
from noether.mechanics import sweep
from noether.mechanics.trajectory import Trajectory
from noether.system.seeds import derive
from noether.verdicts import judgement, powers
from noether.verdicts.claims import facts
from noether.verdicts.figures import Response
from noether.verdicts.record import OUTSIDE, ROUNDING, Record

SMALL = 1 / 16
SIZE = {"quick": (24, 1024), "full": (32, 2048)}
"""Lanes and steps of the window; as many before it are left out."""
STEP = 0.5
DECAYS, BETAS = (0.031, 0.047, 0.067), (0.23, 0.41, 0.71)
"""eta k and beta: no two of beta, 1 - beta, eta k and 1 are simply related."""
NAMES = ("sum |v'|^2", "sum <q, q'>")


@dataclass(frozen=True)
class Cell(LawCell):
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
        q0, eta = representable(self.case.draw(rng, lanes), precision.q_store), STEP * sweep.pace(self.case)
        # The window is the same number of relaxation times, 1/(eta k), whatever the pace.
        beta, k = rng.choice(BETAS, lanes), rng.choice(DECAYS, lanes) / eta
        params = representable(np.array([np.full(lanes, eta), beta, k, np.zeros(lanes)]), precision.arith)
        program, rule = trace.gradient(self.case), RULES[self.rule]
        return launch.Job(program, rule, precision, q0, 0 * q0, params, 2 * window)


def cells(cases, profile: str = "quick", seed: int = 0, backend: str = "numpy") -> list[Cell]:
    """Not of a Bregman case, whose domain heavy ball leaves."""
    suited = [c for c in cases if c.scale_free and c.metric.kind != BREGMAN]
    suited = [c for c in suited if any(scales(s) for s in c.symmetries)]
    if profile == "glance":
        return []
    both = [(c, p) for c in suited for p in ("float64", "float32") if p == "float64" or c.dim <= 4]
    if profile == "quick":
        both, backend = [(c, "float64") for c in sorted(suited, key=lambda c: c.dim)[:1]], "numpy"
    rules = ("heavy-ball", "heavy-ball-decoupled")
    return [Cell(c, rule, p, backend, profile, seed) for c, p in both for rule in rules]


@dataclass(frozen=True)
class Sums:
    """sum R, sum V', sum <q, q'>, dR, dC, and the summed roundings of (1) and of <q, q'>.

    (windows, lanes) each, the whole window last;  steps (windows,) of each
    """

    steps: np.ndarray
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
    @np.errstate(all="ignore")  # of lanes that leave the domain
    def over(cls, t: Trajectory) -> Sums:
        symmetry = next(s for s in t.case.symmetries if scales(s))
        q, after, w, sigma = t.q[:-1], t.q[1:], t.v[1:], t.sigma
        R, C, V = dot(t.q, t.q), dot(t.v, t.q), dot(w, w)
        # (1)'s roundings: that of C' is D2's, that of R' is 2 <q' - v', sigma> - |sigma|^2.
        forming = formed(t, len(symmetry.a) + 12, R[1:], R[:-1], size(w, after), V)
        of_R = 2 * size(after - w, sigma) + dot(sigma, sigma) + forming
        of_C = charge_bound(t, symmetry) + charge_own(t, symmetry)
        ends = np.unique([*2 ** np.arange(int(np.log2(len(w))) + 1), len(w)])
        first = lambda x: np.cumsum(x, axis=0)[ends - 1]
        total = first(R[:-1])
        return cls(
            steps=ends,
            R=total,
            V=first(V),
            product=first(dot(q, after)),
            dR=R[ends] - R[0],
            dC=C[ends] - C[0],
            of_R=first(of_R),
            of_C=first(of_C),
            of_product=first(size(q, sigma) + size(w, sigma)),
            forming=formed(t, 2, ends[:, None] * total),
        )


def coefficients(
    t: Trajectory, *, eta=1.0, beta=1.0, k=1.0, decoupled: bool | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """rho and the factor of sum R in (3), (2, lanes), and the factors of dR and dC, (2, 2, lanes), of (2) and
    (3).

    eta, beta, k: factors of the lanes' own; decoupled: of another law than the rule's.
    """
    eta, beta, k = eta * t.eta, beta * t.beta, k * t.k
    apart = t.rule.decoupled if decoupled is None else decoupled
    s, kappa = (1 - eta * k, 0 * k) if apart else (np.ones_like(k), k)
    rho = (1 - s * beta) / (1 + s * beta) * (1 - s * s) + 2 * s * eta * kappa / (1 + s * beta)
    overlap = s + (beta * rho - eta * kappa) / (1 - s * beta)
    ends = np.stack([[1 - s * beta, 2 * s * beta], [beta, -beta]]) / (1 + s * beta)
    return np.stack([rho, overlap]), ends


@dataclass(frozen=True)
class Averages:
    """(2, windows, lanes), over sum R: (2) and (3), the averages without their ends, the ends' share and the
    bound;  steps (windows,)."""

    steps: np.ndarray
    measured: np.ndarray
    predicted: np.ndarray
    average: np.ndarray
    ends: np.ndarray
    bound: np.ndarray


@np.errstate(all="ignore")  # of lanes that leave the domain
def averages(t: Trajectory, sums: Sums, **law) -> Averages:
    average, of_ends = coefficients(t, **law)
    b, s = t.beta, 1 - t.eta * t.k if t.rule.decoupled else np.ones_like(t.k)
    parts = of_ends[:, :, None] * np.stack([sums.dR, sums.dC]) / sums.R
    # With roundings e of C' and d of R' in (1): -((1 - s beta) d + 2 e)/(1 + s beta) in (2), and, since
    # s <q, v'> = C' - V' - <v', sigma>, (e - s beta d)/(s (1 + s beta)) in (3), beside that of <q, q'>.
    rounding = np.stack([(1 - s * b) * sums.of_R + 2 * sums.of_C, (sums.of_C + s * b * sums.of_R) / s])
    rounding = rounding / (1 + s * b) + np.stack([0 * sums.of_R, sums.of_product / s])
    measured, average = np.stack([sums.V, sums.product]) / sums.R, average[:, None]
    ends, bound = np.abs(parts).sum(axis=1), (rounding + sums.forming) / sums.R
    return Averages(sums.steps, measured, average + parts.sum(axis=1), average, ends, bound)


def run_cell(cell: Cell) -> list[Record]:
    job = cell.job()
    outcome = launch.run(job, cell.backend)
    t = settled(cell, job, outcome)
    sums = Sums.over(t)
    found = averages(t, sums)
    until = spoken_of(cell, job, outcome, found)
    first = judged(cell, job, found, outcome.backend, None, until)
    if first.verdict == OUTSIDE:
        return [first]
    first.powers = noticed(t, sums, found, inside_of(found, until))
    other = [fault for fault in faults.DECAYS if fault.changed["decoupled"] != t.rule.decoupled]
    wrong = {fault: averages(t, sums, **fault.changed) for fault in (*faults.AVERAGES, *other)}
    still = standing(t)
    planted = {fault.name: (averaged, outcome.backend) for fault, averaged in wrong.items()}
    planted[faults.STILL.name] = averages(still, Sums.over(still)), "numpy"
    return [
        first,
        *(judged(cell, job, averaged, where, name, until) for name, (averaged, where) in planted.items()),
    ]


def standing(t: Trajectory) -> Trajectory:
    """The first state, again and again."""
    return Trajectory(t.case, t.rule, t.precision, np.repeat(t.z[:1], 9, axis=0), 0 * t.v[:9], t.params)


def settled(cell: Cell, job: launch.Job, outcome: launch.Outcome) -> Trajectory:
    """The second half of a run."""
    q, v = (x[job.steps // 2 :] for x in outcome.wide())
    return Trajectory(cell.case, job.rule, job.precision, q, v, job.params)


def spoken_of(cell: Cell, job: launch.Job, outcome: launch.Outcome, found: Averages) -> np.ndarray:
    """(lanes,) how many steps of the window can be judged: none of a lane that leaves the domain in a
    reference, else as far as the run is certified from its start.

    Both are asked only where something is wrong, as everywhere (rules of evidence, 5).
    """
    window = job.steps - job.steps // 2
    if judgement.worst(found.measured, found.predicted, found.bound).spent <= 1:
        return np.full(job.lanes, window)
    domain = Domain(cell.case, job, Trajectory.launched(cell.case, job, *outcome.wide()))
    return np.clip(np.where(domain.outside, 0, domain.until) - job.steps // 2, 0, window)


def inside_of(found: Averages, until: np.ndarray) -> np.ndarray:
    """(windows, lanes): which windows end where their lane can still be judged."""
    return found.steps[:, None] <= until


def noticed(t: Trajectory, sums: Sums, found: Averages, inside: np.ndarray) -> dict[str, float]:
    """The power of one record, by what can be judged."""
    law = lambda **changed: averages(t, sums, **changed).predicted[:, inside]
    here = (x[:, inside] for x in (found.measured, found.predicted, found.bound))
    return powers.of(*here, law, ("eta", "beta", "k"))


def stationary(found: Averages) -> np.ndarray:
    """(lanes,): whose averages are those of the statement.

    (3) is compared with how far it is from 1, or a run that stands still would have the most of it.
    """
    against = np.stack([found.average[0, 0], np.abs(1 - found.average[1, 0])])
    return (found.ends[:, -1] <= SMALL * against).all(axis=0)


def judged(
    cell: Cell, job: launch.Job, found: Averages, backend: str, fault: str | None, until=None
) -> Record:
    """until  (lanes,) how many steps of the window can be judged; all of them when it is not given"""
    window = job.steps - job.steps // 2
    until = np.full(job.lanes, window) if until is None else until
    inside = inside_of(found, until)
    about = facts(cell, backend=backend, precision=cell.precision, symmetry="scale", fault=fault)
    about |= {"lanes": job.lanes, "steps": job.steps}
    if not inside.any():
        return judgement.outside("every lane leaves the domain", parameters={}, kind=ROUNDING, **about)
    worst = judgement.worst(found.measured, found.predicted, found.bound, inside=inside)
    which, end, lane = worst.at
    whole, left = inside[-1], int((until < window).sum())
    settled_lanes = int((stationary(found) & whole).sum())
    ratio = found.measured[0, -1, whole] / found.average[0, 0, whole]
    return judgement.rounding(
        worst,
        f"{NAMES[which]} over sum |q|^2 is {worst.measured:.6g} in its first {found.steps[end]} steps, "
        f"must be {worst.predicted:.6g} within {worst.bound:.2g}, ends included; "
        + (f"<|v|^2>/<|q|^2> over its average {ratio.min():.3f} to {ratio.max():.3f}; " if len(ratio) else "")
        + f"{settled_lanes} of {job.lanes} lanes are stationary to 1/16"
        + (f"; {left} lanes leave the domain" if left else ""),
        enough=2 * settled_lanes >= job.lanes,
        **about,
        parameters={
            name: float(x) for name, x in zip(("eta", "beta", "k"), job.params[:3, lane], strict=True)
        },
        place={"lane": lane, "step": job.steps // 2, "component": which},
        figure=drawn(found, whole) if len(ratio) else None,
    )


def drawn(found: Averages, lanes: np.ndarray) -> Response:
    """The lanes that can be judged to the end, by what they should have."""
    predicted, measured = found.average[0, 0, lanes].astype(float), found.measured[0, -1, lanes]
    order = np.argsort(predicted)
    return Response(
        x=predicted[order],
        series={"measured": measured[order], "predicted": predicted[order]},
        xlabel="predicted",
        ylabel="<|v|^2>/<|q|^2>",
        caption="The mean squared step over the mean squared norm is 2 eta k/(1+beta), whatever the "
        "gradients do.",
    )
