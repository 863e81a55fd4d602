"""A claim judged against a rounding bound."""

from __future__ import annotations

import numpy as np

from noether.laws.law import WrongStatement
from noether.verdicts import judgement
from noether.verdicts.claims import facts
from noether.verdicts.record import Record

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
    fault: WrongStatement | None = None,
    figure=None,
) -> Record:
    """The worst lane of |measured - predicted| / bound, (lanes,) each. motion (lanes,): the size of what is
    kept."""
    worst = judgement.worst(measured, predicted, bound)
    still = motion is not None and not np.all(np.asarray(motion) >= MOTION * np.asarray(bound))
    seen = f"{note}: {worst.measured:.6g}, predicted {worst.predicted:.6g} within {worst.bound:.2g}"
    return judgement.rounding(
        worst,
        seen + ("; nothing moves" if still else ""),
        enough=not still,
        **facts(cell, backend="numpy", fault=fault and fault.name),
        lanes=len(np.broadcast_arrays(measured, predicted, bound)[0]),
        steps=steps,
        parameters=about,
        figure=figure,
    )
