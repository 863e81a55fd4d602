"""What a comparison in continuous time came to, and the record of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from noether.verdicts.orders import Order
from noether.verdicts.record import HOLDS, INCONCLUSIVE, ORDER, OUTSIDE, VIOLATED, Record

PLOTTED = 200
QUARTER = 0.25


@dataclass(frozen=True, eq=False)
class Judged:
    """The worst output time of one lane in one window.

    unit       W there
    relative   largest |measured - predicted| / W of the times where W is at least 1000 bounds; elsewhere, as
               in the
               last e-folds of a Killing charge, there is nothing left to compare
    variation  total variation of the measured charge over the window
    response   largest |predicted| of the window
    state      distance of the two methods' trajectories, relative
    powers     by coefficient, the smallest relative change that this lane would have called violated
    """

    measured: float
    predicted: float
    bound: float
    at: float
    unit: float
    relative: float
    variation: float
    response: float
    times: np.ndarray
    j: np.ndarray
    S: np.ndarray
    certified: bool
    state: float
    lane: int
    method: str
    start: np.ndarray
    powers: dict

    @property
    def spent(self) -> float:
        residual = abs(self.measured - self.predicted)
        if residual == 0 and self.bound >= 0:
            return 0.0
        spent = residual / self.bound if self.bound else float("inf")
        return spent if np.isfinite(spent) else float("inf")


def hexed(values) -> list[str]:
    return [float(x).hex() for x in values]


def powers(judged: list[Judged]) -> dict[str, float]:
    """Of several lanes: one that sees a change is enough. A change of the whole or more is no power."""
    names = {
        name: min(x.powers.get(name, float("inf")) for x in judged)
        for name in sorted(set().union(*(x.powers for x in judged)))
    }
    return {name: float(f"{x:.3g}") for name, x in names.items() if x < 1}


def record(
    cell, symmetry: str, judged: list[Judged], parameters: dict, motion: float, *, control: str | None = None
) -> Record:
    """One record for several lanes: the worst lane speaks, the least moved and the least certified may
    silence it.

    motion: the total variation of the charge must be this many bounds; 0 where the verdict needs none.
    """
    worst = max(judged, key=lambda x: x.spent)
    still = [x for x in judged if motion and x.variation <= motion * x.bound]
    loose = [x for x in judged if not x.certified]
    relative = max(x.relative for x in judged)
    seen = (
        f"|j - S| is {worst.spent:.2g} of its bound at t = {worst.at:.4g}, at most {relative:.2g} of W; "
        f"{worst.method}, state to {worst.state:.1g}"
    )
    if worst.spent > 1:
        verdict, reason = VIOLATED, seen
    elif loose:
        verdict, reason = (
            INCONCLUSIVE,
            f"trajectory not certified: {worst.method} at the tight tolerance is no nearer to collocation "
            f"({loose[0].state:.2g})",
        )
    elif still:
        verdict, reason = (
            INCONCLUSIVE,
            f"no motion: the charge varies by {still[0].variation:.3g}, must be {motion:.0f} times the "
            f"bound {still[0].bound:.3g}",
        )
    else:
        verdict, reason = HOLDS, seen
    every = max(1, len(worst.times) // PLOTTED)
    half = len(worst.start) // 2
    return Record(
        law=cell.law, case=cell.case.name, rule=cell.rule, backend="scipy", precision="float64",
        lanes=len(judged),
        steps=len(worst.times), parameters={**parameters, "W": worst.unit, "relative": relative,
        "method": worst.method},
        predicted=worst.predicted, measured=worst.measured, bound=worst.bound, spent=worst.spent,
        verdict=verdict,
        reason=reason, symmetry=symmetry, control=control, cell=cell.name, replay=cell.replay,
        powers={} if control else powers(judged),
        worst={"lane": worst.lane, "step": int(np.argmin(np.abs(worst.times - worst.at))), "component": None,
               "q": hexed(worst.start[:half]), "v": hexed(worst.start[half:]), "t": worst.at.hex()},
        data={} if control else {
            "x": [float(x) for x in worst.times[::every]], "y": [float(x) for x in worst.j[::every]],
            "predicted": [float(x) for x in worst.S[::every]], "label": "charge J/m against t",
        },
    )  # fmt: skip


def verdict_of(order: Order, stated: float) -> str:
    """Holds within the bound of p*; violated where p* and the last p_j are below it by that and by QUARTER
    (`order_record`)."""
    if not order.is_decided:
        return INCONCLUSIVE
    if abs(order.value - stated) <= order.bound:
        return HOLDS
    most = max(order.value, order.orders[-1])  # where the p_j still bend, p* may have left the other way
    return VIOLATED if stated - most > max(order.bound, QUARTER) else INCONCLUSIVE


def order_record(
    cell,
    symmetry: str | None,
    order: Order,
    stated: int,
    parameters: dict,
    data: dict,
    *,
    control: str | None = None,
    steps: int = 0,
    backend: str = "scipy",
    note: str = "",
    powers: dict | None = None,
) -> Record:
    """The order p* against the stated one; spent = |p* - stated| / bound.

    Violated needs a quarter between them as well: where the p_j turn twice their bound may be a few 1e-4 and
    too small (65 of 36000 random series with wild coefficients), but no such series was near another integer.
    And it needs the last p_j there too: 3.246, 2.991, 2.363, 1.967 on the way to 2 have p* = 1.571 within
    .42.

    An order above the stated one violates nothing: a eta + b eta^2 with a small a reads 2 down to the
    smallest eta that rounding leaves. It is inconclusive, and says so.
    """
    off = order.value - stated if order.is_decided else None
    spent = (
        None if off is None else 0.0 if not off else abs(off) / order.bound if order.bound else float("inf")
    )
    verdict = verdict_of(order, stated)
    if (
        0 < len(order.orders) < len(data["x"]) and "window" not in data
    ):  # the step sizes above the rounding plateau: those that were judged
        data = {**data, "window": sorted((data["x"][0], data["x"][len(order.orders)]))}
    above = (
        "; above what is stated: its leading term may be small here"
        if verdict == INCONCLUSIVE and off is not None and off > QUARTER
        else ""
    )
    text = f"{order.reason}, stated {stated}{above}; p_j = {', '.join(f'{p:.3f}' for p in order.orders[-4:])}"
    return Record(
        law=cell.law, case=cell.case.name, rule=cell.rule, backend=backend, precision="float64",
        lanes=len(data["x"]),
        steps=steps, parameters=parameters, predicted=float(stated), measured=order.value, bound=order.bound,
        spent=spent,
        verdict=verdict, reason=f"{note}: {text}" if note else text, kind=ORDER, symmetry=symmetry,
        control=control, cell=cell.name,
        replay=cell.replay, data={} if control else data, powers=powers or {},
    )  # fmt: skip


def undecided(cell, reason: str, *, backend: str) -> Record:
    """The record of a cell whose solver gave up: nothing was compared."""
    return nothing_compared(cell, INCONCLUSIVE, f"no solution to judge: {reason}", backend)


def beyond(
    cell, reason: str, *, backend: str, symmetry: str | None = None, parameters: dict | None = None
) -> Record:
    """The record of a cell, or of one of its symmetries, whose statement does not cover its solution, as a
    reference has shown."""
    return nothing_compared(cell, OUTSIDE, reason, backend, symmetry, parameters)


def nothing_compared(
    cell, verdict: str, reason: str, backend: str, symmetry: str | None = None, parameters: dict | None = None
) -> Record:
    return Record(
        law=cell.law, case=cell.case.name, rule=cell.rule, backend=backend, precision="float64", lanes=0,
        steps=0,
        parameters=parameters or {}, predicted=None, measured=None, bound=None, spent=None, verdict=verdict,
        reason=reason, cell=cell.name, replay=cell.replay, symmetry=symmetry,
    )  # fmt: skip
