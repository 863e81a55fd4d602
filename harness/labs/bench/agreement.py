"""Whether a tool did the right work, decided on a sample of lanes before its time is compared.

State. A tool rounds each step within delta and sigma (harness/mechanics/trajectory.py), whatever order or fma
it takes, and so does the numpy step. Carried to the end along the trajectory, to first order,

    |difference| <= 2 sum_n |P_n| (delta_n + sigma_n, delta_n),    P_n = M_{S-1} ...
    M_{n+1},                                  (1)
    M = [[1 - eta (H + k), beta], [-eta (H + k), beta]],    H the Hessian at q_n.

Residual. Its largest value is a rounding over its bound: at most 1, above 0 where a lane moves. That alone an
idle tool could invent, so the residual is run once more with its momentum times 1 + 2^-10: it is then a
signal, of which the numpy screen and the tool agree on all but its own size times 2^-10, and the 2 units that
rounding may take. That is asked of lanes whose end (1) fixes to 2^-14 of q: two roundings of a chaotic lane
end in different
places.                       (2)
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from noether.kernels.loops import launch
from noether.kernels.loops.screen_launch import Screen
from noether.labs.bench.work import Work
from noether.mechanics import wide
from noether.mechanics.trajectory import Trajectory

SAMPLE = 32
FLAW = 2.0**-10


@dataclass(frozen=True)
class Reference:
    """The numpy step on the sample, and what a tool may differ from it by; `sound` is False where a lane
    leaves the finite."""

    lanes: np.ndarray
    q: np.ndarray
    v: np.ndarray
    bound: np.ndarray
    flawed: np.ndarray | None
    sound: bool

    @property
    def fixed(self) -> np.ndarray:
        """The lanes, (lanes,), where a tool's rounding moves the end by less than 2^-14 of q."""
        return self.bound.max(axis=0) <= FLAW / 16 * np.abs(self.q).max(axis=0)


@dataclass(frozen=True)
class Agreement:
    """How far a tool agrees with the numpy step.

    spent    the largest difference of a final state over its bound (1)
    ulps     the same in units in the last place of the largest component of q or v, in the lane in the middle
    most     the same in the worst lane
    worst    the largest residual
    problem  '' when the tool did the work
    """

    spent: float
    ulps: float
    most: float
    worst: float
    problem: str


def sample(work: Work) -> np.ndarray:
    """The lanes that are compared, SAMPLE of them from the first to the last."""
    count = min(SAMPLE, work.lanes)
    return np.unique(np.linspace(0, work.lanes - 1, count).astype(int))


def hessians(t: Trajectory) -> np.ndarray:
    """The second derivatives along the trajectory, (steps, lanes, d, d), by central differences of the wide
    gradient."""
    q = np.moveaxis(t.q[:-1], 1, 0)
    d, h = len(q), wide.WIDE(2.0) ** -20
    columns = []
    for j in range(d):
        by = np.zeros_like(q)
        by[j] = h
        rise = [
            wide.gradient(loss, q + by) - wide.gradient(loss, q - by)
            for loss in (t.case.loss, t.case.breaking)
        ]
        columns.append((rise[0] + t.eps * rise[1]) / (2 * h))
    return np.moveaxis(np.stack(columns, axis=1), (0, 1), (2, 3)).astype(float)


def carried(t: Trajectory) -> np.ndarray:
    """The bound (1) on the final state, (2 d, lanes)."""
    d, lanes = t.q.shape[1], t.lanes
    eta, beta, k = (x.astype(float)[:, None, None] for x in (t.eta, t.beta, t.k))
    H, one = hessians(t), np.eye(d)
    delta, sigma = t.delta.astype(float), t.sigma.astype(float)
    P, bound = np.broadcast_to(np.eye(2 * d), (lanes, 2 * d, 2 * d)), np.zeros((2 * d, lanes))
    for n in range(t.steps - 1, -1, -1):
        both = np.abs(P[:, :, :d] + P[:, :, d:])  # delta moves v and, through it, q
        bound += np.einsum("lij,jl->il", both, delta[n]) + np.einsum(
            "lij,jl->il", np.abs(P[:, :, :d]), sigma[n]
        )
        pull = eta * (H[n] + k * one)
        M = np.block([[one - pull, beta * one], [-pull, beta * one]])
        P = P @ M
    return 2 * bound


def reference(work: Work) -> Reference:
    """What the numpy step gives in the lanes of the sample, with a bound on what another may differ."""
    lanes = sample(work)
    job = work.job
    part = replace(job, q0=job.q0[:, lanes], v0=job.v0[:, lanes], params=job.params[:, lanes], trace=True)
    q, v = launch.run(part, "numpy").wide()
    t = Trajectory(work.subject, job.rule, job.precision, q, v, part.params)
    sound = bool(t.finite.all())
    flawed = None
    if work.residual is not None:
        screen = Screen(part, work.residual, work.screen.lags, work.again(FLAW)[:, lanes])
        flawed = screen.plain().spent.max(axis=0)
    bound = carried(t) if sound else np.full((2 * work.dim, len(lanes)), np.nan)
    return Reference(lanes, q[-1], v[-1], bound, flawed, sound)


def judge(work: Work, known: Reference, result, flawed=None) -> Agreement:
    """Whether a tool did the work, and by how much it differs from the numpy step.

    result, flawed  (q, v, worst) of the sample from the tool, with the right residual and with the flawed one
    """
    q, v, worst = result
    mine, theirs = np.concatenate([known.q, known.v]), np.concatenate([q, v])
    with np.errstate(all="ignore"):
        off = np.abs(mine - theirs)
        spent = np.where(off == 0, 0.0, off / known.bound)
        size = np.repeat([np.abs(x).max(axis=0) for x in (known.q, known.v)], work.dim, axis=0)
        ulps = off / np.spacing(size.astype(work.arith)).astype(float)
    largest = lambda x: float(np.nan_to_num(x, nan=np.inf).max())
    problem = ""
    if not known.sound:
        problem = "a lane of the sample leaves the finite: fewer steps"
    elif not largest(spent) <= 1:
        problem = f"the final state is {largest(spent):.3g} bounds from the numpy step's"
    elif work.residual is not None:
        problem = residual_problem(known, worst, flawed[2])
    median = float(np.median(ulps.max(axis=0)))
    return Agreement(largest(spent), median, largest(ulps), largest(worst), problem)


def residual_problem(known: Reference, worst: np.ndarray, flawed: np.ndarray) -> str:
    """What is wrong with a tool's residuals, in units of their bounds, or ''."""
    if not (worst <= 1).all():
        return f"its largest residual is {np.max(worst):.3g} bounds, must be at most 1"
    if not (worst > 0).any():
        return "its residual is zero in every lane: it was not computed"
    off = np.abs(flawed - known.flawed)
    over = known.fixed & ~(off <= 2 + FLAW * known.flawed)  # (2)
    if over.any():
        at = int(np.argmax(over))
        return (
            f"with a wrong momentum its residual is {flawed[at]:.6g} bounds in a lane, the numpy screen's "
            f"{known.flawed[at]:.6g}"
        )
    if not (known.flawed > 16)[known.fixed].any():
        return "a wrong momentum shows in no lane of the sample: nothing was decided"
    return ""
