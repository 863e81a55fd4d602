"""How far rounding may take a step that iterates a function of a matrix's singular values (theory.md#R0).

The running error of five such iterations in a row adds what cancels: it grows as the sizes of all terms do,
tenfold an iteration and more. Here each iteration has a running error of its own, and what came before passes
through it as through the function f that it is, x -> a x + b x^3 + c x^5 of each singular value:

    |f(Y) - f(X)| <= (G + M e) e,  e = |Y - X|                                                           (1)

in the Frobenius norm. G is the largest divided difference (f(x) - f(y)) / (x - y) over singular values x and
+-y of X, and 0 for y where it has more columns than rows: those are what the derivative of f at X multiplies
by in the basis of its singular vectors. M is a bound on |f''|, since no singular value moves by more than e
(Weyl). The last part of the step has a running error again.
Source: Noferini (2017), theorem 4.1, for the derivative of such a function.
"""

from __future__ import annotations

import numpy as np

from noether.cases.matrices import shape
from noether.cases.rule import Rule
from noether.kernels.programs.precision import Precision
from noether.kernels.programs.trace_rule import iterated_programs, position_program
from noether.mechanics import bounds
from noether.mechanics.step_bounds import NOTHING_KNOWN, of_outputs, step_error


def position_error(
    rule: Rule, d: int, inputs: dict, precision: Precision, traced: bool = False
) -> np.ndarray:
    """Bound on the error of q' from the new buffers as they are stored, (steps, d, lanes), of any rule.

    inputs  as of step_bounds.step_error
    """
    if rule.iteration:
        return iterated_error(rule, d, inputs, precision)
    return step_error(position_program(rule, d), inputs, precision, traced)


def iterated_error(rule: Rule, d: int, inputs: dict, precision: Precision) -> np.ndarray:
    """That of a rule whose step iterates."""
    first, once, last = iterated_programs(rule, d)
    X, error = of_outputs(first, inputs, precision, bounds.FAR_RULE)
    values = singular_values(X, d)
    e = length(bounds.known(error))
    for _ in range(rule.iteration.steps):
        own = of_once(once, X, e, precision)
        with np.errstate(all="ignore"):
            e = bounds.known(passed(rule.iteration.odd, values, e, shape(d)) + own) * bounds.SLACK
        X, values = of_outputs(once, at(X), precision, bounds.FAR_RULE, exact=True)[0], image(rule, values)
    everywhere = np.broadcast_to(np.minimum(e, NOTHING_KNOWN)[:, None], X.shape)
    return step_error(last, {**inputs, "x": (X, everywhere)}, precision)


def at(X: np.ndarray, error=None) -> dict:
    """The inputs of one iteration."""
    return {"x": (X, error), "q": (X, None)}


def length(x: np.ndarray) -> np.ndarray:
    """The Frobenius norm of the numbers of a matrix, (steps, d, lanes) -> (steps, lanes)."""
    return np.sqrt((x * x).sum(axis=1))


def of_once(program, X, e, precision: Precision) -> np.ndarray:
    """What one iteration rounds itself at any matrix that is within e of X, (steps, lanes).

    The running error from there is at least what passes exactly, plus what is rounded on the way, constants
    included: by induction over sums and products, which is all that the iteration has.
    """
    near = at(X, np.broadcast_to(e[:, None], X.shape))
    which = ({}, dict(exact=True, constants=False))
    whole, without = (of_outputs(program, near, precision, bounds.FAR_RULE, **x)[1] for x in which)
    with np.errstate(all="ignore"):
        return length(bounds.known(whole - without))


def singular_values(X: np.ndarray, d: int) -> np.ndarray:
    """Those of matrices (steps, d, lanes), (steps, rows, lanes); NaN where a number is not finite."""
    rows = np.moveaxis(X, 1, -1)
    finite = np.isfinite(rows).all(axis=-1)
    whole = np.where(finite[..., None], rows, 0.0).reshape(*finite.shape, *shape(d))
    found = np.linalg.svd(whole, compute_uv=False)
    return np.moveaxis(np.where(finite[..., None], found, np.nan), -1, 1)


def image(rule: Rule, x: np.ndarray) -> np.ndarray:
    """The singular values after one iteration."""
    a, b, c = rule.iteration.odd
    return np.abs(x * (a + x * x * (b + c * x * x)))


def passed(odd, values: np.ndarray, e: np.ndarray, form: tuple[int, int]) -> np.ndarray:
    """(1), what becomes of e, (steps, lanes)."""
    (a, b, c), (r, columns) = odd, form
    rows = list(np.moveaxis(values, 1, 0))
    steep = np.zeros_like(e)
    for i, x in enumerate(rows):
        for y in [*rows[i:], *([0 * x] if columns > r else [])]:
            for z in (y, -y):
                square, cross = x * x + z * z, x * z
                quartic = square * square - cross * cross + cross * square  # x^4 + x^3 z + ... + z^4
                steep = np.maximum(steep, np.abs(a + b * (square + cross) + c * quartic))
    largest = values.max(axis=1) + e
    bent = 6 * abs(b) * largest + 20 * abs(c) * largest**3
    return (steep + bent * e) * e
