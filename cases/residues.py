"""Numbers modulo a prime, in which sums, products, quotients and square roots are exact, and a namespace xp.

The square of root(x) is x where x has a root, as every second number has, and -x elsewhere; the root of a
product is the product of the roots. Of other functions nothing is known but that equal arguments give equal
values.
"""

from __future__ import annotations

import hashlib
import math
import numbers
from fractions import Fraction
from types import SimpleNamespace

PRIME = 2**61 - 1
OURS = "use + - * /, whole powers and xp.sqrt, exp, log, step, sign, absolute, maximum"


class Number:
    """A whole number modulo PRIME. A comparison raises: a step must not branch on its numbers."""

    __slots__ = ("value",)
    __array_ufunc__ = None  # a number of numpy's on the left is left to us, and its functions are refused

    def __init__(self, value):
        if isinstance(value, Number):
            value = value.value
        elif not isinstance(value, int):
            if not isinstance(value, numbers.Real) or not math.isfinite(value):
                raise TypeError(f"{value!r:.40} in the arithmetic of a step: must be a finite number")
            exact = Fraction(float(value))
            value = exact.numerator * pow(exact.denominator, -1, PRIME)
        self.value = value % PRIME

    def __add__(self, other):
        return Number(self.value + Number(other).value)

    def __sub__(self, other):
        return Number(self.value - Number(other).value)

    def __rsub__(self, other):
        return Number(other) - self

    def __mul__(self, other):
        return Number(self.value * Number(other).value)

    def __truediv__(self, other):
        below = Number(other).value
        if not below:
            raise ZeroDivisionError("a step divides by a number that is 0 at a random point")
        return Number(self.value * pow(below, -1, PRIME))

    def __rtruediv__(self, other):
        return Number(other) / self

    def __pow__(self, power: int):
        if not isinstance(power, int) or power < 1:
            raise TypeError(f"power is {power!r:.40}: must be whole and above 0; {OURS}")
        return Number(pow(self.value, power, PRIME))

    def __neg__(self):
        return Number(-self.value)

    def __pos__(self):
        return self

    def __eq__(self, other):
        return self.value == Number(other).value

    __radd__, __rmul__ = __add__, __mul__
    __hash__ = None

    def __bool__(self):
        raise TypeError("a step branches on its numbers: write it with xp.step, xp.sign or xp.maximum")

    def _plain(self, *other):
        raise TypeError(f"a number of a step is no plain number, as abs(), float() and math need it: {OURS}")

    __lt__ = __gt__ = __le__ = __ge__ = lambda self, other: bool(self)
    __abs__ = __float__ = __int__ = __index__ = __complex__ = __round__ = __floor__ = __ceil__ = _plain
    __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = __rpow__ = _plain


def unknown(name: str, *args) -> Number:
    """The value of a function of which nothing is known but that equal arguments give equal values."""
    text = repr((name, *(Number(x).value for x in args)))
    return Number(int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big"))


def largest(x, y) -> Number:
    """The larger of two, whichever it is: it does not change when they change places."""
    return unknown("maximum", *sorted((Number(x).value, Number(y).value)))


def root(x) -> Number:
    """A root of x, or of -x where x has none: one of the two has, for PRIME is 3 modulo 4."""
    return Number(pow(Number(x).value, (PRIME + 1) // 4, PRIME))


FUNCTIONS = ("exp", "log", "step", "sign", "absolute")
XP = SimpleNamespace(
    **{name: lambda x, name=name: unknown(name, x) for name in FUNCTIONS},
    sqrt=root,
    maximum=largest,
    store=lambda x: x,
    store_buffer=lambda x: x,
)
"""The namespace xp of exact numbers; nothing is rounded."""
UNSIGNED = SimpleNamespace(**{**vars(XP), "sign": lambda x: Number(1)})
"""One in which every sign is 1: what a step still depends on it reads beside its sign."""


class NoRoot(ArithmeticError):
    """A number has no root."""


class Roots:
    """A namespace xp in which the square of a root is always its argument, and how many roots it gave."""

    def __init__(self):
        self.taken = 0
        self.xp = SimpleNamespace(**{**vars(XP), "sqrt": self.sqrt})

    def sqrt(self, x) -> Number:
        """The root of x. Raises NoRoot where it has none."""
        self.taken += 1
        found = root(x)
        if not found * found == x:
            raise NoRoot
        return found
