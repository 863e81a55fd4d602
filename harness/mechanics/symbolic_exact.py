"""The arithmetic of a case run in sympy, exactly: each float becomes the fraction that it is.

sympy adds and divides its own Floats at 15 digits (1.14): a false constant at 1e-16, enough to make a proof
at 50 digits fail and a formula for mpmath no better than one for float64.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from fractions import Fraction

import numpy as np
import sympy

from noether.kernels.programs.namespaces import Namespace, is_number, plain
from noether.kernels.programs.operations import step
from noether.mechanics import straight_line
from noether.mechanics.symbolic_gradient import Step

READ = [Fraction]
"""How a float is read, the last entry counts: as the binary fraction that it is, or as its shortest
decimal."""


@contextmanager
def decimals():
    """A context in which 0.1 is a tenth. A generator's own numbers and what is run stay the fractions that
    they are."""
    READ.append(lambda number: Fraction(repr(number)))
    try:
        yield
    finally:
        READ.pop()


def rational(number):
    """A number of a case file as an exact fraction."""
    number = number.item() if hasattr(number, "item") and is_number(number) else number  # of numpy
    number = int(number) if isinstance(number, bool) else number
    return sympy.Rational(READ[-1](number)) if isinstance(number, float) else sympy.sympify(number)


class Exact:
    """A sympy expression that turns the floats it meets into fractions first."""

    __slots__ = ("expression",)
    __array_ufunc__ = None  # a number of numpy's on the left is read here

    def __init__(self, expression):
        self.expression = expression

    def __neg__(self):
        return Exact(-self.expression)

    def __pos__(self):
        return self

    def __pow__(self, n):
        return Exact(self.expression ** unwrap(n))


def unwrap(x):
    return x.expression if isinstance(x, Exact) else rational(x)


def lift(operation: Callable) -> tuple[Callable, Callable]:
    return (
        lambda self, other: Exact(operation(self.expression, unwrap(other))),
        lambda self, other: Exact(operation(unwrap(other), self.expression)),
    )


for _name in ("add", "sub", "mul", "truediv"):
    _forward, _reflected = lift(getattr(operator, _name))
    setattr(Exact, f"__{_name}__", _forward)
    setattr(Exact, f"__r{_name}__", _reflected)


SYMPY = {"exp": sympy.exp, "log": sympy.log, "sqrt": sympy.sqrt, "step": Step}
EXACT = Namespace(
    {name: lambda x, function=function: Exact(function(unwrap(x))) for name, function in SYMPY.items()},
    value=lambda name, x: Exact(rational(plain(name, x))),
)
"""The namespace `xp` of a case, over Exact; of a plain number the float that every namespace gives."""


def expression(function: Callable, q: Sequence, *between):
    """A function(q, *between, xp) of a case file as a sympy expression, or a list of them."""
    out = function([Exact(x) for x in q], *(Exact(x) for x in between), EXACT)
    return [unwrap(x) for x in out] if isinstance(out, list | tuple) else unwrap(out)


def compiled(arguments: Sequence, expressions: Sequence, module: str) -> Callable:
    """A function of `arguments` that returns a list; the module is numpy (arrays), math (plain floats) or
    mpmath."""
    if module == "math":  # called most, and fastest so
        return sympy.lambdify(arguments, list(expressions), modules=[{"Step": step}, module], cse=True)
    return straight_line.compiled(arguments, expressions, module)


def arrays(function: Callable, count: int) -> Callable:
    """The function with its list stacked into (count, lanes); constants are spread over the lanes.

    The first argument has the full shape and the dtype, float or complex; later ones broadcast to it.
    """

    def call(*arguments):
        out = np.empty((count, *arguments[0].shape), dtype=arguments[0].dtype)
        for i, value in enumerate(function(*arguments)):
            out[i] = value
        return out

    return call
