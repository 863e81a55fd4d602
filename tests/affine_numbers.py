"""Numbers of 60 digits that know how far float64 may be from them: a running error in affine arithmetic.

Every operation adds a rounding error of its own, u times the largest result that there may be, and numbers
that are made of it remember how much of it they have:

    x = value + sum_j parts_j e_j,   |e_j| <= 1,   radius = sum_j |parts_j|                                (1)

So an error that a formula takes off again, as m + w (f - m) does of m, cancels here as it does there, and 100
steps can be bounded. What is not linear in the e_j is bounded and becomes an e_j itself.
Source: de Figueiredo, Stolfi (2004), section 3. Nothing here may underflow: float64 is far from it.
"""

from types import SimpleNamespace

import mpmath
import numpy as np

UNIT = 2.0**-53
NOTHING = np.zeros(0)
SLACK = 1 + 2.0**-40  # for what the parts themselves are rounded by: a sum of 10^4 numbers errs by 2^-39 u's


class Affine:
    """A number (1). Plain numbers in its arithmetic are exact. `book` counts the errors of one trajectory."""

    __slots__ = ("book", "parts", "value")

    def __init__(self, book, value, parts=NOTHING):
        self.book, self.value, self.parts = book, mpmath.mpf(value), parts

    @property
    def radius(self) -> float:
        """The most that float64 is away from the value."""
        return float(np.abs(self.parts).sum()) * SLACK

    def lift(self, other):
        return other if isinstance(other, Affine) else Affine(self.book, other)

    def linear(self, a, other, b):
        """The parts of a times this plus b times the other."""
        out = np.zeros(max(len(self.parts), len(other.parts)))
        out[: len(self.parts)] += float(a) * self.parts
        out[: len(other.parts)] += float(b) * other.parts
        return out

    def rounded(self, value, parts, rest=0.0):
        """A new number with the rounding of the operation that made it; rest bounds what is not linear."""
        off = UNIT * (float(abs(value)) + float(np.abs(parts).sum()) + rest) * SLACK + rest
        return self.uncertain(value, parts, off) if off else Affine(self.book, value, parts)

    def uncertain(self, value, parts, off):
        """A number with one more error, of size off."""
        return Affine(
            self.book, value, np.concatenate([parts, np.zeros(self.book.take() - len(parts)), [off]])
        )

    def __add__(self, other):
        other = self.lift(other)
        return self.rounded(self.value + other.value, self.linear(1, other, 1))

    def __sub__(self, other):
        return self + -self.lift(other)

    def __rsub__(self, other):
        return self.lift(other) - self

    def __mul__(self, other):
        other = self.lift(other)
        parts = self.linear(other.value, other, self.value)
        return self.rounded(self.value * other.value, parts, self.radius * other.radius)

    def __truediv__(self, other):
        """(a + A)/(b + B) - a/b = L - L B/(b + B) with L = (A - (a/b) B)/b."""
        other = self.lift(other)
        value, below = self.value / other.value, float(abs(other.value)) - other.radius
        if below <= 0:
            raise ArithmeticError(f"a divisor is {other.value}, known to {other.radius}: it may be 0")
        parts = self.linear(1 / other.value, other, -value / other.value)
        return self.rounded(value, parts, float(np.abs(parts).sum()) * SLACK * other.radius / below)

    def __rtruediv__(self, other):
        return self.lift(other) / self

    def __neg__(self):
        return Affine(self.book, -self.value, -self.parts)

    __radd__, __rmul__ = __add__, __mul__


class Book:
    """The errors of one trajectory: how many there are."""

    def __init__(self):
        self.errors = 0

    def take(self) -> int:
        """The position of a new one."""
        self.errors += 1
        return self.errors - 1

    def number(self, value) -> Affine:
        """A number that is exact."""
        return Affine(self, value)


def root(x: Affine) -> Affine:
    """sqrt(a + A) - s - A/(2 s) = -A^2/(2 s (s + sqrt(a + A))^2) with s = sqrt(a)."""
    if x.value == 0 == x.radius:
        return x
    if x.radius >= x.value:
        raise ArithmeticError(f"a root of {x.value}, known to {x.radius}: float64 may have a negative number")
    s = mpmath.sqrt(x.value)
    least = float(s + mpmath.sqrt(x.value - x.radius))
    return x.rounded(s, x.parts / float(2 * s), x.radius**2 / (2 * float(s) * least**2))


def absolute(x: Affine) -> Affine:
    if x.radius < abs(x.value) or x.radius == 0:
        return -x if x.value < 0 else x
    return x.uncertain(abs(x.value), NOTHING, x.radius)


def maximum(x: Affine, y: Affine) -> Affine:
    """The larger one where that is known, else a number that is off by as much as both may be."""
    if x.radius + y.radius <= abs(x.value - y.value):
        return x if x.value > y.value else y
    return x.uncertain(max(x.value, y.value), NOTHING, max(x.radius, y.radius))


AFFINE = SimpleNamespace(
    sqrt=root, absolute=absolute, maximum=maximum, store=lambda x: x, store_buffer=lambda x: x
)
"""The namespace xp of a learning rule on them; float64 has no rounding to a store."""
