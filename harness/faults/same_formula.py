"""Whether two programs are one formula, whatever the order of their operations: told in exact arithmetic."""

from __future__ import annotations

import random

from noether.cases.exact_numbers import PRIME, XP, Number
from noether.kernels.programs.operations import IN_A_RULE, OPERATIONS, STORES
from noether.kernels.programs.program import Op, Program

POINTS = 6
RATIONAL = ("add", "sub", "mul", "div", "neg", *STORES)
"""What is exact there. Of the others nothing is known but that they are functions, and of the larger of two
that they may change places: a comparison that falls out one way at a few points proves nothing."""
IN_XP = {row.name: name for name, row in IN_A_RULE.items()}
"""The name of an operation -> what a rule calls it, where it calls it by a name."""


def function(op: Op):
    """An operation on exact numbers (noether.cases.exact_numbers)."""
    return OPERATIONS[op.name].plain if op.name in RATIONAL else getattr(XP, IN_XP[op.name])


def values(program: Program, inputs: list[Number]) -> list[Number]:
    """The value of every operation, modulo a prime. Raises ZeroDivisionError."""
    found: list[Number] = []
    for op in program.ops:
        if op.name == "input":
            found.append(inputs[op.value])
        elif op.name == "const":
            found.append(Number(op.value))
        else:
            found.append(function(op)(*(found[a] for a in op.args)))
    return found


def exact(program: Program, inputs: list[Number]) -> list[Number]:
    """The outputs, modulo a prime. Raises ZeroDivisionError."""
    found = values(program, inputs)
    return [found[o] for o in program.outputs]


def drawn(program: Program, rng: random.Random) -> list[Number]:
    """Random inputs."""
    return [Number(rng.randrange(2, PRIME)) for _ in program.inputs]


def same_formula(a: Program, b: Program) -> bool:
    """Whether two programs are one rational function of their inputs and of values of other functions.

    Equal at POINTS random points of the whole numbers modulo PRIME. Two different rational functions of
    degree D agree at one of them with a chance of about D / 2^61 (Schwartz 1980; Zippel 1979), D below 2^14
    here.
    """
    rng = random.Random(20261123)
    for _ in range(POINTS):
        inputs = drawn(a, rng)
        try:
            if not all(x == y for x, y in zip(exact(a, inputs), exact(b, inputs), strict=True)):
                return False
        except ZeroDivisionError:
            return False
    return True
