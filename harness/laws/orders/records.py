"""The record of an order, of the constant in front of one, and of a bounded error."""

from __future__ import annotations

from typing import NamedTuple

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


class Limit(NamedTuple):
    """What an error over a power of its size goes to, as it was extrapolated, of any shape, and how far that
    may be off in norm.

    falls  whether the last changes do: without that the bound is none
    lost   whether the run itself is no number at the smallest size, though its model is one
    """

    value: np.ndarray
    bound: float
    falls: bool
    lost: bool = False


def constant_record(
    cell: Cell,
    limit: Limit,
    predicted,
    thin: float,
    note: str,
    *,
    rooms: dict | None = None,
    fault: WrongStatement | None = None,
    symmetry: str | None = None,
    steps: int = 0,
    about: dict | None = None,
) -> Record:
    """|limit - predicted|, of one shape, against the bound of the limit.

    rooms: of a prediction of 0, {coefficient: by how much more than its bound the limit moves for one as
    large again}
    """
    bound, (measured, size) = limit.bound, (float(np.linalg.norm(x)) for x in (limit.value, predicted))
    away = float(np.linalg.norm(limit.value - predicted))
    spent, lost = float(spent_of(away, 0.0, bound)), limit.lost and bool(np.isfinite(size))
    powers, enough, settled = evidence(limit, away, (measured, size), thin, rooms)
    needed = f"the bound must be at most {thin:.3g} of the constant"
    needed = needed if rooms is None else f"no coefficient would be noticed at {FELT}"
    needed = needed if limit.falls else "its changes do not fall"
    told = f"; {needed}" if not (lost or settled and (enough or spent > 1)) else ""
    off, within = (x / size if size else x for x in (away, bound))
    return judgement.rounding(
        Worst(spent, measured, size, bound),
        f"{note}: {off:.2g} off within {within:.2g}{told}",
        enough=enough,
        decided=settled or lost,
        **facts(cell, backend="numpy", symmetry=symmetry, fault=name_of(fault)),
        lanes=np.size(limit.value),
        steps=steps,
        parameters={"statement": note, **(about or {})},
        powers=powers,
    )


def evidence(
    limit: Limit, away: float, sizes: tuple, thin: float, rooms: dict | None
) -> tuple[dict | None, bool, bool]:
    """The powers, whether they are evidence, and whether the limit has settled: without that nothing is
    violated either.

    Settled is a limit whose changes fall, with a bound below `thin` of what was measured or predicted, or one
    at which some coefficient would be noticed at FELT: else the sizes are too large to tell a limit. `away`,
    which a wrong run makes large, is in the powers alone.
    """
    (_, size), bound = sizes, limit.bound
    settled = bound <= thin * max(sizes)
    if rooms is None:
        powers = {"leading constant": (bound + away) / size} if size else None
        return powers, bound <= thin * size, limit.falls and settled
    noticed = lambda x: {name: x / room if room > 0 else float("inf") for name, room in rooms.items()}
    felt = lambda x: min(noticed(x).values(), default=1.0) <= FELT
    return noticed(bound + away), felt(bound + away), limit.falls and (settled or felt(bound))
