"""Trajectories that nothing breaks: eps^ of each, and what its roundings make of it (theory.md#E4)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from noether.cases.case import linear
from noether.cases.losses.mexican_hat import mexican_hat
from noether.cases.rules import HEAVY_BALL
from noether.kernels.loops import launch
from noether.kernels.programs import trace
from noether.kernels.programs.precision import parse, representable
from noether.laws.exact import act, dot
from noether.laws.response import rounding
from noether.laws.response.estimate import Estimate, least_squares, robust

D, ETA, BETA, STEPS, KICK = 8, 2.0**-7, 0.9, 1000, 0.02
SIGMAS = 3.0
CHUNK, BLOCK = 256, 128  # lanes of one launch, 33 MB of float64 states, and of one A
FOLLOWED = 8  # lanes of each A whose roundings are followed; half of them where there are many A
GROUPS = 64
POOLED, FEW, SOON = 4096, 122, 120


def first(q, xp):
    return q[0]


HAT = replace(mexican_hat(D), breaking=first)


def antisymmetric(seed: int, number: int):
    """One of the A with |A|_2 = 1: a block of lanes has its own, for the limit depends on how A turns q_1."""
    M = np.random.default_rng([seed, number]).standard_normal((D, D))
    return linear((M - M.T) / np.linalg.norm(M - M.T, 2), "rotation")


def job_of(precision: str, lanes: int, steps: int, seed: int) -> launch.Job:
    """The set-up, started in the store's own numbers."""
    p, rng = parse(precision), np.random.default_rng(seed)
    q = rng.standard_normal((D, lanes))
    q = q / np.linalg.norm(q, axis=0) * rng.uniform(0.7, 1.3, lanes)
    q, v = representable(q, p.q_store), representable(KICK * rng.standard_normal(q.shape), p.v_store)
    params = np.repeat(np.array([[ETA], [BETA], [0.0], [0.0]]), lanes, axis=1)
    return launch.Job(trace.gradient(HAT), HEAVY_BALL, p, q, v, representable(params, p.arith), steps)


def part(job: launch.Job, lanes: slice) -> launch.Job:
    return replace(job, q0=job.q0[:, lanes], v0=job.v0[:, lanes], params=job.params[:, lanes])


def balance(symmetry, params, q, v, *, is_wide: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """x, y (steps, lanes) of y = eps x + r for q, v (steps + 1, d, lanes) float64, by (1)."""
    wide = np.longdouble if is_wide else float  # two float32 numbers have an exact product in float64
    A = symmetry.matrix
    at = A @ q[:-1]
    change = (v[1:] - params[1].astype(wide) * v[:-1].astype(wide)).astype(float)
    y = (change * at).sum(axis=1) + (v[1:] * (A @ (q[1:] - q[:-1]))).sum(axis=1)
    return -params[0] * at[:, 0], y


def balance_wide(symmetry, params, q, v) -> tuple[np.ndarray, np.ndarray]:
    """The same in 64 bits: what (1) leaves in float64 is a tenth of the scatter, too much where its width is
    judged."""
    q, v = q.astype(np.longdouble), v.astype(np.longdouble)
    at, moved = act(symmetry.matrix, q[:-1]), act(symmetry.matrix, q[1:] - q[:-1])
    y = dot(v[1:] - params[1].astype(np.longdouble) * v[:-1], at) + dot(v[1:], moved)
    return (-params[0] * at[:, 0]).astype(float), y.astype(float)


@dataclass
class Found:
    """eps^ and sum x^2 of every lane; sd, as rounding.py has it, and sum x^2 of those whose roundings are
    followed."""

    value: np.ndarray
    weight: np.ndarray
    sd: np.ndarray
    followed: np.ndarray
    backend: str
    shift: np.ndarray
    steps: list[Estimate]

    @property
    def chance(self) -> np.ndarray:
        """sd of the lanes whose roundings are followed, were all of them chance: what a store that truncates
        is judged by."""
        out = []
        for x, _, scatter in (f.steps for f in self.steps):
            every = replace(scatter, variance=scatter.variance + scatter.store)
            out.append(np.sqrt(every.of_sum(x)[0]) / (x * x).sum(axis=0))
        return np.concatenate(out)


def measure(
    job: launch.Job, seed: int, backend: str, claimed=None, run=launch.run, every: bool = False
) -> Found:
    """claimed  the precision that the error bars believe, where it is not the job's;  every  lane's roundings
    are followed."""
    block = min(BLOCK, max(FOLLOWED, job.lanes // 16))
    few = block if every else FOLLOWED if job.lanes <= FEW else FOLLOWED // 2
    estimates, followed, is_wide = [], [], job.precision.arith == "float64"
    for begin in range(0, job.lanes, CHUNK):
        some = part(job, slice(begin, begin + CHUNK))
        outcome = run(some, backend)
        states = outcome.wide()
        for at in range(0, some.lanes, block):
            q, v = (x[..., at : at + block] for x in states)
            symmetry, params = antisymmetric(seed, begin + at), some.params[:, at : at + block]
            x, y = balance(symmetry, params, q, v, is_wide=is_wide)
            estimates.append(least_squares(x, y))
            q, v, params = (z[..., :few] for z in (q, v, params))
            if is_wide:
                x, y = balance_wide(symmetry, params, q, v)
            scatter = rounding.scatter(job.program, claimed or job.precision, params, q, v, symmetry)
            followed.append(Estimate.fitted(x[:, :few], y[:, :few], scatter))
    value, weight = np.concatenate(estimates, axis=1)
    sd, weights, shift = (
        np.concatenate([getattr(f, name) for f in followed]) for name in ("sd", "weight", "shift")
    )
    return Found(value, weight, sd, weights, outcome.backend, shift, followed)


def pooled(found: Found) -> dict:
    """All lanes as one: estimate, its deviation measured on groups and predicted, and the bias that does not
    average out."""
    x2 = found.weight
    groups = [(found.value[k::GROUPS] * x2[k::GROUPS]).sum() / x2[k::GROUPS].sum() for k in range(GROUPS)]
    value = float((found.value * x2).sum() / x2.sum())
    deviation = robust(np.array(groups) - value) / np.sqrt(GROUPS - 1)
    predicted = pool_deviation(found)
    return {
        "value": value,
        "deviation": deviation,
        "predicted": predicted,
        "limit": SIGMAS * deviation + (abs(value) if abs(value) > 6 * deviation else 0.0),
    }


def pool_deviation(found: Found) -> float:
    """Predicted, of all lanes as one."""
    variance = np.mean((found.followed * found.chance) ** 2) / len(found.weight)
    return float(np.sqrt(variance) / np.mean(found.followed))
