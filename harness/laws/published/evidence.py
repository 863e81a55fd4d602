"""A claim judged against a rounding bound."""

from __future__ import annotations

import numpy as np

from noether.laws.normalisation.evidence import record
from noether.verdicts.record import HOLDS, INCONCLUSIVE, ROUNDING, VIOLATED, Record

MOTION = 16.0  # what the statement is about must be this many bounds large


def rounding(
    cell,
    measured,
    predicted,
    bound,
    about: dict,
    note: str,
    *,
    steps: int,
    motion=None,
    control=None,
    data=None,
) -> Record:
    """The worst lane of |measured - predicted| / bound, (lanes,) each. motion (lanes,): the size of what is
    kept."""
    measured, predicted, bound = np.broadcast_arrays(measured, predicted, bound)
    off = np.abs(measured - predicted)
    spent = np.where(off == 0, 0, off / bound)
    worst = int(np.argmax(np.where(np.isnan(spent), np.inf, spent)))
    still = motion is not None and np.any(np.asarray(motion) < MOTION * bound)
    verdict = VIOLATED if not spent[worst] <= 1 else INCONCLUSIVE if still else HOLDS
    text = f"{note}: {measured[worst]:.6g}, predicted {predicted[worst]:.6g} within {bound[worst]:.2g}" + (
        "; nothing moves" if still else ""
    )
    return record(cell, predicted[worst], measured[worst], bound[worst], spent[worst], verdict, text, about,
        ROUNDING,
                  lanes=len(spent), steps=steps, backend="numpy", control=control, data=data)  # fmt: skip
