"""Generated faults: each operation of a traced gradient, and of the update itself, changed in turn.

    operator   another one in its place, or left out
    operand    another value that was there before
    constant   times 1 + 2^-10, negated, or the next constant of the program
    rounding   the result in the type below, or, where every operation is rounded, not rounded at all

A program is changed as data: that of a gradient, that of a metric, and that which the lines of a rule were
traced to, so that a new rule has its faults without a line here. Deterministic: a fault is its name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from noether.faults.fault import NEAR
from noether.kernels.programs.operations import NUMPY, OPERATIONS, STORES
from noether.kernels.programs.precision import Precision, narrow, representable
from noether.kernels.programs.program import Op, Program
from noether.kernels.programs.trace_rule import place_program

SWAPS = {"add": ("sub", "mul"), "sub": ("add", "mul"), "mul": ("div", "add"), "div": ("mul", "sub")}
SWAPS |= {"max": (), "neg": (), "store": (), "store_buffer": ()}
SWAPS |= dict.fromkeys(("exp", "log", "sqrt", "step", "abs", "sign"), ("neg",))
"""What takes the place of each operation."""
OTHERS = 3  # how many other values take the place of each operand
BELOW = {"float64": "float32", "float32": "bfloat16", "float16": "bfloat16", "bfloat16": "bfloat16"}


@dataclass(frozen=True)
class GeneratedFault:
    """A fault that nobody wrote: one operation of a gradient or of the update, changed.

    kind     as the table at the top of this file has them
    program  the changed program
    """

    name: str
    kind: str
    program: Program | Changed


# ---- programs


@dataclass(frozen=True)
class Changed:
    """A program in which the result of operation `at` alone is changed."""

    program: Program
    at: int

    @property
    def dim(self) -> int:
        return self.program.dim

    @property
    def inputs(self) -> tuple[str, ...]:
        return self.program.inputs

    def run(self, q, eps, precision: Precision) -> list[np.ndarray]:
        return self.evaluate([*q, eps], precision)

    def evaluate(self, inputs, precision: Precision) -> list[np.ndarray]:
        right, op = self.program, self.program.ops[self.at]
        before = Program(right.dim, right.ops[: self.at], op.args, right.names)
        value = self.changed(op, before.evaluate(inputs, precision), precision)
        names = (*right.inputs, "the changed result")
        given = replace(with_op(right, self.at, Op("input", (), len(right.inputs))), names=names)
        return given.evaluate([*inputs, np.broadcast_to(value, np.shape(inputs[-1]))], precision)


@dataclass(frozen=True)
class Rounded(Changed):
    """The result rounded to another type; None is not rounded at all."""

    to: str | None = None

    def changed(self, op: Op, operands: list, precision: Precision) -> np.ndarray:
        value = NUMPY[op.name](*operands)
        return value if self.to is None else narrow(value.astype(np.float32), self.to).astype(value.dtype)


@dataclass(frozen=True)
class Off(Changed):
    """The result times 1 + 2^-10."""

    def changed(self, op: Op, operands: list, precision: Precision) -> np.ndarray:
        value = NUMPY[op.name](*operands)
        return value * value.dtype.type(NEAR)


def with_op(program: Program, at: int, op: Op) -> Program:
    """The program with another operation in one place."""
    return replace(program, ops=tuple(op if i == at else o for i, o in enumerate(program.ops)))


def without_op(program: Program, at: int, kept: int) -> Program:
    """The program without operation `at`: whoever read it reads `kept`."""
    fit = lambda a: kept if a == at else a
    ops = tuple(replace(o, args=tuple(map(fit, o.args))) for o in program.ops)
    return replace(program, ops=ops, outputs=tuple(map(fit, program.outputs)))


def spread(count: int, most: int, at: int) -> list[int]:
    """`most` numbers below `count`, evenly spaced, beginning at another place for each operation."""
    return sorted({(at * 7 + i * count // most) % count for i in range(min(most, count))}) if count else []


def program_faults(program: Program, precision: Precision) -> Iterator[GeneratedFault]:
    """Every fault of a program: of its constants, of what its operations do, and of how they are rounded."""
    for at, op in enumerate(program.ops):
        if op.name == "const":
            yield from constant_faults(program, at)
        elif op.name != "input":
            yield from operation_faults(program, at)
            yield from rounding_faults(program, at, precision)


def constant_faults(program: Program, at: int) -> Iterator[GeneratedFault]:
    """A constant that is nearly right, negated, or the next one of the program."""
    op, constants = program.ops[at], [i for i, o in enumerate(program.ops) if o.name == "const"]
    after = program.ops[constants[(constants.index(at) + 1) % len(constants)]].value
    wrong = {"x (1 + 2^-10)": op.value * NEAR, "negated": -op.value, "the next constant": after}
    for word, value in wrong.items():
        if value != op.value:
            changed = with_op(program, at, replace(op, value=value))
            yield GeneratedFault(f"{at}:{op.name} {word}", "constant", changed)


def operation_faults(program: Program, at: int) -> Iterator[GeneratedFault]:
    """Another operation in the place of this one, or none; and another value in the place of an operand."""
    op, name = program.ops[at], f"{at}:{program.ops[at].name}"
    for other in SWAPS[op.name]:
        changed = with_op(program, at, replace(op, name=other))
        yield GeneratedFault(f"{name} as {other}", "operator", changed)
    for side, kept in enumerate(op.args):
        if op.name not in STORES:  # a store that rounds otherwise is a fault of types
            left = without_op(program, at, kept)
            yield GeneratedFault(f"{name} left out for operand {side}", "operator", left)
        for other in spread(at, OTHERS, at + side):
            if other != kept:
                args = tuple(other if i == side else a for i, a in enumerate(op.args))
                changed = with_op(program, at, replace(op, args=args))
                yield GeneratedFault(f"{name} operand {side} is {other}", "operand", changed)


def rounding_faults(program: Program, at: int, precision: Precision) -> Iterator[GeneratedFault]:
    """A result rounded to the type below; where every operation is rounded, also one that is not."""
    name, below = f"{at}:{program.ops[at].name}", BELOW[precision.rounded]
    few = few_values(program)[at]
    if few is not None and all(float(representable(x, below)) == x for x in few):
        return  # what steps and constants alone make is exact in the type below: nothing is rounded
    if rounded_anyway(program, at, below, precision):
        return
    yield GeneratedFault(f"{name} rounded to {below}", "rounding", Rounded(program, at, below))
    if precision.eager:
        yield GeneratedFault(f"{name} not rounded", "rounding", Rounded(program, at, None))


def rounded_anyway(program: Program, at: int, kind: str, precision: Precision) -> bool:
    """Whether a result goes nowhere but into a store of this type, with either sign: rounding is odd,
    and what is rounded twice to one type is rounded once."""
    op = program.ops[at]
    if op.name in STORES:
        return precision.store_of(op.name) == kind
    readers = [i for i, o in enumerate(program.ops) if at in o.args]
    into = lambda i: program.ops[i].name in (*STORES, "neg") and rounded_anyway(program, i, kind, precision)
    return at not in program.outputs and bool(readers) and all(into(i) for i in readers)


JUMPS = {"step": frozenset({0.0, 1.0}), "sign": frozenset({-1.0, 0.0, 1.0})}
"""The values of operations that take no others."""


@cache
def few_values(program: Program) -> tuple[frozenset[float] | None, ...]:
    """Of each operation every value that it takes, where it is made of steps, signs and constants alone; None
    where it is made of more."""
    found: list[frozenset[float] | None] = []
    for op in program.ops:
        of = [found[a] for a in op.args]
        if op.name == "const":
            found.append(frozenset({float(op.value)}))
        elif op.name in JUMPS:
            found.append(JUMPS[op.name])
        elif op.name in ("add", "sub", "mul") and None not in of:
            plain = OPERATIONS[op.name].plain
            found.append(frozenset(float(plain(a, b)) for a in of[0] for b in of[1]))
        else:
            found.append(None)
    return tuple(found)


# ---- the update


def update_faults(program: Program, precision: Precision) -> Iterator[GeneratedFault]:
    """Every fault of a step's program, and each of its results nearly right."""
    yield from program_faults(program, precision)
    for at, op in enumerate(program.ops):
        if op.name not in ("input", "const") and op.name not in STORES:
            yield GeneratedFault(f"{at}:{op.name} x (1 + 2^-10)", "constant", Off(program, at))


def stepping(program) -> Callable:
    """The step of another update program, as noether.kernels.programs.numpy_step.advanced."""

    def advance(n, q, v, params, gradient, rule, precision):
        place = place_program(rule, len(q))
        at = place.evaluate(q, precision) if place else q
        given = {"q": q, "v": v, "g": gradient(at, params[rule.index("eps")]), "p": params}
        out = program.evaluate([given[name[0]][int(name[2:-1])] for name in program.inputs], precision)
        return [np.array(x) for x in out[: len(q)]], [np.array(x) for x in out[len(q) :]]

    return advance
