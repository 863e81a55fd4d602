"""The record of an order, of the constant in front of one, and of a bounded error."""

from __future__ import annotations

import numpy as np

from noether.laws.law import WrongStatement
from noether.laws.orders.power import norm, powers
from noether.laws.orders.runs import FINAL, Cell, U, step_sizes
from noether.verdicts import judgement, orders
from noether.verdicts.claims import facts, order_record
from noether.verdicts.figures import Loglog
from noether.verdicts.judgement import Worst, spent_of
from noether.verdicts.powers import smallest
from noether.verdicts.record import Record

MOTION = 1e3  # bounds that what is compared must move, as the charges of T1
FELT = 0.25


def name_of(fault: WrongStatement | None) -> str | None:
    """As records keep it."""
    return fault and fault.name


def judge(
    cell: Cell,
    off: np.ndarray,
    reference_error: np.ndarray,
    size: np.ndarray,
    stated: int,
    note: str,
    *,
    fault: WrongStatement | None = None,
    symmetry: str | None = None,
    steps: int = 0,
    eta: np.ndarray | None = None,
    small: str = "eta",
    rounded: int | np.ndarray | None = None,
    responses: dict | None = None,
    about: dict | None = None,
) -> Record:
    """The order of |off|, (..., sizes) over components and starts. noise = reference error + rounding floor u
    n |q|: n steps each round q once; reference_error, size (..., sizes).

    rounded: how many steps did, a number or (sizes,), where it is not FINAL / eta
    small, eta: what goes to zero and its values, where it is not the cell's step sizes.
    responses   {coefficient: d off / d ln coefficient}, for the record's powers
    """
    unit = cell.unit if eta is None else 1.0
    eta = step_sizes(cell) if eta is None else eta
    rounds = FINAL / eta if rounded is None else rounded
    error, noise = norm(off), norm(reference_error) + U * rounds * norm(size)
    order = orders.decide(error, noise)
    below = "" if fault else f"; decided by {len(order.orders) + 1} of {len(eta)}"
    caption = f"{note}: the error falls as {small}^{stated}{below}."
    axes = dict(xlabel=small, ylabel="error", caption=caption, label=note)
    figure = Loglog(x=eta * unit, series={note: np.abs(error)}, **axes)
    over = [float(eta[0]) * unit, float(eta[-1]) * unit]
    parameters = {small: over, "t": FINAL * unit, "statement": note, "p": list(order.orders), **(about or {})}
    shown = powers(off, noise, stated, responses) if responses and not fault else None
    told = dict(steps=steps, backend="numpy", note=note, powers=shown)
    return order_record(cell, symmetry, order, stated, parameters, figure, fault=name_of(fault), **told)


def bounded(
    cell: Cell,
    measured,
    predicted,
    bound,
    motion,
    note: str,
    *,
    symbol: str = "prediction",
    fault: WrongStatement | None = None,
    symmetry: str | None = None,
    steps: int = 0,
    about: dict | None = None,
) -> Record:
    """A record of bounded errors, arrays of any one shape: the worst place speaks; `motion`, what moved at
    all, must be MOTION bounds.

    symbol: the coefficient to which the motion is proportional, for the record's powers
    """
    compared = np.broadcast_arrays(measured, predicted, bound, motion)
    measured, predicted, bound, motion = (x.ravel() for x in compared)
    worst, still = judgement.worst(measured, predicted, bound), ~(motion > MOTION * bound)
    thin = f"; no motion in {int(still.sum())} of {still.size}: at most {MOTION:.0f} bounds"
    return judgement.rounding(
        worst,
        f"{note}: off by {worst.spent:.3g} bounds{thin if np.any(still) else ''}",
        enough=not np.any(still),
        **facts(cell, backend="numpy", symmetry=symmetry, fault=name_of(fault)),
        lanes=measured.size,
        steps=steps,
        parameters={"statement": note, **(about or {})},
        powers={symbol: smallest(np.abs(measured - predicted), bound, np.abs(motion))},
    )


def constant_record(
    cell: Cell,
    measured,
    predicted,
    bound: float,
    thin: float,
    note: str,
    *,
    powers: dict | None = None,
    fault: WrongStatement | None = None,
    symmetry: str | None = None,
    steps: int = 0,
    about: dict | None = None,
) -> Record:
    """|measured - predicted|, vectors of any one shape, against a bound that must be below `thin` of the
    prediction.

    powers: of a prediction of 0, which decides where some coefficient would be noticed at FELT of itself
    """
    away, size = float(np.linalg.norm(measured - predicted)), float(np.linalg.norm(predicted))
    if powers is None:
        decided, needed = bound <= thin * size, f"the bound must be at most {thin:.3g} of the constant"
        powers = {"leading constant": (bound + away) / size} if size else None
    else:
        decided, needed = (
            min(powers.values(), default=1.0) <= FELT,
            f"no coefficient would be noticed at {FELT}",
        )
    off, within = (x / size if size else x for x in (away, bound))
    return judgement.rounding(
        Worst(float(spent_of(away, 0.0, bound)), float(np.linalg.norm(measured)), size, bound),
        f"{note}: {off:.2g} off within {within:.2g}{'' if decided else f'; {needed}'}",
        enough=decided,
        **facts(cell, backend="numpy", symmetry=symmetry, fault=name_of(fault)),
        lanes=np.size(measured),
        steps=steps,
        parameters={"statement": note, **(about or {})},
        powers=powers,
    )
