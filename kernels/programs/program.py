"""Straight-line programs: the list of operations that a traced formula becomes, which every backend runs.

A program is a list of operations in order; operand i refers to operation i. Constants are float64 and are
rounded to the arithmetic type where the program runs. Numpy executes it here;
kernels/programs/triton_text.py prints it for Triton.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from noether.kernels.programs.operations import NUMPY, OPERATIONS, STORES
from noether.kernels.programs.precision import Precision, narrow

SOURCES = ("input", "const")
"""What has no operands: where values come from."""
GIVES_BACK = ("neg", "abs", "max", *STORES)
"""Operations whose result is an operand, or its negative: they round only what was not rounded before."""
STORED = ("", "q", "v", "w", "x")
"""First letters of what is a number of a store, or the result of an operation."""


@dataclass(frozen=True)
class Op:
    """One operation of a program; `value` is the constant of a const and the position of an input."""

    name: str
    args: tuple[int, ...] = ()
    value: float | int = 0


@dataclass(frozen=True)
class Program:
    """A formula as a list of operations in order, over q_0..q_{d-1} and eps, with one output a component.

    names  of the inputs, where they are others: "v[0]" is the first of a tuple v; the last one is a plain
           number
    """

    dim: int
    ops: tuple[Op, ...]
    outputs: tuple[int, ...]
    names: tuple[str, ...] = ()

    def __post_init__(self):
        for at, op in enumerate(self.ops):
            if op.name not in SOURCES and op.name not in OPERATIONS:
                raise ValueError(
                    f"operation {at} is {op.name!r}, a kernel has only {sorted([*SOURCES, *OPERATIONS])}"
                )
            arity = 0 if op.name in SOURCES else OPERATIONS[op.name].arity
            if len(op.args) != arity or any(not 0 <= a < at for a in op.args):
                raise ValueError(
                    f"operation {at}, {op.name}, has operands {op.args}: must be {arity} earlier ones"
                )

    @cached_property
    def digest(self) -> str:
        """A name of the program that depends on all its operations."""
        return hashlib.sha256(repr((self.dim, self.ops, self.outputs, *self.names)).encode()).hexdigest()[:16]

    @property
    def length(self) -> int:
        """How many operations it has, its inputs and constants among them."""
        return len(self.ops)

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of the inputs, in order."""
        return self.names or (*(f"q[{i}]" for i in range(self.dim)), "eps")

    @property
    def has_exp(self) -> bool:
        """Whether the program has an exp."""
        return any(op.name == "exp" for op in self.ops)

    @cached_property
    def reads_position(self) -> tuple[bool, ...]:
        """For each output, whether it depends on any of q_0..q_{d-1}."""
        reads: list[bool] = []
        for op in self.ops:
            reads.append(op.value < self.dim if op.name == "input" else any(reads[a] for a in op.args))
        return tuple(reads[o] for o in self.outputs)

    def unrounded(self, op: Op) -> tuple[str, ...]:
        """For each operand of an operation that gives one of them back the first letter of its name where it
        is an input that no operation and no store has rounded, else ""; nothing where no operand is."""
        if op.name not in GIVES_BACK:
            return ()
        inputs = (
            self.inputs[x.value] if x.name == "input" else "" for x in map(self.ops.__getitem__, op.args)
        )
        letters = tuple("" if name[:1] in STORED else name[:1] for name in inputs)
        return letters if any(letters) else ()

    def run(self, q, eps, precision: Precision) -> list[np.ndarray]:
        """The outputs in numpy, rounded as `precision` says.  q  d arrays (lanes,) of the arithmetic type"""
        return self.evaluate([*q, eps], precision)

    def evaluate(self, inputs, precision: Precision) -> list[np.ndarray]:
        """The outputs as `run` gives them, with any inputs in the order of their names."""
        values = self.values(inputs, precision)
        shape = np.shape(inputs[-1])
        return [spread(values[i], shape) for i in self.outputs]

    def values(self, inputs, precision: Precision) -> list[np.ndarray]:
        """The value of every operation, of the shape that its operands have."""
        dtype, eager, name = np.dtype(precision.arith), precision.eager, precision.name
        values: list = []
        for op in self.ops:
            if op.name == "input":
                values.append(inputs[op.value])
                continue
            if op.name in STORES:
                values.append(narrow(values[op.args[0]], precision.store_of(op.name)))
                continue
            if op.name == "const":
                value = np.full((), op.value, dtype)
            else:
                value = NUMPY[op.name](*[values[i] for i in op.args])
            values.append(narrow(value, name) if eager else value)
        return values


def spread(x, shape: tuple[int, ...]) -> np.ndarray:
    """x in a shape; itself where it has it, for few lanes the call of numpy costs more than an operation."""
    return x if x.shape == shape else np.broadcast_to(x, shape)
