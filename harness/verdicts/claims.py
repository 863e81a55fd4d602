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
        """What was spent at the worst time."""
        return float(spent_of(self.measured, self.predicted, self.bound))


def facts(cell, **more) -> dict:
    """The fields of a record that tell of the cell that it comes from."""
    about = dict(law=cell.law, case=cell.case.name, rule=cell.rule, precision="float64")
    return {**about, "cell": cell.name, "replay": cell.replay, **more}


def hexed(values) -> list[str]:
    """Numbers as hex floats."""
    return [float(x).hex() for x in values]


def powers(judged: list[Judged]) -> dict[str, float]:
    """The power of a record of several lanes, of which one that sees a change is enough; none where that is
    the whole or more."""
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
    """The record of the worst of several lanes; inconclusive where one is not certified or hardly moves.

    motion  the total variation of the charge must be this many bounds; 0 where the verdict needs none
    enough  whether there is the evidence that the caller asks for
    figure  by default the charge of the worst lane and its prediction
    note    stands before the reason
    """
    worst = most_spent(judged)
    relative = max(x.relative for x in judged)
    told = "" if worst.spent > 1 else silenced(judged, motion)
    seen = (
        f"|j - S| is {worst.spent:.2g} of its bound at t = {worst.at:.4g}, at most {relative:.2g} of W; "
        f"{worst.method}, state to {worst.state:.1g}"
    )
    parameters = {**parameters, "W": worst.unit, "relative": relative, "method": worst.method}
    about = facts(cell, backend="scipy", symmetry=symmetry, fault=fault)
    about |= dict(lanes=len(judged), steps=len(worst.times), parameters=parameters, powers=powers(judged))
    return rounding(
        Worst(worst.spent, worst.measured, worst.predicted, worst.bound),
        note + (told or seen),
        enough=enough and not told,
        figure=figure or course(worst),
        place=place_of(worst),
        **about,
    )


def place_of(worst: Judged) -> dict:
    """Record.worst of a solution: its lane, and its start and time in hex floats."""
    half, step = len(worst.start) // 2, int(np.argmin(np.abs(worst.times - worst.at)))
    start = {"q": hexed(worst.start[:half]), "v": hexed(worst.start[half:])}
    return {"lane": worst.lane, "step": step, "component": None, **start, "t": worst.at.hex()}


def silenced(judged: list[Judged], motion: float) -> str:
    """Why the trajectories are no evidence; '' where they are."""
    for x in judged:
        if not x.certified:
            nearer = f"{most_spent(judged).method} at the tight tolerance is no nearer to collocation"
            return f"trajectory not certified: {nearer} ({x.state:.2g})"
    for x in judged:
        if motion and not x.variation > motion * x.bound:
            must = f"must be {motion:.0f} times the bound {x.bound:.3g}"
            return f"no motion: the charge varies by {x.variation:.3g}, {must}"
    return ""


def course(x: Judged) -> Course:
    """The charge of a lane and its prediction, at PLOTTED times at most twice over."""
    every = max(1, len(x.times) // PLOTTED)
    return Course(x=x.times[::every], y=x.j[::every], predicted=x.S[::every], label="charge J/m against t")


def verdict_of(order: Order, stated: float) -> str:
    """The verdict on an order p*: it holds where the stated one is within its bound.

    It is violated where p* and the last p_j are below the stated one by that bound and by QUARTER
    (`order_record` says why).
    """
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
    powers=None,
) -> Record:
    """The record of an order p* against the stated one.

    Violated needs a quarter between them as well: where the p_j turn twice their bound may be a few 1e-4 and
    too small (65 of 36000 random series with wild coefficients), but no such series was near another integer.
    And it needs the last p_j there too: 3.246, 2.991, 2.363, 1.967 on the way to 2 have p* = 1.571 within
    .42.

    An order above the stated one violates nothing: a eta + b eta^2 with a small a reads 2 down to the
    smallest eta that rounding leaves. It is inconclusive, and says so.
    """
    verdict, worst = verdict_of(found, stated), Worst(predicted=float(stated))
    above = ""
    if found.is_decided:
        spent = float(spent_of(found.value, stated, found.bound))
        worst = Worst(spent, found.value, float(stated), found.bound)
        if verdict == INCONCLUSIVE and found.value - stated > QUARTER:
            above = "; above what is stated: its leading term may be small here"
    text = f"{found.reason}, stated {stated}{above}; p_j = {', '.join(f'{p:.3f}' for p in found.orders[-4:])}"
    about = facts(cell, backend=backend, symmetry=symmetry, fault=fault)
    about |= dict(lanes=len(figure.x), steps=steps, parameters=parameters, powers=powers)
    shown, decided = with_window(figure, len(found.orders)), verdict != INCONCLUSIVE
    reason = f"{note}: {text}" if note else text
    return order(worst, reason, enough=True, decided=decided, figure=shown, **about)


def undecided(cell, reason: str, *, backend: str) -> Record:
    """The record of a cell whose solver gave up: nothing was compared."""
    about = facts(cell, backend=backend, lanes=0, steps=0, parameters={})
    return judgement.undecided(f"no solution to judge: {reason}", **about)


def beyond(
    cell, reason: str, *, backend: str, symmetry: str | None = None, parameters=None, lanes: int = 0
) -> Record:
    """The record of a cell, or of one of its symmetries, that is outside: a reference has shown that the
    statement does not cover its solution."""
    about = facts(cell, backend=backend, symmetry=symmetry, lanes=lanes, steps=0)
    return judgement.outside(reason, **about, parameters=parameters or {})
