"""Faults of options: decay, dampening, Nesterov, maximize, done wrongly, left out, or done when not asked
for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from noether.cases.rules.heavy_ball import HEAVY_BALL
from noether.cases.rules.heavy_ball_dampened import TAU
from noether.faults.fault import FIRST, HISTORY, Fault, given, moved, on, remembered
from noether.kernels.programs.numpy_step import step
from noether.kernels.programs.plain_numbers import rounding
from noether.kernels.programs.precision import narrow

DECAY, IGNORED, UNASKED = "decay", "ignored option", "unasked option"
COUPLED, DECOUPLED = on(decays=True, decay="coupled"), on(decays=True, decay="decoupled")


def under(rule):
    """The launch run under another rule with the same parameters."""
    return lambda case, job: replace(job, rule=rule)


def decay_after(n, q, v, params, gradient, rule, precision):
    """A step q' = (q + v')(1 - eta k), where v' has no decay."""
    eta, _, k = params[:3]
    q, w = step(q, v, without_decay(params), gradient, rule, precision)
    return [narrow(x - eta * k * x, precision.q_store) for x in q], w


def without_decay(params):
    """The parameters of a step with k = 0."""
    return [*params[:2], 0 * params[2], *params[3:]]


def coupled(n, q, v, params, gradient, rule, precision):
    """The step with decay in the force, of a rule that has it beside."""
    rounded, k = rounding(precision), params[2]
    force = lambda at, eps: [rounded(g + rounded(k * x)) for g, x in zip(gradient(at, eps), at, strict=True)]
    return step(q, v, without_decay(params), force, rule, precision)


def decoupled(n, q, v, params, gradient, rule, precision):
    """The step with decay beside the force, of a rule that has it there: from q - eta k q, with g(q)."""
    rounded, (eta, _, k) = rounding(precision), params[:3]
    rate = rounded(eta * k)
    beside = [rounded(x - rounded(rate * x)) for x in q]
    return step(beside, v, without_decay(params), lambda at, eps: gradient(q, eps), rule, precision)


def constant_decay(n, q, v, params, gradient, rule, precision):
    """A step with k for k q."""
    eta, _, k = params[:3]
    if rule.decoupled:
        q, w = step(q, v, without_decay(params), gradient, rule, precision)
        return [narrow(x - eta * k, precision.q_store) for x in q], w
    return step(
        q, v, without_decay(params), lambda at, eps: [g + k for g in gradient(at, eps)], rule, precision
    )


def both_ways(n, q, v, params, gradient, rule, precision):
    """A step with coupled and decoupled decay at once."""
    eta, _, k = params[:3]
    if rule.decoupled:
        coupled = lambda at, eps: [g + k * x for g, x in zip(gradient(at, eps), at, strict=True)]
        return step(q, v, params, coupled, rule, precision)
    new, w = step(q, v, params, gradient, rule, precision)
    return [narrow(y - eta * k * x, precision.q_store) for x, y in zip(q, new, strict=True)], w


def decay_of_the_buffer(n, q, v, params, gradient, rule, precision):
    """A step with k v for k q."""
    k, mine = params[2], v[charged(rule, len(q))]
    wrong = lambda at, eps: [g + k * x for g, x in zip(gradient(at, eps), mine, strict=True)]
    return step(q, v, without_decay(params), wrong, rule, precision)


def last_decay(past, n, q, v, params, gradient, rule, precision):
    """A step with k q_{n-1} for k q."""
    k, old = params[2], past[-1][0] if past else q
    late = lambda at, eps: [g + k * x for g, x in zip(gradient(at, eps), old, strict=True)]
    return step(q, v, without_decay(params), late, rule, precision)


def look_ahead(q, v, q2, v2, params, n):
    """The states of Nesterov's step with q' = q + v' + beta (v' - v)."""
    return [x + params[1] * (b - a) for x, a, b in zip(q2, v, v2, strict=True)], v2


def dampened(n, q, v, params, gradient, rule, precision):
    """A step whose gradient is times 1 - tau from the second on, tau = 1/4, as PyTorch dampens."""
    keep = 1.0 if n == 1 else 0.75
    return step(
        q, v, params, lambda at, eps: [at[0].dtype.type(keep) * g for g in gradient(at, eps)], rule, precision
    )


def never_first(n, q, v, params, gradient, rule, precision):
    """A step of a rule that treats its first one as a later one."""
    c = rule.index("c")
    later = [np.full_like(x, 1 - TAU) if i == c else x for i, x in enumerate(params)]
    return step(q, v, later, gradient, rule, precision)


def momentum_unasked(past, n, q, v, params, gradient, rule, precision):
    """A step without momentum to which beta v is added."""
    new, w = step(q, v, params, gradient, rule, precision)
    mine = charged(rule, len(q))
    push = [params[1] * x for x in v[mine]]
    pushed = lambda xs, kind: [narrow(x + p, kind) for x, p in zip(xs, push, strict=True)]
    w[mine] = pushed(w[mine], precision.v_store)
    return pushed(new, precision.q_store), w


def charged(rule, d: int) -> slice:
    """Where the covector of the charge is among the numbers of all buffers, or the first one."""
    i = rule.buffers.index(rule.covector.buffer) if rule.covector else 0
    return slice(i * d, (i + 1) * d)


FAULTS = (
    Fault(
        "decay coupled for decoupled",
        DECAY,
        "k q inside the buffer",
        applies=DECOUPLED,
        advance=coupled,
    ),
    Fault(
        "decay decoupled for coupled",
        DECAY,
        "k q outside the buffer",
        applies=on(decays=True, decay="coupled", momentum=True),
        advance=decoupled,
    ),
    Fault(
        "decay applied after the step",
        DECAY,
        "q' = (q + v')(1 - eta k)",
        applies=on(decays=True, decay=("coupled", "decoupled")),
        advance=decay_after,
    ),
    Fault("decay of one for decay of q", DECAY, "k for k q", applies=on(decays=True), advance=constant_decay),
    Fault(
        "decay of the buffer",
        DECAY,
        "k v for k q",
        applies=on(decays=True, momentum=True),
        advance=decay_of_the_buffer,
    ),
    Fault("decay twice", DECAY, "coupled and decoupled at once", applies=on(decays=True), advance=both_ways),
    Fault(
        "decay of the last position",
        DECAY,
        "k q_(n-1) for k q_n",
        applies=COUPLED,
        remembering=remembered(last_decay),
        when=HISTORY,
    ),
    Fault("decay ignored", IGNORED, "k = 0", applies=on(decays=True), advance=given(2, lambda p, n: 0 * p)),
    Fault(
        "momentum ignored",
        IGNORED,
        "beta = 0",
        applies=on(kicked=True, reads_beta=True),
        advance=given(1, lambda p, n: 0 * p),
    ),
    Fault(
        "breaking term ignored",
        IGNORED,
        "eps = 0",
        applies=on(breaks=True),
        advance=given(3, lambda p, n: 0 * p),
    ),
    Fault(
        "momentum unasked",
        UNASKED,
        "beta v added",
        applies=on(momentum=False),
        remembering=remembered(momentum_unasked),
        when=HISTORY,
    ),
    Fault(
        "Nesterov unasked",
        UNASKED,
        "q' = q + v' + beta (v' - v)",
        applies=on(rule=("heavy-ball", "heavy-ball-decoupled")),
        advance=moved(look_ahead),
    ),
    Fault(
        "dampening unasked",
        UNASKED,
        "(1 - tau) g from the second step on",
        applies=on(rule=("heavy-ball", "heavy-ball-decoupled", "gradient-descent")),
        advance=dampened,
        when=HISTORY,
    ),
    Fault(
        "decay unasked",
        UNASKED,
        "k = .01 in lanes that have none",
        applies=lambda job: job.rule.decay != "none" and bool((job.params[2] == 0).any()),
        advance=given(2, lambda p, n: np.where(p == 0, 0.01, p)),
    ),
)

FAULTS += (
    Fault(
        "dampened from the first step on",
        "wrong first step",
        "(1 - tau) g_0",
        applies=on(rule="heavy-ball-dampened"),
        alter=lambda case, job: replace(job, begun=job.begun + 1),
        when=FIRST,
    ),
    Fault(
        "Nesterov with the old buffer",
        "stale momentum",
        "beta v for beta v' in the move",
        applies=lambda job: job.rule.looks_ahead,
        advance=moved(
            lambda q, v, q2, v2, params, n: (
                [x + params[1] * (a - b) for x, a, b in zip(q2, v, v2, strict=True)],
                v2,
            )
        ),
    ),
    Fault(
        "maximize turns the decay too",
        DECAY,
        "k q with the gradient's sign",
        applies=lambda job: job.rule.maximize and bool(job.params[2].any()),
        advance=given(2, lambda p, n: -p),
    ),
)
OPTIONS = {"nesterov": "Nesterov", "heavy-ball-dampened": "dampening", "heavy-ball-maximize": "maximize"}
FAULTS += (
    Fault(
        "first step dampened too",
        IGNORED,
        "PyTorch's undamped first buffer damped",
        applies=on(rule="heavy-ball-dampened"),
        advance=never_first,
        when=FIRST,
    ),
)
FAULTS += tuple(
    Fault(
        f"{word} ignored",
        IGNORED,
        f"plain heavy ball for {rule}",
        applies=on(rule=rule),
        alter=under(HEAVY_BALL),
    )
    for rule, word in OPTIONS.items()
)
