"""Bounds on the rounding of a program, from values and unit roundoffs alone (theory.md#R0).

Running error of a program: each operation adds u |value| and passes its operands' bounds through its partial
derivatives, second order kept. Measured as |g_kernel - g_wide| the bound would excuse any wrong gradient.
"""

from __future__ import annotations

import numpy as np

from noether.kernels.programs.loop_program import LoopProgram
from noether.kernels.programs.operations import OPERATIONS, step
from noether.kernels.programs.precision import Precision
from noether.kernels.programs.program import Program
from noether.mechanics import loop_bounds
from noether.mechanics.operation_rounding import NONE, SLACK, Rounding, constant_error

FLOAT64 = Precision("float64")


def operations(
    program: Program, inputs, input_errors, precision: Precision, rules: dict, exact=False, constants=True
) -> tuple[list, list]:
    """The value of each operation of a program in order, and a bound on its error.

    inputs, input_errors  (n,) each: the exact inputs and how far the kernel's own may be;  rules  PASS, or
                          FAR on numbers
    exact                 no operation rounds: what is left is what its inputs and constants are off
    constants             whether constants are off
    """
    if isinstance(program, LoopProgram):
        how = (precision, rules, exact, constants)
        return loop_bounds.operations(program, inputs, input_errors, *how)
    rounding = NONE if exact else Rounding.under(precision)
    values: list[np.ndarray] = []
    errors: list[np.ndarray] = []
    like = inputs[-1]
    with np.errstate(all="ignore"):
        for op in program.ops:
            x = [values[i] for i in op.args]
            e = [errors[i] for i in op.args]
            if op.name == "input":
                value, error = inputs[op.value], input_errors[op.value]
            elif op.name == "const":
                value = np.full_like(like, op.value)
                error = np.full_like(like, constant_error(op.value, precision) if constants else 0.0)
            else:
                value, passed = rules[op.name](x, e)
                signs = op.name == "mul" and any(program.ops[i].name == "sign" for i in op.args)
                error = passed + rounding.of(OPERATIONS[op.name], value, passed, signs)
                if rounding.eager and (letters := program.unrounded(op)):
                    error = error + rounding.of_operands(letters, x, e)
            values.append(value)
            errors.append(error)
    return values, errors


def of_constants(program: Program, q: np.ndarray) -> np.ndarray:
    """How far a program's outputs at q (d, n) are from what is meant for its float64 constants alone; (d,
    n)."""
    nothing = np.zeros_like(q[0])
    errors = operations(program, [*q, nothing], [nothing] * (len(q) + 1), FLOAT64, FAR, exact=True)[1]
    return known(np.stack([np.broadcast_to(errors[i], nothing.shape) for i in places(program)])) * SLACK


def places(program: Program | LoopProgram):
    """Where the outputs are in what `operations` gives."""
    if isinstance(program, LoopProgram):
        return loop_bounds.place(program, program.outputs)
    return program.outputs


def program_error(
    program: Program, q: np.ndarray, q_error: np.ndarray, eps: np.ndarray, precision: Precision
):
    """Values and bounds of a program's outputs at q.

    q, q_error  (d, n) float64: the exact inputs and how far the kernel's own may be;  eps (n,)
    Returns two (d, n) float64 arrays.
    """
    if isinstance(program, LoopProgram):
        parts = loop_bounds.parts(program, np.size(eps))
        found = [outputs(program, q[:, i], q_error[:, i], eps[i], precision) for i in parts]
        return tuple(np.concatenate(x, axis=1) for x in zip(*found, strict=True))
    return outputs(program, q, q_error, eps, precision)


def outputs(program: Program | LoopProgram, q, q_error, eps, precision: Precision):
    """`program_error` of as many points as fit in memory."""
    found = operations(program, [*q, eps], [*q_error, np.zeros_like(eps)], precision, FAR)
    value, error = (np.stack([np.broadcast_to(x[i], np.shape(eps)) for i in places(program)]) for x in found)
    return value, known(error) * SLACK


def known(error: np.ndarray) -> np.ndarray:
    """A bound in which 0 * inf counts as infinite: of such a product nothing is known."""
    return np.where(np.isnan(error), np.inf, error)


def value_range(
    program: Program, q: np.ndarray, eps: np.ndarray, precision: Precision = FLOAT64
) -> tuple[np.ndarray, np.ndarray]:
    """(n,) smallest non-zero magnitude that any operation takes at q (d, n), and the largest that it can take
    when rounded.

    An exp whose operand has lost its digits can be infinite in the kernel though it is 0 here: the bound says
    so.
    """
    nothing = np.zeros_like(eps)
    if isinstance(program, LoopProgram):
        parts = loop_bounds.parts(program, np.size(eps))
        found = [loop_bounds.value_range(program, [*q[:, i], eps[i]], precision, FAR) for i in parts]
        return tuple(np.concatenate(x) for x in zip(*found, strict=True))
    smallest, largest = np.where(q != 0, np.abs(q), np.inf).min(axis=0), np.abs(q).max(axis=0)
    with np.errstate(all="ignore"):
        for value, error in zip(
            *operations(program, [*q, eps], [nothing] * (len(q) + 1), precision, FAR), strict=True
        ):
            size = np.where(np.isfinite(value), np.abs(value), np.inf)
            largest, smallest = (
                np.maximum(largest, size + known(error)),
                np.minimum(smallest, np.where(size > 0, size, np.inf)),
            )
    return smallest, largest


def quotient(top, whole, error):
    """The quotient top / (whole - error), or so large a number that it bounds nothing where no room is left.

    Large but finite: an infinite error times an exact zero would be NaN. Traced numbers have no comparison,
    but a maximum.
    """
    room = whole - error
    positive = ELEMENTWISE(room) if np.asarray(room).dtype == object else np.maximum(room, 0.0)
    return top / (positive + NOTHING * whole)


NOTHING = 2.0**-300
ELEMENTWISE = np.frompyfunc(lambda x: max(x, 0.0) if isinstance(x, (int, float)) else x.positive(), 1, 1)


def one_above(x):
    """The function step(x), 1 above 0 and else 0, also of traced numbers."""
    return STEPS(x) if np.asarray(x).dtype == object else step(np.asarray(x))


STEPS = np.frompyfunc(lambda x: step(x) if isinstance(x, (int, float)) else x.step(), 1, 1)


def _pass_mul(x, e):
    a, b = x
    return a * b, np.abs(a) * e[1] + np.abs(b) * e[0] + e[0] * e[1]


def _pass_div(x, e):
    a, b = x
    ratio = a / b
    return ratio, quotient(e[0] + np.abs(ratio) * e[1], np.abs(b), e[1])


def _pass_exp(x, e):
    value = np.exp(x[0])
    return value, value * quotient(e[0], 1.0, e[0])  # e^x - 1 <= x / (1 - x)


def _pass_far_exp(x, e):
    """Also where the operand's own error passes 1: exp(x + e) - exp(x) is below exp(x + e). Not traced: it
    takes an exp more."""
    value, near = _pass_exp(x, e)
    return value, np.where(e[0] < 1, near, np.exp(x[0] + e[0]))


def _pass_log(x, e):
    value = np.log(x[0])
    return value, quotient(e[0], np.abs(x[0]), e[0])


def _pass_sqrt(x, e):
    value = np.sqrt(x[0])
    return value, e[0] / value


def _pass_step(x, e):
    """Which side the kernel is on is known where |x| > e: there it is exact, elsewhere 1 off at most."""
    return one_above(x[0]), 1 - one_above(np.abs(x[0]) - e[0])


def _pass_root(x, e):
    """Also at 0 and near it: sqrt(x + e) - sqrt(x) is at most sqrt(e)."""
    value, far = np.sqrt(x[0]), np.sqrt(e[0])
    return value, np.where(value > far, np.minimum(e[0] / np.where(value > 0, value, 1), far), far)


def _pass_sign(x, e):
    """A sign is known where |x| > e: there it is exact, elsewhere 2 off at most."""
    return np.sign(x[0]), np.where(np.abs(x[0]) > e[0], 0.0, 2.0)


PASS = {
    "neg": lambda x, e: (-x[0], e[0]),
    "add": lambda x, e: (x[0] + x[1], e[0] + e[1]),
    "sub": lambda x, e: (x[0] - x[1], e[0] + e[1]),
    "mul": _pass_mul,
    "div": _pass_div,
    "exp": _pass_exp,
    "log": _pass_log,
    "sqrt": _pass_sqrt,
    "step": _pass_step,
}
FAR = {**PASS, "exp": _pass_far_exp}
OF_A_RULE = {
    "store": lambda x, e: (x[0], e[0]),
    "store_buffer": lambda x, e: (x[0], e[0]),
    "abs": lambda x, e: (np.abs(x[0]), e[0]),
}
"""How errors pass through what a learning rule has beside the operations of a loss."""
PASS_RULE = {**PASS, **OF_A_RULE}
FAR_RULE = {
    **FAR,
    **OF_A_RULE,
    "sqrt": _pass_root,
    "sign": _pass_sign,
    "max": lambda x, e: (np.maximum(*x), np.maximum(*e)),
}
"""Those of a rule on traced numbers, and on numbers."""
