"""Faults of single rules: a schedule misread, a sign left out, a simplex that is left.

scheduled      v' = beta v - eta (g + k q),  q' = q + c v'
sign descent   v' = -eta sign(g)
simplex        z' = y - log sum exp y,  y = z - eta g
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from noether.cases.rules.gradient_descent import GRADIENT_DESCENT
from noether.cases.rules.heavy_ball import HEAVY_BALL
from noether.cases.rules.heavy_ball_scheduled import WARMUP
from noether.cases.rules.mirror_descent import MIRROR_DESCENT
from noether.faults.fault import Fault, on, pulled
from noether.faults.options import IGNORED, under
from noether.kernels.programs.numpy_step import step
from noether.kernels.programs.precision import narrow

SCHEDULE, SIGN, SIMPLEX = "schedule", "force without its sign", "simplex"
SCHEDULED, SIGNED = on(rule="heavy-ball-scheduled"), on(rule="sign-descent")
NORMALISED = on(rule="exponentiated-gradient")


def timed(other):
    """A launch whose step n knows of its number what step other(n) knows, where there is one."""

    def alter(case, job):
        steps = [max(1, other(n)) for n in range(job.begun + 1, job.begun + job.steps + 1)]
        known = [job.rule.known_numbers(job.params, 1, n - 1)[0] for n in steps]
        return replace(job, timing=np.stack(known))

    return alter


def inside_the_buffer(n, q, v, params, gradient, rule, precision):
    """A step v' = beta v - c eta (g + k q), q' = q + v': the displacement form without its ratio c / c_(n-1)
    on beta."""
    eta = params[0] * params[rule.index("c")]
    return step(q, v, [eta, *params[1:4]], gradient, HEAVY_BALL, precision)


def of_unit_length(gradient, at, eps, params, n):
    """The force g / |g|."""
    g = gradient(at, eps)
    length = np.sqrt(sum(x * x for x in g))
    return [x / np.where(length > 0, length, 1) for x in g]


def plain_force(change):
    """The step of gradient descent without decay, under another force."""
    wrong = pulled(change)
    return lambda n, q, v, params, gradient, rule, precision: wrong(
        n, q, v, [*params[:2], 0 * params[2], params[3]], gradient, GRADIENT_DESCENT, precision
    )


def by_the_largest(n, q, v, params, gradient, rule, precision):
    """A step z' = y - max y, which is a sum of one term for log sum exp."""
    y, w = step(q, v, params, gradient, MIRROR_DESCENT, precision)
    top = np.max(np.stack(y), axis=0)
    return [narrow(x - top, precision.q_store) for x in y], w


FAULTS = (
    Fault("schedule ignored", IGNORED, "c = 1", applies=SCHEDULED, alter=under(HEAVY_BALL)),
    Fault(
        "schedule one step late",
        SCHEDULE,
        "the rate of the step before",
        applies=SCHEDULED,
        alter=timed(lambda n: n - 1),
    ),
    Fault(
        "schedule one step early",
        SCHEDULE,
        "the rate of the next step",
        applies=SCHEDULED,
        alter=timed(lambda n: n + 1),
    ),
    Fault(
        "schedule without its warm-up",
        SCHEDULE,
        "c = 1 until it is halved",
        applies=SCHEDULED,
        alter=timed(lambda n: max(WARMUP, n)),
    ),
    Fault(
        "schedule inside the buffer",
        SCHEDULE,
        "beta v - c eta g, its ratio of rates left out",
        applies=SCHEDULED,
        advance=inside_the_buffer,
    ),
    Fault(
        "sign ignored",
        SIGN,
        "v' = -eta g",
        applies=SIGNED,
        advance=plain_force(lambda gradient, at, eps, params, n: gradient(at, eps)),
    ),
    Fault("length for sign", SIGN, "v' = -eta g/|g|", applies=SIGNED, advance=plain_force(of_unit_length)),
    Fault(
        "normalisation left out", SIMPLEX, "z' = z - eta g", applies=NORMALISED, alter=under(MIRROR_DESCENT)
    ),
    Fault(
        "normalised by the largest alone",
        SIMPLEX,
        "max y for log sum exp y",
        applies=NORMALISED,
        advance=by_the_largest,
    ),
)
