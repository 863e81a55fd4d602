"""Rule of evidence 9: the smallest relative change of a coefficient that what was measured would have called
violated.

With r = measured - predicted, a bound b, and t the change of the prediction for a relative change 1 of a
coefficient, a prediction whose coefficient is (1 + x) times as large is violated where |r - x t| > b: for
this x and every larger one once x > (b + r sign t)/|t| in some place. The response t is linear, a difference
over STEP, which leaves STEP of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

STEP = 2.0**-10


def smallest(off, bound, response) -> float:
    """The smallest x of the formula above: off = measured - predicted, its bound and the response are arrays
    of one shape; inf where nothing responds."""
    off, bound, response = (np.asarray(x, dtype=np.longdouble) for x in (off, bound, response))
    with np.errstate(all="ignore"):
        x = (bound + off * np.sign(response)) / np.abs(response)
    x = x[(response != 0) & ~np.isnan(x)]
    return float(max(x.min(), 0.0)) if x.size else float("inf")


def of(measured, predicted, bound, law: Callable[..., np.ndarray], names: Iterable[str]) -> dict[str, float]:
    """{name: power}, the prediction with one coefficient changed being law(name=1 + STEP). What no change
    moves is left out."""
    moved = {name: (law(**{name: 1 + STEP}) - predicted) / STEP for name in names}
    return powers_of(measured - predicted, bound, {"prediction": predicted, **moved})


def powers_of(off, bound, responses: dict) -> dict[str, float]:
    """{name: power} of a coefficient whose relative change 1 moves the prediction by responses[name]. What
    nothing moves is left out."""
    found = {name: smallest(off, bound, np.broadcast_to(t, np.shape(off))) for name, t in responses.items()}
    return {name: x for name, x in found.items() if np.isfinite(x)}
