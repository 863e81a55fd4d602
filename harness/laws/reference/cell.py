"""One cell of V1, and a claim: how far something is off the truth, against how far it was said to be at
most."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from noether.cases.case import Case
from noether.laws.cell import LawCell
from noether.laws.continuous import comparison
from noether.verdicts.claims import hexed
from noether.verdicts.record import HOLDS, INCONCLUSIVE, VIOLATED, Record

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
        spent = self.off / self.bound if self.bound > 0 else (0.0 if self.off == 0 else float("inf"))
        return spent if np.isfinite(spent) else float("inf")


def record(cell: Cell, what: str, claims: list[Claim], about: dict, *, symmetry: str | None = None,
    precision: str = "float64", lanes: int = 0,
           steps: int = 0, control: str | None = None, data: dict | None = None) -> Record:  # fmt: skip
    """The worst claim speaks; a truth that is not known well enough, or that stands still, may silence it."""
    worst = max(claims, key=lambda c: c.spent)
    vague = [c for c in claims if KNOWN * c.known > c.bound]
    still = [c for c in claims if c.moved < MOTION * c.bound]
    seen = f"{what} is off by {worst.off:.2g} at t = {worst.at:.4g}, {worst.spent:.2g} of its bound"
    seen += f"; the truth is known to {worst.known:.1g}" if worst.known else ""
    verdict, reason = HOLDS, seen
    if worst.spent > 1:
        verdict = VIOLATED
    elif vague:
        verdict, reason = (
            INCONCLUSIVE,
            f"the truth is known to {vague[0].known:.2g} only, must be {KNOWN} times better than the bound "
            f"{vague[0].bound:.2g}",
        )
    elif still and not control:
        verdict, reason = (
            INCONCLUSIVE,
            f"no motion: it varies by {still[0].moved:.2g}, must by {MOTION:.0f} times the bound "
            f"{still[0].bound:.2g}",
        )
    half = len(worst.start) // 2
    return Record(
        law=cell.law, case=cell.case.name, rule=cell.rule, backend="heyoka", precision=precision,
        lanes=lanes or len(claims), steps=steps,
        parameters={**about, **worst.about}, predicted=0.0, measured=worst.off, bound=worst.bound,
        spent=worst.spent, verdict=verdict, reason=reason,
        symmetry=symmetry, control=control, cell=cell.name, replay=cell.replay,
        data={} if control else data or {},
        worst={"lane": worst.lane, "step": None, "component": None, "q": hexed(worst.start[:half]),
        "v": hexed(worst.start[half:]), "t": float(worst.at).hex()},
    )  # fmt: skip
