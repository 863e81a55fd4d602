"""Faults of timing: right values at the wrong time, such as old buffers, stale reads and wrong first
steps."""

from __future__ import annotations

import numpy as np

from noether.faults.fault import FIRST, HISTORY, Fault, given, kept, moved, on, pulled, remembered
from noether.kernels.programs.numpy_step import step

STALE, EARLY, START = "stale momentum", "early momentum", "wrong first step"
READ, POINT = "stale read", "gradient at the wrong point"


def stale_momentum(age: int):
    def change(past, n, q, v, *about):
        old = past[-age][1] if len(past) >= age else v
        return step(q, old, *about)

    return remembered(change)


def without_kick(n, q, v, *about):
    return step(q, [np.zeros_like(x) for x in v] if n == 1 else v, *about)


def first_gradient(c: float):
    return pulled(lambda gradient, at, eps, params, n: [(c if n == 1 else 1) * g for g in gradient(at, eps)])


def first_buffers(factor):
    """The step whose first buffers are times factor(params), and which moves q by those."""
    return kept(lambda x, into: factor(into.params) * x if into.n == 1 else x)


def by_old_buffers(n, q, v, params, *about):
    """The step that moves q by the buffers before it; what it stores in them is right."""
    late = kept(lambda x, into: into.old)
    return late(n, q, v, params, *about)[0], step(q, v, params, *about)[1]


def stale_read(k: int):
    """A step that reads its gradient every 2^k steps at the state of the step before."""

    def change(past, n, q, v, params, gradient, rule, precision):
        if not past or n % 2**k:
            return step(q, v, params, gradient, rule, precision)
        old = past[-1][0]
        return step(q, v, params, elsewhere(gradient, q, old, rule), rule, precision)

    return remembered(change)


def elsewhere(gradient, q, old, rule):
    """A gradient taken at `old`, whatever point the step asks for; mirror descent asks at exp z."""

    def wrong(at, eps):
        if not rule.log_state:
            return gradient(old, eps)
        return gradient([x * np.exp(b - a) for x, a, b in zip(at, q, old, strict=True)], eps)

    return wrong


def at_point(point):
    """A step whose gradient is taken at point(q, v, right q', right v', params)."""

    def advance(n, q, v, params, gradient, rule, precision):
        there = point(q, v, *step(q, v, params, gradient, rule, precision), params)
        return step(q, v, params, elsewhere(gradient, q, there, rule), rule, precision)

    return advance


FAULTS = (
    Fault(
        "momentum one step old",
        STALE,
        "beta v_{n-1} for beta v_n",
        applies=on(carries=True),
        remembering=stale_momentum(1),
        when=HISTORY,
    ),
    Fault(
        "momentum two steps old",
        STALE,
        "beta v_{n-2} for beta v_n",
        applies=on(carries=True),
        remembering=stale_momentum(2),
        when=HISTORY,
    ),
    Fault(
        "position moved by the old buffer",
        EARLY,
        "q' = q + v_n",
        applies=on(moved_by_buffers=True),
        advance=by_old_buffers,
    ),
    Fault(
        "momentum taken twice",
        EARLY,
        "q' = q + beta v' - eta g, unasked",
        applies=on(displaces=True, reads_beta=True),
        advance=moved(
            lambda q, v, q2, v2, params, n: (
                [x + params[1] * (b - a) for x, a, b in zip(q2, v, v2, strict=True)],
                v2,
            )
        ),
    ),
    Fault(
        "buffer advanced before the gradient",
        EARLY,
        "v' = beta (v - eta g)",
        applies=on(momentum=True, reads_beta=True),
        advance=pulled(lambda gradient, at, eps, params, n: [params[1] * g for g in gradient(at, eps)]),
    ),
    Fault(
        "first buffer missing", START, "v_0 = 0", applies=on(kicked=True), advance=without_kick, when=FIRST
    ),
    Fault(
        "first buffer doubled",
        START,
        "v_1 doubled, and q_1 with it",
        advance=first_buffers(lambda params: params[0].dtype.type(2)),
        when=FIRST,
    ),
    Fault(
        "first buffer damped",
        START,
        "v_1 times 1 - beta, as in a dampened start",
        applies=on(momentum=True, reads_beta=True),
        advance=first_buffers(lambda params: 1 - params[1]),
        when=FIRST,
    ),
    Fault("first gradient missing", START, "g_0 = 0", advance=first_gradient(0.0), when=FIRST),
    Fault("first gradient doubled", START, "2 g_0", advance=first_gradient(2.0), when=FIRST, size_only=True),
    Fault(
        "first step without momentum",
        START,
        "beta = 0 at n = 1",
        applies=on(kicked=True, reads_beta=True),
        advance=given(1, lambda p, n: 0 * p if n == 1 else p),
        when=FIRST,
    ),
    *(
        Fault(
            f"stale read every 2^{k} steps",
            READ,
            f"g(q_(n-1)) every 2^{k} steps",
            remembering=stale_read(k),
            when=HISTORY,
            steps=max(12, 2**k + 2),
        )
        for k in range(7)
    ),
    Fault(
        "gradient at the next position",
        POINT,
        "g(q') for g(q)",
        advance=at_point(lambda q, v, q2, v2, params: q2),
    ),
    Fault(
        "gradient at the look-ahead",
        POINT,
        "g(q + beta v) for g(q)",
        applies=on(kicked=True, displaces=True, reads_beta=True),
        advance=at_point(lambda q, v, q2, v2, params: [x + params[1] * w for x, w in zip(q, v, strict=True)]),
    ),
    Fault(
        "gradient half a step ahead",
        POINT,
        "g((q + q')/2) for g(q)",
        advance=at_point(lambda q, v, q2, v2, params: [(a + b) / 2 for a, b in zip(q, q2, strict=True)]),
    ),
)
