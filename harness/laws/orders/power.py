"""What an order, or a constant in front of one, would have noticed: its power, from graded perturbations
(rule of evidence 9).

    e(x) = e + x D,   D = d e / d ln c   for a coefficient c of the model, from one more solution  (1)

is the error under a model whose coefficient were (1 + x) times as large, to first order in x. The power of a
record is the smallest |x| of either sign such that its own verdict on e(x) would have been "violated", there
and for every larger x tried.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from noether.verdicts import orders
from noether.verdicts.claims import verdict_of
from noether.verdicts.record import VIOLATED

SMALLEST = 2.0**-14
REFINED = 3  # halvings of the last interval: powers are known to 10 %


def norm(x: np.ndarray) -> np.ndarray:
    """(..., sizes) -> (sizes,): over components and starts, so that a sign change of one decides nothing."""
    return np.linalg.norm(x.reshape(-1, x.shape[-1]), axis=0)


def powers(
    off: np.ndarray, noise: np.ndarray, stated: float, responses: dict[str, np.ndarray]
) -> dict[str, float]:
    """{coefficient: power}; off (..., sizes) signed, noise (sizes,), responses {coefficient: D (..., sizes)}
    of (1)."""

    def seen(D, x):
        return verdict_of(orders.decide(norm(off + x * D), noise), stated) == VIOLATED

    return {
        name: max(smallest(lambda x, D=D, s=sign: seen(D, s * x)) for sign in (1, -1))
        for name, D in responses.items()
    }


def smallest(seen: Callable[[float], bool]) -> float:
    """The smallest x from 1 down by halves for which all from there to 1 are seen, then refined; inf where 1
    is not."""
    if not seen(1.0):
        return float("inf")
    x = 1.0
    while x > SMALLEST and seen(x / 2):
        x /= 2
    if x <= SMALLEST:
        return x
    low, high = x / 2, x
    for _ in range(REFINED):
        middle = (low * high) ** 0.5
        low, high = (low, middle) if seen(middle) else (middle, high)
    return float(high)
