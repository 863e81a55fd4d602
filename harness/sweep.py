"""Which lanes a launch has: starts, kicks, step sizes, momenta, decays, breaking magnitudes, from one seed."""

from __future__ import annotations

import numpy as np

from cases.case import Case
from harness import trace
from kernels.launch import Job
from kernels.precision import Precision, representable
from kernels.rules import Rule

# Narrow stores move only when a step is larger than their rounding: larger steps, shorter horizons.
STEP_EXPONENTS = {"float64": (3, 7), "float32": (3, 6), "float16": (2, 4), "bfloat16": (1, 3)}
HORIZON = {"float64": 96, "float32": 96, "float16": 32, "bfloat16": 16}
ASCENT = {"float64": 6, "float32": 6, "float16": 4, "bfloat16": 4}  # horizon of a rule that maximises: a quartic loss soon overflows
KICK = {"float64": 1.0, "float32": 1.0, "float16": 2.0, "bfloat16": 4.0}
WIDE_LANES = 10_007  # prime, so the last block has a tail
DECADES = 14


def horizon(rule: Rule, precision: Precision) -> int:
    """Steps of a launch that names none."""
    return (ASCENT if rule.maximize else HORIZON)[precision.name]


def draw(case: Case, rule: Rule, precision: Precision, *, lanes: int, steps: int, seed: int, overrides: dict | None = None) -> Job:
    """A launch of `lanes` random trajectories.

    eta = 2^-j (1 + r) with j from STEP_EXPONENTS and r in [0, 1/4): not representable in a narrower type, so a demoted
    step size shows. A third of the lanes has no decay; half have eps = 0, the others eps over DECADES decades. A metric is
    deformed by kappa from 1/4 to 1.
    Starts are made in their own precision first and then widened.
    """
    rng = np.random.default_rng(seed)
    low, high = STEP_EXPONENTS[precision.name]
    q0 = case.draw(rng, lanes)
    spread = np.array(case.box, float).max() - np.array(case.box, float).min()
    v0 = case.kick * spread * KICK[precision.name] * rng.standard_normal(q0.shape)
    if rule.log_state:
        q0, v0 = np.log(q0), np.zeros_like(v0)
    if not rule.momentum:
        v0 = np.zeros_like(v0)
    eta = case.pace * 2.0 ** -rng.integers(low, high + 1, lanes) * (1 + rng.random(lanes) / 4)
    beta = rng.choice([0.5, 0.875, 0.9, 0.95, 0.99], lanes)
    k = rng.choice([0.0, 0.01, 0.1], lanes)
    eps = np.where(rng.random(lanes) < 0.5, 0.0, 0.5 * 10.0 ** -rng.uniform(0, DECADES, lanes))
    columns = {"eta": eta, "beta": beta, "k": k, "eps": eps, "kappa": rng.uniform(0.25, 1, lanes)}
    for name, values in (overrides or {}).items():
        columns[name][:] = values
    if rule.signed:  # on both sides of every change of sign
        q0 = q0 * rng.choice([-1.0, 1.0], q0.shape)
    params = representable(np.array([columns[name] for name in rule.parameters]), precision.arith)
    start, kick = representable(q0, precision.q_store), representable(v0, precision.v_store)
    return Job(trace.gradient(case), rule, precision, start, kick, params, steps, metric=trace.metric(case, rule))
