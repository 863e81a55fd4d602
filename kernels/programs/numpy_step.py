"""One step of a learning rule in plain numpy: independent of Triton, and what every other backend is compared
with.

It runs the lines of the rule as they stand (cases/rules/), on blocks of lanes. `advance` is the only door
through which a deliberately wrong step can be taken: a wrapper around the right one, planted by the harness
alone.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from noether.cases.rule import COMMON, Rule
from noether.kernels.programs.plain_numbers import FUNCTIONS_OF_ARRAYS, Lanes, namespace, usual_namespace
from noether.kernels.programs.precision import Precision, encode, narrow
from noether.kernels.programs.program import Program, spread
from noether.kernels.programs.trace_rule import split

BLOCK = 4096
EPS = COMMON.index("eps")


def step(
    q,
    v,
    params,
    gradient: Callable,
    rule: Rule,
    precision: Precision,
    *,
    store=narrow,
    functions=FUNCTIONS_OF_ARRAYS,
):
    """One step of a learning rule: q' and v', lists of arrays (lanes,) of the arithmetic type, as q and v.

    v          all buffers of the rule, one after the other, d arrays each
    params     the numbers of Rule.inputs for this step, and for a rule on a metric the d entries of G(q)
    gradient   gradient(q, eps) -> list of d arrays
    store      store(x, kind) -> x as a buffer of that kind gives it back
    functions  a namespace of functions of arrays
    """
    is_usual = store is narrow and functions is FUNCTIONS_OF_ARRAYS
    xp, rounded = usual_namespace(precision) if is_usual else namespace(precision, store, functions)
    here = lambda xs: [Lanes(x, rounded) for x in xs]
    z, buffers, p = here(q), split(here(v), len(q)), rule.named(here(params))
    at = [x.x for x in rule.place(z, xp)] if rule.place else q
    new_q, new = rule.update(z, buffers, here(gradient(at, params[EPS])), p, xp)
    return [x.x for x in new_q], [x.x for buffer in new for x in buffer]


def advanced(n: int, q, v, params, gradient: Callable, rule: Rule, precision: Precision):
    """Step number n, from 1. A planted fault stands in its place.

    The right step does not look at n: what it knows of it is among its params.
    """
    return step(q, v, params, gradient, rule, precision)


class Reader:
    """The parameters of each step of some lanes: their own, what the step knows, and the entries of a metric.

    params  (rows, lanes) float64, as Rule.parameters;  known  (steps, names, lanes or 1) float64
    metric  the program of G(q, kappa), for a rule that has one
    """

    def __init__(self, rule: Rule, precision: Precision, params, known, metric: Program | None = None):
        dtype = np.dtype(precision.arith)
        self.own, self.known = [x.astype(dtype) for x in params], known.astype(dtype)
        self.shape, self.metric, self.precision = np.shape(params[0]), metric, precision
        self.kappa = self.own[rule.index("kappa")] if metric else None

    def at(self, n: int, q) -> list:
        """Of step n, from 1, at q."""
        now = [spread(x, self.shape) for x in self.known[n - 1]]
        entries = self.metric.run(q, self.kappa, self.precision) if self.metric else []
        return [*self.own, *now, *entries]


def trajectory(
    program: Program,
    rule: Rule,
    precision: Precision,
    q0,
    v0,
    params,
    steps: int,
    *,
    known=None,
    trace: bool = True,
    advance: Callable = advanced,
    metric: Program | None = None,
):
    """Run `steps` steps for all lanes, in blocks of them.

    q0, v0   (d, lanes), (buffers d, lanes) float64, representable in their store
    params   (rows, lanes) float64, as Rule.parameters
    known    (steps, names, lanes or 1) float64, as Rule.known_numbers gives; made where it is left out
    metric   the program of G(q, kappa), for a rule that has one
    advance  as `advanced`; a block begins with n = 1, so that one with a memory knows when to forget

    Returns q and v in the buffer types, (steps + 1, d, lanes) with trace, else (2, d, lanes): start and end.
    """
    lanes, dtype = q0.shape[1], np.dtype(precision.arith)
    known = rule.known_numbers(params, steps) if known is None else known
    keep = steps + 1 if trace else 2
    q_out, v_out = (
        np.empty((keep, *x.shape), encode(np.zeros(1), kind).dtype)
        for x, kind in ((q0, precision.q_store), (v0, precision.v_store))
    )
    gradient = lambda q, eps: program.run(q, eps, precision)
    with np.errstate(all="ignore"):
        for start in range(0, lanes, BLOCK):
            cut = slice(start, min(lanes, start + BLOCK))
            q, v = [x.astype(dtype) for x in q0[:, cut]], [x.astype(dtype) for x in v0[:, cut]]
            mine = known[..., cut] if known.shape[-1] > 1 else known
            here = Reader(rule, precision, params[:, cut], mine, metric)
            for n in range(steps + 1):
                if n:
                    q, v = advance(n, q, v, here.at(n, q), gradient, rule, precision)
                if trace or n in (0, steps):
                    at = n if trace else int(n > 0)
                    for out, state, kind in ((q_out, q, precision.q_store), (v_out, v, precision.v_store)):
                        for i, x in enumerate(state):
                            out[at, i, cut] = encode(x, kind)
    return q_out, v_out
