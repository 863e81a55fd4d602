"""How numbers of a training become records: the worst place speaks for all."""

from __future__ import annotations

import numpy as np

from noether.laws.law import WrongStatement
from noether.verdicts import judgement
from noether.verdicts.claims import facts
from noether.verdicts.powers import powers_of
from noether.verdicts.record import Record

MOTION = 16.0
"""What a statement is about must be this many bounds large somewhere, or nothing was shown."""


def about(cell, fault: WrongStatement | None = None) -> dict:
    """The fields of a record that tell of its cell."""
    return facts(cell, backend=cell.backend, precision=cell.precision, fault=fault and fault.name)


def rounded(
    cell,
    measured,
    predicted,
    bound,
    parameters: dict,
    note: str,
    *,
    steps: int,
    motion,
    fault: WrongStatement | None = None,
    responses: dict | None = None,
    figure=None,
    symmetry: str | None = None,
) -> Record:
    """measured against predicted, any shape, within what rounding may come to.

    motion     the size of what changes, of the same shape
    responses  {coefficient: what a relative change 1 of it adds to the prediction}
    """
    worst = judgement.worst(measured, predicted, bound)
    moves = bool(np.any(np.abs(motion) >= MOTION * np.asarray(bound)))
    told = f"{note}: {worst.measured:.6g}, predicted {worst.predicted:.6g} within {worst.bound:.2g}"
    return judgement.rounding(
        worst,
        told + ("" if moves else "; nothing moves"),
        enough=moves,
        **about(cell, fault),
        symmetry=symmetry,
        lanes=int(np.size(measured)),
        steps=steps,
        parameters=parameters,
        powers=powers_of(
            np.subtract(measured, predicted), bound, {"prediction": predicted, **(responses or {})}
        ),
        figure=figure,
    )
