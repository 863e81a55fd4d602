"""How far the roundings of a gradient's own operations scatter <weights, g>: (4) of rounding.py."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from noether.kernels.programs.elementary import EXP_UNITS, LOG_UNITS
from noether.kernels.programs.precision import Precision
from noether.kernels.programs.program import Op, Program
from noether.laws.response.one_rounding import last_bit, place, repeated, rounded
from noether.mechanics.bounds import PASS
from noether.mechanics.operation_rounding import arithmetic_unit

UNITS = {"exp": EXP_UNITS, "log": LOG_UNITS}
PARTIALS = {
    "neg": lambda x, z: (-1.0,),
    "add": lambda x, z: (1.0, 1.0),
    "sub": lambda x, z: (1.0, -1.0),
    "mul": lambda x, z: (x[1], x[0]),
    "div": lambda x, z: (1 / x[1], -z / x[1]),
    "exp": lambda x, z: (z,),
    "log": lambda x, z: (1 / x[0],),
    "sqrt": lambda x, z: (1 / (2 * z),),
    "step": lambda x, z: (0.0,),
}
LATTICE = {
    "mul": lambda l: l[0] * l[1],
    "add": lambda l: np.minimum(*l),
    "sub": lambda l: np.minimum(*l),
    "neg": lambda l: l[0],
    "step": lambda l: 1.0,  # 0 or 1, neither of them rounded
}  # (2)


@dataclass
class OfGradient:
    """As Scatter, of <weights, g>, (n,) each;  values and multiples (d, n) of g."""

    variance: np.ndarray
    known: np.ndarray
    kept: list[tuple[np.ndarray, np.ndarray]]
    multiples: np.ndarray
    values: np.ndarray
    loose: np.ndarray


@np.errstate(divide="ignore", invalid="ignore")
def gradient_scatter(program: Program, precision: Precision, q, eps, weights) -> OfGradient:
    """Rounding of <weights, g>, by the adjoint of each operation, (4)."""
    run = Forward.of(program, precision, [*q, eps])
    known, kept, loose, groups = np.zeros_like(eps), [], np.zeros_like(eps), {}
    for at, g in adjoints(program, run.values, weights):
        if at in run.again:
            size, m, error = run.again[at]
            known = known + g * error
            if np.any(size):
                kept.append((g * size, m))
        if np.any(run.variances[at]):
            join(groups, run.values[at], run.variances[at], g)
            if program.ops[at].name in UNITS:
                loose = loose + g * g * run.variances[at]
    total = sum((weight * weight * variance for _, variance, weight in groups.values()), np.zeros_like(eps))
    of = lambda x: np.stack([np.broadcast_to(x[i], eps.shape) for i in program.outputs])
    return OfGradient(total, known, kept, of(run.multiples), of(run.values), np.minimum(loose, total))


@dataclass
class Forward:
    """What the operations of a program come to, (n,) each: values, of what they are multiples, and the
    variance of each one's own rounding.

    again   by operation, what (6) and (7) say of a sum: size and place of what is kept, the known error
    """

    values: list
    multiples: list
    variances: list
    again: dict[int, tuple]

    @classmethod
    def of(cls, program: Program, precision: Precision, inputs: list) -> Forward:
        out, alone = cls([], [], [], {}), stationary(program)
        for op in program.ops:
            if op.name == "input":
                value, variance = inputs[op.value], 0.0
                stored = op.value < len(inputs) - 1
                multiple = place(value, precision.q_store) if stored else last_bit(value)
            elif op.name == "const":
                value, variance = np.full_like(inputs[-1], op.value), 0.0
                multiple = last_bit(value)
            else:
                value, multiple, variance = out.operation(op, precision, alone)
            out.values.append(value)
            out.multiples.append(multiple)
            out.variances.append(variance)
        return out

    def operation(self, op: Op, precision: Precision, alone: list[bool]) -> tuple:
        """Its value, of what that is a multiple, and its variance. alone: whether each operation is the same
        in every step."""
        kind = precision.rounded
        x, multiples = ([of[i] for i in op.args] for of in (self.values, self.multiples))
        value = in_float64(PASS[op.name](x, [0.0, 0.0])[0])
        lattice = LATTICE[op.name](multiples) if op.name in LATTICE else 0.0
        variance, multiple = rounded(value, lattice, kind)
        if op.name in UNITS:
            furthest = UNITS[op.name] * arithmetic_unit(precision) * value
            variance = furthest * furthest / 3 + (variance if precision.eager else 0.0)
        at, constant = len(self.values), [alone[i] for i in op.args]
        if op.name in ("add", "sub"):
            variance, *self.again[at] = repeated(op.name, x, multiples, value, variance, constant, kind)
        if all(constant) and np.any(variance):  # (8): made of the same numbers in every step
            error = self.again[at][2] if at in self.again else np.zeros_like(value)
            self.again[at] = np.sqrt(variance), np.ones_like(value), error
            variance = np.zeros_like(value)
        return value, multiple, variance


def in_float64(x: np.ndarray) -> np.ndarray:
    """x rounded to float64, in its own type."""
    return x.astype(np.float64, copy=False).astype(x.dtype, copy=False)


def adjoints(program: Program, values: list, weights) -> Iterator[tuple[int, np.ndarray]]:
    """(operation, what a change of its value adds to <weights, g>), the last one first; of those that reach
    an output and are no source."""
    found: list = [None] * len(values)

    def give(at: int, share) -> None:
        found[at] = share if found[at] is None else found[at] + share

    for output, weight in zip(program.outputs, weights, strict=True):
        give(output, weight)
    for at in reversed(range(len(values))):
        op, g = program.ops[at], found[at]
        if g is None or not op.args:
            continue
        yield at, g
        slopes = PARTIALS[op.name]([values[i] for i in op.args], values[at])
        for i, partial in zip(op.args, slopes, strict=True):
            give(i, g * partial)


def join(groups: dict[tuple, list], value, variance, g) -> None:
    """One more error, of weight g, to those that are made of the same digits: [value, variance, weight], in
    units of the first value."""
    first = groups.setdefault(digits(value), [value, 0.0, 0.0])
    ratio = np.where(first[0] == 0, 0.0, value / first[0])
    first[1] = np.maximum(first[1], np.where(ratio == 0, 0.0, variance / (ratio * ratio)))
    first[2] = first[2] + np.where(variance > 0, g * ratio, 0.0)


def stationary(program: Program) -> list[bool]:
    """Whether each operation is the same in every step: it reads no position."""
    out: list[bool] = []
    for op in program.ops:
        out.append(op.value >= program.dim if op.name == "input" else all(out[a] for a in op.args))
    return out


def digits(x: np.ndarray) -> tuple:
    """Values that differ by a power of two have the same digits, and their roundings are one: (2x)y and
    2(xy)."""
    return tuple(np.abs(np.frexp(x[:: max(1, len(x) // 16)])[0]))
