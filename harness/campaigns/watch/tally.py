"""What was seen of a law and a group over all samples: the worst, the first violation, and what hinders."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from noether.verdicts.judgement import Worst
from noether.verdicts.record import HOLDS, INCONCLUSIVE, OUTSIDE, VIOLATED

STEP, BALANCE, SLOPE = "N1", "N2", "N3"
LAWS = (STEP, BALANCE, SLOPE)
TITLES = {
    STEP: "the optimizer's update",
    BALANCE: "balance of charges",
    SLOPE: "gradients along symmetries",
}
COURSE = 2048  # points of a course that are kept; beyond it every other one


@dataclass
class Tally:
    """One law of one group: a parameter, or a family of generators.

    numbers   how many were compared in a sample
    worst     of all samples, and at which step;  first  the first that was violated
    planted   the same of a statement made wrong, by the fault's name, once
    course    (step, spent) of the samples;  sizes  (step, measured) of them
    hindered  why a sample said nothing -> how often
    outside   why the statement did not cover it -> how often
    """

    law: str
    group: str
    symmetry: str | None = None
    precision: str = ""
    numbers: int = 0
    worst: Worst = field(default_factory=Worst)
    at: int = 0
    first: tuple[int, Worst, str] | None = None
    reason: str = ""
    power: float | None = None
    planted: dict[str, Worst] = field(default_factory=dict)
    course: list[tuple[int, float]] = field(default_factory=list)
    sizes: list[tuple[int, float]] = field(default_factory=list)
    samples: int = 0
    moving: int = 0
    hindered: Counter = field(default_factory=Counter)
    outside: Counter = field(default_factory=Counter)
    data: dict = field(default_factory=dict)

    def judged(self, step: int, worst: Worst, reason: str, *, enough: bool = True) -> None:
        """A sample was compared. enough: whether something moved, so that it is evidence."""
        spent = float("inf") if worst.spent is None else worst.spent
        self.samples, self.moving = self.samples + 1, self.moving + enough
        thinned(self.course, (step, spent))
        if worst.measured is not None:
            thinned(self.sizes, (step, worst.measured))
        if self.worst.spent is None or spent > self.worst.spent:
            self.worst, self.at, self.reason = worst, step, reason
        if not spent <= 1 and self.first is None:
            self.first = (step, worst, reason)

    def saw(self, power: float) -> None:
        """The smallest relative change that this sample would have seen."""
        self.power = power if self.power is None else min(self.power, power)

    @property
    def verdict(self) -> str:
        """By the rule of harness/verdicts/judgement.py."""
        if self.first is not None:
            return VIOLATED
        if self.moving:
            return HOLDS
        return OUTSIDE if self.outside and not self.samples else INCONCLUSIVE

    @property
    def why(self) -> str:
        """What is to be told of it in a sentence."""
        if self.first is not None:
            return self.first[2]
        hindered = self.outside if self.outside and not self.samples else self.hindered
        if self.samples and (self.moving or not hindered):
            return self.reason if self.moving else f"{self.reason}; nothing moves"
        return next((why for why, _ in hindered.most_common(1)), "no sample was taken of it")


def thinned(course: list, point) -> None:
    """Add a point; of too many every other one goes."""
    course.append(point)
    if len(course) > COURSE:
        del course[1:-1:2]


class Book:
    """The tallies of one optimizer, by law and group, in the order in which they were first seen."""

    def __init__(self):
        self.tallies: dict[tuple[str, str], Tally] = {}

    def __iter__(self):
        return iter(self.tallies.values())

    def of(self, law: str, group: str, **about) -> Tally:
        """The tally of a law and a group, made with its first sample."""
        if (law, group) not in self.tallies:
            self.tallies[law, group] = Tally(law, group, **about)
        return self.tallies[law, group]

    def law(self, law: str) -> list[Tally]:
        """All of one law."""
        return [x for x in self if x.law == law]
