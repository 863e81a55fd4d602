"""Traced numbers that numpy's object arrays accept, so that array formulas can be traced too.

The residuals of the exact laws are such formulas (harness/laws/), so that a law stands once and runs both
on the host, in wide arithmetic, and inside a kernel. Each operation is entered once; what is known to be a
number, zero or not negative is used to drop operations. A rewriting never rounds more often than what it
replaces.
"""

from __future__ import annotations

from numbers import Real

import numpy as np

from noether.kernels.programs.operations import OPERATIONS
from noether.kernels.programs.program import SOURCES
from noether.kernels.programs.tape import Traced


class Scalar(Traced):
    """One traced number of an array. Comparisons raise: a formula that branches cannot be traced."""

    __slots__ = ()
    BRANCH = "a formula that compares its numbers cannot be traced: write it by abs"

    @property
    def nonnegative(self) -> bool:
        known, op = self.tape.nonnegative, self.op
        if self.at not in known:
            sign = "" if op.name in SOURCES else OPERATIONS[op.name].sign
            square = op.name == "mul" and op.args[0] == op.args[1]
            inherited = sign == "kept" and all(Scalar(self.tape, a).nonnegative for a in op.args)
            constant = op.name == "const" and op.value >= 0
            known[self.at] = square or inherited or constant or sign == "positive"
        return known[self.at]

    def lift(self, other) -> Scalar | None:
        if isinstance(other, Scalar):
            return other
        return self.number(other) if isinstance(other, Real | np.floating) else None

    def enter(self, name: str, *args: Scalar) -> Scalar:
        if OPERATIONS[name].commutes:
            args = tuple(sorted(args, key=lambda x: (x.constant is not None, x.at)))  # a constant stands last
        return super().enter(name, *args)

    def plus(self, other: Scalar) -> Scalar:
        if self.constant == 0:
            return other
        if other.constant == 0:
            return self
        if other.op.name == "neg":
            return self.enter("sub", self, other.operand(0))
        if self.op.name == "neg":
            return self.enter("sub", other, self.operand(0))
        return self.enter("add", self, other)

    def minus(self, other: Scalar) -> Scalar:
        return self + -other

    def times(self, other: Scalar) -> Scalar:
        a, b = (self, other) if self.constant is None else (other, self)
        c = b.constant
        if c is not None:
            if c in (0, 1):  # 0 x is 0, also where x is none: whoever needs to see a NaN must look for it
                return b if c == 0 else a
            if c < 0:
                return -(a * -c)
            if a.op.name == "mul" and a.operand(1).constant is not None:
                return a.operand(0) * (a.operand(1).constant * c)
        if a.op.name == "neg":
            return -(a.operand(0) * b)
        if b.op.name == "neg":
            return -(a * b.operand(0))
        if a.at == b.at and a.op.name == "abs":
            return a.operand(0) * a.operand(0)
        return a.enter("mul", a, b)

    def over(self, other: Scalar) -> Scalar:
        if self.constant == 0:
            return self
        c = other.constant
        if c is not None and abs(np.frexp(c)[0]) == 0.5:  # a power of two: exact
            return self * (1 / c)
        if self.op.name == "neg":
            return -(self.operand(0) / other)
        if other.op.name == "neg":
            return -(self / other.operand(0))
        return self.enter("div", self, other)

    def __neg__(self):
        if self.constant is not None:
            return self.number(-self.constant)
        return self.operand(0) if self.op.name == "neg" else self.enter("neg", self)

    def __abs__(self):
        if self.nonnegative:
            return self
        if self.constant is not None:
            return self.number(abs(self.constant))
        if self.op.name == "neg":
            return abs(self.operand(0))
        if self.op.name in ("mul", "div"):
            return OPERATIONS[self.op.name].plain(abs(self.operand(0)), abs(self.operand(1)))
        return self.enter("abs", self)

    # numpy calls the method of an element where it is asked for its function of an array
    def exp(self):
        return self.enter("exp", self)

    def log(self):
        return self.enter("log", self)

    def sqrt(self):
        return self.enter("sqrt", self)

    def positive(self):
        """The larger of this and 0; NaN stays NaN."""
        return self.enter("max", self, self.number(0.0))


def largest(scalars) -> Scalar:
    """The largest of some numbers >= 0; NaN where one of them is."""
    first, *rest = scalars
    for x in rest:
        first = first if first.at == x.at else first.enter("max", first, x)
    return first
