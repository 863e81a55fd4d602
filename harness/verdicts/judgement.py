"""The four ways in which a number becomes a verdict: rounding, order, mean, bits.

Nobody else finds a worst value, says what a NaN is worth, or turns evidence into a verdict.

    spent = |measured - predicted| / bound                                                                (1)

Nothing off spends nothing, as long as the bound is a number; what is no number spends infinitely much, a
bound that is none too. The place that spends most speaks for all of them:

    violated       it spends more than 1, whatever the evidence
    holds          it spends at most 1, and there is evidence: something moved, enough lanes were seen
    inconclusive   it spends at most 1 without evidence, or the bound itself is not settled
    outside        the statement does not cover this point: nothing was compared
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from noether.verdicts.figures import Figure
from noether.verdicts.record import (
    BITWISE,
    HOLDS,
    INCONCLUSIVE,
    ORDER,
    OUTSIDE,
    ROUNDING,
    STATISTICAL,
    VIOLATED,
    Record,
)


@dataclass(frozen=True)
class Worst:
    """The place that spends most and what was compared there; None where there is no such number.

    at  its index in the arrays that were compared
    """

    spent: float | None = None
    measured: float | None = None
    predicted: float | None = None
    bound: float | None = None
    at: tuple[int, ...] = ()

    def __post_init__(self):
        if self.spent is not None and self.spent != self.spent:
            object.__setattr__(self, "spent", float("inf"))


def spent_of(measured, predicted, bound) -> np.ndarray:
    """(1) of numbers or arrays, in the arithmetic of what is given; float64 comes out, and never a NaN."""
    with np.errstate(all="ignore"):
        off = np.abs(np.subtract(measured, predicted))
        spent = np.where((off == 0) & ~np.isnan(bound), 0, off / bound)
    return np.where(np.isfinite(off) & ~np.isnan(spent), spent, np.inf).astype(float)


def highest(spent: np.ndarray) -> tuple[int, ...]:
    """The index of the largest number, the first of equals; a NaN is larger than all."""
    flat = int(np.argmax(np.where(np.isnan(spent), np.inf, spent)))
    return tuple(int(i) for i in np.unravel_index(flat, np.shape(spent)))


def worst(measured, predicted, bound, *, inside=None, spent=None) -> Worst:
    """The worst place of arrays that broadcast to one shape.

    inside  bool, where the statement holds at all: elsewhere nothing is spent
    spent   where another formula than (1) says what is spent
    """
    measured, predicted, bound = np.broadcast_arrays(measured, predicted, bound)
    spent = spent_of(measured, predicted, bound) if spent is None else np.asarray(spent)
    if inside is not None:
        spent = np.where(inside, spent, 0.0)
    at = highest(spent)
    return Worst(float(spent[at]), float(measured[at]), float(predicted[at]), float(bound[at]), at)


def most_spent(claims: Sequence):
    """Of claims, each with its `spent`, the one that speaks for all: the first of the worst."""
    return claims[highest(np.array([c.spent for c in claims], dtype=float))[0]]


def judged(
    kind: str,
    worst: Worst,
    reason: str,
    *,
    enough: bool,
    decided: bool = True,
    refuted: bool = False,
    figure: Figure | None = None,
    powers: dict | None = None,
    data: dict | None = None,
    place: dict | None = None,
    **about,
) -> Record:
    """A record of one of the four kinds.

    enough   whether there is evidence: without it nothing holds
    decided  False where the bound itself is not settled: then nothing is violated either
    refuted  violated whatever was spent, as a rule that keeps everything because it stands still
    figure, powers   left out of the record of a planted fault, but for a figure that carries a claim
    data     other plain facts, kept always;  place  Record.worst
    about    the other fields of Record: law, case, rule, backend, precision, lanes, steps, parameters ...
    """
    planted = about.get("fault") is not None
    shown = figure.as_dict() if figure and (not planted or figure.claim) else {}
    verdict = verdict_of(worst.spent, enough=enough, decided=decided, refuted=refuted)
    about |= dict(predicted=worst.predicted, measured=worst.measured, bound=worst.bound, spent=worst.spent)
    about |= dict(powers={} if planted else powers or {}, data={**shown, **(data or {})})
    return Record(**about, kind=kind, verdict=verdict, reason=reason, worst=place)


def verdict_of(spent: float | None, *, enough: bool, decided: bool = True, refuted: bool = False) -> str:
    """The verdict by the rule at the top of this file."""
    if refuted:
        return VIOLATED
    if not decided or spent is None:
        return INCONCLUSIVE
    return VIOLATED if not spent <= 1 else HOLDS if enough else INCONCLUSIVE


def rounding(worst: Worst, reason: str, *, enough: bool, **about) -> Record:
    """The record of a statement that is exact but for roundings: its bound is what they may come to."""
    return judged(ROUNDING, worst, reason, enough=enough, **about)


def order(worst: Worst, reason: str, *, enough: bool, **about) -> Record:
    """The record of a statement about what a quantity tends to: its bound is what the terms left out may come
    to."""
    return judged(ORDER, worst, reason, enough=enough, **about)


def mean(worst: Worst, reason: str, *, enough: bool, **about) -> Record:
    """The record of a statement about many lanes together, whose bound is passed by chance at a declared
    rate."""
    return judged(STATISTICAL, worst, reason, enough=enough, **about)


def bits(
    measured: float, reason: str, *, enough: bool, predicted: float = 0.0, spoiled: bool = False, **about
) -> Record:
    """The record of a statement about whole numbers, such as how many bits differ: equal, or infinitely far
    off.

    spoiled  off whatever was counted, as where a buffer was never written
    """
    spent = float("inf") if spoiled or measured != predicted else 0.0
    return judged(
        BITWISE, Worst(spent, float(measured), float(predicted), 0.0), reason, enough=enough, **about
    )


def outside(reason: str, **about) -> Record:
    """The record of a point that the statement does not cover, as parameters or a reference show: nothing was
    compared."""
    return compared_nothing(OUTSIDE, reason, **about)


def undecided(reason: str, **about) -> Record:
    """The record of a point of which nobody knows whether the statement holds: nothing was compared."""
    return compared_nothing(INCONCLUSIVE, reason, **about)


def noticed(found: bool, reason: str, **about) -> Record:
    """The record of a planted fault that has no one number: violated where it was noticed."""
    return compared_nothing(VIOLATED if found else INCONCLUSIVE, reason, **about)


def compared_nothing(verdict: str, reason: str, **about) -> Record:
    return Record(
        predicted=None, measured=None, bound=None, spent=None, verdict=verdict, reason=reason, **about
    )
