"""Tracing: from the plain arithmetic of a loss to the program of its gradient.

The loss is traced once into operations (hash-consed, so equal terms are computed once); the gradient is made
from them by reverse accumulation. What nobody reads is dropped: the value of the loss itself, as a rule.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import cache

import numpy as np

from noether.cases.case import Case
from noether.cases.rules import Rule
from noether.kernels.programs.namespaces import absent, is_number, plain
from noether.kernels.programs.program import Op, Program


class TraceError(ValueError):
    """The case's arithmetic cannot be made a kernel."""


class NoOperation(TraceError):
    """What a loss does with a parameter is no operation of a kernel, whatever the values are."""


BRANCH = (
    "a loss that branches on its parameters (if, max, min, abs, a comparison) cannot be traced: "
    "write it with xp.step and name its argument in kinks, as x * xp.step(x) for max(x, 0)"
)
OURS = "a kernel has + - * /, whole powers and xp.exp, xp.log, xp.sqrt, xp.step"
UFUNCS = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": operator.truediv,
    "true_divide": operator.truediv,
}


class Tape:
    """Operations in order, each once."""

    def __init__(self):
        self.ops: list[Op] = []
        self.index: dict[Op, int] = {}

    def add(self, name: str, *args: int, value=0) -> Node:
        op = Op(name, args, value)
        if op not in self.index:
            self.index[op] = len(self.ops)
            self.ops.append(op)
        return Node(self, self.index[op])

    def constant(self, value) -> Node:
        return self.add("const", value=float(value))


class Node:
    """A traced scalar. Plain numbers fold; x * 1, x + 0 and the like disappear."""

    __slots__ = ("tape", "at")

    def __init__(self, tape: Tape, at: int):
        self.tape, self.at = tape, at

    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        """A number of numpy's on the left comes here; an array or a function of numpy's is refused."""
        if method != "__call__" or ufunc.__name__ not in UFUNCS or options:
            raise NoOperation(f"np.{ufunc.__name__} on a parameter: {OURS}")
        return UFUNCS[ufunc.__name__](*(self._lift(x) for x in inputs))

    @property
    def constant(self):
        op = self.tape.ops[self.at]
        return op.value if op.name == "const" else None

    def _lift(self, other) -> Node:
        if isinstance(other, Node):
            return other
        if not is_number(other):
            what = (
                f"an array of shape {other.shape}"
                if isinstance(other, np.ndarray)
                else f"{type(other).__name__} {other!r:.40}"
            )
            raise TraceError(f"{what} in the arithmetic of a loss: only numbers and parameters are allowed")
        return self.tape.constant(other)

    def _binary(self, name: str, other: Node) -> Node:
        if None not in (self.constant, other.constant):
            return self.tape.constant(FOLD[name](self.constant, other.constant))
        return self.tape.add(name, self.at, other.at)

    def __add__(self, other):
        other = self._lift(other)
        if other.constant == 0:
            return self
        if self.constant == 0:
            return other
        return self._binary("add", other)

    def __sub__(self, other):
        other = self._lift(other)
        if other.constant == 0:
            return self
        return self._binary("sub", other)

    def __mul__(self, other):
        other = self._lift(other)
        if other.constant == 1:
            return self
        if self.constant == 1:
            return other
        if 0 in (self.constant, other.constant):
            return self.tape.constant(0)
        return self._binary("mul", other)

    def __truediv__(self, other):
        other = self._lift(other)
        if other.constant == 1:
            return self
        return self._binary("div", other)

    def __radd__(self, other):
        return self._lift(other) + self

    def __rsub__(self, other):
        return self._lift(other) - self

    def __rmul__(self, other):
        return self._lift(other) * self

    def __rtruediv__(self, other):
        return self._lift(other) / self

    def __neg__(self):
        return (
            self.tape.constant(-self.constant) if self.constant is not None else self.tape.add("neg", self.at)
        )

    def __pow__(self, power):
        if not isinstance(power, int | np.integer) or not 1 <= power <= 16:
            raise NoOperation(
                f"power is {power!r}: a kernel has whole powers from 1 to 16 only, as x ** 2; write 1 / x "
                "** 2, xp.sqrt(x)"
            )
        out = self
        for _ in range(power - 1):
            out = out * self
        return out

    def __pos__(self):
        return self

    def _branch(self, *other):
        raise NoOperation(BRANCH)

    def _number(self, *other):
        raise NoOperation(
            "a parameter is no plain number here, as float(), round(), //, %, math or a power of 2 need "
            f"it: {OURS}"
        )

    __float__ = __int__ = __index__ = __round__ = __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = (
        __rpow__
    ) = _number
    __complex__ = __floor__ = __ceil__ = __trunc__ = _number

    __lt__ = __gt__ = __le__ = __ge__ = __eq__ = __ne__ = __abs__ = _branch
    __hash__ = object.__hash__

    def __bool__(self):
        raise NoOperation(BRANCH)


FOLD = {"add": operator.add, "sub": operator.sub, "mul": operator.mul, "div": operator.truediv}


class TraceNamespace:
    """The namespace xp under which a loss is traced; of a plain number it gives the plain number."""

    def __getattr__(self, name: str):
        return absent(name)

    @staticmethod
    def exp(x: Node) -> Node:
        return plain("exp", x) if is_number(x) else x.tape.add("exp", x.at)

    @staticmethod
    def log(x: Node) -> Node:
        return plain("log", x) if is_number(x) else x.tape.add("log", x.at)

    @staticmethod
    def sqrt(x: Node) -> Node:
        return plain("sqrt", x) if is_number(x) else x.tape.add("sqrt", x.at)

    @staticmethod
    def step(x: Node) -> Node:
        """1 where x > 0, else 0."""
        return plain("step", x) if is_number(x) else x.tape.add("step", x.at)


TRACED = TraceNamespace()


def gradient_program(dim: int, total: Callable) -> Program:
    """The gradient of total(q, eps, xp) with respect to q, as a program with inputs q_0..q_{d-1}, eps."""
    tape = Tape()
    inputs = [tape.add("input", value=i) for i in range(dim + 1)]
    value = total(inputs[:dim], inputs[dim], TRACED)
    if not isinstance(value, Node):
        raise TraceError(f"the loss returned {type(value).__name__}: must be arithmetic on its parameters")
    adjoints: dict[int, Node] = {value.at: tape.constant(1)}

    def give(at: int, share: Node):
        adjoints[at] = adjoints[at] + share if at in adjoints else share

    for at in range(value.at, -1, -1):
        if at not in adjoints:
            continue
        op, g, here = tape.ops[at], adjoints[at], Node(tape, at)
        a = [Node(tape, i) for i in op.args]
        if op.name == "add":
            give(op.args[0], g)
            give(op.args[1], g)
        elif op.name == "sub":
            give(op.args[0], g)
            give(op.args[1], -g)
        elif op.name == "mul":
            give(op.args[0], g * a[1])
            give(op.args[1], g * a[0])
        elif op.name == "div":
            share = g / a[1]
            give(op.args[0], share)
            give(op.args[1], -(share * here))
        elif op.name == "neg":
            give(op.args[0], -g)
        elif op.name == "exp":
            give(op.args[0], g * here)
        elif op.name == "log":
            give(op.args[0], g / a[0])
        elif op.name == "sqrt":
            give(op.args[0], g / (here + here))
        # step: flat on both sides
    outputs = [adjoints.get(x.at, tape.constant(0)) for x in inputs[:dim]]
    return pruned(dim, tape, [x.at for x in outputs])


def pruned(dim: int, tape: Tape, outputs: list[int], names: tuple[str, ...] = ()) -> Program:
    """The operations that the outputs need, renumbered, in order."""
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


def entries_program(dim: int, entries: Callable) -> Program:
    """The d entries of a diagonal metric, entries(q, kappa, xp); kappa stands where a gradient has eps.
    Raises TraceError."""
    tape = Tape()
    inputs = [tape.add("input", value=i) for i in range(dim + 1)]
    values = entries(inputs[:dim], inputs[dim], TRACED)
    if len(values) != dim:
        raise TraceError(f"the metric has {len(values)} entries: must be {dim}")
    return pruned(dim, tape, [inputs[dim]._lift(x).at for x in values])


@cache
def metric(case: Case, rule: Rule) -> Program | None:
    """G(q, kappa), where the rule has a metric of its own."""
    return entries_program(case.dim, case.metric.entries) if rule.on_metric else None


@cache
def gradient(case: Case) -> Program:
    """The gradient of loss + eps * breaking."""
    return gradient_program(case.dim, case.total)
