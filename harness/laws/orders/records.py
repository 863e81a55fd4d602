"""The record of an order, of the constant in front of one, and of a bounded error."""

from __future__ import annotations

import numpy as np

from noether.laws.orders.power import norm, powers
from noether.laws.orders.runs import FINAL, Cell, U, step_sizes
from noether.verdicts import orders
from noether.verdicts.claims import order_record
from noether.verdicts.powers import smallest
from noether.verdicts.record import HOLDS, INCONCLUSIVE, ROUNDING, VIOLATED, Record

MOTION = 1e3  # as in continuous.py
FELT = 0.25


def judge(
    cell: Cell,
    off: np.ndarray,
    reference_error: np.ndarray,
    size: np.ndarray,
    stated: int,
    note: str,
    *,
    control=None,
    symmetry=None,
    steps=0,
    eta: np.ndarray | None = None,
    small: str = "eta",
    rounded: int | None = None,
    responses: dict | None = None,
    about: dict | None = None,
) -> Record:
    """The order of |off|, (..., sizes) over components and starts. noise = reference error + rounding floor u
    n |q|: n steps each round q once; reference_error, size (..., sizes).

    rounded: how many steps did, where it is not FINAL / eta
    small, eta: what goes to zero and its values, where it is not the cell's step sizes.
    responses   {coefficient: d off / d ln coefficient}, for the record's powers
    """
    unit = cell.unit if eta is None else 1.0
    eta = step_sizes(cell) if eta is None else eta
    error, noise = norm(off), norm(reference_error) + U * (rounded or FINAL / eta) * norm(size)
    order = orders.decide(error, noise)
    below = "" if control else f"; decided by {len(order.orders) + 1} of {len(eta)}"
    data = {
        "x": [float(x) * unit for x in eta], "y": [float(abs(x)) for x in error], "label": note,
        "plot": "loglog", "series": {note: [float(abs(x)) for x in error]}, "xlabel": small,
        "ylabel": "error",
        "caption": f"{note}: the error falls as {small}^{stated}{below}.",
    }  # fmt: skip
    about = {
        small: [float(eta[0]) * unit, float(eta[-1]) * unit],
        "t": FINAL * unit,
        "statement": note,
        "p": list(order.orders),
        **(about or {}),
    }
    shown = powers(off, noise, stated, responses) if responses and not control else None
    return order_record(
        cell,
        symmetry,
        order,
        stated,
        about,
        data,
        control=control,
        steps=steps,
        backend="numpy",
        note=note,
        powers=shown,
    )


def bounded(
    cell: Cell,
    measured,
    predicted,
    bound,
    motion,
    note: str,
    *,
    symmetry=None,
    control=None,
    about: dict | None = None,
    steps=0,
    data=None,
    symbol="prediction",
) -> Record:
    """A record of bounded errors, arrays of any one shape: the worst place speaks; `motion`, what moved at
    all, must be MOTION bounds.

    symbol: the coefficient to which the motion is proportional, for the record's powers
    """
    measured, predicted, bound, motion = (
        x.ravel() for x in np.broadcast_arrays(measured, predicted, bound, motion)
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        spent = np.nan_to_num(np.abs(measured - predicted) / bound, nan=np.inf)
    i, still = int(np.argmax(spent)), motion <= MOTION * bound
    verdict = VIOLATED if spent[i] > 1 else INCONCLUSIVE if np.any(still) else HOLDS
    thin = (
        f"; no motion in {int(still.sum())} of {still.size}: at most {MOTION:.0f} bounds"
        if np.any(still)
        else ""
    )
    return Record(
        law=cell.law, case=cell.case.name, rule=cell.rule, backend="numpy", precision="float64",
        lanes=measured.size, steps=steps,
        parameters={"statement": note, **(about or {})}, predicted=float(predicted[i]),
        measured=float(measured[i]), bound=float(bound[i]),
        spent=float(spent[i]), verdict=verdict, reason=f"{note}: off by {spent[i]:.3g} bounds{thin}",
        kind=ROUNDING, symmetry=symmetry, control=control,
        cell=cell.name, replay=cell.replay, data={} if control else data or {},
        powers={} if control else {symbol: smallest(np.abs(measured - predicted), bound, np.abs(motion))},
    )  # fmt: skip


def constant_record(
    cell: Cell,
    measured,
    predicted,
    bound: float,
    thin: float,
    note: str,
    *,
    control=None,
    symmetry=None,
    steps=0,
    about=None,
    powers: dict | None = None,
) -> Record:
    """|measured - predicted|, vectors of any one shape, against a bound that must be below `thin` of the
    prediction.

    powers: of a prediction of 0, which decides where some coefficient would be noticed at FELT of itself
    """
    away, size = float(np.linalg.norm(measured - predicted)), float(np.linalg.norm(predicted))
    spent = away / bound if bound > 0 else float("inf") if away else 0.0
    spent = spent if np.isfinite(spent) else float("inf")
    decided = bound <= thin * size if powers is None else min(powers.values(), default=1.0) <= FELT
    verdict = VIOLATED if spent > 1 else HOLDS if decided else INCONCLUSIVE
    told = (
        ""
        if decided
        else f"; the bound must be at most {thin:.3g} of the constant"
        if powers is None
        else f"; no coefficient would be noticed at {FELT}"
    )
    if powers is None and size and not control:
        powers = {"leading constant": (bound + away) / size}
    return Record(
        law=cell.law, case=cell.case.name, rule=cell.rule, backend="numpy", precision="float64",
        lanes=np.size(measured), steps=steps,
        parameters={"statement": note, **(about or {})}, predicted=size,
        measured=float(np.linalg.norm(measured)), bound=bound, spent=spent, verdict=verdict,
        reason=f"{note}: {away / size if size else away:.2g} off within "
               f"{bound / size if size else bound:.2g}{told}", kind=ROUNDING, symmetry=symmetry,
        control=control, cell=cell.name, replay=cell.replay, powers={} if control else powers or {},
    )  # fmt: skip


def both(
    cell: Cell,
    off,
    reference_error,
    size,
    stated: int,
    note: str,
    control: str,
    against: int,
    responses=None,
    **facts,
) -> list[Record]:
    """The stated order, and the same comparison under a claim that is not true."""
    return [
        judge(cell, off, reference_error, size, stated, note, responses=responses, **facts),
        judge(cell, off, reference_error, size, against, note, control=control, **facts),
    ]
