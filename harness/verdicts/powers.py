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
    """off = measured - predicted, its bound and the response, arrays of one shape: the x above; inf where
    nothing responds."""
    off, bound, response = (np.asarray(x, dtype=np.longdouble) for x in (off, bound, response))
    with np.errstate(all="ignore"):
        x = (bound + off * np.sign(response)) / np.abs(response)
    x = x[(response != 0) & ~np.isnan(x)]
    return float(max(x.min(), 0.0)) if x.size else float("inf")


def of(measured, predicted, bound, law: Callable[..., np.ndarray], names: Iterable[str]) -> dict[str, float]:
    """{name: power}, the prediction with one coefficient changed being law(name=1 + STEP). What no change
    moves is left out."""
    out = {"prediction": smallest(measured - predicted, bound, predicted)}
    for name in names:
        out[name] = smallest(measured - predicted, bound, (law(**{name: 1 + STEP}) - predicted) / STEP)
    return {name: x for name, x in out.items() if np.isfinite(x)}
