"""The exponential and the logarithm, written out in operations whose bits are fixed everywhere.

    n = round(x log2 e),  r = (x - n ln2_hi) - n ln2_lo,  exp x = 2^n (1 + (r + r^2 P(r)))           (1)

P is the Taylor series of (e^r - 1 - r)/r^2 on |r| <= (ln 2)/2, cut where the rest is below u/8. Library
exponentials differ between libm, libdevice and ex2.approx; this one has the same bits under numpy, the
Triton interpreter, PTX on the CPU and a GPU. Relative error at most EXP_UNITS unit roundoffs where the
result is normal: P and its products contribute |r|^2/2 * (1 + few u), the sum 1 + (...) half an ulp, the
reduction |n ln2_lo| u; tests/test_elementary.py measures it against 40 digits.

    x = 2^n m, sqrt(1/2) <= m < sqrt 2,  f = m - 1,  h = f^2/2,  s = f/(2 + f),  R = s^2 L(s^2)
    log x = n ln2_hi - ((h - (s (h + R) + n ln2_lo)) - f)                                            (2)

because log m = 2 atanh s = 2s + s R with R = 2/3 s^2 + 2/5 s^4 + ..., and 2s = f - h + s h. L is that
series, cut where the rest is below u/8 of f: |s| <= .1716. f, n ln2_hi and the scaling of a subnormal x by
2^54 (2^25) are exact. With c = h - s (h + R), the other operations err by at most u (|h| + 6 |s (h + R)| +
|c|) in c, by u |f - c| in log m and by u |log x| in the result. The worst place is n = -1, m near sqrt 2,
where log x = -.347 and |h|, |s (h + R)|, |c| are .086, .018, .068: (.26 + .35 + .35)/.347 = 2.8 unit
roundoffs. LOG_UNITS is 3; nothing underflows, and log 1 is +0.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

EXP_UNITS = 3.0
LOG_UNITS = 3.0
LOG2E = 1.4426950408889634
# 1.5 * 2^(mantissa bits): adding it rounds to an integer.
SHIFT = {"float64": 6755399441055744.0, "float32": 12582912.0}
# Trailing zeros: n * LN2_HI is exact.
LN2_HI = {"float64": 6.93147180369123816490e-01, "float32": 0.693359375}
LN2_LO = {"float64": 1.90821492927058770002e-10, "float32": -2.12194440e-4}
LOWEST = {"float64": -746.0, "float32": -104.0}  # below: 0
HIGHEST = {"float64": 710.0, "float32": 89.0}  # above: inf
TERMS = {"float64": 13, "float32": 7}
BIAS = {"float64": 1023, "float32": 127}
MANTISSA = {"float64": 52, "float32": 23}
LOG_TERMS = {"float64": 10, "float32": 4}
ROOT_HALF = {"float64": 0x3FE6A09E667F3BCD, "float32": 0x3F3504F3}  # the bits of sqrt(1/2)
NORMAL = {"float64": 2.0**-1022, "float32": 2.0**-126}
LIFT = {"float64": 54, "float32": 25}


def series(arith: str) -> list[float]:
    """The coefficients of P, highest power first."""
    return [float(Fraction(1, math.factorial(k))) for k in range(TERMS[arith], 1, -1)]


def log_series(arith: str) -> list[float]:
    """The coefficients of L, highest power first."""
    return [float(Fraction(2, 2 * k + 1)) for k in range(LOG_TERMS[arith], 0, -1)]


def exp(x: np.ndarray) -> np.ndarray:
    """The exponential (1) of a float32 or float64 array."""
    arith = x.dtype.name
    real, whole = (np.float64, np.int64) if arith == "float64" else (np.float32, np.int32)
    x = np.where(x < real(LOWEST[arith]), real(LOWEST[arith]), x)
    x = np.where(x > real(HIGHEST[arith]), real(HIGHEST[arith]), x)
    shifted = x * real(LOG2E) + real(SHIFT[arith])
    n = shifted - real(SHIFT[arith])
    r = (x - n * real(LN2_HI[arith])) - n * real(LN2_LO[arith])
    coefficients = series(arith)
    p = np.full(np.shape(r), coefficients[0], real)
    for c in coefficients[1:]:
        p = p * r + real(c)
    y = real(1) + (r + (r * r) * p)
    # The low bits of `shifted` are the integer n: no float-to-int conversion, which NaN leaves undefined.
    k = np.ascontiguousarray(shifted).view(whole) - np.array(SHIFT[arith], real).view(whole)
    half = k >> whole(1)
    for part in (half, k - half):  # in two steps, so that subnormal results round once
        y = y * np.ascontiguousarray((part + whole(BIAS[arith])) << whole(MANTISSA[arith])).view(real)
    return y


def log(x: np.ndarray) -> np.ndarray:
    """The logarithm (2) of a float32 or float64 array: -inf of 0, NaN of a negative number."""
    arith = x.dtype.name
    real, whole = (np.float64, np.int64) if arith == "float64" else (np.float32, np.int32)
    small = x < real(NORMAL[arith])
    lifted = x * np.where(small, real(2.0 ** LIFT[arith]), real(1))
    root, width = whole(ROOT_HALF[arith]), whole(MANTISSA[arith])
    bits = np.ascontiguousarray(lifted).view(whole) + (whole(BIAS[arith] << MANTISSA[arith]) - root)
    f = ((bits & whole((1 << MANTISSA[arith]) - 1)) + root).view(real) - real(1)
    k = (bits >> width) - whole(BIAS[arith]) - np.where(small, whole(LIFT[arith]), whole(0))
    shift = np.array(SHIFT[arith], real)
    n = (k + shift.view(whole)).view(real) - shift  # k as a float, without a conversion
    h = real(0.5) * (f * f)
    s = f / (real(2) + f)
    z = s * s
    coefficients = log_series(arith)
    p = np.full(np.shape(z), coefficients[0], real)
    for c in coefficients[1:]:
        p = p * z + real(c)
    y = n * real(LN2_HI[arith]) - ((h - (s * (h + z * p) + n * real(LN2_LO[arith]))) - f)
    y = np.where(x >= 0, y, real(np.nan))
    y = np.where(x == 0, real(-np.inf), y)
    return np.where(x == real(np.inf), x, y)
