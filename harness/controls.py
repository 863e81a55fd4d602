"""Near-miss controls: kernels that are almost right, and laws that are almost right. Each must be killed.

A kernel control runs a wrong trajectory, in numpy, and hands it to the laws as if it were the declared one. A
law control judges a right trajectory by a wrong law. None of them touches the kernels that are under test.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from cases.case import Case
from harness import trace
from harness.trajectory import Trajectory
from kernels.launch import WARPS, Job, Outcome, run
from kernels.precision import Precision, narrow, representable
from kernels.rules import HEAVY_BALL, HEAVY_BALL_DECOUPLED
from kernels.step import step

NEAR = 1 + 2.0**-10


@dataclass(frozen=True)
class KernelControl:
    """name; applies(job) -> bool; outcome(case, job) -> q, v widened to float64, wrong by one thing."""

    name: str
    applies: Callable
    outcome: Callable


def widened(outcome: Outcome):
    return outcome.wide()


def scaled(row: int, factor: float):
    def outcome(case: Case, job: Job):
        params = job.params.copy()
        params[row] *= factor
        return widened(run(replace(job, params=params), "numpy"))

    return outcome


@cache
def changed_program(case: Case, kind: str):
    totals = {
        "twice": lambda q, eps, xp: 2 * case.total(q, eps, xp),
        "near": lambda q, eps, xp: NEAR * case.total(q, eps, xp),
        "ascent": lambda q, eps, xp: -case.total(q, eps, xp),
        "unbroken": lambda q, eps, xp: case.loss(q, xp),
    }

    def other(q, eps, xp):
        """f + f^2/2 has every symmetry that f has."""
        f = case.loss(q, xp)
        return f + f * f / 2 + eps * case.breaking(q, xp)

    return trace.gradient_program(case.dim, {**totals, "other": other}[kind])


def program(kind: str):
    return lambda case, job: widened(run(replace(job, program=changed_program(case, kind)), "numpy"))


def swapped_decay(case: Case, job: Job):
    rule = HEAVY_BALL if job.rule.decoupled else HEAVY_BALL_DECOUPLED
    return widened(run(replace(job, rule=rule), "numpy"))


def stepping(advance):
    """The launch with another step, as kernels.step.advanced."""
    return lambda case, job: widened(run(job, "numpy", advance))


def frozen(n, q, v, *about):
    return q, [np.zeros_like(x) for x in v]


def decay_after(n, q, v, params, gradient, rule, precision):
    """q' = (q + v')(1 - eta k), where v' has no decay."""
    eta, beta, k, eps = params
    q, w = step(q, v, (eta, beta, 0 * k, eps), gradient, rule, precision)
    return [narrow(x - eta * k * x, precision.q_store) for x in q], w


def truncating(n, *state):
    return step(*state, store=truncate)


def truncate(x: np.ndarray, kind: str) -> np.ndarray:
    """A bfloat16 store that drops the low bits instead of rounding them."""
    if kind != "bfloat16":
        return x
    return (x.view(np.uint32) & np.uint32(0xFFFF0000)).view(np.float32)


def float32_step(case: Case, job: Job):
    params = job.params.copy()
    params[0] = representable(params[0], "float32")
    return widened(run(replace(job, params=params), "numpy"))


def narrowed_momentum(case: Case, job: Job):
    stored = Precision(job.precision.name, "stored")
    v0 = representable(job.v0, stored.v_store)
    return widened(run(replace(job, precision=stored, v0=v0), "numpy"))


def tail_unwritten(case: Case, job: Job):
    q, v = widened(run(job, "numpy"))
    block = 32 * WARPS
    tail = job.lanes - job.lanes % block if job.lanes % block else job.lanes - 1
    q[1:, :, tail:], v[1:, :, tail:] = np.nan, np.nan  # what the watermark reads as
    return q, v


def one_lane_wrong(case: Case, job: Job):
    q, v = widened(run(job, "numpy"))
    q[-1, -1, job.lanes // 3] *= 1 + 64 * job.precision.u_q
    return q, v


def one_lane_nan(case: Case, job: Job):
    q, v = widened(run(job, "numpy"))
    q[job.steps // 2 :, 0, job.lanes // 2] = np.nan
    return q, v


def always(job: Job) -> bool:
    return True


def on(**wanted) -> Callable:
    """applies when the job's rule or precision has these properties."""

    def applies(job: Job) -> bool:
        facts = {
            "momentum": job.rule.momentum, "decays": job.rule.decay != "none" and bool(job.params[2].any()), "decay": job.rule.decay,
            "precision": job.precision.name, "mode": job.precision.mode, "wide": job.lanes >= 10_000,
            "breaks": bool(job.params[3].any()),
        }  # fmt: skip
        return all(facts[key] == value for key, value in wanted.items())

    return applies


KERNEL_CONTROLS: tuple[KernelControl, ...] = (
    KernelControl("no-op kernel", always, stepping(frozen)),
    KernelControl("gradient x 2", always, program("twice")),
    KernelControl("gradient x (1 + 2^-10)", always, program("near")),
    KernelControl("ascent", always, program("ascent")),
    KernelControl("another loss, same symmetry", always, program("other")),
    KernelControl("breaking term ignored", on(breaks=True), program("unbroken")),
    KernelControl("eta x (1 + 2^-10)", always, scaled(0, NEAR)),
    KernelControl("beta x (1 + 2^-10)", on(momentum=True), scaled(1, NEAR)),
    KernelControl("k off by 1 %", on(decays=True), scaled(2, 1.01)),
    KernelControl("decay coupled for decoupled", on(decays=True, decay="decoupled"), swapped_decay),
    KernelControl("decay decoupled for coupled", on(decays=True, decay="coupled", momentum=True), swapped_decay),
    KernelControl("decay applied after the step", on(decays=True, decay="coupled"), stepping(decay_after)),
    KernelControl("eta as float32", on(precision="float64"), float32_step),
    KernelControl("bfloat16 store truncated", on(precision="bfloat16"), stepping(truncating)),
    KernelControl("momentum narrowed to the store", on(mode="mixed", momentum=True), narrowed_momentum),
    KernelControl("tail lanes not written", always, tail_unwritten),
    KernelControl("one lane in 10^4, last component", on(wide=True), one_lane_wrong),
    KernelControl("NaN in one lane", always, one_lane_nan),
)


LANEWISE = ("tail lanes not written", "one lane in 10^4, last component", "NaN in one lane")
"""What a wide launch is for; the other controls are as visible on 61 lanes."""


def controlled(case: Case, job: Job, control: KernelControl) -> Trajectory:
    """The wrong trajectory, presented as the declared one."""
    q, v = control.outcome(case, job)
    return Trajectory(case, job.rule, job.precision, q, v, job.params)


LAW_CONTROLS: tuple[tuple[str, str, dict], ...] = (
    ("dropped kinetic term", "D2", {"kinetic": 0.0}),
    ("dropped kinetic term", "D4", {"kinetic": 0.0}),
    ("doubled kinetic term", "D2", {"kinetic": 2.0}),
    ("mass eta/2 for eta(1+beta)/2", "D4", {"mass": 0.5}),
)
