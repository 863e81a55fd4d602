"""The lanes of a launch, drawn from one seed: starts, kicks, step sizes, momenta, decays, breaking
magnitudes.

A case that gives no pace gets the largest power of two, at most 1, with which the largest step of a launch is
inside the stable range of every rule, by a quarter at least (Nesterov's edge is 2 (1+beta)/((1+2 beta) L),
4/(3 L) at beta near 1):

    largest step x L <= 1,   L the curvature on the box, largest breaking and decay included              (1)
"""

from __future__ import annotations

from functools import cache
from types import SimpleNamespace

import numpy as np

from noether.cases.case import Case
from noether.cases.rule import Rule
from noether.kernels.loops.launch import Job
from noether.kernels.programs import trace
from noether.kernels.programs.plain_numbers import FUNCTIONS_OF_ARRAYS
from noether.kernels.programs.precision import Precision, representable
from noether.mechanics.own_units import narrowed
from noether.mechanics.stiffness import step_curvature

# Narrow stores move only when a step is larger than their rounding: larger steps, shorter horizons.
STEP_EXPONENTS = {"float64": (3, 7), "float32": (3, 6), "float16": (2, 4), "bfloat16": (1, 3)}
HORIZON = {"float64": 96, "float32": 96, "float16": 32, "bfloat16": 16}
# The horizon of a rule that maximises: a quartic loss soon overflows.
ASCENT = {"float64": 6, "float32": 6, "float16": 4, "bfloat16": 4}
KICK = {"float64": 1.0, "float32": 1.0, "float16": 2.0, "bfloat16": 4.0}
WIDE_LANES = 10_007  # prime, so the last block has a tail
DECADES = 14
STEP_SPREAD = 0.25
LARGEST_EPS, DECAYS = 0.5, (0.0, 0.01, 0.1)
INTO = 4.0
"""Decay times the size of the box, where decoupled decay draws a bounded step into a ball: a quarter of the
box."""
LEAST_STEP = 2.0**-10
"""Step size times curvature below which no launch moves much: a bfloat16 number of the loss's own size moves
by less than its rounding."""
FLAT = (
    "on so flat a loss they change little, and some statements stay undecided; multiply the loss, or give a "
    "pace, so that step times curvature is nearer to 1"
)


def horizon(rule: Rule, precision: Precision) -> int:
    """The number of steps of a launch for which none was asked."""
    return (ASCENT if rule.maximize else HORIZON)[precision.name]


@cache
def pace(case: Case) -> float:
    """The case's own pace, or that of (1): every step size is a multiple of it."""
    if case.pace is not None:
        return case.pace
    L = max(step_curvature(case, eps) for eps in (0.0, LARGEST_EPS)) + max(DECAYS)
    if not np.isfinite(L):
        return 1.0  # nothing to derive it from
    return 2.0 ** min(0, int(np.floor(-np.log2(largest_step() * L))))


def largest_step() -> float:
    """The largest step size of a launch over its pace, in any precision."""
    return 2.0 ** -min(low for low, _ in STEP_EXPONENTS.values()) * (1 + STEP_SPREAD)


def told(case: Case) -> str:
    """The note about step sizes for whoever wrote a case; '' where there is nothing to say."""
    L, most = step_curvature(case), largest_step() * pace(case)
    if case.pace is None:
        said = (
            f"case {case.name} gives no pace: its largest curvature on the box is {L:.3g}, so pace = "
            f"{pace(case)!r} and steps are at most {most:.3g}"
        )
        return said + f": {FLAT}" * bool(0 < most * L < LEAST_STEP)
    if most * L > 2:
        return (
            f"case {case.name}: pace = {case.pace!r} has steps up to {most:.3g}, and on the box gradient "
            f"descent is unstable from {2 / L:.3g} on: what overflows is outside, and a smaller pace, or "
            "none, shows more"
        )
    return ""


def draw(
    case: Case, rule: Rule, precision: Precision, *, lanes: int, steps: int, seed: int, overrides=None
) -> Job:
    """A launch of `lanes` random trajectories.

    eta = pace 2^-j (1 + r) with j from STEP_EXPONENTS and r in [0, 1/4): not representable in a narrower
    type, so a demoted step size shows. A third of the lanes has no decay; half have eps = 0, the others eps
    over DECADES decades. A metric is deformed by kappa from 1/4 to 1. Starts are made in their own precision
    first and then widened.

    overrides  name of a parameter -> the number that replaces what was drawn
    """
    rng = np.random.default_rng(seed)
    low, high = STEP_EXPONENTS[precision.name]
    q0 = case.draw(rng, lanes)
    spread = narrowed(case, np.array(case.box, float).max() - np.array(case.box, float).min())[:, None]
    v0 = case.kick * spread * KICK[precision.name] * rng.standard_normal(q0.shape)
    if rule.log_state:
        q0, v0 = np.log(q0), np.zeros_like(v0)
    if not rule.momentum:
        v0 = np.zeros_like(v0)
    eta = pace(case) * 2.0 ** -rng.integers(low, high + 1, lanes) * (1 + STEP_SPREAD * rng.random(lanes))
    beta = rng.choice([0.5, 0.875, 0.9, 0.95, 0.99], lanes)
    k = rng.choice(DECAYS, lanes)
    if rule.bounded and rule.decoupled:  # two thirds of the lanes are drawn in, and none beyond the centre
        most = np.abs(np.array(case.box, float)).max()
        k = np.minimum(np.array([0, INTO, INTO / 2])[np.searchsorted(DECAYS, k)] / most, 1 / (2 * eta))
    eps = np.where(rng.random(lanes) < 0.5, 0.0, LARGEST_EPS * 10.0 ** -rng.uniform(0, DECADES, lanes))
    if rule.bounded and rule.bounded.cold:  # some start from rest, of those that break the symmetry
        v0[:, (eps > 0) & (np.arange(lanes) % 2 == 0)] = 0
    v0 = warmed(rule, v0)
    columns = {"eta": eta, "beta": beta, "k": k, "eps": eps, "kappa": rng.uniform(0.25, 1, lanes)}
    columns |= {x.name: x.draw(rng, lanes) for x in rule.extra}
    for name, values in (overrides or {}).items():
        columns[name][:] = values
    if rule.signed:  # on both sides of every change of sign
        q0 = q0 * rng.choice([-1.0, 1.0], q0.shape)
    params = representable(np.array([columns[name] for name in rule.parameters]), precision.arith)
    start, kick = representable(q0, precision.q_store), representable(v0, precision.v_store)
    program, metric = trace.gradient(case), trace.metric(case, rule)
    return Job(program, rule, precision, start, kick, params, steps, metric=metric)


def started(rule: Rule, kick: np.ndarray) -> np.ndarray:
    """The start of all buffers, (buffers d, lanes): the kick (d, lanes) in the covector of the charge, or in
    the first one, and 0 in the others."""
    return beside(rule, kick, dict.fromkeys(rule.buffers, np.zeros_like(kick)))


def warmed(rule: Rule, kick: np.ndarray) -> np.ndarray:
    """The same with what a force of the size of the kick has left in the others, where there is a kick.

    A second moment of 0 beside a momentum stands for no run: the first step would be the kick over a
    stability, and leaves the domain on the spot.
    """
    alone = len(rule.buffers) == 1 or not kick.any()
    return started(rule, kick) if alone else beside(rule, kick, left_by(rule, kick))


def beside(rule: Rule, kick: np.ndarray, others: dict[str, np.ndarray]) -> np.ndarray:
    """All buffers, one after the other: the kick, and the others by name."""
    parts = [kick if i == first(rule) else others[name] for i, name in enumerate(rule.buffers)]
    return np.concatenate(parts)


def first(rule: Rule) -> int:
    """The position of the buffer that a kick goes into."""
    return rule.buffers.index(rule.covector.buffer) if rule.covector else 0


def left_by(rule: Rule, force: np.ndarray) -> dict[str, np.ndarray]:
    """What one step under a force (d, lanes) leaves in each buffer, where nothing is remembered of before."""
    rows = {x.name: np.full(force.shape[1], x.draw(np.random.default_rng(0), 1)[0]) for x in rule.extra}
    rows = (
        dict.fromkeys(rule.parameters, np.zeros(force.shape[1])) | rows | {"beta2": np.zeros(force.shape[1])}
    )
    p = SimpleNamespace(**rows)
    vars(p).update(rule.known(1, p) if rule.known else {})
    nothing = [0 * x for x in force]
    with np.errstate(all="ignore"):  # of the position, which nobody reads
        new = rule.update(nothing, [nothing for _ in rule.buffers], list(force), p, UNSTORED)[1]
    there = force != 0
    return {name: np.where(there, np.stack(x), 0) for name, x in zip(rule.buffers, new, strict=True)}


UNSTORED = SimpleNamespace(
    **vars(FUNCTIONS_OF_ARRAYS) | dict.fromkeys(("store", "store_buffer"), lambda x: x)
)
"""A rule's namespace of functions, on arrays of which nothing is rounded to a store."""
