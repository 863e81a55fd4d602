"""One cell of V1, and a claim: how far something is off the truth, against how far it was said to be at
most."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from noether.cases.case import Case
from noether.laws.cell import LawCell
from noether.laws.continuous import comparison
from noether.verdicts.claims import facts, hexed
from noether.verdicts.figures import Figure
from noether.verdicts.judgement import Worst, most_spent, rounding, spent_of
from noether.verdicts.record import Record

CERTIFY, STARTS = "certify", "starts"
KNOWN = 10  # the truth must be known that many times better than the bound that it tests
MOTION = 1e3  # what is judged must vary by that many bounds, as in T1


@dataclass(frozen=True)
class Cell(LawCell):
    """`inner` is the cell of T1, T2 or T5 whose trajectories are looked at."""

    inner: comparison.Cell
    part: str
    law: str = "V1"
    precision, backend = "float64", "heyoka"

    @property
    def case(self) -> Case:
        return self.inner.case

    @property
    def rule(self) -> str:
        return self.inner.rule

    @property
    def name(self) -> str:
        return f"{self.law}/{self.part}/{self.inner.name}"

    @property
    def profile(self) -> str:
        return self.inner.profile

    @property
    def seed(self) -> int:
        return self.inner.seed


@dataclass(frozen=True, eq=False)
class Claim:
    """One lane in one window, of float64 or of the truth itself (then bits are its own).

    off      how far from the truth;  bound  how far at most, as claimed;  at  the time where it is worst
    known    how far the truth may be off itself;  moved  variation of what is judged
    """

    off: float
    bound: float
    at: float
    known: float
    moved: float
    lane: int
    start: np.ndarray
    about: dict = field(default_factory=dict)

    @property
    def spent(self) -> float:
        return float(spent_of(self.off, 0.0, self.bound))


def record(
    cell: Cell,
    what: str,
    claims: list[Claim],
    about: dict,
    *,
    symmetry: str | None = None,
    precision: str = "float64",
    lanes: int = 0,
    steps: int = 0,
    fault: str | None = None,
    figure: Figure | None = None,
) -> Record:
    """The worst claim speaks; a truth that is not known well enough, or that stands still, may silence it."""
    worst = most_spent(claims)
    told = "" if worst.spent > 1 else silenced(claims, moving=fault is None)
    seen = f"{what} is off by {worst.off:.2g} at t = {worst.at:.4g}, {worst.spent:.2g} of its bound"
    seen += f"; the truth is known to {worst.known:.1g}" if worst.known else ""
    half = len(worst.start) // 2
    return rounding(
        Worst(worst.spent, worst.off, 0.0, worst.bound),
        told or seen,
        enough=not told,
        **facts(cell, backend="heyoka", precision=precision, symmetry=symmetry, fault=fault),
        lanes=lanes or len(claims),
        steps=steps,
        parameters={**about, **worst.about},
        figure=figure,
        place={
            "lane": worst.lane,
            "step": None,
            "component": None,
            "q": hexed(worst.start[:half]),
            "v": hexed(worst.start[half:]),
            "t": float(worst.at).hex(),
        },
    )


def silenced(claims: list[Claim], *, moving: bool) -> str:
    """Why the claims are no evidence; '' where they are. moving: whether they must move."""
    for c in claims:
        if not KNOWN * c.known <= c.bound:
            return (
                f"the truth is known to {c.known:.2g} only, must be {KNOWN} times better than the bound "
                f"{c.bound:.2g}"
            )
    for c in claims:
        if moving and not c.moved >= MOTION * c.bound:
            return (
                f"no motion: it varies by {c.moved:.2g}, must by {MOTION:.0f} times the bound {c.bound:.2g}"
            )
    return ""
