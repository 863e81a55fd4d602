"""The exponential, written out in operations whose bits are fixed everywhere.

    n = round(x log2 e),  r = (x - n ln2_hi) - n ln2_lo,  exp x = 2^n (1 + (r + r^2 P(r)))           (1)

P is the Taylor series of (e^r - 1 - r)/r^2 on |r| <= (ln 2)/2, cut where the rest is below u/8. Library
exponentials differ between libm, libdevice and ex2.approx; this one has the same bits under numpy, the
Triton interpreter, PTX on the CPU and a GPU. Relative error at most EXP_UNITS unit roundoffs where the
result is normal: P and its products contribute |r|^2/2 * (1 + few u), the sum 1 + (...) half an ulp, the
reduction |n ln2_lo| u; tests/test_elementary.py measures it against 40 digits.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

EXP_UNITS = 3.0
LOG2E = 1.4426950408889634
SHIFT = {"float64": 6755399441055744.0, "float32": 12582912.0}  # 1.5 * 2^(mantissa bits): adding it rounds to an integer
LN2_HI = {"float64": 6.93147180369123816490e-01, "float32": 0.693359375}  # trailing zeros: n * LN2_HI is exact
LN2_LO = {"float64": 1.90821492927058770002e-10, "float32": -2.12194440e-4}
LOWEST = {"float64": -746.0, "float32": -104.0}  # below: 0
HIGHEST = {"float64": 710.0, "float32": 89.0}  # above: inf
TERMS = {"float64": 13, "float32": 7}
BIAS = {"float64": 1023, "float32": 127}
MANTISSA = {"float64": 52, "float32": 23}


def series(arith: str) -> list[float]:
    """Coefficients of P, highest first."""
    return [float(Fraction(1, math.factorial(k))) for k in range(TERMS[arith], 1, -1)]


def exp(x: np.ndarray) -> np.ndarray:
    """exp of a float32 or float64 array, (1)."""
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
