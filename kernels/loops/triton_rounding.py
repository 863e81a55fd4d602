"""Rounding, exp and log in Triton: the same operations, in the same order, as in numpy.

Twins: kernels/programs/precision.py `narrow`, kernels/programs/elementary.py `exp` and `log` (equation
numbers are theirs). The coefficients stand here as literals because a jit function cannot read a tuple of the
module under the interpreter (Triton 3.7); tests/test_elementary_backends.py compares the two bit for bit.
"""

import triton
import triton.language as tl


@triton.jit
def narrow(x, KIND: tl.constexpr):
    """x rounded to KIND, to nearest, ties to even, in the type of x. KIND 'float64' leaves x alone."""
    if KIND == "bfloat16":
        # In integers: the Triton 3.6-3.9 interpreter truncates the cast, a bias that no GPU has.
        bits = x.to(tl.uint32, bitcast=True)
        nearest = (bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000
        quiet = (bits | 0x00400000) & 0xFFFF0000
        return tl.where(x == x, nearest, quiet).to(tl.float32, bitcast=True)
    elif KIND == "float16":
        return x.to(tl.float16).to(tl.float32)
    else:
        return x


@triton.jit
def quotient(x, y, ARITH: tl.constexpr):
    """x / y rounded to nearest: "/" in float32 is div.full, and div_rn refuses float64."""
    if ARITH == tl.float64:
        return x / y
    else:
        return tl.div_rn(x, y)


@triton.jit
def store(ptr, x, live, KIND: tl.constexpr):
    """Store x, already narrowed to KIND, in its buffer type; bfloat16 as its 16 bits."""
    if KIND == "bfloat16":
        tl.store(ptr, (x.to(tl.uint32, bitcast=True) >> 16).to(tl.uint16), mask=live)
    elif KIND == "float16":
        tl.store(ptr, x.to(tl.float16), mask=live)
    else:
        tl.store(ptr, x, mask=live)


@triton.jit
def load(ptr, live, KIND: tl.constexpr, ARITH: tl.constexpr):
    """Load a stored value, widened exactly to ARITH. Lanes that are not live read 1: inside every domain."""
    if KIND == "bfloat16":
        bits = tl.load(ptr, mask=live, other=0x3F80).to(tl.uint32)
        return (bits << 16).to(tl.float32, bitcast=True).to(ARITH)
    else:
        return tl.load(ptr, mask=live, other=1).to(ARITH)


@triton.jit
def exp64(x):
    x = tl.where(x < -746.0, -746.0, x)
    x = tl.where(x > 710.0, 710.0, x)
    shifted = x * 1.4426950408889634 + 6755399441055744.0
    n = shifted - 6755399441055744.0
    r = (x - n * 0.6931471803691238) - n * 1.9082149292705877e-10
    p = tl.zeros_like(r) + 1.6059043836821613e-10
    p = p * r + 2.08767569878681e-09
    p = p * r + 2.505210838544172e-08
    p = p * r + 2.755731922398589e-07
    p = p * r + 2.7557319223985893e-06
    p = p * r + 2.48015873015873e-05
    p = p * r + 0.0001984126984126984
    p = p * r + 0.001388888888888889
    p = p * r + 0.008333333333333333
    p = p * r + 0.041666666666666664
    p = p * r + 0.16666666666666666
    p = p * r + 0.5
    y = 1.0 + (r + (r * r) * p)  # (1)
    k = shifted.to(tl.int64, bitcast=True) - 0x4338000000000000
    half = k >> 1
    y = y * ((half + 1023) << 52).to(tl.float64, bitcast=True)
    return y * ((k - half + 1023) << 52).to(tl.float64, bitcast=True)


@triton.jit
def exp32(x):
    x = tl.where(x < -104.0, -104.0, x)
    x = tl.where(x > 89.0, 89.0, x)
    shifted = x * 1.4426950408889634 + 12582912.0
    n = shifted - 12582912.0
    r = (x - n * 0.693359375) - n * -0.00021219444
    p = tl.zeros_like(r) + 0.0001984126984126984
    p = p * r + 0.001388888888888889
    p = p * r + 0.008333333333333333
    p = p * r + 0.041666666666666664
    p = p * r + 0.16666666666666666
    p = p * r + 0.5
    y = 1.0 + (r + (r * r) * p)  # (1)
    k = shifted.to(tl.int32, bitcast=True) - 0x4B400000
    half = k >> 1
    y = y * ((half + 127) << 23).to(tl.float32, bitcast=True)
    return y * ((k - half + 127) << 23).to(tl.float32, bitcast=True)


@triton.jit
def exp(x, ARITH: tl.constexpr):
    if ARITH == tl.float64:
        return exp64(x)
    else:
        return exp32(x)


@triton.jit
def log64(x):
    small = x < 2.2250738585072014e-308
    bits = tl.where(small, x * 18014398509481984.0, x).to(tl.int64, bitcast=True) + (
        0x3FF0000000000000 - 0x3FE6A09E667F3BCD
    )
    f = ((bits & 0xFFFFFFFFFFFFF) + 0x3FE6A09E667F3BCD).to(tl.float64, bitcast=True) - 1.0
    k = (bits >> 52) - 1023 - tl.where(small, 54, 0)
    n = (k + 0x4338000000000000).to(tl.float64, bitcast=True) - 6755399441055744.0
    h = 0.5 * (f * f)
    s = f / (2.0 + f)
    z = s * s
    p = tl.zeros_like(z) + 0.09523809523809523
    p = p * z + 0.10526315789473684
    p = p * z + 0.11764705882352941
    p = p * z + 0.13333333333333333
    p = p * z + 0.15384615384615385
    p = p * z + 0.18181818181818182
    p = p * z + 0.2222222222222222
    p = p * z + 0.2857142857142857
    p = p * z + 0.4
    p = p * z + 0.6666666666666666
    y = n * 0.6931471803691238 - ((h - (s * (h + z * p) + n * 1.9082149292705877e-10)) - f)  # (2)
    y = tl.where(x >= 0.0, y, float("nan"))
    y = tl.where(x == 0.0, float("-inf"), y)
    return tl.where(x == float("inf"), x, y)


@triton.jit
def log32(x):
    small = x < 1.1754943508222875e-38
    bits = tl.where(small, x * 33554432.0, x).to(tl.int32, bitcast=True) + (0x3F800000 - 0x3F3504F3)
    f = ((bits & 0x7FFFFF) + 0x3F3504F3).to(tl.float32, bitcast=True) - 1.0
    k = (bits >> 23) - 127 - tl.where(small, 25, 0)
    n = (k + 0x4B400000).to(tl.float32, bitcast=True) - 12582912.0
    h = 0.5 * (f * f)
    s = tl.div_rn(f, 2.0 + f)
    z = s * s
    p = tl.zeros_like(z) + 0.2222222222222222
    p = p * z + 0.2857142857142857
    p = p * z + 0.4
    p = p * z + 0.6666666666666666
    y = n * 0.693359375 - ((h - (s * (h + z * p) + n * -0.00021219444)) - f)  # (2)
    y = tl.where(x >= 0.0, y, float("nan"))
    y = tl.where(x == 0.0, float("-inf"), y)
    return tl.where(x == float("inf"), x, y)


@triton.jit
def log(x, ARITH: tl.constexpr):
    if ARITH == tl.float64:
        return log64(x)
    else:
        return log32(x)
