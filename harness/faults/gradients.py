"""Faults of the gradient: of nearly the right loss, of nearly the right breaking, or with the wrong
metric."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

from noether.cases.case import Case
from noether.faults.fault import HISTORY, NEAR, Fault, added, on, pulled, remembered, rolled
from noether.kernels.loops.launch import Job
from noether.kernels.programs import trace
from noether.kernels.programs.numpy_step import step
from noether.kernels.programs.precision import narrow
from noether.kernels.programs.program import Program

NEARBY, BREAKING, METRIC = "gradient of a nearby loss", "eps at the wrong time", "wrong metric"


@cache
def other_program(case: Case) -> Program:
    """The gradient of f + f^2/2, which has every symmetry that f has."""

    def total(q, eps, xp):
        f = case.loss(q, xp)
        return f + f * f / 2 + eps * case.breaking(q, xp)

    return trace.gradient_of(case.dim, total)


@cache
def far_program(case: Case) -> Program:
    """The gradient of f(q) + q_0^2/64: a term without any symmetry, outside eps."""
    return trace.gradient_of(case.dim, lambda q, eps, xp: case.total(q, eps, xp) + q[0] * q[0] / 64)


@cache
def detuned(case: Case) -> Program:
    """The program with every constant times 1 + 2^-10 but powers of two, which are rather exponents."""
    right = trace.gradient(case)
    return Program(
        right.dim,
        tuple(
            replace(op, value=op.value * NEAR) if op.name == "const" and constant(op.value) else op
            for op in right.ops
        ),
        right.outputs,
    )


def constant(value: float) -> bool:
    return value not in (0.0, 1.0, -1.0, 2.0, -2.0, 0.5)


@cache
def term_missing(case: Case) -> Program:
    """The program whose last addition lacks its second term."""
    right = trace.gradient(case)
    last = max(i for i, op in enumerate(right.ops) if op.name == "add")
    kept = right.ops[last].args[0]
    ops = tuple(replace(op, args=tuple(kept if a == last else a for a in op.args)) for op in right.ops)
    return Program(right.dim, ops, tuple(kept if o == last else o for o in right.outputs))


def running(program):
    return lambda case, job: replace(job, program=program(case))


def has_constants(job: Job) -> bool:
    return any(op.name == "const" and constant(op.value) for op in job.program.ops)


def broken_part(gradient, at, eps):
    """The part eps grad b of a gradient, by difference."""
    return [a - b for a, b in zip(gradient(at, eps), gradient(at, 0 * eps), strict=True)]


def stale_breaking(past, n, q, v, params, gradient, rule, precision):
    """A step with grad f0(q_n) + eps grad b(q_{n-1})."""
    if not past:
        return step(q, v, params, gradient, rule, precision)
    old = past[-1][0]

    def wrong(at, eps):
        there = [x * np.exp(b - a) for x, a, b in zip(at, q, old, strict=True)] if rule.log_state else old
        return added(gradient(at, 0 * eps), broken_part(gradient, there, eps))

    return step(q, v, params, wrong, rule, precision)


def every_other(gradient, at, eps, params, n):
    return gradient(at, eps if n % 2 else 0 * eps)


def wrong_component(gradient, at, eps, params, n):
    return added(gradient(at, 0 * eps), rolled(broken_part(gradient, at, eps)))


def without_exp(n, q, v, params, gradient, rule, precision):
    """A step whose gradient is taken at z, the stored logarithm, and not at exp z."""
    return step(q, v, params, lambda at, eps: gradient(q, eps), rule, precision)


def measured_in(factor):
    """A step with v' = -eta factor(q) g: the inverse of another metric."""
    return pulled(
        lambda gradient, at, eps, params, n: [
            factor(x) * g for x, g in zip(at, gradient(at, eps), strict=True)
        ]
    )


def euclidean_step(n, q, v, params, gradient, rule, precision):
    """A step z' = log(q + v'), that of h = |q|^2/2 for the entropy."""
    _, w = step(q, v, params, gradient, rule, precision)
    return [
        narrow(np.log(np.maximum(np.exp(z) + x, np.finfo(z.dtype).tiny)), precision.q_store)
        for z, x in zip(q, w, strict=True)
    ], w


MIRROR = on(log_state=True)
FAULTS = (
    Fault(
        "another loss, same symmetry", NEARBY, "f + f^2/2 for f", alter=running(other_program), size_only=True
    ),
    Fault("another loss without the symmetry", NEARBY, "f + q_0^2/64 for f", alter=running(far_program)),
    Fault(
        "constants x (1 + 2^-10)",
        NEARBY,
        "every constant of the loss",
        applies=has_constants,
        alter=running(detuned),
        size_only=True,
    ),
    Fault(
        "one term of the gradient missing", NEARBY, "the last sum loses a term", alter=running(term_missing)
    ),
    Fault(
        "breaking term of the last position",
        BREAKING,
        "eps grad b(q_(n-1))",
        applies=on(breaks=True),
        remembering=remembered(stale_breaking),
        when=HISTORY,
        size_only=True,
    ),
    Fault(
        "breaking term every other step",
        BREAKING,
        "eps at odd n only",
        applies=on(breaks=True),
        advance=pulled(every_other),
        when=HISTORY,
    ),
    Fault(
        "breaking term in the wrong component",
        BREAKING,
        "eps (grad b)_(i+1)",
        applies=on(breaks=True),
        advance=pulled(wrong_component),
    ),
    Fault(
        "gradient at the stored logarithm", METRIC, "g(z) for g(exp z)", applies=MIRROR, advance=without_exp
    ),
    Fault(
        "gradient in the metric of log q",
        METRIC,
        "q g for g: h = (log q)^2/2",
        applies=MIRROR,
        advance=measured_in(lambda x: x),
    ),
    Fault(
        "gradient in the metric of 1/q",
        METRIC,
        "g/q for g",
        applies=MIRROR,
        advance=measured_in(lambda x: 1 / x),
    ),
    Fault(
        "step in q, not in log q",
        METRIC,
        "h = |q|^2/2 for the entropy",
        applies=MIRROR,
        advance=euclidean_step,
    ),
    Fault(
        "metric off by 2^-10",
        METRIC,
        "(1 + 2^-10) h for h",
        applies=MIRROR,
        advance=measured_in(lambda x: x.dtype.type(NEAR)),
    ),
)
