"""Dual numbers: the value of a formula with its derivatives, forward, in any kind of number.

They are a derivation beside the traced programs, whose gradients are accumulated backwards (wide.py).
"""

from __future__ import annotations

from functools import partial

import numpy as np

from noether.kernels.programs.namespaces import Namespace
from noether.kernels.programs.operations import step
from noether.mechanics.slopes import SLOPES

WIDE = np.longdouble


class Dual:
    """A dual number, value + sum_i partial_i d q_i; values of any shape and any number type.

    A partial derivative may be None, which is 0, or ONE: of q_i all but its own are 0, and to multiply by
    them is most of what a gradient would cost.
    """

    __slots__ = ("value", "partials")
    __array_ufunc__ = None

    def __init__(self, value, partials):
        self.value, self.partials = value, partials

    def _chain(self, value, slope):
        return Dual(value, [times(p, slope) for p in self.partials])

    def __add__(self, other):
        if isinstance(other, Dual):
            pairs = zip(self.partials, other.partials, strict=True)
            return Dual(self.value + other.value, [plus(a, b) for a, b in pairs])
        return Dual(self.value + other, self.partials)

    def __pos__(self):
        return self

    def __neg__(self):
        return Dual(-self.value, [None if p is None else -p for p in self.partials])

    def __sub__(self, other):
        return self + (-other)

    def __mul__(self, other):
        if isinstance(other, Dual):
            x, y, pairs = self.value, other.value, zip(self.partials, other.partials, strict=True)
            return Dual(x * y, [plus(times(a, y), times(b, x)) for a, b in pairs])
        return Dual(self.value * other, [times(p, other) for p in self.partials])

    def __truediv__(self, other):
        if isinstance(other, Dual):
            ratio, y = self.value / other.value, other.value
            pairs = ((a, times(b, -ratio)) for a, b in zip(self.partials, other.partials, strict=True))
            return Dual(ratio, [over(plus(a, b), y) for a, b in pairs])
        return Dual(self.value / other, [over(p, other) for p in self.partials])

    def __rtruediv__(self, other):
        ratio = other / self.value
        return self._chain(ratio, -ratio / self.value)

    def __rsub__(self, other):
        return (-self) + other

    def __pow__(self, power):
        out = self
        for _ in range(power - 1):
            out = out * self
        return out

    __radd__, __rmul__ = __add__, __mul__


ONE = WIDE(1)
"""The partial derivative of a parameter by itself, known by its identity."""


def times(p, x):
    """A partial derivative times a number."""
    if p is None:
        return None
    return x if p is ONE and getattr(x, "dtype", None) == WIDE else p * x


def plus(a, b):
    """The sum of two partial derivatives."""
    if a is None or b is None:
        return b if a is None else a
    return a + b


def over(p, x):
    """A partial derivative over a number."""
    return None if p is None else p / x


class Functions(Namespace):
    """The namespace xp of a loss on dual numbers over `library` (numpy or mpmath)."""

    def __init__(self, library):
        super().__init__(
            {name: partial(chained, library, name) for name in SLOPES},
            number=lambda x: not isinstance(x, Dual),
        )


def chained(library, name: str, x: Dual) -> Dual:
    if SLOPES[name] is None:
        return Dual(step(x.value), [None if p is None else 0 * p for p in x.partials])
    value = getattr(library, name)(x.value)
    return x._chain(value, SLOPES[name](x.value, value))


ON_ARRAYS = Functions(np)


def partials(loss, q, one=ONE, zero=None) -> list:
    """The d partial derivatives of loss(q, xp) over any numbers that numpy's functions take."""
    duals = [Dual(x, [one if j == i else zero for j in range(len(q))]) for i, x in enumerate(q)]
    return loss(duals, ON_ARRAYS).partials
