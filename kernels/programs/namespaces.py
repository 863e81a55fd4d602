"""The namespaces `xp` that a loss is given when it runs on numbers: numpy arrays or mpmath numbers.

exp, log and sqrt are the library's; step is ours, since none has it with these edges. A namespace that lacks
a function of the table of operations does not come into being.
"""

from __future__ import annotations

from collections.abc import Callable

import mpmath
import numpy as np

from noether.kernels.programs import arrays
from noether.kernels.programs.operations import FUNCTIONS, OPERATIONS, step

INSTEAD = {
    "tanh": "1 - 2 / (xp.exp(2 * x) + 1)",
    "sigmoid": "1 / (1 + xp.exp(-x))",
    "log1p": "xp.log(1 + x)",
    "expm1": "xp.exp(x) - 1",
    "cosh": "(xp.exp(x) + xp.exp(-x)) / 2",
    "sinh": "(xp.exp(x) - xp.exp(-x)) / 2",
    "square": "x * x",
    "softplus": "xp.log(1 + xp.exp(x))",
    "abs": "x * (2 * xp.step(x) - 1), with x in kinks",
    "relu": "x * xp.step(x), with x in kinks",
    "maximum": "y + (x - y) * xp.step(x - y), with x - y in kinks",
    "minimum": "x - (x - y) * xp.step(x - y), with x - y in kinks",
    "mean": "xp.sum(...) / n",
    "dot": "sum(x * y for x, y in zip(...))",
}
"""A function that xp does not have -> what to write instead."""


def is_number(x) -> bool:
    """Whether x is a plain number, of python or numpy; no longdouble, in which parameters come."""
    if isinstance(x, np.generic | np.ndarray):
        return x.shape == () and x.dtype.kind in "biuf" and x.dtype.itemsize <= 8
    return isinstance(x, int | float)


def plain(name: str, x) -> float:
    """A function of a number that depends on no parameter, as the same float under every namespace."""
    try:
        return OPERATIONS[name].plain(float(x))
    except (ValueError, OverflowError):  # of log -1, and exp 1000: as numpy has it
        with np.errstate(all="ignore"):
            return float(getattr(np, name)(float(x)))


def absent(name: str):
    """The message about a function that no namespace has, with what to write instead."""
    instead = f"; write {name} as {INSTEAD[name]}" if name in INSTEAD else ""
    raise AttributeError(
        f"xp has no {name}: a loss cannot be traced but with xp.exp, xp.log, xp.sqrt and xp.step{instead}"
    )


class Namespace:
    """A namespace xp, made of one function of whatever is no plain number for each of FUNCTIONS.

    number  which arguments are plain numbers;  value  (name, number) -> what they give, a float as a rule
    """

    def __init__(self, functions: dict[str, Callable], number: Callable = is_number, value: Callable = plain):
        if set(functions) != set(FUNCTIONS):
            raise ValueError(f"a namespace has {sorted(functions)}: must have {sorted(FUNCTIONS)}")
        for name, function in functions.items():
            setattr(self, name, called(name, function, number, value))
        self.functions = {name: getattr(self, name) for name in functions}

    def array(self, values, shape=None):
        """An array of these numbers, in a shape; kernels/programs/arrays.py."""
        return arrays.made(values, shape, self.functions)

    def constant(self, values):
        """An array of numbers that are no parameters."""
        return arrays.constants(values, self.functions)

    def sum(self, values, axis: int | None = None):
        """The sum of an array, along an axis or of all, or of numbers; from the first to the last."""
        return arrays.total(values, axis)

    def __getattr__(self, name: str):
        return absent(name)


def called(name: str, function: Callable, number: Callable, value: Callable) -> Callable:
    def call(x):
        if isinstance(x, arrays.Array):
            return x.applied(name)
        return value(name, x) if number(x) else function(x)

    return call


def of(library) -> Namespace:
    """The functions of numpy or mpmath, and step."""
    functions = {name: step if name == "step" else getattr(library, name) for name in FUNCTIONS}
    return Namespace(functions, number=lambda x: isinstance(x, int | float | np.generic) and is_number(x))


NUMPY, MPMATH = of(np), of(mpmath)
