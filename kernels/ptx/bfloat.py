"""Arithmetic of bfloat16, rounded once, in numpy, which has no such type: arrays of its 16 bits.

A product of two is exact in float64; the sum is rounded to odd there (fma.py) and then to nearest, as for
float16. Subnormal numbers stay; every NaN is 0x7fff.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from noether.kernels.ptx.fma import odd, two_sum

NAMES = ("add", "sub", "mul", "fma", "neg", "abs", "min", "max")
NAN, SIGN, ONE = np.uint16(0x7FFF), np.uint16(0x8000), np.uint16(0x3F80)


def widened(bits: np.ndarray) -> np.ndarray:
    """The numbers in float64, exactly."""
    whole = np.asarray(bits).astype(np.uint32) << np.uint32(16)
    return np.asarray(whole).view(np.float32).astype(np.float64)


def stored(out: np.ndarray, z: np.ndarray) -> None:
    """Put float64 numbers into bfloat16, to nearest, ties to even."""
    z = np.asarray(z, np.float64)
    exponent = np.frexp(np.where(np.isfinite(z), z, 1))[1] - 1
    unit = np.ldexp(1.0, np.maximum(exponent, -126) - 7)
    whole = np.where(
        np.isfinite(z), np.rint(z / unit) * unit, z
    )  # past the largest it becomes infinite below
    bits = np.asarray(whole.astype(np.float32)).reshape(-1).view(np.uint32) >> np.uint32(16)
    out[...] = np.where(np.isnan(z), NAN, bits.reshape(z.shape))


def narrowed(out: np.ndarray, x: np.ndarray) -> None:
    """Put float32 numbers into bfloat16."""
    stored(out, x)


def fused(out, a, b, c) -> None:
    """Put a b + c, rounded once, into out."""
    x, y, z = (widened(v) for v in (a, b, c))
    s, e = two_sum(x * y, z)
    exact = odd(s, e).reshape(np.shape(s))
    stored(out, np.where(np.isfinite(s) & (s != 0), exact, s))


def extreme(out, a, b, smaller: bool, nan: bool) -> None:
    """min, max: the number where the other is NaN, or NaN; and -0 below +0."""
    x, y = widened(a), widened(b)
    first = (x < y) | ((x == y) & (np.signbit(x) | ~np.signbit(y)))
    picked = np.where(first if smaller else ~first, a, b)
    picked = np.where(np.isnan(x), b, np.where(np.isnan(y), a, picked))
    lost = (np.isnan(x) | np.isnan(y)) if nan else (np.isnan(x) & np.isnan(y))
    out[...] = np.where(lost, NAN, picked)


def calls(op, out, *sources_and_temp) -> list:
    """The calls of a row, as noether.kernels.ptx.semantics.build gives them."""
    name, sources = op.meaning.removeprefix("bf16."), sources_and_temp[:-1]
    if name == "neg":
        return [partial(np.bitwise_xor, sources[0], SIGN, out)]
    if name == "abs":
        return [partial(np.bitwise_and, sources[0], ~SIGN, out)]
    if name in ("min", "max"):
        return [partial(extreme, out, *sources, name == "min", op.detail == "NaN")]
    return [partial(arithmetic, name, out, *sources)]


def arithmetic(name: str, out, a, b, c=None) -> None:
    """Sums are a 1 + b, products a b + -0: signs of zeros are then those of the sum and the product."""
    if name == "mul":
        fused(out, a, b, SIGN)
    elif name == "fma":
        fused(out, a, b, c)
    else:
        fused(out, a, ONE, b ^ SIGN if name == "sub" else b)


def pair(op, out, a, b, temp) -> list:
    """The calls that round two numbers into the halves of one register: the first becomes the upper half."""
    return [partial(narrowed, out[..., k], x) for k, x in ((1, a), (0, b))]
