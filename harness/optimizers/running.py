"""Numbers with a running error: what operations mean without rounding, and how far rounding may have taken
what was really computed.

    Running.value   the operations done again in numpy's longdouble, of 64 significant bits on x86
    Running.error   a bound on |what was really computed - the value without any rounding|

An operation here bounds how the errors of its operands go on; `rounded(kind)` then adds the rounding of the
type in which the real operation stored its result. The bound of a sum of n terms is that of any order of
summation, (n - 1) u times the sum of magnitudes (Higham 2002, equation 4.4, with gamma for u).

Source: Higham (2002), section 3.3, running error analysis; Wilkinson (1963).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

WIDE = np.longdouble
WIDE_UNIT = WIDE(np.finfo(WIDE).eps) / 2
"""The relative rounding of one operation on the values, 2^-64 on x86."""
UNITS = {"float64": 2.0**-53, "float32": 2.0**-24, "float16": 2.0**-11, "bfloat16": 2.0**-8}
"""Relative rounding to nearest. bfloat16 has 8 significant bits."""
TINY = {"float64": 2.0**-1075, "float32": 2.0**-150, "float16": 2.0**-25, "bfloat16": 2.0**-134}
"""Half the smallest subnormal number: how far a rounding near 0 can go, whatever the size. WIDE holds all."""
MOST = {
    "float64": float(np.finfo(np.float64).max),
    "float32": float(np.finfo(np.float32).max),
    "float16": 65504.0,
    "bfloat16": (2 - 2.0**-7) * 2.0**127,
}
"""The largest number of a type."""


_narrow = [True]
_kind: list[str | None] = [None]


@contextmanager
def rounding(on: bool) -> Iterator[None]:
    """A context in which `rounded` counts the roundings of narrow types, or does not: then an error is that
    of the wide values alone."""
    before, _narrow[0] = _narrow[0], on
    try:
        yield
    finally:
        _narrow[0] = before


@contextmanager
def rounding_as(kind: str) -> Iterator[None]:
    """A context in which every type rounds as this one, whatever really rounds.

    With float64 an error is that of the meaning alone, whose coefficients are numbers of Python.
    """
    before, _kind[0] = _kind[0], kind
    try:
        yield
    finally:
        _kind[0] = before


def counted(kind: str) -> str:
    """The type whose rounding is counted for a type: itself, but for `rounding_as`."""
    return _kind[0] or kind


@dataclass(frozen=True)
class Running:
    """Arrays of values with bounds on their errors, both longdouble and of one shape.

    Operators take another Running, an array or a number; an array or a number has no error. Results carry the
    error of the operands and the rounding of the wide operation, and no rounding of a narrower type.
    """

    value: np.ndarray
    error: np.ndarray

    __array_ufunc__ = None  # so that numpy leaves array * Running to __rmul__

    def __post_init__(self):
        value = np.asarray(self.value, WIDE)
        object.__setattr__(self, "value", value)
        error = np.asarray(self.error, WIDE)
        object.__setattr__(
            self, "error", error if error.shape == value.shape else error + np.zeros_like(value)
        )

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of both arrays."""
        return self.value.shape

    def __getitem__(self, at) -> Running:
        return Running(self.value[at], self.error[at])

    def rounded(self, kind: str, times: float = 1) -> Running:
        """After `times` roundings to a type, each of a number of the size of the value.

        kind is a name of UNITS. A number that may lie past the type's largest has no bound: the real one is
        then infinite.
        """
        if not _narrow[0]:
            return self
        kind, size = counted(kind), abs(self.value) + self.error
        error = self.error + times * (WIDE(UNITS[kind]) * size + WIDE(TINY[kind]))
        return Running(self.value, np.where(size > WIDE(MOST[kind]), np.inf, error))

    def __neg__(self):
        return Running(-self.value, self.error)

    def __abs__(self):
        return Running(abs(self.value), self.error)

    def __add__(self, other):
        other = running(other)
        return done(self.value + other.value, self.error + other.error)

    def __sub__(self, other):
        other = running(other)
        return done(self.value - other.value, self.error + other.error)

    def __mul__(self, other):
        other = running(other)
        carried = abs(self.value) * other.error + abs(other.value) * self.error + self.error * other.error
        return done(self.value * other.value, np.where(np.isnan(carried), np.inf, carried))

    def __truediv__(self, other):
        other = running(other)
        value = self.value / other.value
        room = abs(other.value) - other.error
        carried = np.where(room > 0, (self.error + abs(value) * other.error) / room, np.inf)
        return done(value, np.where((other.error == 0) & (self.error == 0), 0, carried))

    def __pow__(self, exponent):
        return power(self, exponent)

    def __radd__(self, other):
        return self + other

    def __rsub__(self, other):
        return running(other) - self

    def __rmul__(self, other):
        return self * other

    def __rtruediv__(self, other):
        return running(other) / self

    def __rpow__(self, base):
        return power(running(base), self)


def narrow(kind: str | None) -> WIDE:
    """The relative rounding of a type, 0 where none is counted."""
    return WIDE(UNITS[counted(kind)]) if kind and _narrow[0] else WIDE(0)


def running(x) -> Running:
    """x as a Running: itself, or numbers without error."""
    return x if isinstance(x, Running) else Running(np.asarray(x, WIDE), WIDE(0))


def done(value, error) -> Running:
    """A value that one wide operation made, with the rounding of that operation."""
    value = np.asarray(value)
    return Running(value, error + WIDE_UNIT * abs(value))


def monotone(f, x: Running, lowest=None) -> Running:
    """f of x, where f increases or decreases throughout; below `lowest` f is not defined."""
    low, high = x.value - x.error, x.value + x.error
    if lowest is not None:
        low = np.maximum(low, lowest)
    value = f(x.value)
    spread = np.maximum(abs(f(high) - value), abs(value - f(low)))
    return done(value, np.where(x.error == 0, 0, spread + 2 * WIDE_UNIT * abs(value)))


def sqrt(x: Running) -> Running:
    """The square root; of a number that may be negative, the error reaches from 0."""
    return monotone(np.sqrt, running(x), lowest=WIDE(0))


def anywhere(f: Callable) -> Callable:
    """f of Running numbers of any size; libm's longdouble functions are within 2 units, which `monotone`
    counts."""
    return lambda x: monotone(f, running(x))


exp, expm1, tanh, arctan, cube_root = map(anywhere, (np.exp, np.expm1, np.tanh, np.arctan, np.cbrt))
sigmoid = anywhere(lambda y: 1 / (1 + np.exp(-y)))


def log(x: Running) -> Running:
    """The logarithm; where the number may be 0, the error has no bound."""
    return monotone(np.log, running(x), lowest=WIDE(0))


def log1p(x: Running) -> Running:
    """log(1 + x)."""
    return monotone(np.log1p, running(x), lowest=WIDE(-1))


def power(x: Running, exponent) -> Running:
    """x to a power: whole powers by multiplication, others of positive numbers."""
    x, exponent = running(x), running(exponent)
    if exponent.value.ndim == 0 and exponent.error == 0:
        number = exponent.value[()]
        if number == int(number) and 0 <= number <= 64:
            return whole_power(x, int(number))
        if number == WIDE(0.5):
            return sqrt(x)
        if number < 0:
            return 1 / power(x, -number)
        return monotone(lambda y: y**number, x, lowest=WIDE(0))
    return exp(log(x) * exponent)


def whole_power(x: Running, exponent: int) -> Running:
    """x multiplied with itself; the error of |x|^n is at most (|x| + e)^n - |x|^n."""
    size = abs(x.value)
    value = x.value**exponent
    carried = (size + x.error) ** exponent - size**exponent
    wide = 2 * exponent * WIDE_UNIT * (size + x.error) ** exponent  # of the difference of the two powers
    return done(value, np.where(x.error == 0, exponent * WIDE_UNIT * abs(value), carried + wide))


def maximum(a, b) -> Running:
    """The larger one: it moves by at most the larger of the errors."""
    a, b = running(a), running(b)
    return Running(np.maximum(a.value, b.value), np.maximum(*np.broadcast_arrays(a.error, b.error)))


def minimum(a, b) -> Running:
    """The smaller one."""
    a, b = running(a), running(b)
    return Running(np.minimum(a.value, b.value), np.maximum(*np.broadcast_arrays(a.error, b.error)))


def absolute(x) -> Running:
    """|x|."""
    return abs(running(x))


def sign(x) -> Running:
    """The sign, which is not known where the error reaches across 0."""
    x = running(x)
    return Running(np.sign(x.value), np.where((x.error > 0) & (abs(x.value) <= x.error), 2, 0))


def choose(condition: Running, a, b) -> Running:
    """a where the condition is 1, else b; where the condition has an error, either may have been taken."""
    a, b = running(a), running(b)
    value = np.where(condition.value != 0, a.value, b.value)
    error = np.where(condition.value != 0, a.error, b.error)
    doubt = abs(a.value - b.value) + np.maximum(*np.broadcast_arrays(a.error, b.error))
    return Running(value, np.where(condition.error > 0, doubt, error))


def compared(a, b, relation) -> Running:
    """1 where relation(a, b) holds, else 0, with an error of 1 where rounding may have decided it."""
    a, b = running(a), running(b)
    gap, reach = abs(a.value - b.value), a.error + b.error
    held = relation(a.value, b.value)
    return Running(held.astype(WIDE), np.where((reach > 0) & (gap <= reach), 1, 0))


def total(x: Running, axis=None, keepdims: bool = False, kind: str | None = None) -> Running:
    """The sum along axes, with the roundings of any order of summation in the type `kind`."""
    count = x.value.size if axis is None else int(np.prod([x.shape[i] for i in np.atleast_1d(axis)]))
    along = dict(axis=axis if axis is None else tuple(np.atleast_1d(axis)), keepdims=keepdims)
    value, size = x.value.sum(**along), (abs(x.value) + x.error).sum(**along)
    unit = WIDE_UNIT + narrow(kind)
    roundings = max(count - 1, 0) * unit
    if count * unit >= 1:
        return Running(value, np.full_like(np.asarray(value), np.inf))
    return Running(value, x.error.sum(**along) + roundings / (1 - count * unit) * size)


def product(a: Running, b: Running, kind: str | None = None) -> Running:
    """The matrix product a b of the last two axes, its sums in any order, each product rounded once."""
    inner = a.shape[-1]
    sizes = (abs(a.value) + a.error, abs(b.value) + b.error)
    carried = sizes[0] @ b.error + a.error @ abs(b.value)
    unit = inner * (WIDE_UNIT + narrow(kind))
    bound = unit / (1 - unit) if unit < 1 else WIDE(np.inf)
    return Running(a.value @ b.value, carried + bound * (sizes[0] @ sizes[1]))
