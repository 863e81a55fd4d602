"""Running errors of a program with loops: those of bounds.py, for many numbers at a time."""

from __future__ import annotations

import numpy as np

from noether.kernels.programs.loop_program import LoopProgram, computed
from noether.kernels.programs.operations import OPERATIONS
from noether.kernels.programs.program import GIVES_BACK
from noether.mechanics.operation_rounding import NONE, Rounding, constant_error


def operations(program: LoopProgram, inputs, input_errors, precision, rules, exact, constants, seen=None):
    """The value of each number of a program with loops, and a bound on its error, as bounds.operations has
    them: two arrays, (slots, n), and the constants after them.

    seen  is given each value and its error as it is found, those of partial sums too
    """
    rounding = NONE if exact else Rounding.under(precision)
    slots, like = program.size, np.shape(inputs[-1])
    kept = [np.zeros((slots + len(program.constants), *like)) for _ in range(2)]
    of = [constant_error(float(c), precision) if constants else 0.0 for c in program.constants]
    for into, start, last in zip(kept, (inputs, input_errors), (program.constants, of), strict=True):
        into[: len(start)] = np.stack([np.broadcast_to(x, like) for x in start])
        into[slots:] = np.reshape(last, (-1, *(1,) * len(like)))

    def apply(name, x):
        number, off = zip(*x, strict=True)
        value, passed = rules[name](number, off)
        error = passed + rounding.of(OPERATIONS[name], value, passed)
        if seen:
            seen(value, error)
        return value, error

    with np.errstate(all="ignore"):
        for loop in program.loops:
            found = computed(loop, lambda a: tuple(x[place(program, a)] for x in kept), apply)
            if rounding.eager and loop.name in GIVES_BACK:
                found = found[0], found[1] + of_eps(program, loop, rounding, kept)
            for into, x in zip(kept, found, strict=True):
                into[loop.first : loop.last] = x
    return kept


def of_eps(program: LoopProgram, loop, rounding, kept: list):
    """What an operation that gives eps back rounds of it, where every result is rounded
    (Program.unrounded)."""
    error = 0.0
    for a in loop.args:
        here = a == program.dim
        x = [x[np.full(len(a), program.dim)] for x in kept]
        error = error + here.reshape(-1, *(1,) * (x[0].ndim - 1)) * rounding.of_operands(("e",), x[:1], x[1:])
    return error


AT_ONCE = 2**22
"""Numbers of a memory that are kept with their errors at a time, slots times points: 64 MB."""


def parts(program: LoopProgram, points: int) -> list[slice]:
    """The points in parts that are evaluated together."""
    some = max(1, AT_ONCE // program.size)
    return [slice(i, i + some) for i in range(0, points, some)]


def place(program: LoopProgram, addresses: np.ndarray) -> np.ndarray:
    """Where addresses are in what `operations` gives."""
    return np.where(addresses >= 0, addresses, program.size + ~addresses)


def value_range(program: LoopProgram, inputs: list, precision, rules) -> tuple[np.ndarray, np.ndarray]:
    """The smallest and the largest magnitude that any operation takes, as bounds.value_range has them;
    (n,)."""
    like = np.shape(inputs[-1])
    smallest, largest = np.full(like, np.inf), np.zeros(like)

    def seen(value, error):
        nonlocal smallest, largest
        size = np.where(np.isfinite(value), np.abs(value), np.inf)
        most = size + np.where(np.isnan(error), np.inf, error)
        rows = tuple(range(size.ndim - len(like)))
        largest = np.maximum(largest, most.max(axis=rows))
        smallest = np.minimum(smallest, np.where(size > 0, size, np.inf).min(axis=rows))

    given = np.stack([np.broadcast_to(x, like) for x in inputs])
    seen(given, 0 * given)
    fixed = program.constants.reshape(-1, *(1,) * len(like))
    if len(fixed):
        off = np.array([constant_error(float(c), precision) for c in program.constants])
        seen(np.broadcast_to(fixed, (len(fixed), *like)), off.reshape(fixed.shape))
    operations(program, inputs, [np.zeros(like)] * len(inputs), precision, rules, False, True, seen)
    return smallest, largest
