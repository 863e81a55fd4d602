"""Gradients of many parameters in wide arithmetic, by reverse accumulation along the loss itself.

A derivation of its own: it runs the loss on arrays, knows nothing of the traced program and its table of
adjoints, and takes the slopes of functions from slopes.py. Forward accumulation, which wide.py has for few
parameters, costs d evaluations; this costs a few. tests/test_reverse.py holds the two against each other.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from noether.kernels.programs.arrays import Array, Grid
from noether.kernels.programs.namespaces import Namespace
from noether.kernels.programs.operations import FUNCTIONS, step
from noether.mechanics.slopes import SLOPES


class Tape:
    """What was computed from what: for each number its parents, with the function from its share to
    theirs."""

    def __init__(self):
        self.parents: list[list[tuple[int, Callable]]] = []

    def enter(self, parents: list[tuple[int, Callable]]) -> int:
        """The place of a new number."""
        self.parents.append(parents)
        return len(self.parents) - 1


class Tracked(Array):
    """An array of wide numbers, each on as many points as its last axis has, on a tape."""

    __slots__ = ("at", "tape", "value")

    def __init__(self, tape: Tape, value: np.ndarray, parents=()):
        self.tape, self.value = tape, value
        self.at = tape.enter(list(parents))

    @property
    def shape(self):
        return self.value.shape[:-1]

    def viewed(self, change):
        where = change(np.arange(self.size).reshape(self.shape))
        where = np.asarray(where)
        source = (self.size, self.value.shape[-1])
        whole = self.value.shape
        once = where.size == np.unique(where).size

        def back(g):
            out = np.zeros(source, g.dtype)
            rows = g.reshape(-1, g.shape[-1])
            if once:
                out[where.reshape(-1)] = rows
            else:
                np.add.at(out, where.reshape(-1), rows)
            return out.reshape(whole)

        value = self.value.reshape(source)[where.reshape(-1)].reshape(*where.shape, source[1])
        return Tracked(self.tape, value, [(self.at, back)])

    def spread(self, shape):
        if shape == self.shape:
            return self
        padded = (1,) * (len(shape) - self.ndim) + self.value.shape
        axes = tuple(i for i, n in enumerate(shape) if padded[i] == 1 and n != 1)
        whole = self.value.shape
        back = lambda g: g.sum(axis=axes, keepdims=True).reshape(whole)
        value = np.broadcast_to(self.value.reshape(padded), (*shape, padded[-1]))
        return Tracked(self.tape, value, [(self.at, back)])

    def lifted(self, other):
        if isinstance(other, Tracked):
            return other
        if isinstance(other, Grid):  # of constants: floats until they meet a parameter, as in a kernel
            other = other.numbers
        elif isinstance(other, Array):
            return None
        value = np.asarray(other, self.value.dtype)[..., None]
        return Tracked(self.tape, np.broadcast_to(value, (*value.shape[:-1], self.value.shape[-1])))

    def entered(self, name, *operands):
        a, b = (operands[0].value, operands[-1].value)
        at, other = operands[0].at, operands[-1].at
        if name == "add":
            return Tracked(self.tape, a + b, [(at, lambda g: g), (other, lambda g: g)])
        if name == "sub":
            return Tracked(self.tape, a - b, [(at, lambda g: g), (other, np.negative)])
        if name == "mul":
            return Tracked(self.tape, a * b, [(at, lambda g: g * b), (other, lambda g: g * a)])
        if name == "div":
            ratio = a / b
            return Tracked(self.tape, ratio, [(at, lambda g: g / b), (other, lambda g: -g * ratio / b)])
        return Tracked(self.tape, -a, [(at, np.negative)])  # neg

    def applied(self, name: str):
        """A function of the namespace of each number."""
        if SLOPES[name] is None:
            return Tracked(self.tape, step(self.value))
        value = getattr(np, name)(self.value)
        slope = SLOPES[name](self.value, value)
        return Tracked(self.tape, value, [(self.at, lambda g: g * slope)])

    def step(self):
        """1 where this is above 0, else 0."""
        return self.applied("step")

    def folded(self):
        shape = self.value.shape
        return Tracked(self.tape, self.value.sum(axis=0), [(self.at, lambda g: np.broadcast_to(g, shape))])

    def contracted(self, other):
        a, b = self.value, other.value
        value = np.einsum("ikn,kjn->ijn", a, b)
        to_a = lambda g: np.einsum("ijn,kjn->ikn", g, b)
        to_b = lambda g: np.einsum("ikn,ijn->kjn", a, g)
        return Tracked(self.tape, value, [(self.at, to_a), (other.at, to_b)])


class Functions(Namespace):
    """The namespace xp of a loss on tracked numbers of as many points as `like` has."""

    def __init__(self, like: Tracked):
        super().__init__({name: lambda x, name=name: x.applied(name) for name in FUNCTIONS})
        self.like = like

    def array(self, values, shape=None):
        whole = values if isinstance(values, Tracked) else stacked(self.like, list(values))
        return whole if shape is None else whole.reshape(shape)


def stacked(like: Tracked, values: list) -> Tracked:
    """Numbers, or arrays of one shape, as one array."""
    parts = [like.lifted(x) for x in values]
    back = lambda i: lambda g: g[i]
    return Tracked(
        like.tape, np.stack([x.value for x in parts]), [(x.at, back(i)) for i, x in enumerate(parts)]
    )


POINTS = 2**23
"""Numbers on a tape at a time, operations times points: 128 MB of wide ones, and as many of their shares."""


def gradient(loss, q: np.ndarray) -> np.ndarray:
    """The gradient of loss(q, xp) at q (d, n), of the type of q and its shape."""
    with np.errstate(all="ignore"):
        first, count = one(loss, q[:, :1])
        some = max(1, POINTS // max(1, count))
        rest = [one(loss, q[:, i : i + some])[0] for i in range(1, q.shape[1], some)]
    return np.concatenate([first, *rest], axis=1)


def one(loss, q: np.ndarray) -> tuple[np.ndarray, int]:
    """The gradient at a few points, and how many numbers stood on the tape for each."""
    tape = Tape()
    here = Tracked(tape, q)
    value = loss(here, Functions(here))
    if not isinstance(value, Tracked):  # a loss that is a constant
        return np.zeros_like(q), 1
    given: dict[int, np.ndarray] = {value.at: np.ones_like(value.value)}
    count = 0
    for at in range(value.at, here.at, -1):
        g = given.pop(at, None)
        if g is None:
            continue
        count += g.size // q.shape[1]
        for parent, back in tape.parents[at]:
            share = back(g)
            given[parent] = given[parent] + share if parent in given else share
    return np.broadcast_to(given.get(here.at, np.zeros_like(q)), q.shape), count
