"""The namespaces `xp` that a loss is given when it runs on numbers: numpy arrays or mpmath numbers.

exp, log and sqrt are the library's; step is ours, since none has it with these edges.
"""

from __future__ import annotations

import math

import mpmath
import numpy as np

PLAIN = {"exp": math.exp, "log": math.log, "sqrt": math.sqrt, "step": lambda x: float(x > 0)}
"""Of a number that depends on no parameter: the same float under every namespace."""
INSTEAD = {
    "tanh": "1 - 2 / (xp.exp(2 * x) + 1)", "sigmoid": "1 / (1 + xp.exp(-x))", "log1p": "xp.log(1 + x)",
    "expm1": "xp.exp(x) - 1",
    "cosh": "(xp.exp(x) + xp.exp(-x)) / 2", "sinh": "(xp.exp(x) - xp.exp(-x)) / 2", "square": "x * x",
    "softplus": "xp.log(1 + xp.exp(x))",
    "abs": "x * (2 * xp.step(x) - 1), with x in kinks", "relu": "x * xp.step(x), with x in kinks",
    "maximum": "y + (x - y) * xp.step(x - y), with x - y in kinks",
    "minimum": "x - (x - y) * xp.step(x - y), with x "
                                                                               "- y in kinks",
    "sum": "sum(...) of python", "mean": "sum(...) / n", "dot": "sum(x * y for x, y in zip(...))",
}  # fmt: skip


def is_number(x) -> bool:
    """A plain number: python's, or a scalar of numpy's; no longdouble, in which parameters come."""
    if isinstance(x, np.generic | np.ndarray):
        return x.shape == () and x.dtype.kind in "biuf" and x.dtype.itemsize <= 8
    return isinstance(x, int | float)


def plain(name: str, x) -> float:
    try:
        return PLAIN[name](float(x))
    except (ValueError, OverflowError):  # of log -1, and exp 1000: as numpy has it
        with np.errstate(all="ignore"):
            return float(getattr(np, name)(float(x)))


def absent(name: str):
    """The complaint about a function that no namespace has."""
    instead = f"; write {name} as {INSTEAD[name]}" if name in INSTEAD else ""
    raise AttributeError(
        f"xp has no {name}: a loss cannot be traced but with xp.exp, xp.log, xp.sqrt and xp.step{instead}"
    )


def step(x):
    """1 where x > 0, else 0 (also at 0 and at NaN), of the type of x; of a complex number its real part
    decides."""
    if isinstance(x, np.ndarray | np.generic):
        return (x.real > 0).astype(x.dtype)
    return x.step() if hasattr(x, "step") else type(x)(x > 0)  # a traced number steps itself


def of(library, name: str):
    """A function of a library; of a plain number the float that every namespace gives, or two witnesses would
    part."""
    function = getattr(library, name)
    return lambda x: (
        plain(name, x) if isinstance(x, int | float | np.generic) and is_number(x) else function(x)
    )


class Namespace:
    """exp, log, sqrt of `library`, and step."""

    step = staticmethod(step)

    def __init__(self, library):
        self.exp, self.log, self.sqrt = (of(library, name) for name in ("exp", "log", "sqrt"))

    def __getattr__(self, name: str):
        return absent(name)


NUMPY, MPMATH = Namespace(np), Namespace(mpmath)
