"""Programs with loops: what a formula of many parameters becomes, where `Program` would have an operation
each.

A loop is one operation for many numbers, or a sum of many terms, each product in it formed first, for many
numbers. Operands are addresses in a memory: what a loop gives stands there one after the other, and a later
loop reads any of it, in any order. So transposing, slicing and repeating cost nothing, and a loop of one kind
takes ten lines of a kernel however long it is. Each number has the bits that a `Program` of the same
operations would give (`unrolled` is that program).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from noether.kernels.programs.operations import NUMPY, STORES
from noether.kernels.programs.precision import Precision, narrow
from noether.kernels.programs.program import Op, Program

SUM = "sum"
"""The name of a loop that adds terms from the first to the last; with two operands each term is a product."""
ADDRESS = np.int32
SHORT = 4096
"""Numbers of which a call of numpy costs more than the work: several of them are taken in one call."""


@dataclass(frozen=True, eq=False)
class Loop:
    """One operation for `count` numbers, which stand from `first` on.

    args  for each operand its addresses, (count,), of a sum (count, terms): a slot of the memory, or ~i of
          the i-th constant; an operand has slots alone, or constants alone
    """

    name: str
    first: int
    args: tuple[np.ndarray, ...]

    @property
    def count(self) -> int:
        """How many numbers it gives."""
        return len(self.args[0])

    @property
    def terms(self) -> int:
        """Of a sum, how many terms; 0 of an operation."""
        return self.args[0].shape[1] if self.name == SUM else 0

    @property
    def last(self) -> int:
        """The slot after its last one."""
        return self.first + self.count

    @property
    def work(self) -> int:
        """How many operations it executes."""
        return self.count * max(1, len(self.args) * self.terms)


@dataclass(frozen=True, eq=False)
class LoopProgram:
    """A formula as loops, over the numbers whose names are `inputs`, with one output a component.

    constants  (n,) float64;  outputs  (d,) addresses
    """

    dim: int
    loops: tuple[Loop, ...]
    outputs: np.ndarray
    constants: np.ndarray
    inputs: tuple[str, ...]

    @cached_property
    def digest(self) -> str:
        """A name of the program that depends on all its operations."""
        found = hashlib.sha256(repr((self.dim, self.inputs)).encode())
        for x in (self.outputs, self.constants):
            found.update(np.ascontiguousarray(x).tobytes())
        for loop in self.loops:
            found.update(repr((loop.name, loop.first, [a.shape for a in loop.args])).encode())
            for a in loop.args:
                found.update(np.ascontiguousarray(a).tobytes())
        return found.hexdigest()[:16]

    @property
    def size(self) -> int:
        """How many numbers its memory has."""
        return max((loop.last for loop in self.loops), default=len(self.inputs))

    @property
    def work(self) -> int:
        """How many operations it executes."""
        return sum(loop.work for loop in self.loops)

    @property
    def length(self) -> int:
        """How many operations a straight-line program of it would have, as Program.length counts them."""
        return self.work + len(self.inputs) + len(self.constants)

    @property
    def has_exp(self) -> bool:
        """Whether it has an exp."""
        return any(loop.name == "exp" for loop in self.loops)

    @cached_property
    def reads_position(self) -> tuple[bool, ...]:
        """For each output, whether it depends on any parameter."""
        reads = np.zeros(self.size + 1, bool)  # the last one is what constants read
        reads[: self.dim] = True
        for loop in self.loops:
            found = [reads[np.maximum(a, -1)] for a in loop.args]
            reads[loop.first : loop.last] = np.any(
                [x.reshape(loop.count, -1).any(axis=1) for x in found], axis=0
            )
        return tuple(bool(x) for x in reads[np.maximum(self.outputs, -1)])

    def run(self, q, eps, precision: Precision) -> list[np.ndarray]:
        """The outputs in numpy, rounded as `precision` says.  q  d arrays (lanes,) of the arithmetic type"""
        return self.evaluate([*q, eps], precision)

    def evaluate(self, inputs, precision: Precision) -> list[np.ndarray]:
        """The outputs as `run` gives them, with any inputs in the order of their names."""
        shape = np.shape(inputs[-1])
        dtype = np.dtype(precision.arith)
        rounded = (lambda x: narrow(x, precision.name)) if precision.eager else (lambda x: x)
        memory = np.empty((self.size, *shape), dtype)
        for at, x in enumerate(inputs):
            memory[at] = x
        constants = rounded(self.constants.astype(dtype)).reshape(-1, *(1,) * len(shape))

        def apply(name, x):
            if name in STORES:
                return narrow(x[0], precision.store_of(name))
            return rounded(NUMPY[name](*x))

        get = lambda a: memory[a] if a.size and a.flat[0] >= 0 else constants[~a]
        for loop in self.loops:
            long = loop.terms > 1 and not precision.eager and loop.count * np.prod(shape) < SHORT
            memory[loop.first : loop.last] = added(loop, get) if long else computed(loop, get, apply)
        return [memory[a] if a >= 0 else np.broadcast_to(constants[~a], shape) for a in self.outputs]

    def unrolled(self) -> Program:
        """The straight-line program of the same operations in the same order."""
        ops = [Op("input", value=i) for i in range(len(self.inputs))]
        ops += [Op("const", value=float(c)) for c in self.constants]
        of_constants = np.arange(len(self.inputs), len(ops))
        place = np.empty(self.size, int)
        place[: len(self.inputs)] = np.arange(len(self.inputs))
        get = lambda a: place[a] if a.size and a[0] >= 0 else of_constants[~a]

        def apply(name, x):
            first = len(ops)
            ops.extend(Op(name, tuple(int(i) for i in args)) for args in zip(*x, strict=True))
            return np.arange(first, len(ops))

        for loop in self.loops:
            place[loop.first : loop.last] = computed(loop, get, apply)
        outputs = tuple(int(place[a] if a >= 0 else of_constants[~a]) for a in self.outputs)
        return Program(self.dim, tuple(ops), outputs, self.inputs)


def computed(loop: Loop, get: Callable, apply: Callable):
    """What a loop gives: get(addresses) has the numbers at some addresses, apply(name, numbers) an
    operation."""
    if loop.name != SUM:
        return apply(loop.name, [get(a) for a in loop.args])
    total = None
    for k in range(loop.terms):
        x = [get(a[:, k]) for a in loop.args]
        term = apply("mul", x) if len(x) == 2 else x[0]
        total = term if total is None else apply("add", [total, term])
    return total


def added(loop: Loop, get: Callable) -> np.ndarray:
    """A sum of a loop of few numbers, as `computed` gives it: accumulating adds one term after another."""
    x = [get(a) for a in loop.args]
    return np.add.accumulate(x[0] * x[1] if len(x) == 2 else x[0], axis=1)[:, -1]


def needed(program: LoopProgram) -> LoopProgram:
    """The loops that the outputs need, in order, with their slots one after the other."""
    first = len(program.inputs)
    read = np.zeros(program.size + 1, bool)
    read[np.maximum(program.outputs, -1)] = True
    kept = []
    for loop in reversed(program.loops):
        if read[loop.first : loop.last].any():
            kept.append(loop)
            for a in loop.args:
                read[np.maximum(a, -1)] = True
    place = np.full(program.size, -1, ADDRESS)
    place[:first] = np.arange(first)
    loops = []
    for loop in reversed(kept):
        place[loop.first : loop.last] = np.arange(first, first + loop.count)
        loops.append(replace(loop, first=first, args=tuple(moved(a, place) for a in loop.args)))
        first += loop.count
    return fewest(replace(program, loops=tuple(loops), outputs=moved(program.outputs, place)))


def fewest(program: LoopProgram) -> LoopProgram:
    """The program with the constants alone that it reads."""
    read = [program.outputs, *(a.reshape(-1) for loop in program.loops for a in loop.args)]
    used = np.unique(~np.concatenate([a[a < 0] for a in read]))
    number = np.zeros(len(program.constants), ADDRESS)
    number[used] = ~np.arange(len(used), dtype=ADDRESS)

    def here(addresses):
        out = addresses.copy()
        out[addresses < 0] = number[~addresses[addresses < 0]]
        return out

    loops = tuple(replace(loop, args=tuple(map(here, loop.args))) for loop in program.loops)
    return replace(program, loops=loops, outputs=here(program.outputs), constants=program.constants[used])


def moved(addresses: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Addresses after slots were moved to `place`; constants stay."""
    return np.where(addresses >= 0, place[np.maximum(addresses, 0)], addresses).astype(ADDRESS)
