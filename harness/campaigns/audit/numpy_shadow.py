"""Arrays with a shadow: numpy's own operations, done on the tensors that an audit shadows.

A step function of numpy gets arrays of this kind. Every ufunc that it calls is carried out by the operation
of torch with the same meaning, which rounds the same way: once, to nearest. So one shadow serves both.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

UFUNCS = {
    "add": torch.add, "subtract": torch.sub, "multiply": torch.mul, "divide": torch.div,
    "true_divide": torch.div, "negative": torch.neg, "sqrt": torch.sqrt, "square": torch.square,
    "absolute": torch.abs, "fabs": torch.abs, "sign": torch.sign, "maximum": torch.maximum,
    "minimum": torch.minimum, "power": torch.pow, "exp": torch.exp, "log": torch.log, "tanh": torch.tanh,
    "reciprocal": torch.reciprocal, "greater": torch.gt, "less": torch.lt, "greater_equal": torch.ge,
    "less_equal": torch.le, "equal": torch.eq, "not_equal": torch.ne, "logical_and": torch.logical_and,
    "logical_or": torch.logical_or, "logical_not": torch.logical_not, "expm1": torch.expm1,
    "log1p": torch.log1p,
}  # fmt: skip
FUNCTIONS = {
    "zeros_like": torch.zeros_like, "ones_like": torch.ones_like, "copy": torch.clone, "where": torch.where,
    "sum": torch.sum, "mean": torch.mean, "dot": torch.dot, "clip": torch.clamp,
    "empty_like": torch.zeros_like, "full_like": torch.full_like,
}  # fmt: skip


class Shadowed(np.lib.mixins.NDArrayOperatorsMixin):
    """An array whose numbers are a tensor's."""

    __array_priority__ = 1000

    def __init__(self, tensor: torch.Tensor):
        self.tensor = tensor

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape."""
        return tuple(self.tensor.shape)

    @property
    def size(self) -> int:
        """How many numbers there are."""
        return self.tensor.numel()

    @property
    def ndim(self) -> int:
        """How many axes there are."""
        return self.tensor.ndim

    @property
    def dtype(self) -> np.dtype:
        """numpy's type of the numbers."""
        return np.dtype(str(self.tensor.dtype).removeprefix("torch."))

    def copy(self) -> Shadowed:
        """A copy."""
        return Shadowed(self.tensor.clone())

    def sum(self, axis=None) -> Shadowed:
        """The sum."""
        return Shadowed(self.tensor.sum() if axis is None else self.tensor.sum(axis))

    def __len__(self) -> int:
        return len(self.tensor)

    def __getitem__(self, at) -> Shadowed:
        return Shadowed(self.tensor[bare(at)])

    def __setitem__(self, at, x) -> None:
        self.tensor[bare(at)] = bare(x)

    def __array_ufunc__(self, ufunc, method, *inputs, out=None, **more):
        if method != "__call__" or ufunc.__name__ not in UFUNCS or more:
            raise TypeError(f"numpy.{ufunc.__name__} has no meaning here: must be one of {', '.join(UFUNCS)}")
        if out is not None and not isinstance(out[0], Shadowed):
            raise TypeError(
                "a result is put into a plain array, must be one like q, as of numpy.zeros_like(q)"
            )
        like = next(bare(x) for x in inputs if isinstance(x, Shadowed))
        given = [bare(x) for x in inputs]
        whole = ufunc.__name__ in ("maximum", "minimum", "logical_and", "logical_or")
        if whole or not isinstance(given[0], torch.Tensor):
            given = [x if isinstance(x, torch.Tensor) else torch.full_like(like, x) for x in given]
        found = UFUNCS[ufunc.__name__](*given)
        if out is None:
            return Shadowed(found)
        out[0].tensor.copy_(found)
        return out[0]

    def __array_function__(self, function, types, args, kwargs):
        if function.__name__ not in FUNCTIONS:
            raise TypeError(
                f"numpy.{function.__name__} has no meaning here: must be one of {', '.join(FUNCTIONS)}"
            )
        return Shadowed(FUNCTIONS[function.__name__](*map(bare, args), **kwargs))


def bare(x):
    """The tensor of an array, or x itself."""
    if isinstance(x, Shadowed):
        return x.tensor
    if isinstance(x, np.ndarray):
        return torch.from_numpy(x)
    return x.item() if isinstance(x, np.generic) else x


def stepped(q: torch.Tensor, g: torch.Tensor, state: dict, function: Callable, options: dict) -> None:
    """One step of a function of arrays; the state keeps tensors in between."""
    kept = {key: Shadowed(x) if isinstance(x, torch.Tensor) else x for key, x in state.items()}
    new = function(Shadowed(q), Shadowed(g), kept, **options)
    state.clear()
    state.update({key: bare(x) for key, x in kept.items()})
    if new is not None:
        q.copy_(bare(new))
