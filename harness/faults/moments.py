"""Faults of what a rule keeps beside the covector of its charge: second moments, maxima, metrics.

    s' = beta2 s + (1 - beta2) f^2,    q' = Q(q, m', s')

A wrong s' moves q by the rule's own lines, so that a step is wrong in the one thing that is named.
"""

from __future__ import annotations

import numpy as np

from noether.faults.fault import NEAR, Fault
from noether.faults.types import LOWER, lower
from noether.kernels.loops.launch import Job
from noether.kernels.programs.numpy_step import step
from noether.kernels.programs.precision import narrow
from noether.kernels.programs.trace_rule import position_program

MOMENT = "second moment"


def beside(rule) -> list[int]:
    """The positions of the buffers beside the covector of the charge, or beside the first one."""
    own = rule.buffers.index(rule.covector.buffer) if rule.covector else 0
    return [i for i in range(len(rule.buffers)) if i != own]


def keeps(job: Job) -> bool:
    """Whether the rule keeps anything beside its covector."""
    return len(job.rule.buffers) > 1


def remembers(job: Job) -> bool:
    """Whether it keeps an average of squares, whose memory is beta2."""
    return keeps(job) and "beta2" in job.rule.parameters and "s" in job.rule.buffers


def averages(job: Job) -> bool:
    """Whether it keeps one beside an average m of the force itself."""
    return remembers(job) and job.rule.covector is not None and job.rule.covector.buffer == "m"


def rebuffered(change, moves: bool = True):
    """The step with other new buffers: change(name, old, right, new, named) -> the numbers of a buffer beside
    the covector.

    old, right  the buffer before and after the right step;  new  all buffers after it, by name
    named       the numbers of the step by name, and its force f
    moves       whether the wrong buffers are stored; if not, q alone is moved by them
    """

    def advance(n, q, v, params, gradient, rule, precision):
        d = len(q)
        right_q, w = step(q, v, params, gradient, rule, precision)
        g = gradient(q, params[3])
        named = rule.named(params)
        coupled = rule.decay in ("coupled", "both")
        named.f = [gi + named.k * qi for qi, gi in zip(q, g, strict=True)] if coupled else g
        part = lambda xs, i: list(xs[i * d : (i + 1) * d])
        new = {name: part(w, i) for i, name in enumerate(rule.buffers)}
        other = list(w)
        for i in beside(rule):
            found = change(rule.buffers[i], part(v, i), part(w, i), new, named)
            kind = precision.v_store
            stored = [narrow(np.asarray(x, y.dtype), kind) for x, y in zip(found, q, strict=True)]
            other[i * d : (i + 1) * d] = stored
        program = position_program(rule, d)
        places = {"q": q, "v": v, "g": g, "w": other, "p": params}
        inputs = [places[name[0]][int(name[2:-1])] for name in program.inputs]
        moved = program.evaluate(inputs, precision)
        return moved, other if moves else w

    return advance


def of_squares(change):
    """The step whose second moment is another number: change(old, right, new, named)."""
    return rebuffered(lambda name, old, right, *about: change(old, right, *about) if name == "s" else right)


def from_the_momentum(old, right, new, p):
    return [p.beta2 * x + (1 - p.beta2) * (m * m) for x, m in zip(old, new["m"], strict=True)]


def unsquared(old, right, new, p):
    return [p.beta2 * x + (1 - p.beta2) * np.abs(f) for x, f in zip(old, p.f, strict=True)]


def of_all(old, right, new, p):
    """One second moment for all components, the mean of theirs."""
    return [sum(right) / np.asarray(len(right), right[0].dtype)] * len(right)


def forgetting(factor: float):
    """The step with 1 - beta2 times a factor; what it knows of its number is right."""

    def advance(n, q, v, params, gradient, rule, precision):
        at = rule.index("beta2")
        changed = [
            (1 - (1 - x) * x.dtype.type(factor)).astype(x.dtype) if i == at else x
            for i, x in enumerate(params)
        ]
        return step(q, v, changed, gradient, rule, precision)

    return advance


def narrower(n, q, v, params, gradient, rule, precision):
    """The step whose buffers beside the covector are stored in the type below."""
    kind = precision.v_store
    return rebuffered(lambda name, old, right, *about: [lower(x, kind) for x in right])(
        n, q, v, params, gradient, rule, precision
    )


FAULTS = (
    Fault(
        "second moment frozen",
        MOMENT,
        "s' = s, and every buffer beside the covector",
        applies=keeps,
        advance=rebuffered(lambda name, old, right, *about: old),
    ),
    Fault(
        "second moment of the step before",
        MOMENT,
        "q' = Q(q, m', s), with s' stored",
        applies=keeps,
        advance=rebuffered(lambda name, old, right, *about: old, moves=False),
    ),
    Fault(
        "second moment of the new momentum",
        MOMENT,
        "m'^2 for f^2",
        applies=averages,
        advance=of_squares(from_the_momentum),
    ),
    Fault(
        "second moment without its square",
        MOMENT,
        "|f| for f^2",
        applies=remembers,
        advance=of_squares(unsquared),
    ),
    Fault(
        "one second moment for all components",
        MOMENT,
        "the mean of s' over components",
        applies=remembers,
        advance=of_squares(of_all),
    ),
    Fault(
        "1 - beta2 x (1 + 2^-10)",
        MOMENT,
        "the memory of the second moment",
        applies=remembers,
        advance=forgetting(NEAR),
    ),
    Fault(
        "second moment one type lower",
        MOMENT,
        "s' in float32 for float64, in bfloat16 for the others",
        applies=lambda job: keeps(job) and job.precision.v_store in LOWER,
        advance=narrower,
    ),
)
