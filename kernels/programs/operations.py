"""The table of operations: what a formula can be made of, one row an operation, one column a use of it.

Who reads which column:

    arity, numpy     checking and running a program          program.py, numpy_program.py
    plain, exact     constants, and rational arithmetic      tape.py, namespaces.py; harness/faults/
    adjoint          the gradient by reverse accumulation    trace.py
    infix, triton    printing                                triton_text.py, sums.py; harness/laws/map/,
                                                             harness/labs/bench/
    called           the functions of the namespace xp       namespaces.py, and those of harness/mechanics/
    in_a_rule        what a learning rule calls it           plain_numbers.py, trace_rule.py
    commutes, sign   rewriting that never rounds more often  traced_arrays.py
    rounds, ...      what one operation rounds               harness/mechanics/bounds.py, magnitude_bounds.py

Shared on purpose: what an operation *is*. All backends must run the same one, and a bound must count the
roundings of the one that runs.

Apart on purpose, because each is a witness against this table: how an error passes through an operation
(harness/mechanics/bounds.py PASS, second order kept; magnitude_bounds.py), its slope for dual numbers
(harness/mechanics/dual.py) and for formulas (symbolic_gradient.py). None of them reads `adjoint`: a wrong
sign there would be wrong in the kernel, in its bound and in its judge alike, and nobody would see it. Of such
columns tests/test_operations.py asks only that no operation is left out.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from noether.kernels.programs import elementary


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One operation that a program may have: how it is computed, printed, differentiated and rounded.

    plain       the operation on Python's own numbers; `exact` where it gives a fraction of fractions
    numpy       the operation on arrays, with the bits that every backend must have
    infix       its sign, where people write it between its operands
    triton      how Triton writes it, {0} and {1} the operands, {one} and {zero} constants; `single` in
                float32, where that is another function
    adjoint     for each operand its share of the adjoint g of the result y, from g, y and the operands;
                empty: flat; None: a loss has no such operation
    called      whether the namespace xp of a loss has a function of this name
    in_a_rule   its name in the namespace xp of a learning rule, where that has it
    commutes    whether its operands may change places
    sign        "positive": never below 0;  "kept": not below 0 where no operand is;  "": nothing is known
    rounds      whether its result is rounded at all
    units       unit roundoffs of the arithmetic type that its own evaluation may err by, before that rounding
    underflows  whether a result that is not 0 may be subnormal, and so lose digits
    """

    name: str
    arity: int
    plain: Callable
    numpy: Callable
    exact: bool = True
    infix: str = ""
    triton: str = ""
    single: str = ""
    adjoint: tuple[Callable, ...] | None = None
    called: bool = False
    in_a_rule: str = ""
    commutes: bool = False
    sign: str = ""
    rounds: bool = True
    units: float = 0.0
    underflows: bool = False

    def in_triton(self, single: bool) -> str:
        """The template of its text in a kernel."""
        return (self.single if single else "") or self.triton or f"{{0}} {self.infix} {{1}}"


def step(x):
    """The function 1 where x > 0, else 0 (also at 0 and NaN), in the type of x; complex by its real part."""
    if isinstance(x, np.ndarray | np.generic):
        return (x.real > 0).astype(x.dtype)
    return x.step() if hasattr(x, "step") else type(x)(x > 0)  # a traced number steps itself


def sign(x):
    """The sign of x: 1, -1, or x itself where it is 0 or NaN."""
    if isinstance(x, np.ndarray | np.generic):
        one = x.dtype.type(1)
        return np.where(x > 0, one, np.where(x < 0, -one, x))
    return 1.0 if x > 0 else -1.0 if x < 0 else x


def same(x):
    """The number itself."""
    return x


def negative(x: np.ndarray) -> np.ndarray:
    """The negation 0 - x, as it is printed in kernels: +0 stays +0."""
    return np.subtract(x.dtype.type(0), x)


ROWS = (
    Operation(
        name="neg", arity=1, plain=operator.neg, numpy=negative, rounds=False,
        triton="0.0 - {0}",  # unary minus is this up to Triton 3.7 and makes -0 of +0 from 3.8.0 on
        adjoint=(lambda g, y, a: -g,),
    ),
    Operation(
        name="abs", arity=1, plain=abs, numpy=np.abs, triton="tl.abs({0})", sign="positive", rounds=False,
        in_a_rule="absolute",
    ),
    Operation(
        name="sign", arity=1, plain=sign, numpy=sign, in_a_rule="sign", rounds=False,
        triton="tl.where({0} > 0, {one}, tl.where({0} < 0, 0.0 - {one}, {0}))",
    ),
    # Where a learning rule rounds a number to a store: to which type, the precision says (Program.values).
    Operation(
        name="store", arity=1, plain=same, numpy=same, in_a_rule="store", rounds=False,
        triton='narrow({0}, "{q_store}")',
    ),
    Operation(
        name="store_buffer", arity=1, plain=same, numpy=same, in_a_rule="store_buffer", rounds=False,
        triton='narrow({0}, "{v_store}")',
    ),
    Operation(
        name="sqrt", in_a_rule="sqrt", arity=1, plain=math.sqrt, numpy=np.sqrt, exact=False, called=True,
        sign="kept",
        triton="tl.sqrt({0})", single="tl.sqrt_rn({0})",
        adjoint=(lambda g, y, a: g / (y + y),),
    ),
    Operation(
        name="exp", in_a_rule="exp", arity=1, plain=math.exp, numpy=elementary.exp, exact=False, called=True,
        sign="positive",
        triton="exp({0}, {arith})", units=elementary.EXP_UNITS, underflows=True,
        adjoint=(lambda g, y, a: g * y,),
    ),
    Operation(
        name="log", in_a_rule="log", arity=1, plain=math.log, numpy=elementary.log, exact=False, called=True,
        triton="log({0}, {arith})", units=elementary.LOG_UNITS,
        adjoint=(lambda g, y, a: g / a,),
    ),
    Operation(
        name="step", in_a_rule="step", arity=1, plain=step, numpy=step, called=True, sign="positive",
        rounds=False,
        triton="tl.where({0} > 0, {one}, {zero})",
        adjoint=(),
    ),
    Operation(
        name="add", arity=2, plain=operator.add, numpy=np.add, infix="+", commutes=True, sign="kept",
        adjoint=(lambda g, y, a, b: g, lambda g, y, a, b: g),
    ),
    Operation(
        name="sub", arity=2, plain=operator.sub, numpy=np.subtract, infix="-",
        adjoint=(lambda g, y, a, b: g, lambda g, y, a, b: -g),
    ),
    Operation(
        name="mul", arity=2, plain=operator.mul, numpy=np.multiply, infix="*", commutes=True, sign="kept",
        underflows=True,
        adjoint=(lambda g, y, a, b: g * b, lambda g, y, a, b: g * a),
    ),
    Operation(
        name="div", arity=2, plain=operator.truediv, numpy=np.divide, infix="/", sign="kept", underflows=True,
        # div_rn refuses fp64, where "/" is already correctly rounded; "/" in fp32 is div.full.
        single="tl.div_rn({0}, {1})",
        adjoint=(lambda g, y, a, b: g / b, lambda g, y, a, b: -((g / b) * y)),
    ),
    Operation(
        name="max", arity=2, plain=max, numpy=np.maximum, commutes=True, sign="kept", rounds=False,
        in_a_rule="maximum",
        # numpy: NaN where either is; of zeros of both signs, either. The hardware's max drops a NaN.
        triton="tl.where(({0} > {1}) | ({0} != {0}), {0}, {1})",
    ),
)  # fmt: skip
OPERATIONS = {row.name: row for row in ROWS}
NUMPY = {row.name: row.numpy for row in ROWS}
ARITHMETIC = tuple(row.name for row in ROWS if row.infix)
FUNCTIONS = tuple(row.name for row in ROWS if row.called)
IN_A_RULE = {row.in_a_rule: row for row in ROWS if row.in_a_rule}
"""The functions of a learning rule's namespace xp, by the names that they have there."""
STORES = ("store", "store_buffer")
"""Where a rule rounds to the type of parameters, and to that of buffers."""
IN_A_LOSS = tuple(row.name for row in ROWS if row.adjoint is not None)
"""Names: of + - * /; of the functions of xp; of all that a traced gradient may hold."""
OF_UFUNC = {row.numpy: row for row in ROWS if row.infix}
"""What numpy is asked for where two arrays are added, subtracted, multiplied or divided."""
