"""A step function as an optimizer: step(q, g, state, **options) changes one parameter, or gives the new one.

    q      the parameter, a tensor
    g      its gradient, a tensor
    state  a dictionary of its own, empty at first, that stays between steps
    n      where it is asked for: the number of the step, from 1

It changes q in place, or returns the new q. An option named `arrays=True` on the function itself (a decorator
is not needed: step.arrays = True) gives it numpy arrays in place of tensors (numpy_shadow.py).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable

import torch

from noether.campaigns.audit.numpy_shadow import stepped

TAKES = ("q", "g", "state")


def is_one(found) -> bool:
    """Whether a function is a step function: its arguments begin with q, g, state."""
    if inspect.isclass(found):
        return False
    try:
        names = tuple(inspect.signature(found).parameters)
    except (TypeError, ValueError):
        return False
    return names[:3] == TAKES


def made(function: Callable) -> Callable:
    """make(parameters, **options) of a step function."""
    return lambda parameters, **options: Stepped(parameters, function, options)


class Stepped:
    """An optimizer that calls a step function on each parameter that has a gradient."""

    def __init__(self, parameters, function: Callable, options: dict):
        self.parameters, self.function = list(parameters), function
        names = inspect.signature(function).parameters
        self.counts = "n" in names
        given = {key: x.default for key, x in names.items() if x.default is not inspect.Parameter.empty}
        self.options = options
        self.defaults = {**given, **options}
        self.state = {p: {} for p in self.parameters}
        self.numbers = dict.fromkeys(self.parameters, 0)

    def step(self) -> None:
        """One step of every parameter that has a gradient."""
        for p in self.parameters:
            if p.grad is None:
                continue
            self.numbers[p] += 1
            more = {"n": self.numbers[p]} if self.counts else {}
            with torch.no_grad():
                if getattr(self.function, "arrays", False):
                    stepped(p.data, p.grad, self.state[p], self.function, {**self.options, **more})
                    continue
                new = self.function(p.data, p.grad, self.state[p], **self.options, **more)
                if new is not None:
                    p.data.copy_(new)
