"""Dual numbers that know which of their derivatives are 0, against those that multiply by the zeros."""

import numpy as np
import pytest

from noether.cases import CATALOG
from noether.mechanics import dual, wide


def dense(loss, q: np.ndarray) -> np.ndarray:
    """The gradient with each derivative an array, the zeros too."""
    one, zero = np.ones(q.shape[1:], wide.WIDE), np.zeros(q.shape[1:], wide.WIDE)
    found = dual.partials(loss, list(q), one, zero)
    return np.stack([np.broadcast_to(p, q.shape[1:]) for p in found])


@pytest.mark.parametrize("case", [c for c in CATALOG if c.dim <= wide.FORWARD], ids=lambda c: c.name)
def test_a_gradient_is_the_same_to_the_bit_whether_zeros_are_left_out_or_not(case):
    q = case.draw(np.random.default_rng(3), 5).astype(wide.WIDE)
    for loss in (case.loss, case.breaking):
        assert np.array_equal(wide.gradient(loss, q), dense(loss, q))


def test_what_a_loss_does_not_read_has_the_slope_zero():
    q = np.array([[2.0, 3.0], [5.0, 0.0], [7.0, 11.0]])
    losses = {
        "linear": (lambda q, xp: q[0] - 3 * q[2], [[1, 1], [0, 0], [-3, -3]]),
        "ratio": (lambda q, xp: 6 / q[0], [[-1.5, -6 / 9], [0, 0], [0, 0]]),
        "step": (lambda q, xp: xp.step(q[0]) * q[2], [[0, 0], [0, 0], [1, 1]]),
        # At q_1 = 0 the ratio is not finite, and so are its own two slopes; that of q_2 stays 0.
        "outside": (lambda q, xp: q[0] / q[1], [[0.2, np.inf], [-2 / 25, -np.inf], [0, 0]]),
    }
    for name, (loss, expected) in losses.items():
        with np.errstate(all="ignore"):
            expected = np.array(expected, float)
        assert np.array_equal(wide.gradient(loss, q).astype(float), expected), name
