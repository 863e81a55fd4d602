"""What a floating operation of PTX means without rounding, and how far its rounding may take it.

A number is its value in wide arithmetic and a bound on how far the executed bits may be from it. Every
operation passes the bounds of its operands on, second order kept, and adds half a unit in the last place of
the largest result that is possible (Higham, 2002, section 3.3: running error analysis). An operation whose
operands are exact and whose result the type can hold adds nothing.

Errors of approximate operations: PTX ISA 8.7, section 9.7.3, under the name of each instruction.
"""

from __future__ import annotations

import numpy as np

from noether.kernels.ptx.table import Op
from noether.optimizers.running import WIDE, WIDE_UNIT, Running, running

SLACK = 1 + 2.0**-40  # the bounds are evaluated in floats themselves: in 8000 roundings of 2^-53, or fewer
KIND = {"bf16": "bfloat16", "f16": "float16", "f32": "float32", "f64": "float64"}
FORMAT = {
    "float64": (53, -1022, 1024),
    "float32": (24, -126, 128),
    "float16": (11, -14, 16),
    "bfloat16": (8, -126, 128),
}
"""kind -> significand bits, exponent of the smallest normal number, exponent beyond the largest number."""


def largest(x: Running) -> np.ndarray:
    """The largest magnitude that the executed number can have."""
    return np.abs(x.value) + x.error


def half_ulp(size: np.ndarray, kind: str) -> np.ndarray:
    """Half a unit in the last place of numbers of this size in a type, subnormal ones too."""
    bits, lowest, _ = FORMAT[kind]
    exponent = np.frexp(np.where(np.isfinite(size), size, 1))[1] - 1
    return np.ldexp(WIDE(1), np.maximum(exponent, lowest) - bits)


def held(value: np.ndarray, kind: str) -> np.ndarray:
    """Whether the type can hold a value as it stands."""
    units = value / (2 * half_ulp(np.abs(value), kind))
    return units == np.rint(units)


def rounded(x: Running, kind: str, halves: float = 1.0) -> Running:
    """A result rounded to a type: by half an ulp, or so many halves; infinitely where it may overflow."""
    bits, _, beyond = FORMAT[kind]
    size = largest(x)
    term = np.where((x.error == 0) & held(x.value, kind), 0, halves * half_ulp(size, kind))
    limit = (2 - WIDE(2.0) ** -bits) * WIDE(2.0) ** (beyond - 1)  # from here on it rounds to infinity
    finite = np.isfinite(x.value)
    error = np.where(finite, x.error + term, x.error)
    return Running(x.value, np.where(finite & (size >= limit), np.inf, error))


def settled(value, error, *operands: Running) -> Running:
    """A number whose bound is none where 0 times infinity made it so: exact operands give an exact NaN or
    infinity."""
    exact = np.all([np.broadcast_to(x.error == 0, np.shape(error)) for x in operands], axis=0)
    return Running(value, np.where(np.isnan(error), np.where(exact, 0, np.inf), error))


def flushed(x: Running, kind: str = "float32") -> Running:
    """A number that is made 0 where it is subnormal, as .ftz does."""
    smallest = WIDE(2.0) ** FORMAT[kind][1]
    small = (np.abs(x.value) - x.error < smallest) & (largest(x) > 0)
    return Running(x.value, np.where(small, x.error + np.minimum(largest(x), smallest), x.error))


def _added(a: Running, b: Running) -> Running:
    s = a.value + b.value
    z = s - a.value
    lost = (a.value - (s - z)) + (b.value - z)  # Knuth: 0 where the wide sum is exact
    own = np.where(lost == 0, 0, WIDE_UNIT * np.abs(s))
    return settled(s, a.error + b.error + own, a, b)


def negated(a: Running) -> Running:
    """The negative of a number."""
    return Running(-a.value, a.error)


def _product(a: Running, b: Running) -> Running:
    p = a.value * b.value
    passed = np.abs(a.value) * b.error + np.abs(b.value) * a.error + a.error * b.error
    # A product of two significands of 24 bits is exact in wide arithmetic, and so is a power of two.
    short = held(a.value, "float32") & held(b.value, "float32")
    exact = short | (_mantissa(a) == 0.5) | (_mantissa(b) == 0.5)
    return settled(p, passed + np.where(exact, 0, WIDE_UNIT * np.abs(p)), a, b)


def _mantissa(x: Running) -> np.ndarray:
    return np.abs(np.frexp(x.value)[0])


def _quotient(a: Running, b: Running) -> Running:
    q = a.value / b.value
    room = np.abs(b.value) - b.error
    passed = np.where(room > 0, (a.error + np.abs(q) * b.error) / np.where(room > 0, room, 1), np.inf)
    passed = np.where((b.error == 0) & (b.value == 0), np.where(a.error == 0, 0, np.inf), passed)
    return settled(q, passed + WIDE_UNIT * np.abs(q), a, b)


def _root(a: Running) -> Running:
    """Also at 0 and near it: sqrt(x + e) - sqrt(x) is at most sqrt(e). An executed root of a negative number
    is NaN, which no bound holds."""
    value, far = np.sqrt(a.value), np.sqrt(a.error)
    near = np.where(value > far, a.error / np.where(value > 0, value, 1), far)
    return settled(value, np.minimum(near, far) + WIDE_UNIT * np.abs(value), a)


def _reciprocal(a: Running) -> Running:
    return _quotient(running(1), a)


def _reciprocal_root(a: Running) -> Running:
    value, low = 1 / np.sqrt(a.value), a.value - a.error
    passed = np.where(low > 0, 1 / np.sqrt(np.where(low > 0, low, 1)) - value, np.inf)
    return settled(value, np.where(a.error == 0, 0, passed) + 3 * WIDE_UNIT * np.abs(value), a)


def _power_of_two(a: Running) -> Running:
    value = np.exp2(a.value)
    return settled(value, value * np.expm1(a.error * np.log(WIDE(2))) + 4 * WIDE_UNIT * value, a)


def _logarithm(a: Running) -> Running:
    value, room = np.log2(a.value), np.abs(a.value) - a.error
    passed = np.where(room > 0, a.error / np.where(room > 0, room, 1) / np.log(WIDE(2)), np.inf)
    return settled(value, np.where(a.error == 0, 0, passed) + 4 * WIDE_UNIT * np.abs(value), a)


def _larger(a: Running, b: Running) -> Running:
    return Running(np.fmax(a.value, b.value), np.maximum(a.error, b.error))


def _smaller(a: Running, b: Running) -> Running:
    return Running(np.fmin(a.value, b.value), np.maximum(a.error, b.error))


def _with_sign(a: Running, b: Running) -> Running:
    unsure = (a.error > 0) & (np.abs(a.value) <= a.error)
    return Running(np.copysign(b.value, a.value), b.error + np.where(unsure, 2 * largest(b), 0))


ROUNDS = {
    "add": _added,
    "sub": lambda a, b: _added(a, negated(b)),
    "mul": _product,
    "fma": lambda a, b, c: _added(_product(a, b), c),
    "div": _quotient,
    "sqrt": _root,
    "rcp": _reciprocal,
    "rsqrt": _reciprocal_root,
    "ex2": _power_of_two,
    "lg2": _logarithm,
}
"""Meanings whose result is rounded to its type."""
EXACT = {
    "neg": negated,
    "abs": lambda a: Running(np.abs(a.value), a.error),
    "min": _smaller,
    "max": _larger,
    "copysign": _with_sign,
}
"""Meanings that give an operand back."""

HALVES = {
    "div.full.f32": 4.0,
    "div.full.ftz.f32": 4.0,
    "rcp.approx.f32": 2.0,
    "rcp.approx.ftz.f32": 2.0,
    "ex2.approx.f32": 4.0,
    "ex2.approx.ftz.f32": 4.0,
}
"""Approximations whose error is stated in ulps, here in halves of them."""
RELATIVE = {"sqrt": 2.0**-23, "rsqrt": 2.0**-22.9, "lg2": 2.0**-22}
"""Approximations whose relative error is stated, by their meaning."""
LOGARITHM_NEAR_ONE = 2.0**-22.6
"""The absolute error of lg2.approx between 1/2 and 2."""


def plain(op: Op) -> str:
    """What an operation computes, whatever its type."""
    return op.meaning.removeprefix("bf16.")


def operation(op: Op, *operands: Running, rounds: bool = True) -> Running | None:
    """The result of a floating operation, rounded as its row says; None where it is none of these.

    rounds  False: what is meant, without any rounding but that of wide arithmetic
    """
    kind = KIND.get(op.result[0].removesuffix("x2"))
    meaning = plain(op)
    exact = EXACT.get(meaning)
    if kind is None or (exact is None and meaning not in ROUNDS):
        return None
    if not rounds:
        return exact(*operands) if exact else ROUNDS[meaning](*operands)
    x = [flushed(a) for a in operands] if op.ftz else list(operands)
    result = exact(*x) if exact else _approximated(op, ROUNDS[meaning](*x), kind)
    return flushed(result) if op.ftz else result


def _approximated(op: Op, x: Running, kind: str) -> Running:
    if ".approx" not in op.mnemonic or op.meaning not in RELATIVE:
        return rounded(x, kind, HALVES.get(op.mnemonic, 1.0))
    own = RELATIVE[op.meaning] * largest(x)
    if op.meaning == "lg2":
        own = np.maximum(own, LOGARITHM_NEAR_ONE)
    return Running(x.value, np.where(np.isfinite(x.value), x.error + own, x.error))


def whole(x: Running) -> Running:
    """A number rounded to a whole one: exact where it was, else one further off."""
    return Running(np.rint(x.value), np.where(x.error == 0, 0, x.error + 1))


def chosen(picks: np.ndarray, unsure: np.ndarray | None, a: Running, b: Running) -> Running:
    """a where it is picked, else b; where what is executed may be the other one, the bound reaches to it, and
    as far beyond as it is off itself."""
    value, error = np.where(picks, a.value, b.value), np.where(picks, a.error, b.error)
    if unsure is not None:
        reach = np.abs(a.value - b.value) + np.where(picks, b.error, a.error)
        error = np.where(unsure, np.maximum(error, np.where(np.isnan(reach), np.inf, reach)), error)
    return Running(value, error)


LITERALS = ("float32", "float64")
"""Kinds of which PTX has literals."""
SHORT = 7
"""A float32 literal of so many decimal digits was written by somebody; a longer one was computed."""


def meant(x: float, kind: str, rounds: bool = True) -> Running:
    """The number that a literal stands for, and how far its bits are from it.

    A float64 literal stands for itself. A float32 one was a Python number: of the shortest decimal where that
    is short, .1, else any that rounds to it.  rounds  False: how far the number itself may be another one
    """
    real = np.float32(x) if kind == "float32" else np.float64(x)
    if kind != "float32" or not np.isfinite(real):
        return running(WIDE(real))
    value, half = float(str(real)), half_ulp(np.abs(WIDE(real)), kind)
    if value == float(real) or abs(np.frexp(real)[0]) == 0.5:  # a power of two, of however many digits
        return running(WIDE(real))
    digits = len(str(real).partition("e")[0].replace(".", "").strip("-0"))
    if digits > SHORT:
        return Running(WIDE(real), half)
    return Running(WIDE(value), half if rounds else half_ulp(np.abs(WIDE(value)), "float64"))
