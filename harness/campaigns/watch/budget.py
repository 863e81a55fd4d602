"""How much of a training's time a watch may take, and which steps it therefore looks at.

    own time + expected cost <= share * (time since the beginning - own time)                              (1)

Own time is that of samples, and what hooks take in every step, whether it is looked at or not.

The first sample is taken whatever it costs, for before it nobody knows what one costs. Nothing random
decides.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field

from noether.system.usage import UsageError, brief

SHARE = 0.1
FIRST = 2  # optimizers make their state in step 1


@dataclass(frozen=True)
class Schedule:
    """Which steps are looked at.

    share  of the training's own time, by (1)
    every  instead of that each step whose number it divides
    steps  instead of that these steps, counted from 1
    """

    share: float = SHARE
    every: int | None = None
    steps: frozenset[int] | None = None

    @classmethod
    def of(cls, budget, every, steps) -> Schedule:
        """What a user asked for. Raises UsageError."""
        number = isinstance(budget, int | float) and not isinstance(budget, bool)
        if not number or not 0 < budget <= 1e3:
            raise UsageError(f"budget is {brief(budget)}, must be a share of the training's time, as 0.1")
        if every is not None and steps is not None:
            raise UsageError("every and steps both say which steps are looked at: give one of them")
        if every is not None and not whole(every):
            raise UsageError(f"every is {brief(every)}, must be a whole number from 1")
        if steps is None:
            return cls(float(budget), every)
        try:
            chosen = frozenset(steps)
        except TypeError:
            chosen = frozenset([None])
        if not chosen or not all(whole(n) for n in chosen):
            raise UsageError(f"steps is {brief(steps)}, must be numbers of steps, counted from 1")
        return cls(float(budget), None, chosen)

    @property
    def told(self) -> str:
        """Which steps are looked at, in words."""
        if self.every is not None:
            return "every step" if self.every == 1 else f"every {self.every}th step"
        if self.steps is not None:
            return f"{len(self.steps)} steps by number"
        return f"as many steps as {100 * self.share:g} % of the training's time allow"


def whole(n) -> bool:
    """Whether something is a whole number from 1."""
    return isinstance(n, int) and not isinstance(n, bool) and n >= 1


@dataclass
class Account:
    """What one kind of sample has cost, and whether there may be another.

    part  its part of the share, where several kinds have to do with one
    cost  of the last sample, in seconds, and first of the first one; None before it
    spent  on all others
    """

    schedule: Schedule
    part: float = 1.0
    spent: float = 0.0
    cost: float | None = None
    first: float | None = None
    samples: int = 0

    def wants(self, step: int, training: float, hooks: float = 0.0) -> bool:
        """Whether a step, counted from 1, is looked at.

        training  seconds of the training itself so far;  hooks  seconds that hooks have taken in all steps
        """
        plan = self.schedule
        if plan.every is not None:
            return step % plan.every == 0
        if plan.steps is not None:
            return step in plan.steps
        if self.cost is None:
            return step >= FIRST
        return self.spent + self.cost <= self.part * (plan.share * training - hooks)

    def took(self, seconds: float, once: float = 0.0) -> None:
        """A sample was taken and cost this, of which a part is never needed again. The first comes on top of
        the share."""
        self.samples, self.cost = self.samples + 1, seconds - once
        if self.first is None:
            self.first = seconds
        else:
            self.spent += seconds


@dataclass
class Clock:
    """The time that is ours, and the training's.

    own  seconds that the watch itself took;  inside  whether it is at work now
    hooks  of these and beside them, seconds that hooks took in every step
    """

    now: Callable[[], float] = time.perf_counter
    own: float = 0.0
    begun: float = field(default=0.0)
    inside: bool = False
    hooks: float = 0.0

    def __post_init__(self):
        self.begun = self.now()

    @property
    def training(self) -> float:
        """Seconds of the training itself since the beginning."""
        return max(0.0, self.now() - self.begun - self.own)

    @contextmanager
    def ours(self):
        """A block whose time is ours; blocks inside of it count once."""
        if self.inside:
            yield
            return
        self.inside, begun = True, self.now()
        try:
            yield
        finally:
            self.inside = False
            self.own += self.now() - begun
