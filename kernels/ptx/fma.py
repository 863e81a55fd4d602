"""The fused multiply-add a*b + c, rounded once, in numpy, which has none.

float32, float16: the product is exact in float64; the sum is rounded to odd there and then to nearest.
Rounding to odd with at least two extra bits makes the second rounding harmless (Boldo, Melquiond 2008,
theorem 1). float64: their algorithm (fig. 2) where nothing over- or underflows on the way; elsewhere exact
fractions, by lane.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np


def two_sum(a, b):
    """s and e with a + b = s + e exactly (Knuth)."""
    s = a + b
    z = s - a
    return s, (a - (s - z)) + (b - z)


def odd(s, e):
    """The sum s + e rounded to odd, where s is that sum rounded to nearest."""
    bits = np.atleast_1d(np.array(s)).view(np.int64)
    # e is NaN where s is infinite: neither comparison holds and s stays.
    inexact = ((e > 0) | (e < 0)) & ((bits & 1) == 0)
    toward = np.where((e > 0) == (s > 0), 1, -1)
    return (bits + np.where(inexact, toward, 0)).view(np.float64)


def fma_narrow(a, b, c, out):
    """The fused a b + c of float32 or float16 arrays, written into out."""
    wide = np.float64
    s, e = two_sum(a.astype(wide) * b.astype(wide), c.astype(wide))
    z = odd(s, e)
    np.copyto(out, z if np.ndim(out) else z[0], casting="same_kind")


def _split(a):
    c = a * 134217729.0  # 2^27 + 1 (Veltkamp)
    high = c - (c - a)
    return high, a - high


def fma64(a, b, c, out):
    """The fused a b + c of float64 arrays, written into out."""
    a, b, c = (np.atleast_1d(x) for x in np.broadcast_arrays(a, b, c))
    p = a * b
    a1, a2 = _split(a)
    b1, b2 = _split(b)
    low = ((a1 * b1 - p) + a1 * b2 + a2 * b1) + a2 * b2
    t, u = two_sum(c, low)
    v, w = two_sum(p, t)
    z = v + odd(*two_sum(u, w))
    size_p, size_c = np.abs(p), np.abs(c)
    safe = (np.abs(a) < 2.0**990) & (np.abs(b) < 2.0**990) & (size_p > 2.0**-900)
    safe &= (size_p < 2.0**1000) & (size_c < 2.0**1000)
    # Exact cancellation takes the sign of the plain sum.
    z = np.where(z == 0, p + c, z)
    # A product this far below half an ulp of c cannot move it.
    absorbed = (size_p < 2.0**-900) & (size_c > 2.0**-700) & (size_c < 2.0**1000)
    z = np.where(absorbed, c, z)
    factors = np.isfinite(a) & np.isfinite(b)
    # A finite product must not overflow before an infinite c is added.
    plain = ~factors | (a == 0) | (b == 0)
    z = np.where(plain, p + c, np.where(np.isfinite(c), z, c))
    for k in np.flatnonzero(~(plain | safe | absorbed) & np.isfinite(c)):
        z[k] = _exact(float(a[k]), float(b[k]), float(c[k]))
    np.copyto(out, z if np.ndim(out) else z[0])


def _exact(a: float, b: float, c: float) -> float:
    """Finite a, b, c and a*b not zero."""
    total = Fraction(a) * Fraction(b) + Fraction(c)
    try:
        # The division of Python integers rounds once, subnormals too.
        return total.numerator / total.denominator if total else 0.0
    except OverflowError:
        return math.inf if total > 0 else -math.inf
