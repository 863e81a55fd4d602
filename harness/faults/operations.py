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

from noether.kernels.programs.numpy_step import step
from noether.kernels.programs.operations import NUMPY, OF_UFUNC, OPERATIONS
from noether.kernels.programs.precision import Precision, narrow, representable
from noether.kernels.programs.program import Op, Program

NEAR = 1 + 2.0**-10
SWAPS = {
    "add": ("sub", "mul"), "sub": ("add", "mul"), "mul": ("div", "add"), "div": ("mul", "sub"), "max": (),
    "neg": (), "exp": ("neg",), "log": ("neg",), "sqrt": ("neg",), "step": ("neg",), "abs": ("neg",),
}  # fmt: skip
"""What takes the place of each operation."""
OTHERS = 3  # how many other values take the place of each operand
BELOW = {"float64": "float32", "float32": "bfloat16", "float16": "bfloat16", "bfloat16": "bfloat16"}


@dataclass(frozen=True)
class GeneratedFault:
    """name; kind, as above; program, where a gradient is changed, else advance, a step as
    noether.kernels.programs.numpy_step.advanced."""

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
        given = replace(
            right,
            ops=tuple(Op("input", (), right.dim + 1) if i == self.at else o for i, o in enumerate(right.ops)),
        )
        return given.evaluate([*q, eps, value], precision)


def with_op(program: Program, at: int, op: Op) -> Program:
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
        return [
            tape.watch(g)
            for g in gradient(
                plain(at) if not rule.log_state else exponentials(q, precision), np.asarray(eps)
            )
        ]

    q2, v2 = step(
        [tape.watch(x) for x in q],
        [tape.watch(x) for x in v],
        [tape.watch(x) for x in params],
        honest,
        rule,
        precision,
        functions=Functions(tape),
    )
    return plain(q2), plain(v2)


class Functions:
    """exp and log of watched arrays: their own operations are not those of the step."""

    def __init__(self, tape: Watch):
        self.tape = tape

    def __getattr__(self, name: str):
        from noether.kernels.programs import elementary

        return lambda x: self.tape.watch(getattr(elementary, name)(np.asarray(x)))


def exponentials(q, precision: Precision):
    from noether.kernels.programs import elementary

    return [elementary.exp(np.asarray(x)) for x in q]


def altered(at: int, change: Callable) -> Callable:
    return lambda *state: watched(Watch(at, change), *state)


def another(side: int, which: int):
    """Operand `side` is another value of this step."""

    def change(ufunc, operands, tape: Watch):
        operands = list(operands)
        operands[side] = tape.values[which % len(tape.values)]
        return ufunc(*operands)

    return change


def lowered(below: str):
    return lambda ufunc, x, tape: narrow(ufunc(*x).astype(np.float32), below).astype(np.result_type(*x))


def update_faults(tape: Watch, inputs: int, precision: Precision) -> Iterator[GeneratedFault]:
    """tape: of one right step, which read so many inputs."""
    below = BELOW[precision.rounded]
    for at, name in enumerate(tape.names):
        for other in SWAPS[name]:
            yield GeneratedFault(
                f"{at}:{name} as {other}",
                "operator",
                advance=altered(at, lambda u, x, tape, other=other: NUMPY[other](*x)),
            )
        for side in (0, 1):
            yield GeneratedFault(
                f"{at}:{name} left out for operand {side}",
                "operator",
                advance=altered(at, lambda u, x, tape, side=side: x[side] + 0 * x[1 - side]),
            )
            for which in set(spread(inputs + at, OTHERS, at + side)) - {tape.read[at][side]}:
                yield GeneratedFault(
                    f"{at}:{name} operand {side} is value {which}",
                    "operand",
                    advance=altered(at, another(side, which)),
                )
        yield GeneratedFault(
            f"{at}:{name} rounded to {below}", "rounding", advance=altered(at, lowered(below))
        )
        yield GeneratedFault(
            f"{at}:{name} x (1 + 2^-10)", "constant", advance=altered(at, lambda u, x, tape: u(*x) * NEAR)
        )
