"""Tracing: from the plain arithmetic of a loss to the program of its gradient.

The loss is traced once into operations (hash-consed, so equal terms are computed once); the gradient is made
from them by reverse accumulation. What nobody reads is dropped: the value of the loss itself, as a rule.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from noether.cases.case import EUCLIDEAN, Case
from noether.cases.rule import Rule
from noether.kernels.programs.array_trace import gradient_loops
from noether.kernels.programs.loop_program import LoopProgram
from noether.kernels.programs.namespaces import Namespace, is_number
from noether.kernels.programs.operations import FUNCTIONS, OF_UFUNC, OPERATIONS
from noether.kernels.programs.program import Program
from noether.kernels.programs.rolling import rolled
from noether.kernels.programs.tape import (
    BRANCH_OF_A_LOSS,
    OURS,
    NoOperation,
    Tape,
    Traced,
    TraceError,
    pruned,
)


class Node(Traced):
    """A traced number of a loss. Plain numbers fold; x * 1, x + 0 and the like disappear."""

    __slots__ = ()
    BRANCH = BRANCH_OF_A_LOSS

    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        """A number of numpy's on the left comes here; an array or a function of numpy's is refused."""
        if method != "__call__" or ufunc not in OF_UFUNC or options:
            raise NoOperation(f"np.{ufunc.__name__} on a parameter: {OURS}")
        return OF_UFUNC[ufunc].plain(*(self.lift(x) for x in inputs))

    def lift(self, other) -> Node:
        if isinstance(other, Node):
            return other
        if not is_number(other):
            what = (
                f"an array of shape {other.shape}"
                if isinstance(other, np.ndarray)
                else f"{type(other).__name__} {other!r:.40}"
            )
            raise TraceError(f"{what} in the arithmetic of a loss: only numbers and parameters are allowed")
        return self.number(other)

    def plus(self, other: Node) -> Node:
        if other.constant == 0:
            return self
        return other if self.constant == 0 else self.enter("add", self, other)

    def minus(self, other: Node) -> Node:
        return self if other.constant == 0 else self.enter("sub", self, other)

    def times(self, other: Node) -> Node:
        if other.constant == 1:
            return self
        if self.constant == 1:
            return other
        return self.number(0) if 0 in (self.constant, other.constant) else self.enter("mul", self, other)

    def over(self, other: Node) -> Node:
        return self if other.constant == 1 else self.enter("div", self, other)

    def __neg__(self):
        return self.number(-self.constant) if self.constant is not None else self.enter("neg", self)

    __eq__ = __ne__ = __abs__ = Traced._branch
    __hash__ = object.__hash__


ON_A_TAPE = {name: lambda x, name=name: x.enter(name, x) for name in FUNCTIONS}
TRACED = Namespace(ON_A_TAPE)
"""The namespace xp under which a loss is traced."""


def gradient_program(dim: int, total: Callable, xp: Namespace = TRACED) -> Program:
    """The gradient of total(q, eps, xp) with respect to q, as a program with inputs q_0..q_{d-1}, eps."""
    tape = Tape()
    inputs = [Node.input(tape, i) for i in range(dim + 1)]
    value = total(inputs[:dim], inputs[dim], xp)
    if not isinstance(value, Node):
        raise TraceError(f"the loss returned {type(value).__name__}: must be arithmetic on its parameters")
    adjoints: dict[int, Node] = {value.at: value.number(1)}
    for at in range(value.at, -1, -1):
        op, g, y = tape.ops[at], adjoints.get(at), Node(tape, at)
        if g is None or not op.args:
            continue
        operands = [Node(tape, i) for i in op.args]
        # A share is made where it is given, so that its operations stand on the tape before the next sum.
        for i, share in zip(op.args, OPERATIONS[op.name].adjoint, strict=False):
            given = share(g, y, *operands)
            adjoints[i] = adjoints[i] + given if i in adjoints else given
    outputs = [adjoints[x.at] if x.at in adjoints else x.number(0) for x in inputs[:dim]]
    return pruned(dim, tape, [x.at for x in outputs])


def entries_program(dim: int, entries: Callable) -> Program:
    """The d entries of a diagonal metric, entries(q, kappa, xp); kappa stands where a gradient has eps.
    Raises TraceError."""
    tape = Tape()
    inputs = [Node.input(tape, i) for i in range(dim + 1)]
    values = entries(inputs[:dim], inputs[dim], TRACED)
    if len(values) != dim:
        raise TraceError(f"the metric has {len(values)} entries: must be {dim}")
    return pruned(dim, tape, [inputs[dim].lift(x).at for x in values])


@cache
def metric(case: Case, rule: Rule) -> Program | None:
    """The program of G(q, kappa) where the rule has a metric of its own, else None."""
    return entries_program(case.dim, case.metric.entries) if rule.on_metric else None


MOST, MOST_OF_FEW, FEW = 600, 1500, 32
"""Operations of a straight-line kernel, and of one of FEW parameters at most; longer gradients have loops.
Compiling takes a second at 300 operations, and a state of few parameters stays in registers."""


class UsesArrays(Exception):
    """Raised where a loss asks for an array."""


class WithoutArrays(Namespace):
    """The namespace of TRACED, which tells of the first array that is asked for."""

    def array(self, values, shape=None):
        raise UsesArrays

    constant = array


FIRST = WithoutArrays(ON_A_TAPE)


def gradient_of(dim: int, total: Callable) -> Program | LoopProgram:
    """The gradient of total(q, eps, xp) with respect to q, with loops where it is long. Raises TraceError."""
    try:
        program = gradient_program(dim, total, FIRST)
    except UsesArrays:
        loops = gradient_loops(dim, total)
        return loops if is_long(dim, loops.work) else gradient_program(dim, total)
    return rolled(program) if is_long(dim, len(program.ops)) else program


def is_long(dim: int, operations: int) -> bool:
    """Whether a gradient of so many operations has loops."""
    return operations > (MOST_OF_FEW if dim <= FEW else MOST)


@cache
def gradient(case: Case) -> Program | LoopProgram:
    """The program of the gradient of loss + eps * breaking; straight where the metric is not Euclidean, for
    no loop in memory has another. Raises TraceError."""
    if case.metric.kind != EUCLIDEAN:
        return gradient_program(case.dim, case.total)
    return gradient_of(case.dim, case.total)
