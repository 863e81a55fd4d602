"""Traced numbers that numpy's object arrays accept, so that array formulas can be traced too.

The residuals of the exact laws are such formulas (harness/laws/), so that a law stands once and runs both on
the
host, in wide arithmetic, and inside a kernel. Each operation is entered once; what is known to be a number,
zero or
not negative is used to drop operations. A rewriting never rounds more often than what it replaces.
"""

from __future__ import annotations

from numbers import Real

import numpy as np

from noether.kernels.programs.trace import FOLD, Tape, TraceError

COMMUTES = {"add", "mul", "max"}
KEEP_SIGN = {"add", "mul", "div", "max", "sqrt"}  # not negative where their operands are not


class Formulas(Tape):
    """A tape that remembers which of its operations are not negative."""

    def __init__(self):
        super().__init__()
        self.nonnegative: dict[int, bool] = {}


class Scalar:
    """One traced number. Comparisons are refused: a formula that branches cannot be traced."""

    __slots__ = ("tape", "at")

    def __init__(self, tape: Formulas, at: int):
        self.tape, self.at = tape, at

    @classmethod
    def input(cls, tape: Formulas, position: int) -> Scalar:
        return cls(tape, tape.add("input", value=position).at)

    @property
    def op(self):
        return self.tape.ops[self.at]

    @property
    def constant(self) -> float | None:
        return self.op.value if self.op.name == "const" else None

    @property
    def nonnegative(self) -> bool:
        if self.at not in self.tape.nonnegative:
            op = self.op
            square = op.name == "mul" and op.args[0] == op.args[1]
            inherited = op.name in KEEP_SIGN and all(Scalar(self.tape, a).nonnegative for a in op.args)
            self.tape.nonnegative[self.at] = (
                square
                or inherited
                or op.name in ("abs", "exp", "step")
                or (op.name == "const" and op.value >= 0)
            )
        return self.tape.nonnegative[self.at]

    def operand(self, i: int) -> Scalar:
        return Scalar(self.tape, self.op.args[i])

    def lift(self, other) -> Scalar | None:
        if isinstance(other, Scalar):
            return other
        if isinstance(other, (Real, np.floating)):
            return self.number(float(other))
        return None  # an array: numpy goes through its elements

    def number(self, value: float) -> Scalar:
        return Scalar(self.tape, self.tape.add("const", value=value).at)

    def enter(self, name: str, *args: Scalar) -> Scalar:
        if name in COMMUTES:
            args = tuple(sorted(args, key=lambda x: (x.constant is not None, x.at)))  # a constant stands last
        numbers = [x.constant for x in args]
        if None not in numbers and name in FOLD:
            return self.number(FOLD[name](*numbers))
        return Scalar(self.tape, self.tape.add(name, *(x.at for x in args)).at)

    def __add__(self, other):
        other = self.lift(other)
        return NotImplemented if other is None else added(self, other)

    def __sub__(self, other):
        other = self.lift(other)
        return NotImplemented if other is None else added(self, -other)

    def __rsub__(self, other):
        return (-self) + other

    def __mul__(self, other):
        other = self.lift(other)
        return NotImplemented if other is None else multiplied(self, other)

    def __truediv__(self, other):
        other = self.lift(other)
        return NotImplemented if other is None else divided(self, other)

    def __rtruediv__(self, other):
        return self.lift(other) / self

    __radd__, __rmul__ = __add__, __mul__

    def __neg__(self):
        if self.constant is not None:
            return self.number(-self.constant)
        return self.operand(0) if self.op.name == "neg" else self.enter("neg", self)

    def __pow__(self, power):
        if not isinstance(power, int) or not 1 <= power <= 16:
            raise TraceError(f"power is {power!r}: a kernel has whole powers from 1 to 16 only")
        out = self
        for _ in range(power - 1):
            out = out * self
        return out

    def __abs__(self):
        if self.nonnegative:
            return self
        if self.constant is not None:
            return self.number(abs(self.constant))
        if self.op.name == "neg":
            return abs(self.operand(0))
        if self.op.name in ("mul", "div"):
            return FOLD[self.op.name](abs(self.operand(0)), abs(self.operand(1)))
        return self.enter("abs", self)

    def exp(self):
        return self.enter("exp", self)

    def log(self):
        return self.enter("log", self)

    def sqrt(self):
        return self.enter("sqrt", self)

    def step(self):
        """1 where this is above 0, else 0."""
        return self.enter("step", self)

    def positive(self):
        """The larger of this and 0; NaN stays."""
        return self.enter("max", self, self.number(0.0))

    def _branch(self, *other):
        raise TraceError("a formula that compares its numbers cannot be traced: write it by abs")

    __lt__ = __gt__ = __le__ = __ge__ = __bool__ = __float__ = _branch


def added(a: Scalar, b: Scalar) -> Scalar:
    if a.constant == 0:
        return b
    if b.constant == 0:
        return a
    if b.op.name == "neg":
        return a.enter("sub", a, b.operand(0))
    if a.op.name == "neg":
        return a.enter("sub", b, a.operand(0))
    return a.enter("add", a, b)


def multiplied(a: Scalar, b: Scalar) -> Scalar:
    if a.constant is not None:
        a, b = b, a
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


def divided(a: Scalar, b: Scalar) -> Scalar:
    if a.constant == 0:
        return a
    c = b.constant
    if c is not None and abs(np.frexp(c)[0]) == 0.5:  # a power of two: exact
        return a * (1 / c)
    if a.op.name == "neg":
        return -(a.operand(0) / b)
    if b.op.name == "neg":
        return -(a / b.operand(0))
    return a.enter("div", a, b)


def largest(scalars) -> Scalar:
    """The largest of numbers >= 0; NaN where one is."""
    first, *rest = scalars
    for x in rest:
        first = first if first.at == x.at else first.enter("max", first, x)
    return first
