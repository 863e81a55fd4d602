"""One step of an optimizer as it was, beside what it means: numbers, predictions, bounds, what is spent.

Of every number that a step writes three spents are told, each |difference| / bound:

    arithmetic   what was stored against the meaning of the operations that ran; the bound is their rounding
    rule         that meaning against the definition of the rule; the bound is the rounding of the
                 coefficients that Python computes, and of the wide numbers in which both are computed. No
                 rounding of the parameters' type is in it, so a wrong rule is seen in sixteen bits too
    combined     what was stored against the definition; the bound is the sum of both
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import torch

from noether.networks.step_rule import COVECTOR, KEPT, Definition
from noether.optimizers.running import UNITS, WIDE, Running
from noether.optimizers.spent import spent_each


@dataclass(frozen=True)
class Place:
    """The number of a component that spends most: its flat index, what it is, should be, and may be off."""

    at: int
    stored: float
    predicted: float
    bound: float


@dataclass(frozen=True, eq=False)
class Component:
    """The parameter itself, or one tensor that the optimizer keeps of it. Arrays are flat.

    before, after  float64, as stored; before is None where the step made the tensor
    predicted      the definition's value and a bound on |after - value|, None where no rule is known
    unbound        the share of numbers of which no bound can be given, as over a denominator that may be 0
    """

    before: np.ndarray | None
    after: np.ndarray
    predicted: Running | None
    arithmetic: float
    rule: float | None
    combined: float | None
    worst: Place
    unbound: float = 0.0

    @property
    def spent(self) -> float:
        """The largest of the three."""
        return max(x for x in (self.arithmetic, self.rule, self.combined) if x is not None)


def component(before, after: np.ndarray, meant: Running, own: Running, rule: Running | None) -> Component:
    """Judge the numbers of one tensor.

    meant  what the operations mean, with their rounding; own  the same with that of the wide numbers alone
    rule   what the definition says, with the rounding of its coefficients
    """
    arithmetic = spent_each(after, meant)
    if rule is None:
        at = place(arithmetic, after, meant)
        return Component(before, after, None, most(arithmetic), None, None, at, unbound(meant))
    apart = spent_each(own.value, Running(rule.value, rule.error + own.error))
    predicted = Running(rule.value, rule.error + own.error + meant.error)
    combined = spent_each(after, predicted)
    seen = np.maximum(np.maximum(arithmetic, apart), combined)
    at = place(seen, after, predicted)
    return Component(
        before, after, predicted, *map(most, (arithmetic, apart, combined)), at, unbound(predicted)
    )


def unmoved(before: np.ndarray, after: np.ndarray) -> Component:
    """A tensor that must not change: any difference is beyond the bound, which is 0."""
    exactly = Running(before.astype(WIDE), WIDE(0))
    same = (before == after) | np.isnan(before) & np.isnan(after)
    spent = np.where(same, 0.0, np.inf)
    worst = most(spent)
    return Component(before, after, exactly, worst, worst, worst, place(spent, after, exactly))


def most(spent: np.ndarray) -> float:
    return float(np.max(spent, initial=0))


def unbound(x: Running) -> float:
    """The share of numbers without a bound."""
    return float((~np.isfinite(x.error)).mean()) if x.error.size else 0.0


def place(spent: np.ndarray, after: np.ndarray, predicted: Running) -> Place:
    """Where most is spent."""
    if not spent.size:
        return Place(0, 0.0, 0.0, 0.0)
    at = int(np.argmax(spent))
    return Place(at, *(float(x[at]) for x in (after, predicted.value, predicted.error)))


@dataclass(frozen=True, eq=False)
class Moved:
    """One parameter in one step.

    q           the parameter; state  what the optimizer keeps of it, by the names that it has there
    gradient    (d,) float64, as observed before the step; None where there was none
    definition  the rule of this step, None where it is not known; why  the reason then
    kinds       the types of the state
    at          the places of the numbers that were followed, None where all were: arrays have no others
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    q: Component
    state: dict[str, Component]
    gradient: np.ndarray | None
    definition: Definition | None = None
    why: str = ""
    kinds: dict[str, str] = field(default_factory=dict)
    at: torch.Tensor | None = None

    @property
    def p(self) -> Component | None:
        """The covector, where the rule keeps one: momentum buffer or first moment."""
        if self.definition is None or not self.definition.has_covector:
            return None
        return next((x for name, x in self.state.items() if KEPT.get(name) == COVECTOR), None)

    @property
    def components(self) -> dict[str, Component]:
        """q and the state."""
        return {"q": self.q, **self.state}

    @property
    def spent(self) -> float:
        """The largest spent of its components."""
        return max(x.spent for x in self.components.values())

    @property
    def worst(self) -> tuple[str, Place]:
        """The component that spends most, and where."""
        name = max(self.components, key=lambda x: self.components[x].spent)
        place = self.components[name].worst
        if self.at is None or self.components[name].after.shape != self.at.shape:
            return name, place
        return name, replace(place, at=int(self.at[place.at]))

    @property
    def narrow(self) -> tuple[str, ...]:
        """The state that is kept in a narrower type than the parameter; a single number may be."""
        own = UNITS[self.dtype]
        return tuple(x for x, kind in self.kinds.items() if UNITS.get(kind, 0) > own and x in self.state
                     and self.state[x].after.size > 1)  # fmt: skip

    @property
    def still(self) -> float | None:
        """The share of numbers that stand still although the rule moves them, None where it moves none.

        Less than half a unit in the last place rounds away: numbers of sixteen bits stand still so.
        """
        if self.q.predicted is None or self.gradient is None:
            return None
        pushed = (self.q.predicted.value != self.q.before) & np.isfinite(self.q.predicted.value)
        return float((self.q.after == self.q.before)[pushed].mean()) if pushed.any() else None

    @property
    def frozen(self) -> bool:
        """Whether no number moves although the rule moves some."""
        return self.still == 1.0


@dataclass(frozen=True, eq=False)
class Step:
    """What was judged of one step.

    number    of the calls of the optimizer's step since the judge was made, from 1
    moved     by the parameter's name, of those that were judged
    unjudged  name -> why nothing of that parameter was judged; "" names a reason for the whole step
    unknown   operations without a meaning here: what they made was taken as it stands
    kinds     types in which results of operations were stored, and how often
    """

    number: int
    moved: dict[str, Moved] = field(default_factory=dict)
    unjudged: dict[str, str] = field(default_factory=dict)
    unknown: dict[str, int] = field(default_factory=dict)
    kinds: dict[str, int] = field(default_factory=dict)

    @property
    def spent(self) -> float | None:
        """The largest spent of all parameters, None where none was judged."""
        return max((x.spent for x in self.moved.values()), default=None)

    @property
    def worst(self) -> Moved | None:
        """The parameter that spends most."""
        return max(self.moved.values(), key=lambda x: x.spent, default=None)

    @property
    def passages(self) -> tuple[str, ...]:
        """Types narrower than every parameter through which numbers passed: bounds allow their rounding."""
        widest = max((UNITS[x.dtype] for x in self.moved.values()), default=1.0)
        return tuple(sorted(kind for kind in self.kinds if UNITS[kind] > widest))
