"""What each tensor operation of PyTorch computes, as arithmetic with a running error.

A function here takes the type in which the operation stores its result, then the operands as Running numbers,
and gives the result with every rounding that any order of its own steps can make, each in that type. PyTorch
computes 16-bit elements in float32 and rounds once at the end, so that its own error is smaller.

Library functions: vectorised ones are within 1 unit in the last place (SLEEF's u10 functions), two roundings.
"""

from __future__ import annotations

import numpy as np

from noether.optimizers import running as r
from noether.optimizers.running import Running

LIBRARY = 2  # roundings of a library function: 1 unit in the last place is 2 unit roundoffs


def add(kind: str, x, y, alpha=None) -> Running:
    """x + alpha y."""
    if alpha is not None:
        y = (r.running(y) * alpha).rounded(kind)
    return (x + y).rounded(kind)


def sub(kind: str, x, y, alpha=None) -> Running:
    """x - alpha y."""
    return add(kind, x, -r.running(y), alpha)


def rsub(kind: str, x, y, alpha=None) -> Running:
    """y - alpha x."""
    return sub(kind, y, x, alpha)


def mul(kind: str, x, y) -> Running:
    """x y."""
    return (x * y).rounded(kind)


def div(kind: str, x, y) -> Running:
    """x / y; a number over a number may be a reciprocal times a number."""
    return (x / y).rounded(kind, times=2 if y.value.ndim == 0 else 1)


def addcmul(kind: str, x, a, b, value=None) -> Running:
    """x + value a b."""
    scaled = a * b if value is None else ((a * value).rounded(kind) * b)
    return (x + scaled.rounded(kind)).rounded(kind)


def addcdiv(kind: str, x, a, b, value=None) -> Running:
    """x + value a / b."""
    scaled = a / b if value is None else (a * value).rounded(kind) / b
    return (x + scaled.rounded(kind)).rounded(kind)


def lerp(kind: str, x, y, weight) -> Running:
    """x + w (y - x), or y - (1 - w) (y - x), which PyTorch takes from w = 1/2 on."""
    value = x.value + weight.value * (y.value - x.value)
    carried = abs(1 - weight.value) * x.error + abs(weight.value) * y.error
    carried = carried + (abs(y.value - x.value) + x.error + y.error) * weight.error
    apart = r.Running(y.value - x.value, x.error + y.error)
    share = np.where(weight.value < 0.5, abs(weight.value), abs(1 - weight.value))
    u = r.narrow(kind)
    steps = 3 * u * share * (abs(apart.value) + apart.error) * (1 + u)
    wide = 4 * r.WIDE_UNIT * (1 + abs(weight.value)) * (abs(x.value) + abs(y.value))
    tiny = 2 * r.WIDE(r.TINY[kind]) if u else 0
    return Running(value, carried + steps + wide + tiny).rounded(kind)


def dividing(f, times: float = 1):
    """An operation of one operand that is f and so many roundings."""
    return lambda kind, x: f(x).rounded(kind, times)


def power(kind: str, x, exponent) -> Running:
    """x to a power: a product for small whole powers, a root, or a library function."""
    exponent = r.running(exponent)
    number = exponent.value[()] if exponent.value.ndim == 0 else None
    times = LIBRARY + (abs(number) if number is not None and abs(number) <= 4 else 0)
    return r.power(r.running(x), exponent).rounded(kind, times)


def clamp(kind: str, x, low=None, high=None) -> Running:
    """x, not below low and not above high."""
    x = x if low is None else r.maximum(x, low)
    return x if high is None else r.minimum(x, high)


def mean(kind: str, x, axis=None, keepdims=False) -> Running:
    """The sum over the number of terms."""
    count = x.value.size if axis is None else np.prod([x.shape[i] for i in np.atleast_1d(axis)])
    return (r.total(x, axis, keepdims, gathered(kind)) / np.asarray(count, float)).rounded(kind, 2)


def total(kind: str, x, axis=None, keepdims=False) -> Running:
    """The sum, gathered in float32 where elements have 16 bits."""
    return r.total(x, axis, keepdims, gathered(kind)).rounded(kind)


def norm(kind: str, x, order=2, axis=None, keepdims=False) -> Running:
    """The norm of order 1, 2 or infinity. Raises NotImplementedError for others."""
    if order == 2:
        square = (x * x).rounded(gathered(kind))
        return r.sqrt(r.total(square, axis, keepdims, gathered(kind))).rounded(kind, 2)
    if order == 1:
        return total(kind, abs(x), axis, keepdims)
    if order == float("inf"):
        return extreme(np.max, abs(x), axis, keepdims)
    raise NotImplementedError(f"a norm of order {order}")


def extreme(f, x: Running, axis=None, keepdims=False) -> Running:
    """The largest or smallest entry: it moves by at most the largest error."""
    along = dict(axis=axis if axis is None else tuple(np.atleast_1d(axis)), keepdims=keepdims)
    return Running(f(x.value, **along), np.max(x.error, **along))


def gathered(kind: str) -> str:
    """The type in which PyTorch gathers a sum of elements of this type."""
    return "float64" if kind == "float64" else "float32"


def matrix(kind: str, a, b) -> Running:
    """The matrix product."""
    return r.product(a, b, gathered(kind)).rounded(kind)


def vector(kind: str, a, b) -> Running:
    """A matrix and a vector."""
    return matrix(kind, a, Running(b.value[:, None], b.error[:, None]))[..., 0]


def dot(kind: str, a, b) -> Running:
    """The inner product of two vectors."""
    return total(kind, (a * b).rounded(gathered(kind)))


def added_matrix(kind: str, c, a, b, beta=None, alpha=None) -> Running:
    """beta c + alpha a b."""
    ab = matrix(kind, a, b)
    ab = ab if alpha is None else (ab * alpha).rounded(kind)
    c = c if beta is None else (c * beta).rounded(kind)
    return (c + ab).rounded(kind)


def outer_added(kind: str, c, a, b, beta=None, alpha=None) -> Running:
    """beta c + alpha a b^T."""
    column, row = Running(a.value[:, None], a.error[:, None]), Running(b.value[None], b.error[None])
    return added_matrix(kind, c, column, row, beta, alpha)


def root_reciprocal(kind: str, x) -> Running:
    """1 / sqrt(x)."""
    return (1 / r.sqrt(x).rounded(kind)).rounded(kind)


def angle(kind: str, y, x) -> Running:
    """The angle of (x, y): it turns by at most the errors over the least distance from 0; none is known where
    the point may be 0, or cross the cut on the left."""
    value = np.arctan2(y.value, x.value)
    near = [np.maximum(abs(z.value) - z.error, 0) for z in (x, y)]
    least = np.sqrt(near[0] ** 2 + near[1] ** 2)
    turned = np.where(least > 0, (x.error + y.error) / least, np.inf)
    cut = (x.value - x.error < 0) & (abs(y.value) <= y.error) & (y.error > 0)
    exact = (x.error == 0) & (y.error == 0)
    return r.done(value, np.where(exact, 0, np.where(cut, np.inf, turned))).rounded(kind, LIBRARY)


def relation(f):
    """A comparison: its result is a truth value, in doubt where rounding may have decided it."""
    return lambda kind, a, b: r.compared(a, b, f)


def opposite(kind, x) -> Running:
    """not x."""
    return Running(1 - x.value, x.error)


def both(kind, x, y) -> Running:
    """x and y."""
    return Running(x.value * y.value, np.maximum(x.error, y.error))


def either(kind, x, y) -> Running:
    """x or y."""
    return Running(np.maximum(x.value, y.value), np.maximum(x.error, y.error))


def softplus(kind: str, x, threshold, beta=None) -> Running:
    """log(1 + exp(beta x)) / beta, and x where beta x is above the threshold."""
    scaled = x if beta is None else (x * beta).rounded(kind)
    found = r.log1p(r.exp(r.minimum(scaled, threshold)).rounded(kind, LIBRARY)).rounded(kind, LIBRARY)
    found = found if beta is None else (found / beta).rounded(kind)
    return r.choose(r.compared(scaled, threshold, np.greater), x, found)


def unchanged(kind, x) -> Running:
    """A copy into a type: one rounding where the type is narrower."""
    return x


def zero_sign(kind, x) -> Running:
    """The sign."""
    return r.sign(x)


ELEMENTWISE = {
    "add": add, "sub": sub, "rsub": rsub, "subtract": sub, "mul": mul, "multiply": mul, "div": div,
    "divide": div, "true_divide": div, "addcmul": addcmul, "addcdiv": addcdiv, "lerp": lerp, "pow": power,
    "sqrt": dividing(r.sqrt), "rsqrt": root_reciprocal, "reciprocal": dividing(lambda x: 1 / x),
    "neg": dividing(lambda x: -x, 0), "abs": dividing(abs, 0), "sign": zero_sign, "sgn": zero_sign,
    "square": dividing(lambda x: x * x), "exp": dividing(r.exp, LIBRARY), "log": dividing(r.log, LIBRARY),
    "expm1": dividing(r.expm1, LIBRARY), "log1p": dividing(r.log1p, LIBRARY),
    "tanh": dividing(r.tanh, LIBRARY), "sigmoid": dividing(r.sigmoid, 2 * LIBRARY),
    "atan": dividing(r.arctan, LIBRARY), "atan2": angle,
    "hypot": lambda kind, x, y: r.sqrt(x * x + y * y).rounded(kind, LIBRARY),
    "relu": lambda kind, x: r.maximum(x, r.running(0.0)), "softplus": softplus,
    "clamp": clamp, "clamp_min": clamp, "clamp_max": lambda kind, x, high: clamp(kind, x, None, high),
    "maximum": lambda kind, a, b: r.maximum(a, b), "minimum": lambda kind, a, b: r.minimum(a, b),
    "gt": relation(np.greater), "lt": relation(np.less), "ge": relation(np.greater_equal),
    "le": relation(np.less_equal), "eq": relation(np.equal), "ne": relation(np.not_equal),
    "logical_not": opposite, "bitwise_not": opposite, "logical_and": both, "bitwise_and": both,
    "logical_or": either, "bitwise_or": either,
    "where": lambda kind, condition, a, b: r.choose(condition, a, b),
    "masked_fill": lambda kind, x, mask, value=1: r.choose(mask, value, x),
    "mm": matrix, "bmm": matrix, "mv": vector, "dot": dot, "addmm": added_matrix, "baddbmm": added_matrix,
    "addr": outer_added,
}  # fmt: skip
"""Name of an operation, without its trailing underscore -> what it computes."""

REDUCTIONS = {
    "sum": total, "mean": mean, "norm": norm, "linalg_vector_norm": norm,
    "amax": lambda kind, x, axis=None, keepdims=False: extreme(np.max, x, axis, keepdims),
    "amin": lambda kind, x, axis=None, keepdims=False: extreme(np.min, x, axis, keepdims),
    "max": lambda kind, x, axis=None, keepdims=False: extreme(np.max, x, axis, keepdims),
    "min": lambda kind, x, axis=None, keepdims=False: extreme(np.min, x, axis, keepdims),
}  # fmt: skip
"""Operations along axes."""
