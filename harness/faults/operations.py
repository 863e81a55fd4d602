"""Generated faults: each operation of a traced gradient, and of the update itself, changed in turn.

    operator   another one in its place, or left out
    operand    another value that was there before
    constant   times 1 + 2^-10, negated, or the next constant of the program
    rounding   the result in the type below, or, where every operation is rounded, not rounded at all

A program is changed as data. The update is not data: its arrays are watched while
noether.kernels.programs.numpy_step.step runs, and the n-th arithmetic operation that it asks numpy for is
answered wrongly; so a new rule has its faults without a line here. Deterministic: a fault is its name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from noether.faults.fault import NEAR
from noether.kernels.programs.numpy_step import step
from noether.kernels.programs.operations import IN_A_RULE, NUMPY, OF_UFUNC, OPERATIONS
from noether.kernels.programs.precision import Precision, narrow, representable
from noether.kernels.programs.program import Op, Program

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
    program  the changed gradient; None where the update is changed
    advance  the changed update, as noether.kernels.programs.numpy_step.advanced
    """

    name: str
    kind: str
    program: object = None
    advance: Callable | None = None


# ---- programs


@dataclass(frozen=True)
class Rounded:
    """A program in which operation `at` alone is rounded to another type; None is not rounded at all."""

    program: Program
    at: int
    to: str | None

    @property
    def dim(self) -> int:
        return self.program.dim

    def run(self, q, eps, precision: Precision) -> list[np.ndarray]:
        right, op = self.program, self.program.ops[self.at]
        operands = Program(right.dim, right.ops[: self.at], op.args).run(q, eps, precision)
        value = NUMPY[op.name](*operands)
        value = value if self.to is None else narrow(value.astype(np.float32), self.to).astype(value.dtype)
        given = with_op(right, self.at, Op("input", (), right.dim + 1))
        return given.evaluate([*q, eps, value], precision)


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
    few = values_of(program, at)
    if few is not None and all(float(representable(x, below)) == x for x in few):
        return  # what steps and constants alone make is exact in the type below: nothing is rounded
    yield GeneratedFault(f"{name} rounded to {below}", "rounding", Rounded(program, at, below))
    if precision.eager:
        yield GeneratedFault(f"{name} not rounded", "rounding", Rounded(program, at, None))


def values_of(program: Program, at: int) -> set[float] | None:
    """Every value that an operation made of steps and constants takes; None where it is made of more."""
    op = program.ops[at]
    if op.name in ("const", "step"):
        return {op.value} if op.name == "const" else {0.0, 1.0}
    of = [values_of(program, a) for a in op.args] if op.name in ("add", "sub", "mul") else [None]
    if None in of:
        return None
    return {float(OPERATIONS[op.name].plain(a, b)) for a in of[0] for b in of[1]}


# ---- the update


class Watched(np.ndarray):
    """An array of the step whose arithmetic is counted, and answered wrongly at one operation."""

    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        plain = [np.asarray(x) if isinstance(x, Watched) else x for x in inputs]
        if method != "__call__" or ufunc not in OF_UFUNC or options:
            return getattr(ufunc, method)(*plain, **options)
        return self.tape.answer(ufunc, plain)

    def __array_finalize__(self, source):
        self.tape = getattr(source, "tape", None)


class Watch:
    """What the step computed so far, in order; `change(ufunc, operands, tape)` answers for operation `at`."""

    def __init__(self, at: int | None = None, change: Callable | None = None):
        self.at, self.change, self.count = at, change, 0
        self.values: list = []
        self.names: list[str] = []
        self.read: list[list[int]] = []  # of each operation, which values its operands are

    def watch(self, x) -> Watched:
        out = np.asarray(x).view(Watched)
        out.tape = self
        self.values.append(np.asarray(x))
        return out

    def answer(self, ufunc, operands):
        at, self.count = self.count, self.count + 1
        self.names.append(OF_UFUNC[ufunc].name)
        self.read.append(
            [next((i for i, y in enumerate(self.values) if same_memory(x, y)), -1) for x in operands]
        )
        return self.watch(self.change(ufunc, operands, self) if at == self.at else ufunc(*operands))


def same_memory(x, y) -> bool:
    return isinstance(x, np.ndarray) and x.__array_interface__["data"][0] == y.__array_interface__["data"][0]


def watched(tape: Watch, n, q, v, params, gradient, rule, precision):
    """One right step over watched arrays; only mirror descent's exp is taken before."""
    tape.count, tape.values, tape.names, tape.read = 0, [], [], []
    plain = lambda xs: [np.asarray(x) for x in xs]

    def honest(at, eps):
        where = exponentials(q) if rule.log_state else plain(at)
        return [tape.watch(g) for g in gradient(where, np.asarray(eps))]

    state = [[tape.watch(x) for x in xs] for xs in (q, v, params)]
    q2, v2 = step(*state, honest, rule, precision, functions=Functions(tape))
    return plain(q2), plain(v2)


class Functions:
    """Functions of watched arrays: their own operations are not those of the step."""

    def __init__(self, tape: Watch):
        self.tape = tape

    def __getattr__(self, name: str):
        return lambda *xs: self.tape.watch(IN_A_RULE[name].numpy(*map(np.asarray, xs)))


def exponentials(q) -> list:
    """The parameters themselves, of a rule that stores their logarithms."""
    from noether.kernels.programs import elementary

    return [elementary.exp(np.asarray(x)) for x in q]


def altered(at: int, change: Callable) -> Callable:
    """A step whose operation `at` is answered by change(ufunc, operands, tape)."""
    return lambda *state: watched(Watch(at, change), *state)


def another(side: int, which: int):
    """A change by which operand `side` is another value of this step."""

    def change(ufunc, operands, tape: Watch):
        operands = list(operands)
        operands[side] = tape.values[which % len(tape.values)]
        return ufunc(*operands)

    return change


def lowered(below: str):
    """A change by which the result is rounded to the type below."""
    return lambda ufunc, x, tape: narrow(ufunc(*x).astype(np.float32), below).astype(np.result_type(*x))


def update_faults(tape: Watch, inputs: int, precision: Precision) -> Iterator[GeneratedFault]:
    """Every fault of the update.  tape  of one right step, which read so many inputs"""
    for at, name in enumerate(tape.names):
        for what, kind, change in changes(tape, at, inputs, BELOW[precision.rounded]):
            yield GeneratedFault(f"{at}:{name} {what}", kind, advance=altered(at, change))


def changes(tape: Watch, at: int, inputs: int, below: str) -> Iterator[tuple[str, str, Callable]]:
    """What is changed of operation `at` of a step: in words, its kind, and change(ufunc, operands, tape)."""
    for other in SWAPS[tape.names[at]]:
        yield f"as {other}", "operator", lambda u, x, tape, other=other: NUMPY[other](*x)
    for side in (0, 1):
        left_out = lambda u, x, tape, side=side: x[side] + 0 * x[1 - side]
        yield f"left out for operand {side}", "operator", left_out
        for which in set(spread(inputs + at, OTHERS, at + side)) - {tape.read[at][side]}:
            yield f"operand {side} is value {which}", "operand", another(side, which)
    yield f"rounded to {below}", "rounding", lowered(below)
    yield "x (1 + 2^-10)", "constant", lambda u, x, tape: u(*x) * NEAR
