"""Which anatomy moves as an optimizer was seen to move: a search from well-known ones, feature by feature.

Each well-known anatomy is fitted first. The nearest are then changed in one feature at a time and fitted
again, until one moves as was observed within the bound of both. Where several do, the one of fewest numbers
and plainest options is taken, and the others are told: these gradients do not tell them apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

from noether.campaigns.audit.fitting import Fit, all_fitted, fitted, scaled, worst
from noether.campaigns.audit.observed import Observed
from noether.optimizers.anatomy import Anatomy
from noether.optimizers.features import FEATURES, GUESS, meant
from noether.optimizers.well_known import WELL_KNOWN

NEAREST, ROUNDS = 4, 6
BRIEF = 15  # rounds of a fit in the search; what is near goes on


@dataclass(frozen=True)
class Found:
    """What the search found.

    anatomy  the anatomy that fits, or the nearest
    spent    its largest distance to what was observed over the bound; it fits where this is at most 1
    misfit   the same in units of how far parameters move in a step, as a root mean square
    others   anatomies that fit as well
    tried    how many anatomies were fitted
    """

    anatomy: Anatomy
    spent: float
    misfit: float
    others: tuple[Anatomy, ...]
    tried: int

    @property
    def fits(self) -> bool:
        """Whether the anatomy moves as was observed."""
        return self.spent <= 1


def identify(seen: Observed, hints: dict | None = None, starts=()) -> Found:
    """Search for the anatomy of what was observed.

    hints   numbers where fits begin, as the optimizer's own arguments tell them
    starts  anatomies to begin with beside the well-known ones
    """
    numbers = GUESS | {name: x for name, x in (hints or {}).items() if name in GUESS and usable(name, x)}
    tried: dict[tuple, Fit] = {}
    begun = [*starts, *beginnings(numbers, len(seen.shape or ()) == 2)]
    for start in begun:
        tried.setdefault(start.options, settle(start, seen))
    expanded: set[tuple] = set()
    for _ in range(ROUNDS):
        if found := fitting(tried, seen):
            break
        order = sorted(tried.values(), key=promise)
        nearest = [fit for fit in order if fit.anatomy.options not in expanded][:NEAREST]
        for fit in nearest:
            expanded.add(fit.anatomy.options)
            for other in neighbours(fit.anatomy, numbers):
                if other.options not in tried:
                    tried[other.options] = settle(other, seen)
    else:
        found = fitting(tried, seen)
    if not found:
        nearest = min(tried.values(), key=lambda fit: fit.misfit)
        return Found(nearest.anatomy, worst(nearest.anatomy, seen), nearest.misfit, (), len(tried))
    return chosen(found, tried, numbers, seen)


def beginnings(numbers: dict, matrix: bool) -> list[Anatomy]:
    """The well-known anatomies, each in both directions and with the usual kinds of decay."""
    found = []
    for options in WELL_KNOWN.values():
        if options.get("family") == "muon" and not matrix:
            continue
        for decay in ("none", "coupled", "decoupled"):
            for direction in ("descent", "ascent"):
                found.append(Anatomy.of(numbers, **{**options, "decay": decay, "direction": direction}))
    return found


ELSEWHERE = {"stability": 1e-3, "beta2": 0.95}
"""Where a fit begins a second time: from far away eps is seen by nothing."""
BETAS = (0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.999)
"""Memories in use. A sign hides all but its changes, and no slope leads from one to another."""


def promise(fit: Fit) -> float:
    """How far a fit is: the order of its misfit, and a little for all that is not plain, so that an option
    which improves next to nothing does not lead the search."""
    numbers, options, _ = plainness(fit.anatomy)
    return float(np.log10(max(fit.misfit, 1e-300))) + 0.1 * (numbers + options)


def chosen(found: list[Fit], tried: dict, numbers: dict, seen: Observed) -> Found:
    """The plainest of what fits, and what fits beside it."""
    for other in neighbours(found[0].anatomy, numbers):  # also those that have failed from elsewhere
        fit = fitted(other, seen)
        if other.options not in tried or fit.misfit < tried[other.options].misfit:
            tried[other.options] = fit
    found = sorted(fitting(tried, seen), key=lambda fit: plainness(fit.anatomy))
    first = found[0]
    others = tuple(fit.anatomy for fit in found[1:] if len(fit.anatomy.numbers) <= len(first.anatomy.numbers))
    return Found(first.anatomy, worst(first.anatomy, seen), first.misfit, others, len(tried))


def usable(name: str, x) -> bool:
    """Whether a number can be where a fit begins."""
    return (
        isinstance(x, (int, float)) and np.isfinite(x) and (x > 0 or name in ("tau", "initial", "rate_decay"))
    )


def settle(anatomy: Anatomy, seen: Observed) -> Fit:
    """A fit from where the numbers are, and from elsewhere; one that comes near goes on to the end."""
    if anatomy.features["form"] == "sign":
        return by_memories(anatomy, seen)
    moved = {name: x for name, x in ELSEWHERE.items() if name in anatomy.values}
    starts = [anatomy, anatomy.with_numbers(**moved)] if "stability" in moved else [anatomy]
    fits = all_fitted([(scaled(start, seen), None) for start in starts], seen, rounds=BRIEF)
    fit = min(fits, key=misfit) if fits[0].misfit > 1e-4 else fits[0]
    return fitted(fit.anatomy, seen) if fit.misfit < 1e-4 else fit


def misfit(fit: Fit) -> float:
    """How far a fit is."""
    return fit.misfit


def by_memories(anatomy: Anatomy, seen: Observed) -> Fit:
    """The best fit with memories in use, those of the anatomy first."""
    memories = [name for name in ("beta", "beta2") if name in anatomy.values]
    smooth = [name for name in anatomy.values if name not in memories]
    choices = product(*([anatomy.values[name], *BETAS] for name in memories))
    starts = [anatomy.with_numbers(**dict(zip(memories, values, strict=True))) for values in choices]
    fits = all_fitted([(scaled(start, seen), smooth) for start in starts], seen, rounds=3)
    exact = next((i for i, fit in enumerate(fits) if fit.misfit < 1e-12), len(fits))
    return fitted(min(fits[: exact + 1], key=misfit).anatomy, seen, smooth)


def fitting(tried: dict, seen: Observed) -> list[Fit]:
    """The fits that move as was observed."""
    near = [fit for fit in tried.values() if fit.misfit < 1e-6]
    return [fit for fit in near if worst(fit.anatomy, seen) <= 1]


def plainness(anatomy: Anatomy) -> tuple[int, int, int]:
    """Fewest numbers first, then fewest options that are not the plainest."""
    options = anatomy.features
    places = [list(feature.options).index(options[feature.name]) for feature in FEATURES]
    return len(anatomy.numbers), sum(place > 0 for place in places), sum(places)


def neighbours(anatomy: Anatomy, numbers: dict) -> list[Anatomy]:
    """The anatomies that differ in one feature, and in what that brings with it, each once."""
    found = {}
    values = tuple((numbers | anatomy.values).items())
    for feature in FEATURES:
        if feature.name != "family" and meant(feature, anatomy.features):
            for option in feature.options:
                other = Anatomy(tuple((anatomy.features | {feature.name: option}).items()), values).settled()
                found.setdefault(other.options, other)
    found.pop(anatomy.options, None)
    return list(found.values())


def name_of(anatomy: Anatomy) -> str | None:
    """The well-known name of an anatomy, where it has one, decay and direction aside."""
    for name, options in reversed(WELL_KNOWN.items()):
        same = Anatomy.of(anatomy.values, **options)
        if set(anatomy.differs(same)) <= ({"decay", "direction", "rate"} - set(options)):
            return name
    return None
