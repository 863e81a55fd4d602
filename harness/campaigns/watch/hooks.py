"""The hooks of a watch: on networks and on optimizers, and gone when it ends.

A hook on a module is copied and saved with it, by copy.deepcopy and by torch.save of a whole module. A copy
of ours does nothing, and what is saved needs no noether to be loaded.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from types import MethodType

import torch


def nothing() -> Callable:
    """A function that takes anything and does nothing, which pickle finds in any Python."""
    return contextlib.nullcontext().__exit__


class Hook:
    """A hook on a module: calls what it was given, in this module and in no copy of it."""

    def __init__(self, action: Callable):
        self.action = action

    def __call__(self, *given) -> None:
        self.action(*given)

    def __deepcopy__(self, memo):
        return nothing()

    def __reduce__(self):
        return getattr, (contextlib.nullcontext(), "__exit__")


class Hooks:
    """All hooks of a watch."""

    def __init__(self):
        self._handles = []

    def on_module(self, module: torch.nn.Module, before: Callable, after: Callable) -> None:
        """before(args, kwargs) and after(output) of each call of a module; after(None) of one that raises."""
        first = Hook(lambda _, args, kwargs: before(args, kwargs))
        last = Hook(lambda _, args, out: after(out))
        self._handles.append(module.register_forward_pre_hook(first, with_kwargs=True))
        self._handles.append(module.register_forward_hook(last, always_call=True))

    def on_optimizer(self, optimizer, before: Callable, after: Callable) -> None:
        """before(args, kwargs), which may give other ones, and after() of each step of an optimizer."""
        self._handles.append(optimizer.register_step_pre_hook(lambda _, args, kwargs: before(args, kwargs)))
        self._handles.append(optimizer.register_step_post_hook(lambda _, args, kwargs: after()))

    def remove(self) -> None:
        """Take all of them away."""
        for handle in self._handles:
            handle.remove()
        self._handles.clear()


@contextlib.contextmanager
def when_raised(optimizer, abandon: Callable[[], None]) -> Iterator[None]:
    """A context in which a step that raises is told of, for no hook is then called.

    step() is wrapped in this one object. Who wrapped it again meanwhile, as a scheduler does, keeps his own.
    """
    there, step = "step" in vars(optimizer), optimizer.step

    def told(self, *args, **kwargs):
        try:
            return step(*args, **kwargs)
        except BaseException:
            abandon()
            raise

    told.__dict__.update(getattr(step, "__dict__", {}))
    told.__wrapped__ = step
    optimizer.step = mine = MethodType(told, optimizer)
    try:
        yield
    finally:
        if vars(optimizer).get("step") is mine:
            optimizer.step = step
            if not there:
                del optimizer.step


def closure_of(args: tuple, kwargs: dict) -> Callable | None:
    """The closure that a step was given."""
    found = kwargs.get("closure", args[1] if len(args) > 1 else None)
    return found if callable(found) else None


def with_closure(args: tuple, kwargs: dict, closure: Callable) -> tuple[tuple, dict]:
    """The same arguments of a step with another closure."""
    if "closure" in kwargs:
        return args, {**kwargs, "closure": closure}
    return (args[0], closure, *args[2:]), kwargs
