"""How numbers of a training become records: the worst place speaks for all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from noether.laws.law import WrongStatement
from noether.verdicts import judgement, orders
from noether.verdicts.claims import facts, order_record
from noether.verdicts.figures import Loglog
from noether.verdicts.means import mean_record, means_of
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


def average(
    cell,
    samples,
    predicted: float,
    *,
    bias: float,
    parameters: dict,
    note: str,
    steps: int,
    fault: WrongStatement | None = None,
    responses: dict | None = None,
    figure=None,
) -> Record:
    """The mean of samples (lanes,) against a prediction, within its error and a known bias."""
    moved = {name: np.array([x]) for name, x in (responses or {}).items()}
    found = mean_record(
        cell,
        means_of(samples),
        predicted,
        bias,
        parameters,
        note,
        steps=steps,
        backend=cell.backend,
        fault=fault and fault.name,
        figure=figure,
        responses=moved,
    )
    return replace(found, precision=cell.precision)


def bits(
    cell,
    off: int,
    note: str,
    parameters: dict,
    *,
    steps: int,
    lanes: int,
    enough: bool,
    fault: WrongStatement | None = None,
) -> Record:
    """How many numbers differ in any bit: none, or infinitely far off."""
    known = about(cell, fault) | dict(lanes=lanes, steps=steps, parameters=parameters)
    return judgement.bits(
        off,
        note,
        enough=enough,
        powers={"any number": 2.0 ** -(53 if cell.precision == "float64" else 24)},
        **known,
    )


def order(
    cell,
    x,
    errors,
    stated: int,
    parameters: dict,
    note: str,
    *,
    steps: int,
    fault: WrongStatement | None = None,
    symmetry: str | None = None,
    floor: float = 2.0**-50,
) -> Record:
    """errors over halved x, against the stated order (theory.md section 5).

    floor  what rounding may leave of an error
    """
    found = orders.decide(errors, np.full(len(errors), floor))
    figure = Loglog(
        x=x,
        series={"measured": errors},
        xlabel="eta",
        ylabel="relative error",
        window=(min(x), max(x)),
        caption=f"{note}: of order {stated}.",
    )
    parameters = {**parameters, "p": list(found.orders)}
    made = order_record(
        cell,
        symmetry,
        found,
        stated,
        parameters,
        figure,
        fault=fault and fault.name,
        steps=steps,
        backend=cell.backend,
        note=note,
    )
    return replace(made, precision=cell.precision)
