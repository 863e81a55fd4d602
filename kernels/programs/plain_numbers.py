"""The numbers on which a learning rule's lines run in numpy: arrays of lanes that round as kernels do.

Each operation is that of the table (operations.py), rounded to the named type where every operation is. What
the tracer drops is dropped here too: x + 0, x - 0, 1 x, x / 1, and 0 x is 0; else the two would differ in the
sign of a zero.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from types import SimpleNamespace

import numpy as np

from noether.kernels.programs.namespaces import is_number, plain
from noether.kernels.programs.operations import FUNCTIONS, IN_A_RULE, NUMPY, STORES
from noether.kernels.programs.precision import Precision, narrow

FUNCTIONS_OF_ARRAYS = SimpleNamespace(**{name: row.numpy for name, row in IN_A_RULE.items()})
"""The functions of a rule's namespace, on arrays."""


class Lanes:
    """One number of every lane, (lanes,), with the rounding that each operation on it gets.

    Two of them come first in each operation: launches of few lanes are mostly calls of python.
    """

    __slots__ = ("x", "rounded")
    __array_ufunc__ = None

    def __init__(self, x: np.ndarray, rounded: Callable):
        self.x, self.rounded = x, rounded

    def lift(self, other):
        """An operand as an array: a plain number becomes one of this type, rounded as a constant of a
        kernel is."""
        if isinstance(other, Lanes):
            return other.x
        if not is_number(other):
            raise TypeError(
                f"{type(other).__name__} {other!r:.40} in the arithmetic of a rule: only numbers are"
            )
        return self.rounded(np.full((), float(other), self.x.dtype))

    def made(self, x):
        return Lanes(self.rounded(x), self.rounded)

    def __add__(self, other):
        if type(other) is Lanes:
            return Lanes(self.rounded(self.x + other.x), self.rounded)
        return self if is_zero(other) else self.made(self.x + self.lift(other))

    def __radd__(self, other):
        return self if is_zero(other) else self.made(self.lift(other) + self.x)

    def __sub__(self, other):
        if type(other) is Lanes:
            return Lanes(self.rounded(self.x - other.x), self.rounded)
        return self if is_zero(other) else self.made(self.x - self.lift(other))

    def __rsub__(self, other):
        return self.made(self.lift(other) - self.x)

    def __mul__(self, other):
        if type(other) is Lanes:
            return Lanes(self.rounded(self.x * other.x), self.rounded)
        return 0.0 if is_zero(other) else self if is_one(other) else self.made(self.x * self.lift(other))

    def __rmul__(self, other):
        return 0.0 if is_zero(other) else self if is_one(other) else self.made(self.lift(other) * self.x)

    def __truediv__(self, other):
        if type(other) is Lanes:
            return Lanes(self.rounded(self.x / other.x), self.rounded)
        return self if is_one(other) else self.made(self.x / self.lift(other))

    def __rtruediv__(self, other):
        return self.made(self.lift(other) / self.x)

    def __neg__(self):
        return Lanes(NUMPY["neg"](self.x), self.rounded)

    def __pos__(self):
        return self

    def __pow__(self, power: int):
        out = self
        for _ in range(power - 1):
            out = out * self
        return out

    def __bool__(self):
        raise TypeError("a rule branches on its numbers: write it with xp.step, xp.sign or xp.maximum")

    __lt__ = __gt__ = __le__ = __ge__ = __eq__ = __ne__ = lambda self, other: bool(self)
    __hash__ = None


def is_zero(x) -> bool:
    return not isinstance(x, Lanes) and is_number(x) and x == 0


def is_one(x) -> bool:
    return not isinstance(x, Lanes) and is_number(x) and x == 1


def namespace(precision: Precision, store: Callable = narrow, functions=FUNCTIONS_OF_ARRAYS):
    """The namespace xp of a rule on Lanes.

    store      store(x, kind) -> x as a buffer of that kind gives it back
    functions  a namespace of functions of arrays
    """
    rounded = rounding(precision)

    def called(name: str) -> Callable:
        function = getattr(functions, name)

        def call(*args):
            if all(is_number(x) for x in args):
                return plain(name, *args) if name in FUNCTIONS else IN_A_RULE[name].plain(*map(float, args))
            one = next(x for x in args if isinstance(x, Lanes))
            return one.made(function(*(one.lift(x) for x in args)))

        return call

    def stored(name: str) -> Callable:
        return lambda x: Lanes(store(x.x, precision.store_of(name)), x.rounded)

    names = {name: called(name) for name in IN_A_RULE if name not in STORES}
    return SimpleNamespace(**names, **{name: stored(name) for name in STORES}), rounded


@cache
def usual_namespace(precision: Precision):
    """The namespace of a rule as it is, which every step of a launch asks for."""
    return namespace(precision)


def rounding(precision: Precision) -> Callable:
    """What each operation is rounded by: to the named type where every one is, else not."""
    return (lambda x: narrow(x, precision.name)) if precision.eager else (lambda x: x)
