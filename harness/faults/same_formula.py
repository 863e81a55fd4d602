"""Whether two programs are one formula, whatever the order of their operations: told in rational numbers."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from noether.kernels.programs.operations import OPERATIONS, STORES
from noether.kernels.programs.program import Program

POINTS = 6
RATIONAL = ("add", "sub", "mul", "div", "neg", *STORES)
"""What has a value in fractions. The others, those that compare too, are functions of which nothing is known:
a comparison that falls out one way at a few points proves nothing."""


def exact(program: Program, inputs: list[Fraction], memory: dict) -> list:
    """Outputs in rational arithmetic; exp, log, sqrt are functions of which nothing is known but that they
    are functions."""
    values: list = []
    for op in program.ops:
        args = [values[a] for a in op.args]
        if op.name == "input":
            value = inputs[op.value]
        elif op.name == "const":
            value = Fraction(op.value)
        elif op.name in RATIONAL:
            value = OPERATIONS[op.name].plain(*args)
        else:
            args = sorted(args) if OPERATIONS[op.name].commutes else args
            value = memory.setdefault((op.name, *args), Fraction(2 * len(memory) + 3, len(memory) + 2))
        values.append(value)
    return [values[o] for o in program.outputs]


def same_formula(a: Program, b: Program) -> bool:
    """Whether two programs are one rational function of their inputs and of unknown values of exp, log and
    sqrt.

    Equal at POINTS points of 61-bit random rationals. Two different rational functions of degree D agree at
    one of them with a chance below D 2^-61 (Schwartz 1980), D below 2^12 here.
    """
    rng = np.random.default_rng(20261123)
    for _ in range(POINTS):
        inputs, memory = [Fraction(int(x), 2**31 - 1) for x in rng.integers(1, 2**61, len(a.inputs))], {}
        try:
            if exact(a, inputs, memory) != exact(b, inputs, memory):
                return False
        except ZeroDivisionError:
            return False
    return True
