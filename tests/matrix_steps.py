"""First steps of rules that read q as a matrix, and how far rounding may take them."""

import numpy as np
import pytest
from rule_steps import step

from noether.cases.matrices import shape
from noether.cases.rules.muon import STEPS, A, B, C

U = 2.0**-53
TINY = dict(stability=2.0**-30)
two_rows = pytest.mark.parametrize("d", [4, 6, 8], ids=lambda d: "{}x{}".format(*shape(d)))


def conditioned(rng, d, least=0.25):
    """A gradient of d numbers whose matrix has singular values from `least` to 1, and its factors."""
    r, c = shape(d)
    left, right = (np.linalg.qr(rng.normal(size=(n, n)))[0] for n in (r, c))
    values = np.sort(rng.uniform(least, 1, r))[::-1]
    return (left * values @ right[:r]).ravel(), left, values, right[:r]


def moved(rule, g, **given):
    """-(q' - q) / eta of a first step from q = 0, as a matrix."""
    d = len(g)
    new, _ = step(rule, np.zeros(d), [np.zeros(d)] * len(rule.buffers), g, eta=1.0, **given)
    return -np.array(new).reshape(shape(d))


def polar_error(d, least):
    """How far rounding may take the closed form, of X with |X| = 1 and smallest singular value `least`.

    The entries of X X^T and the minors are off by (c + 2) u, so s = sqrt(det) >= least / 2 by at most
    (c + 3 p + 4) u with p minors, and so are the numbers that s t divides: relative to s, and twice, for
    numerator and denominator; four such numbers make the product. The SVD is off by as many u / least.
    """
    r, c = shape(d)
    return 4 * 2 * (2 * c + 3 * (c * (c - 1) // 2) + 8) * U * 2 / least**2


def quintic(x):
    """What a step of the iteration makes of a singular value x."""
    return A * x + B * x**3 + C * x**5


INNER, OUTER = np.sqrt(np.sort(np.roots([5 * C, 3 * B, A])))  # where the slope of the quintic is 0
TOP, LOW = quintic(INNER), quintic(OUTER)
HIGH = max(quintic(LOW), quintic(TOP))
STEEPEST = max(A, *(abs(A + 3 * B * x**2 + 5 * C * x**4) for x in (TOP, np.sqrt(-3 * B / (10 * C)))))
"""The largest slope on [0, TOP]: at an end, or where the second derivative is 0."""


def iteration_error(d):
    """How far rounding may take five steps, in the Frobenius norm.

    As a map of matrices a step stretches by no more than STEEPEST on |X|_2 <= TOP: an odd function of
    singular values has as divided differences the slopes of that function on [-TOP, TOP]. In one step a
    number is added from products of at most 2 c + 2 r factors and a few roundings, of sizes below
    A x + 2 |B| x^3 + 4 C x^5 < 40 at x = TOP, in r rows.
    """
    r, c = shape(d)
    once = 40 * r * (2 * c + 2 * r + 8) * U
    return once * sum(STEEPEST**n for n in range(STEPS + 1))
