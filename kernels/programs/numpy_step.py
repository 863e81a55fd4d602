"""One step of each learning rule in plain numpy: independent of Triton, and what every other backend is
compared with.

Equations (1)-(12) of cases/rules, one line each, on blocks of lanes. `advance` is the only door through
which a deliberately wrong step can be taken: a wrapper around the right one, planted by the harness alone.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from noether.cases.rules import Rule
from noether.kernels.programs import elementary
from noether.kernels.programs.precision import Precision, encode, narrow
from noether.kernels.programs.program import Program

BLOCK = 4096


def step(
    q, v, params, gradient: Callable, rule: Rule, precision: Precision, *, store=narrow, functions=elementary
):
    """One step of a learning rule: q' and v', lists of d arrays (lanes,) of the arithmetic type, as q and v.

    params     eta, beta, k, eps, and for a rule on a metric the d entries of G(q)
    gradient   gradient(q, eps) -> list of d arrays
    rule       that of this step: Rule.at
    store      store(x, kind) -> x as a buffer of that kind gives it back
    functions  a namespace with exp and log
    """
    eta, beta, k, eps, *G = params
    rounded = (lambda x: narrow(x, precision.name)) if precision.eager else (lambda x: x)
    at = [rounded(functions.exp(x)) for x in q] if rule.log_state else q
    g = gradient(at, eps)
    if rule.maximize:
        g = [gi.dtype.type(0) - gi for gi in g]  # (7)
    if rule.decay == "coupled":
        g = [rounded(gi + rounded(k * qi)) for gi, qi in zip(g, q, strict=True)]
    if rule.signed:
        pull = [rounded(np.where(gi > 0, eta, np.where(gi < 0, -eta, gi))) for gi in g]  # (10)
    else:
        pull = [rounded(eta * gi) for gi in g]
    if rule.dampening:
        pull = [rounded(pi.dtype.type(1 - rule.dampening) * pi) for pi in pull]  # (6)
    if rule.momentum:  # (2), (3), (5)-(7), (9), (11)
        w = [rounded(rounded(beta * vi) - pi) for vi, pi in zip(v, pull, strict=True)]
    else:  # (1), (4), (8), (10), (12); +0 stays +0
        w = [pi.dtype.type(0) - pi for pi in pull]
    w = [store(wi, precision.v_store) for wi in w]
    move = w
    if rule.nesterov:
        move = [rounded(rounded(beta * wi) - pi) for wi, pi in zip(w, pull, strict=True)]  # (5)
    if rule.on_metric:
        move = [rounded(wi / Gi) for wi, Gi in zip(w, G, strict=True)]  # (8), (9)
    if rule.scheduled:
        move = [rounded(wi.dtype.type(rule.rate) * wi) for wi in w]  # (11)
    if rule.decoupled:
        shrink = rounded(eta * k)
        q = [rounded(qi - rounded(shrink * qi)) for qi in q]  # (3)
    q = [rounded(qi + mi) for qi, mi in zip(q, move, strict=True)]
    if rule.simplex:
        total = log_sum_exp(q, rounded, functions)
        q = [rounded(qi - total) for qi in q]  # (12)
    return [store(qi, precision.q_store) for qi in q], w


def log_sum_exp(y: list, rounded: Callable, functions):
    """log sum exp(y) as m + log sum exp(y - m) with m the largest of y, so that nothing overflows."""
    top = y[0]
    for yi in y[1:]:
        top = np.where(top > yi, top, yi)
    total = rounded(functions.exp(rounded(y[0] - top)))
    for yi in y[1:]:
        total = rounded(total + rounded(functions.exp(rounded(yi - top))))
    return rounded(top + rounded(functions.log(total)))


def advanced(n: int, q, v, params, gradient: Callable, rule: Rule, precision: Precision):
    """Step number n, from 1, under the rule of this step. A planted fault stands in its place.

    The right step does not look at n.
    """
    return step(q, v, params, gradient, rule, precision)


def with_metric(params: list, metric: Program | None, q, precision: Precision) -> list:
    """The parameters of a step from q: eta, beta, k, eps, and the entries of G(q, kappa) of a metric."""
    return [*params[:4], *metric.run(q, params[4], precision)] if metric else params


def trajectory(
    program: Program,
    rule: Rule,
    precision: Precision,
    q0,
    v0,
    params,
    steps: int,
    *,
    trace: bool = True,
    advance: Callable = advanced,
    metric: Program | None = None,
):
    """Run `steps` steps for all lanes, in blocks of them.

    q0, v0   (d, lanes) float64, representable in their store
    params   (rows, lanes) float64, as Rule.parameters
    metric   the program of G(q, kappa), for a rule that has one
    advance  as `advanced`; a block begins with n = 1, so that one with a memory knows when to forget

    Returns q and v in the buffer types, (steps + 1, d, lanes) with trace, else (2, d, lanes): start and end.
    """
    d, lanes = q0.shape
    dtype = np.dtype(precision.arith)
    keep = steps + 1 if trace else 2
    q_out = np.empty((keep, d, lanes), encode(np.zeros(1), precision.q_store).dtype)
    v_out = np.empty((keep, d, lanes), encode(np.zeros(1), precision.v_store).dtype)
    gradient = lambda q, eps: program.run(q, eps, precision)
    with np.errstate(all="ignore"):
        for start in range(0, lanes, BLOCK):
            cut = slice(start, min(lanes, start + BLOCK))
            q, v = [x.astype(dtype) for x in q0[:, cut]], [x.astype(dtype) for x in v0[:, cut]]
            p = [x.astype(dtype) for x in params[:, cut]]
            here = lambda q, p=p: with_metric(p, metric, q, precision)
            for n in range(steps + 1):
                if n:
                    q, v = advance(n, q, v, here(q), gradient, rule.at(n), precision)
                if trace or n in (0, steps):
                    at = n if trace else int(n > 0)
                    for i in range(d):
                        q_out[at, i, cut] = encode(q[i], precision.q_store)
                        v_out[at, i, cut] = encode(v[i], precision.v_store)
    return q_out, v_out
