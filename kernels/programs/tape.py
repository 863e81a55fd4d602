"""The tape: operations in the order in which a formula asks for them, each once; and the numbers on it.

A formula runs on `Traced` numbers as it would on floats. Two kinds of them write one tape: those of a loss
(trace.py), whose every operation is a kernel's, and those of arrays of formulas (traced_arrays.py), which are
rewritten to round less. What they share stands here: how Python's operators reach the rules, how constants
fold, and what is refused.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from noether.kernels.programs.operations import ARITHMETIC, OPERATIONS
from noether.kernels.programs.program import Op, Program


class TraceError(ValueError):
    """Raised when the arithmetic of a case cannot be made a kernel."""


class NoOperation(TraceError):
    """Raised when a loss does with a parameter what no kernel has, whatever the values are."""


OURS = "a kernel has + - * /, whole powers and xp.exp, xp.log, xp.sqrt, xp.step"
HIGHEST_POWER = 16
BRANCH_OF_A_LOSS = (
    "a loss that branches on its parameters (if, max, min, abs, a comparison) cannot be traced: "
    "write it with xp.step and name its argument in kinks, as x * xp.step(x) for max(x, 0)"
)
NO_NUMBER = (
    "a parameter is no plain number here, as float(), round(), //, %, math or a power of 2 need it: " + OURS
)


class Tape:
    """The operations of a trace in order, each once.

    nonnegative  of some of them, whether they are known to be
    """

    def __init__(self):
        self.ops: list[Op] = []
        self.index: dict[Op, int] = {}
        self.nonnegative: dict[int, bool] = {}

    def add(self, name: str, *args: int, value=0) -> int:
        """The position of an operation; it is new where none is like it."""
        op = Op(name, args, value)
        if op not in self.index:
            self.index[op] = len(self.ops)
            self.ops.append(op)
        return self.index[op]


def paired(rule: str) -> tuple[Callable, Callable]:
    """a + b and its reflection from a rule on two traced numbers. What cannot be lifted is left to the other
    operand: numpy goes through the elements of an array."""

    def forward(self, other):
        other = self.lift(other)
        return NotImplemented if other is None else getattr(self, rule)(other)

    def reflected(self, other):
        other = self.lift(other)
        return NotImplemented if other is None else getattr(other, rule)(self)

    return forward, reflected


class Traced:
    """A number on a tape. A subclass has the rules plus, minus, times, over of two of its kind, the
    negative, and `lift`."""

    __slots__ = ("tape", "at")
    BRANCH = "a formula that compares its numbers cannot be traced"

    def __init__(self, tape: Tape, at: int):
        self.tape, self.at = tape, at

    @classmethod
    def input(cls, tape: Tape, position: int):
        """The input at a position."""
        return cls(tape, tape.add("input", value=position))

    @property
    def op(self) -> Op:
        """The operation that gave this number."""
        return self.tape.ops[self.at]

    @property
    def constant(self) -> float | None:
        return self.op.value if self.op.name == "const" else None

    def operand(self, i: int):
        """The number that an operand of this operation is."""
        return type(self)(self.tape, self.op.args[i])

    def number(self, value: float):
        """A constant on the tape of this number."""
        return type(self)(self.tape, self.tape.add("const", value=float(value)))

    def enter(self, name: str, *args: Traced):
        """The number that an operation gives; + - * / of constants are a constant."""
        if name in ARITHMETIC and None not in (numbers := [x.constant for x in args]):
            return self.number(OPERATIONS[name].plain(*numbers))
        return type(self)(self.tape, self.tape.add(name, *(x.at for x in args)))

    __add__, __radd__ = paired("plus")
    __sub__, __rsub__ = paired("minus")
    __mul__, __rmul__ = paired("times")
    __truediv__, __rtruediv__ = paired("over")

    def __pos__(self):
        return self

    def __pow__(self, power):
        if not isinstance(power, int | np.integer) or not 1 <= power <= HIGHEST_POWER:
            raise NoOperation(
                f"power is {power!r}: a kernel has whole powers from 1 to {HIGHEST_POWER} only, as x ** 2; "
                "write 1 / x ** 2, xp.sqrt(x)"
            )
        out = self
        for _ in range(power - 1):
            out = out * self
        return out

    def step(self):
        """1 where this is above 0, else 0."""
        return self.enter("step", self)

    def _branch(self, *other):
        raise NoOperation(self.BRANCH)

    def _number(self, *other):
        raise NoOperation(NO_NUMBER)

    __lt__ = __gt__ = __le__ = __ge__ = __bool__ = _branch
    __float__ = __int__ = __index__ = __complex__ = __round__ = __floor__ = __ceil__ = __trunc__ = _number
    __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = __rpow__ = _number


def pruned(dim: int, tape: Tape | Program, outputs: list[int], names: tuple[str, ...] = ()) -> Program:
    """The operations that the outputs need, renumbered, in order, and the outputs."""
    needed, stack = set(), list(outputs)
    while stack:
        at = stack.pop()
        if at not in needed:
            needed.add(at)
            stack.extend(tape.ops[at].args)
    number = {old: new for new, old in enumerate(sorted(needed))}
    ops = tuple(
        Op(tape.ops[old].name, tuple(number[a] for a in tape.ops[old].args), tape.ops[old].value)
        for old in sorted(needed)
    )
    return Program(dim, ops, tuple(number[o] for o in outputs), names)
