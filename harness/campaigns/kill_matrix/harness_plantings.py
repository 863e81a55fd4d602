"""How a fault of the harness itself is put in place: one of its functions is replaced for a while.

Each function here that takes `right`, the function of production, gives the wrong one that stands in its
place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property

import numpy as np

from noether.mechanics import wide
from noether.mechanics.trajectory import Trajectory


@contextmanager
def replaced(target, name: str, value) -> Iterator[None]:
    """`target.name` is `value` for as long as the `with` lasts; target is a module, an object or a class."""
    target = holder(target, name) if isinstance(target, type) else target
    before = vars(target)[name] if isinstance(target, type) else getattr(target, name)
    setattr(target, name, value)
    try:
        yield
    finally:
        setattr(target, name, before)


def holder(kind: type, name: str) -> type:
    """The class that defines what objects of this one call by this name: itself, or one that it is made
    from."""
    return next(c for c in kind.__mro__ if name in vars(c))


def instead(target, name: str, make: Callable) -> Callable:
    """Plant a fault by replacing `target.name` by make(the right one)."""
    return lambda: replaced(target, name, make(getattr(target, name)))


def wider(name: str, factor: float = 1000.0, rule: str = "") -> Callable:
    """Plant a bound of the trajectory that is `factor` times too wide: under every rule, or under one."""

    def plant():
        right = vars(holder(Trajectory, name))[name].func
        wrong = cached_property(lambda t: (factor if rule in ("", t.rule.name) else 1) * right(t))
        wrong.__set_name__(Trajectory, name)
        return replaced(Trajectory, name, wrong)

    return plant


def widest(rule: str) -> Callable:
    """Plant bounds of one rule's step that are all 1000 times too wide."""

    @contextmanager
    def plant():
        with wider("delta", rule=rule)(), wider("apart", rule=rule)():
            yield

    return plant


def deaf(right):
    """A fault: NaN and infinity count as nothing spent."""

    def spent_of(r):
        spent = right(r)
        return np.where(np.isfinite(spent), spent, 0.0)

    return spent_of


def without_worst(right):
    """A fault: the worst lane is left out."""

    def spent_of(r):
        spent = right(r).copy()
        spent[..., np.unravel_index(np.argmax(spent), spent.shape)[-1]] = 0.0
        return spent

    return spent_of


def nothing(right):
    """A fault: a judge that gives no record."""
    return lambda *_, **__: []


def inverted(right):
    """A fault: 1/spent for spent."""

    def spent_of(r):
        with np.errstate(all="ignore"):
            return 1 / right(r)

    return spent_of


def overlooking(*place):
    """A judge that does not look there: place is an index of steps, and of lanes behind an Ellipsis."""

    def make(right):
        def spent_of(r):
            spent = right(r).copy()
            spent[place] = 0.0
            return spent

        return spent_of

    return make


def without_last_component(right):
    """A fault: the last of several components spends nothing."""

    def spent_of(r):
        spent = right(r).copy()
        if spent.ndim == 3:
            spent[:, -1] = 0.0
        return spent

    return spent_of


class Other:
    """A module with some names of its own in place of the right ones."""

    def __init__(self, module, **names):
        self.__dict__.update({"module": module, **names})

    def __getattr__(self, name):
        return getattr(self.module, name)


def absolute(right):
    """A fault: the order is taken of |log|, so that what diverges looks convergent."""

    def decide(errors, noise):
        errors = np.abs(errors)
        order = right(errors, noise)
        return replace(order, value=abs(order.value)) if order.is_decided else order

    return decide


def whole(right):
    """A fault: the order is rounded to an integer before it is judged."""
    rounded = lambda order: replace(order, value=float(round(order.value))) if order.is_decided else order
    return lambda errors, noise: rounded(right(errors, noise))


def by_output(right):
    """A fault: lanes that came back infinite are called outside."""
    return property(lambda domain: ~domain.t.finite.all(axis=0))


def renamed(right):
    """A fault: records name a compiled backend, whatever ran."""
    return lambda cell, job, backend: {**right(cell, job, backend), "backend": "triton-ptx"}


def own_gradient(right):
    """A fault: the gradient of the evidence comes from float64 arithmetic, no wider than the kernel's."""
    return lambda loss, q: (
        right(loss, np.asarray(q, np.float64).astype(wide.WIDE)).astype(np.float64).astype(wide.WIDE)
    )


def away_from_zero(right):
    """A fault: bfloat16 ties are rounded away from zero, in kernel and reference alike."""

    def nearest_bfloat16(x):
        bits = np.asarray(x, dtype=np.float32, order="C").view(np.uint32)
        return np.where(np.isnan(x), right(x), (bits + np.uint32(0x8000)) & np.uint32(0xFFFF0000))

    return nearest_bfloat16


def dropping(right):
    """A fault: a resumed run forgets its last record, but not the cell that it belongs to."""

    def reopen(path, *how):
        opened, found = right(path, *how)
        found.records = found.records[:-1]
        return opened, found

    return reopen
