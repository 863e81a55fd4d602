"""Gradients in wide arithmetic, by dual numbers, from the loss itself: independent of the traced programs.

Independent of the traced program (reverse accumulation, narrow arithmetic): numpy, PTX and Triton all run
that one program, so their agreement cannot see a tracing fault; this can. Numbers are numpy's longdouble
with a 64-bit significand, u = 2^-64. The same dual numbers run over mpmath where more digits are wanted.
"""

from __future__ import annotations

import platform

import mpmath
import numpy as np

from noether.kernels.loops.launch import BackendMissing
from noether.kernels.programs.namespaces import MPMATH, NUMPY, Namespace
from noether.kernels.programs.operations import step
from noether.mechanics import reverse
from noether.mechanics.dual import ON_ARRAYS, WIDE, Dual, partials

U_WIDE = 2.0**-64
EXTENDED = 63  # mantissa bits of the 80-bit type, whose unit roundoff is U_WIDE
MOST_DIGITS = 2000  # float64 spans 632 decades, and a product of two numbers twice as many


class TooNarrow(BackendMissing):
    """Raised where longdouble is no wider than float64: residuals cannot be judged in it."""


def mantissa_bits() -> int:
    """How many bits of significand longdouble really computes with here, from 52 to at most 128.

    Measured: numpy reports the type's bits, and an emulator, or a library that sets the processor's
    precision, rounds the same type to fewer.
    """
    one, half, bits = WIDE(1), WIDE(0.5), 0
    step = half
    while bits < 128 and one + step > one:
        bits, step = bits + 1, step * half
    return bits


def require_wide() -> None:
    """Raise TooNarrow on a machine where nothing can be decided because longdouble is too narrow."""
    bits = mantissa_bits()
    if bits < EXTENDED:
        raise TooNarrow(
            f"longdouble has {bits} mantissa bits here ({platform.system()} {platform.machine()}), must be "
            "at least "
            f"{EXTENDED}: a residual formed in it would be judged wrongly; x86-64 Linux and macOS have them"
        )


FORWARD = 32
"""Parameters from which on a gradient is accumulated backwards: forward costs d evaluations of the loss."""


def gradient(loss, q: np.ndarray) -> np.ndarray:
    """Gradient of loss(q, xp) at q (d, ...), longdouble (d, ...)."""
    require_wide()
    q = np.asarray(q, WIDE)
    if len(q) > FORWARD:
        return reverse.gradient(loss, q.reshape(len(q), -1)).reshape(q.shape)
    out = np.zeros(q.shape, WIDE)
    with np.errstate(all="ignore"):
        for i, p in enumerate(partials(loss, q)):
            if p is not None:
                out[i] = p
    return out


def slope(loss, q: np.ndarray) -> np.ndarray:
    """The derivative of loss(q, xp) along (1, ..., 1) at q (d, n), longdouble (1, n): one partial derivative
    instead of d, for losses of many parameters."""
    require_wide()
    one = np.ones(np.shape(q)[1:], WIDE)
    with np.errstate(all="ignore"):
        found = loss([Dual(x, [one]) for x in np.asarray(q, WIDE)], ON_ARRAYS).partials[0]
    return np.broadcast_to(found, (1, *one.shape))


def metric(case, q: np.ndarray, kappa) -> np.ndarray:
    """The entries of a case's diagonal metric at q (d, ...), longdouble (d, ...)."""
    require_wide()
    q = np.asarray(q, WIDE)
    with np.errstate(all="ignore"):
        return np.stack(
            [
                np.broadcast_to(np.asarray(x, WIDE), q.shape[1:])
                for x in case.metric.entries(list(q), np.asarray(kappa, WIDE), NUMPY)
            ]
        )


class AtKink(ArithmeticError):
    """Raised where a loss has no gradient: a step or a root in it is at its kink, or too near to tell the
    side."""


class Sides(Namespace):
    """xp over mpmath that keeps the arguments at which a loss has a kink or ends: those of step, and those of
    sqrt and log."""

    def __init__(self):
        self.steps, self.others = [], []

        def keeping(name: str, kept: list):
            function = step if name == "step" else getattr(mpmath, name)

            def call(x):
                kept.append(x)
                return function(x)

            return call

        kinked = {"step": self.steps, "sqrt": self.others, "log": self.others}
        super().__init__({"exp": mpmath.exp, **{name: keeping(name, kept) for name, kept in kinked.items()}})

    def same_side(self, other: Sides) -> bool:
        """No argument of a step is 0 or changes its sign from one point to the other, none of a root or a log
        moves by a quarter of itself."""
        steps = all(
            a == b or (a > 0) == (b > 0) and a != 0 for a, b in zip(self.steps, other.steps, strict=True)
        )
        return steps and all(
            a == b or abs(b - a) <= abs(a) / 4 for a, b in zip(self.others, other.others, strict=True)
        )


def one_sided(loss, point: list, h) -> bool:
    """Whether the points of a central difference with step h lie on one side of every kink."""

    def sides(q) -> Sides:
        xp = Sides()
        loss(q, xp)
        return xp

    here = sides(point)
    if not here.steps and not here.others:
        return True
    return all(here.same_side(sides(moved(point, i, s * h))) for i in range(len(point)) for s in (1, -1))


def moved(point: list, i: int, by) -> list:
    return [x + by * (j == i) for j, x in enumerate(point)]


def gradient_mp(loss, q, digits: int = 50) -> list:
    """The gradient at one point by central differences in `digits`-digit arithmetic, without any
    differentiation rule.

    The step h is 10^(-digits/3) of the point's size, or of 1 where that is smaller: the error of a central
    difference is about (h/scale)^2, and a loss has the scale of its point, of its constants, or of both.
    Where a kink is nearer than h, h is that of twice the digits, and so on: raises AtKink where MOST_DIGITS
    do not tell the point from a kink. The digits that f(q + h) and f(q - h) share are lost, so digits are
    doubled until no component changes by more than 10^(-digits/2) of itself. A zero may be a difference
    that was lost altogether, and is believed beyond MOST_DIGITS only.
    """
    close, before = mpmath.mpf(10) ** (-digits // 2), None
    point, h, digits = beside_kinks(loss, q, digits)
    while True:
        with mpmath.workdps(digits):
            found = [
                (loss(moved(point, i, h), MPMATH) - loss(moved(point, i, -h), MPMATH)) / (2 * h)
                for i in range(len(point))
            ]
            if digits > MOST_DIGITS or (
                before and all(abs(a - b) < close * abs(a) for a, b in zip(found, before, strict=True))
            ):
                return found
        before, digits = found, 2 * digits


def slope_mp(loss, q, along, digits: int = 50):
    """The derivative of loss(q, xp) at one point along a direction, as gradient_mp has it."""
    return gradient_mp(
        lambda t, xp: loss([x + t[0] * a for x, a in zip(q, along, strict=True)], xp), [mpmath.mpf(0)], digits
    )[0]


def beside_kinks(loss, q, digits: int):
    """The point, the step h of `gradient_mp` that reaches no kink, and the digits that it takes."""
    while True:
        with mpmath.workdps(digits):
            point = [x if isinstance(x, mpmath.mpf) else mpmath.mpf(float(x)) for x in q]
            size = max(abs(x) for x in point) or mpmath.mpf(1)
            h = mpmath.mpf(10) ** (-digits // 3) * min(size, mpmath.mpf(1))
            if one_sided(loss, point, h):
                return point, h, digits
        digits *= 2
        if digits > MOST_DIGITS:
            raise AtKink(
                f"the loss has a kink at q = {[float(x) for x in point]}, or nearer than {float(h):.1g}: "
                "there is no gradient"
            )
