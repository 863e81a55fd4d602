"""What of a bound is spent: how far a stored number lies from what it means, in units of its error."""

from __future__ import annotations

import numpy as np

from noether.optimizers.running import Running


def spent_each(real: np.ndarray, meant: Running) -> np.ndarray:
    """|real - meaning| / error; infinite where what is real is no number within a finite bound.

    Where there is no bound, as over a denominator that may be 0, nothing is said.
    """
    with np.errstate(all="ignore"):
        apart = abs(real - meant.value)
        found = np.where((real == meant.value) | ~np.isfinite(meant.error), 0, apart / meant.error)
    return np.where(np.isnan(found), np.inf, found)
