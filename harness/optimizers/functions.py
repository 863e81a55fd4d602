"""The functions that a step calls, for plain arrays and for Running numbers.

A step is written once, with `xp` for whichever of the two it is carried out in.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np

from noether.optimizers import running
from noether.optimizers.running import WIDE, Running

PYTHON = 8
"""How many roundings of Python's floats may stand between a number that was given and a coefficient that
reaches a tensor: coefficients are short formulas of the arguments and of the step."""


def shaped(u, shape):
    """The last axis as a matrix."""
    return u.reshape(*u.shape[:-1], *shape)


def flat(u, shape):
    """A matrix as the last axis."""
    return u.reshape(*u.shape[: u.ndim - len(shape)], -1)


def both(f: Callable) -> Callable:
    """f of the values and of the errors."""
    return lambda u, *more: Running(f(u.value, *more), f(u.error, *more))


PLAIN = SimpleNamespace(
    sqrt=np.sqrt, absolute=np.abs, maximum=np.maximum, minimum=np.minimum, sign=np.sign, number=WIDE,
    norm=lambda u: np.sqrt((u * u).sum(axis=-1, keepdims=True)), coefficient=lambda x: x, kept=lambda x: x,
    mean=lambda u, axis: u.mean(axis=axis, keepdims=True), shaped=shaped, flat=flat,
    deep=lambda x: np.asarray(x)[..., None], matrix=lambda a, b: a @ b, turned=lambda u: u.swapaxes(-1, -2),
)  # fmt: skip
"""The functions of a step for arrays whose last axis are the parameters of one tensor."""
BOUNDED = SimpleNamespace(
    sqrt=running.sqrt, absolute=running.absolute, maximum=running.maximum, minimum=running.minimum,
    sign=running.sign, number=lambda x: running.running(WIDE(x)),
    norm=lambda u: running.sqrt(running.total(u * u, axis=-1, keepdims=True)),
    coefficient=lambda x: running.running(x).rounded("float64", PYTHON),
    kept=lambda x: running.running(x).rounded("float64", PYTHON),
    mean=lambda u, axis: running.total(u, axis=axis, keepdims=True) / WIDE(u.shape[axis]),
    deep=lambda x: x, shaped=both(shaped), flat=both(flat), matrix=running.product,
    turned=both(lambda u: u.swapaxes(-1, -2)),
)  # fmt: skip
"""The same for Running numbers. A coefficient that is kept from step to step may be kept in another type."""
