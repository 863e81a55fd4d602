"""What a comparison in continuous time came to, and the record of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from noether.verdicts import judgement
from noether.verdicts.figures import Course, Figure, Loglog, with_window
from noether.verdicts.judgement import Worst, most_spent, order, rounding, spent_of
from noether.verdicts.orders import Order
from noether.verdicts.record import HOLDS, INCONCLUSIVE, VIOLATED, Record

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
        return float(spent_of(self.measured, self.predicted, self.bound))


def facts(cell, **more) -> dict:
    """What every record says of the cell that it comes from."""
    about = dict(law=cell.law, case=cell.case.name, rule=cell.rule, precision="float64")
    return {**about, "cell": cell.name, "replay": cell.replay, **more}


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
    cell,
    symmetry: str | None,
    judged: list[Judged],
    parameters: dict,
    motion: float,
    *,
    fault: str | None = None,
    enough: bool = True,
    figure: Figure | None = None,
    note: str = "",
) -> Record:
    """One record for several lanes: the worst lane speaks, the least moved and the least certified may
    silence it.

    motion  the total variation of the charge must be this many bounds; 0 where the verdict needs none
    enough  further evidence;  note  stands before the reason
    """
    worst = most_spent(judged)
    relative = max(x.relative for x in judged)
    told = "" if worst.spent > 1 else silenced(judged, motion)
    seen = (
        f"|j - S| is {worst.spent:.2g} of its bound at t = {worst.at:.4g}, at most {relative:.2g} of W; "
        f"{worst.method}, state to {worst.state:.1g}"
    )
    half = len(worst.start) // 2
    return rounding(
        Worst(worst.spent, worst.measured, worst.predicted, worst.bound),
        note + (told or seen),
        enough=enough and not told,
        **facts(cell, backend="scipy", symmetry=symmetry, fault=fault),
        lanes=len(judged),
        steps=len(worst.times),
        parameters={**parameters, "W": worst.unit, "relative": relative, "method": worst.method},
        powers=powers(judged),
        figure=figure or course(worst),
        place={
            "lane": worst.lane,
            "step": int(np.argmin(np.abs(worst.times - worst.at))),
            "component": None,
            "q": hexed(worst.start[:half]),
            "v": hexed(worst.start[half:]),
            "t": worst.at.hex(),
        },
    )


def silenced(judged: list[Judged], motion: float) -> str:
    """Why the trajectories are no evidence; '' where they are."""
    for x in judged:
        if not x.certified:
            return (
                f"trajectory not certified: {most_spent(judged).method} at the tight tolerance is no nearer "
                f"to collocation ({x.state:.2g})"
            )
    for x in judged:
        if motion and not x.variation > motion * x.bound:
            return (
                f"no motion: the charge varies by {x.variation:.3g}, must be {motion:.0f} times the bound "
                f"{x.bound:.3g}"
            )
    return ""


def course(x: Judged) -> Course:
    """The charge of a lane and its prediction, at PLOTTED times at most twice over."""
    every = max(1, len(x.times) // PLOTTED)
    return Course(x=x.times[::every], y=x.j[::every], predicted=x.S[::every], label="charge J/m against t")


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
    found: Order,
    stated: int,
    parameters: dict,
    figure: Loglog | Course,
    *,
    fault: str | None = None,
    steps: int = 0,
    backend: str = "scipy",
    note: str = "",
    powers: dict | None = None,
) -> Record:
    """The order p* against the stated one.

    Violated needs a quarter between them as well: where the p_j turn twice their bound may be a few 1e-4 and
    too small (65 of 36000 random series with wild coefficients), but no such series was near another integer.
    And it needs the last p_j there too: 3.246, 2.991, 2.363, 1.967 on the way to 2 have p* = 1.571 within
    .42.

    An order above the stated one violates nothing: a eta + b eta^2 with a small a reads 2 down to the
    smallest eta that rounding leaves. It is inconclusive, and says so.
    """
    verdict, worst = verdict_of(found, stated), Worst(predicted=float(stated))
    if found.is_decided:
        worst = Worst(
            float(spent_of(found.value, stated, found.bound)), found.value, float(stated), found.bound
        )
    above = (
        "; above what is stated: its leading term may be small here"
        if verdict == INCONCLUSIVE and found.is_decided and found.value - stated > QUARTER
        else ""
    )
    text = f"{found.reason}, stated {stated}{above}; p_j = {', '.join(f'{p:.3f}' for p in found.orders[-4:])}"
    return order(
        worst,
        f"{note}: {text}" if note else text,
        enough=True,
        decided=verdict != INCONCLUSIVE,
        **facts(cell, backend=backend, symmetry=symmetry, fault=fault),
        lanes=len(figure.x),
        steps=steps,
        parameters=parameters,
        figure=with_window(figure, len(found.orders)),
        powers=powers,
    )


def undecided(cell, reason: str, *, backend: str) -> Record:
    """The record of a cell whose solver gave up: nothing was compared."""
    about = facts(cell, backend=backend, lanes=0, steps=0, parameters={})
    return judgement.undecided(f"no solution to judge: {reason}", **about)


def beyond(
    cell,
    reason: str,
    *,
    backend: str,
    symmetry: str | None = None,
    parameters: dict | None = None,
    lanes: int = 0,
) -> Record:
    """The record of a cell, or of one of its symmetries, whose statement does not cover its solution, as a
    reference has shown."""
    about = facts(cell, backend=backend, symmetry=symmetry, lanes=lanes, steps=0)
    return judgement.outside(reason, **about, parameters=parameters or {})
