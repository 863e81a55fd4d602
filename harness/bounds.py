"""A-priori bounds on rounding (theory.md#R0): from values and unit roundoffs, never from the kernel's output error.

Running error of a program: each operation adds u |value| and passes its operands' bounds through its partial
derivatives, second order kept. Measured as |g_kernel - g_wide| the bound would excuse any wrong gradient.
"""

from __future__ import annotations

import numpy as np

from kernels.elementary import EXP_UNITS, LOG_UNITS
from kernels.precision import Precision, representable
from kernels.program import Program

SLACK = 1 + 2.0**-30  # the bounds themselves are evaluated in float64: a few hundred roundings of 2^-53


def program_error(program: Program, q: np.ndarray, q_error: np.ndarray, eps: np.ndarray, precision: Precision):
    """Values and bounds of a program's outputs at q.

    q, q_error  (d, n) float64: the exact inputs and how far the kernel's own may be;  eps (n,)
    Returns two (d, n) float64 arrays.
    """
    u, tiny = precision.u_arith, 1.5 * precision.tiny_arith
    values: list[np.ndarray] = []
    errors: list[np.ndarray] = []
    zero = np.zeros_like(eps)
    with np.errstate(all="ignore"):
        for op in program.ops:
            x = [values[i] for i in op.args]
            e = [errors[i] for i in op.args]
            if op.name == "input":
                value, error = (eps, zero) if op.value == program.dim else (q[op.value], q_error[op.value])
            elif op.name == "const":
                value = np.full_like(eps, op.value)
                error = np.full_like(eps, abs(op.value - float(representable(op.value, precision.rounded))))
            else:
                value, passed = PASS[op.name](x, e)
                rounding = 0.0 if op.name == "neg" else u * (np.abs(value) + passed)
                if op.name in ("mul", "div"):
                    rounding = rounding + tiny
                if op.name == "exp":
                    rounding = EXP_UNITS * arithmetic_unit(precision) * (value + passed) + rounding + 4 * tiny
                if op.name == "log":  # never subnormal: no underflow
                    rounding = LOG_UNITS * arithmetic_unit(precision) * (np.abs(value) + passed) + (rounding if precision.eager else 0.0)
                error = passed + rounding
            values.append(value)
            errors.append(error)
        shape = np.shape(eps)
        out = [np.stack([np.broadcast_to(s[i], shape) for i in program.outputs]) for s in (values, errors)]
        return out[0], out[1] * SLACK


def value_range(program: Program, q: np.ndarray, eps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(n,) smallest non-zero and largest magnitude that any operation takes at q (d, n), in float64; inf for non-finite."""
    sizes = np.abs(q)
    largest, smallest = sizes.max(axis=0), np.where(sizes > 0, sizes, np.inf).min(axis=0)
    values: list[np.ndarray] = []
    nothing = [np.zeros_like(eps)] * 2
    with np.errstate(all="ignore"):
        for op in program.ops:
            if op.name == "input":
                value = eps if op.value == program.dim else q[op.value]
            elif op.name == "const":
                value = np.full_like(eps, op.value)
            else:
                value = PASS[op.name]([values[i] for i in op.args], nothing)[0]
            values.append(value)
            size = np.where(np.isfinite(value), np.abs(value), np.inf)
            largest, smallest = np.maximum(largest, size), np.minimum(smallest, np.where(size > 0, size, np.inf))
    return smallest, largest


def arithmetic_unit(precision: Precision) -> float:
    """exp and log are evaluated in the arithmetic type and rounded once more when eager."""
    return 2.0**-53 if precision.arith == "float64" else 2.0**-24


def quotient(top, room):
    """top / room for top >= 0, infinite where room <= 0; by abs alone, so that it can be traced."""
    return (top + 2.0**-1074) / ((room + np.abs(room)) / 2)


def _pass_mul(x, e):
    a, b = x
    return a * b, np.abs(a) * e[1] + np.abs(b) * e[0] + e[0] * e[1]


def _pass_div(x, e):
    a, b = x
    ratio = a / b
    return ratio, quotient(e[0] + np.abs(ratio) * e[1], np.abs(b) - e[1])


def _pass_exp(x, e):
    value = np.exp(x[0])
    return value, value * quotient(e[0], 1 - e[0])  # e^x - 1 <= x / (1 - x)


def _pass_log(x, e):
    value = np.log(x[0])
    return value, quotient(e[0], np.abs(x[0]) - e[0])


def _pass_sqrt(x, e):
    value = np.sqrt(x[0])
    return value, e[0] / value


PASS = {
    "neg": lambda x, e: (-x[0], e[0]),
    "add": lambda x, e: (x[0] + x[1], e[0] + e[1]),
    "sub": lambda x, e: (x[0] - x[1], e[0] + e[1]),
    "mul": _pass_mul,
    "div": _pass_div,
    "exp": _pass_exp,
    "log": _pass_log,
    "sqrt": _pass_sqrt,
}
