"""An a-priori bound on a program's rounding, wider but cheaper than its running error: screening pays for it
at every step.

Beside the value x of an operation stands a magnitude m >= |x|, and a number c that is known before anything
runs, with

    |x' - x| <= gamma(c) m,     gamma(c) = (1 + u)^c - 1,     x' what the kernel has                      (1)

    input            m = |x|                                      c = 0
    x + y, x - y     m = m_x + m_y                                c = max(c_x, c_y) + 1                   (2)
    x y              m = m_x m_y + T                              c = c_x + c_y + 1                       (3)
    x / y            m = (m_x + |x/y| m_y)/(|y| - gamma m_y) + T  c = max(c_x, c_y) + 1                   (4)

(2) |x'+y'| <= m_x (1+u)^c_x + m_y (1+u)^c_y, and gamma(c)(1+u) + u = gamma(c+1). (3) the product of the two
factors (1+u)^c; u T covers an underflow. (4) |x'/y' - x/y| <= (e_x + |x/y| e_y)/(|y| - e_y), and m >= 2|x/y|;
where y is exact it is m_x/|y|. A magnitude needs no values but those of denominators, so that most of it is
one operation for one: sums of absolute values, N. Higham, Accuracy and Stability of Numerical Algorithms
(2002), section 3.1. An exponential is left to the running error: it turns the size of its operand into a
relative error, far above the one that was made.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from noether.kernels.programs.operations import OPERATIONS
from noether.kernels.programs.precision import Precision
from noether.kernels.programs.program import Program
from noether.mechanics.bounds import PASS, one_above, quotient
from noether.mechanics.operation_rounding import arithmetic_unit, constant_error


@dataclass
class Magnitude:
    """The m and c of (1) for one value."""

    m: object
    c: int


def magnitude_error(
    program: Program, inputs: list, of_inputs: list[Magnitude], precision: Precision
) -> np.ndarray:
    """Bound on the rounding of a program's outputs, (outputs, n), as bounds.program_error has it."""
    rules = Rules(precision)
    values, sizes = [], []
    with np.errstate(all="ignore"):
        for op in program.ops:
            x, s = [values[i] for i in op.args], [sizes[i] for i in op.args]
            if op.name == "input":
                value, size = inputs[op.value], of_inputs[op.value]
            elif op.name == "const":
                count = (
                    int(np.ceil(constant_error(op.value, precision) / (precision.u_arith * abs(op.value))))
                    if op.value
                    else 0
                )
                value, size = (
                    np.full_like(inputs[-1], op.value),
                    Magnitude(np.full_like(inputs[-1], abs(op.value)), count),
                )
            else:
                value = PASS[op.name](x, [0.0, 0.0])[0]
                size = getattr(rules, op.name)(value, x, s)
            values.append(value)
            sizes.append(size)
        bound = [
            np.broadcast_to(rules.gamma(sizes[i].c) * sizes[i].m, np.shape(inputs[-1]))
            for i in program.outputs
        ]
        return np.stack(bound)


class Rules:
    """The rules by which magnitudes follow from operands: one method an operation."""

    def __init__(self, precision: Precision):
        self.u = precision.u_arith
        self.tiny = 1.5 * precision.tiny_arith / self.u  # T
        eager = int(precision.eager)
        units = arithmetic_unit(precision) / self.u
        self.counts = {
            name: int(np.ceil(row.units * units)) + 1 + eager for name, row in OPERATIONS.items() if row.units
        }

    def gamma(self, c: int) -> float:
        return float(np.expm1(c * np.log1p(self.u))) * (1 + 2.0**-50)

    def neg(self, value, x, s):
        return s[0]

    def add(self, value, x, s):
        return Magnitude(s[0].m + s[1].m, max(s[0].c, s[1].c) + 1)  # (2)

    sub = add

    def mul(self, value, x, s):
        return Magnitude(s[0].m * s[1].m + self.tiny, s[0].c + s[1].c + 1)  # (3)

    def div(self, value, x, s):
        if s[1].c == 0:
            return Magnitude(s[0].m / np.abs(x[1]) + self.tiny, s[0].c + 1)
        top, error = s[0].m + np.abs(value) * s[1].m, self.gamma(s[1].c) * s[1].m
        return Magnitude(quotient(top, np.abs(x[1]), error) + self.tiny, max(s[0].c, s[1].c) + 1)  # (4)

    def sqrt(self, value, x, s):
        return Magnitude(s[0].m / value, s[0].c + 1)  # |sqrt x' - sqrt x| <= |x' - x| / sqrt x

    def step(self, value, x, s):
        """Exact where |x| > e; elsewhere 1 off at most, which gamma(1) / gamma(1) is."""
        lost = 1 - one_above(np.abs(x[0]) - self.gamma(s[0].c) * s[0].m)
        return Magnitude(np.abs(value) + lost / self.gamma(1), 1)

    def log(self, value, x, s):
        moved = quotient(s[0].m, np.abs(x[0]), self.gamma(s[0].c) * s[0].m) if s[0].c else 0.0
        return Magnitude(np.abs(value) + moved, s[0].c + self.counts["log"])
