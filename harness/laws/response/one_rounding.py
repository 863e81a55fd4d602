"""What one rounding does: the variance of its error, of what its result is a multiple, and what of it is no
chance; (1), (2), (6) and (7) of rounding.py."""

from __future__ import annotations

import numpy as np

from noether.kernels.programs.precision import SUBNORMAL, UNIT

SHORT = 64.0  # places below which (7) is taken: a value of this size is known to 2^-47 of a place in float64


def place(x: np.ndarray, kind: str) -> np.ndarray:
    """What the last place of x is worth in `kind`, in the type of x; infinite for 0, a multiple of
    everything."""
    worth = np.maximum(np.ldexp(UNIT[kind], np.frexp(x)[1]), SUBNORMAL[kind])
    return np.where(x == 0, np.inf, worth).astype(np.result_type(x, np.float64), copy=False)


def last_bit(x: np.ndarray) -> np.ndarray:
    """What the last bit of x that is set is worth: of a parameter or a constant, which may be short."""
    fraction, exponent = np.frexp(x)
    whole = np.ldexp(fraction, 53).astype(np.int64)
    return np.where(x == 0, np.inf, np.ldexp((whole & -whole).astype(float), exponent - 53))


def rounded(x: np.ndarray, lattice, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """(1): the variance of rounding x, a multiple of `lattice`, to `kind`; and of what the result is a
    multiple."""
    h = place(x, kind)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = lattice / h
        return np.where((share < 1) & (x != 0), h * h / 12 * (1 + 2 * share * share), 0.0), np.maximum(
            lattice, h
        )


def repeated(name: str, x, multiple, value, variance, constant, kind: str):
    """(6) and (7) of one sum: the variance that is left; size and place of what is kept; the known error."""
    h = np.broadcast_to(place(value, kind), value.shape)
    size, m, error = np.zeros_like(value), np.zeros_like(value), np.zeros_like(value)
    if name == "add":
        variance = np.where(x[0] == x[1], 0.0, variance)  # a double is exact
    if not np.any(variance):
        return variance, size, m, error
    if any(constant) and not all(constant):
        c, l = (x[0], multiple[1]) if constant[0] else (x[1], multiple[0])
        m = np.minimum(l, h)
        here = (last_bit(c) < m) & (variance > 0)
        size = np.where(here, m / np.sqrt(12), 0.0)
        variance = np.where(here, np.maximum(h * h - m * m, 0.0) / 12, variance)
    for c, l in ((x[1], multiple[0]), (x[0], multiple[1])):
        short = (np.abs(c) <= SHORT * h) & (l >= h) & np.isfinite(h)
        unit = np.where(np.isfinite(h), h, 1.0)
        off = unit * np.round(np.where(short, c, 0.0) / unit) - c
        tie = np.abs(off) == unit / 2  # up or down, as the other's last bit has it
        sign = -1.0 if name == "sub" and c is x[1] else 1.0
        error = np.where(short, np.where(tie, 0.0, sign * off), error)
        size, variance = np.where(short, 0.0, size), np.where(short, np.where(tie, h * h / 4, 0.0), variance)
    return variance, size, m, error
