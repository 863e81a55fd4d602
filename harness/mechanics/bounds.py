"""Bounds on the rounding of a program, from values and unit roundoffs alone (theory.md#R0).

Running error of a program: each operation adds u |value| and passes its operands' bounds through its partial
derivatives, second order kept. Measured as |g_kernel - g_wide| the bound would excuse any wrong gradient.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import numpy as np

from noether.kernels.programs.operations import OPERATIONS, STORES, Operation, step
from noether.kernels.programs.precision import UNIT, Precision, representable
from noether.kernels.programs.program import Program

SLACK = 1 + 2.0**-30  # the bounds themselves are evaluated in float64: a few hundred roundings of 2^-53
FLOAT64 = Precision("float64")
# digits: a decimal that somebody wrote has fewer, a float that was computed has 16 or 17 but for one in ten
LONG = 16


def operations(
    program: Program, inputs, input_errors, precision: Precision, rules: dict, exact=False, constants=True
) -> tuple[list, list]:
    """The value of each operation of a program in order, and a bound on its error.

    inputs, input_errors  (n,) each: the exact inputs and how far the kernel's own may be;  rules  PASS, or
                          FAR on numbers
    exact                 no operation rounds: what is left is what its inputs and constants are off
    constants             whether constants are off
    """
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


@dataclass(frozen=True)
class Rounding:
    """What one operation rounds: u a unit roundoff, tiny the error of an underflow, own the unit in which exp
    and log are evaluated, before they are rounded once more where that is eager."""

    u: float
    tiny: float
    own: float
    eager: bool
    stores: dict
    kind: str = ""

    @classmethod
    def under(cls, p: Precision) -> Rounding:
        of = lambda kind, u, tiny: (u, 1.5 * tiny) if kind != p.rounded else (0.0, 0.0)
        stores = {"store": of(p.q_store, p.u_q, p.tiny_q), "store_buffer": of(p.v_store, p.u_v, p.tiny_v)}
        return cls(p.u_arith, 1.5 * p.tiny_arith, arithmetic_unit(p), p.eager, stores, p.rounded)

    def of(self, row: Operation, value, passed, signs: bool = False):
        """Of an operation whose value is known to `passed`; `signs` is a product with a sign, which is exact
        but where a parameter is rounded first."""
        if row.name in self.stores:
            u, tiny = self.stores[row.name]
            return u * (np.abs(value) + passed) + tiny
        if signs and not self.eager:
            return 0.0
        error = self.u * (np.abs(value) + passed) if row.rounds else 0.0
        if row.units:
            own = row.units * self.own * (np.abs(value) + passed)
            return own + error + 4 * self.tiny if row.underflows else own + (error if self.eager else 0.0)
        return error + self.tiny if row.underflows else error

    def of_operands(self, letters: tuple[str, ...], x, e):
        """Of an operation that gives an operand back, where every result is rounded: letters of the operands
        as Program.unrounded has them. One that is known exactly is off by its own rounding; a gradient that
        is not was rounded before."""
        error = 0 * e[0]
        for letter, number, off in zip(letters, x, e, strict=True):
            if letter:
                own = 0 * off if letter == "g" else self.u * (np.abs(number) + off) + self.tiny
                if np.asarray(number).dtype != object:
                    known = np.abs(number - representable(number, self.kind))
                    own = np.where(np.asarray(off) == 0, known, own)
                error = error + own
        return error


NONE = Rounding(0.0, 0.0, 0.0, False, dict.fromkeys(STORES, (0.0, 0.0)))


@cache
def constant_error(value: float, precision: Precision) -> float:
    """How far a constant of a kernel is from the number that is meant: from the float of the case file, and
    it from its decimal.

    0.1 means a tenth: <grad f, xi> = 0 is proven of the decimals (harness/mechanics/symmetry_proof.py), and
    what runs is float64 at most. To one rounding upwards; 0 where the decimal is the float, as for 0.5. A
    number of LONG digits was computed, 1/7 by the tracer or x - mean(x) by the case file: it is known to one
    rounding.
    """
    stored = abs(value - float(representable(value, precision.rounded)))
    if not np.isfinite(value):
        return stored
    written = repr(float(value))
    digits = len(written.partition("e")[0].replace(".", "").strip("-0"))
    computed = UNIT["float64"] * abs(value) if digits >= LONG else 0.0
    return stored + max(computed, float(abs(Fraction(written) - Fraction(value))) * SLACK)


def of_constants(program: Program, q: np.ndarray) -> np.ndarray:
    """How far a program's outputs at q (d, n) are from what is meant for its float64 constants alone; (d,
    n)."""
    nothing = np.zeros_like(q[0])
    errors = operations(program, [*q, nothing], [nothing] * (len(q) + 1), FLOAT64, FAR, exact=True)[1]
    return known(np.stack([np.broadcast_to(errors[i], nothing.shape) for i in program.outputs])) * SLACK


def program_error(
    program: Program, q: np.ndarray, q_error: np.ndarray, eps: np.ndarray, precision: Precision
):
    """Values and bounds of a program's outputs at q.

    q, q_error  (d, n) float64: the exact inputs and how far the kernel's own may be;  eps (n,)
    Returns two (d, n) float64 arrays.
    """
    found = operations(program, [*q, eps], [*q_error, np.zeros_like(eps)], precision, FAR)
    value, error = (np.stack([np.broadcast_to(x[i], np.shape(eps)) for i in program.outputs]) for x in found)
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
    smallest, largest = np.where(q != 0, np.abs(q), np.inf).min(axis=0), np.abs(q).max(axis=0)
    nothing = np.zeros_like(eps)
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


def arithmetic_unit(precision: Precision) -> float:
    """The unit roundoff in which exp and log are evaluated, whatever they are rounded to after."""
    return 2.0**-53 if precision.arith == "float64" else 2.0**-24


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
