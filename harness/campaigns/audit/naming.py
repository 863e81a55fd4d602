"""What is wrong: the feature or the number in which an optimizer differs from what is said of it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from noether.campaigns.audit.fitting import all_fitted, fitted, worst
from noether.campaigns.audit.identify import Found, identify, neighbours
from noether.campaigns.audit.observed import Observed
from noether.optimizers.anatomy import Anatomy
from noether.optimizers.features import BY_NAME, FEATURES, GUESS, meant
from noether.optimizers.motion import bounded

WORDS = {
    "eta": "lr", "beta": "beta", "beta2": "beta2", "stability": "eps", "k": "weight decay",
    "tau": "dampening", "rate_decay": "lr_decay", "initial": "the start of the second moment",
    "psi": "momentum decay", "tau2": "1 - the share of a new square",
    "beta_c": "the memory of the correction", "lambd": "lambd", "power": "alpha",
    "shrink": "the smaller factor of etas",
    "grow": "the larger factor of etas", "least": "the smallest step size", "most": "the largest step size",
    "beta2_power": "beta2_decay", "floor": "the floor of sizes", "clip": "the clipping of updates",
}  # fmt: skip


ALWAYS = ("first correction", "second correction", "eps")


@dataclass(frozen=True)
class Deviation:
    """How a motion differs from that of a claimed anatomy.

    step      the first step that lies outside the bound, from 1
    spent     the largest distance over its bound
    relative  the largest distance over how far parameters move in a step
    reason    what explains it to the last digit, in words; None where nothing does
    changes   (feature, claimed, found) and (number, claimed, found)
    found     the anatomy that moves as was observed
    """

    step: int
    spent: float
    relative: float
    reason: str | None
    changes: tuple[tuple[str, object, object], ...]
    found: Anatomy | None


def deviation(claimed: Anatomy, seen: Observed, deep: bool = True) -> Deviation | None:
    """How the motion differs from what is claimed; None where it does not.

    deep  also search for any anatomy, where no change of one or two things explains it
    """
    model = bounded(claimed, seen.q0, seen.gradients, seen.shape)
    spent = seen.spent(model)
    if not spent.max() > 1:
        return None
    step = int(np.argmax((spent > 1).any(axis=1))) + 1
    apart = abs(seen.value - model.value) / seen.size
    relative = float(np.nan_to_num(apart, nan=np.inf).max())
    found = explained(claimed, seen)
    if found is None and deep:
        wide: Found = identify(seen, claimed.values, (claimed,))
        found = wide.anatomy if wide.fits else None
    changes = () if found is None else changed(claimed, found)
    return Deviation(step, float(spent.max()), relative, told(changes), changes, found)


def explained(claimed: Anatomy, seen: Observed) -> Anatomy | None:
    """The nearest anatomy that moves as was observed, by how many numbers had to be fitted for it.

    An option that fits with the very numbers that are claimed beats a number that was fitted; that beats an
    option with a number of its own; then two numbers, then an option with all its numbers.
    """
    names = list(claimed.values)
    others = neighbours(claimed, GUESS | claimed.values)
    fits = [x for x in others if set(x.values) <= set(names) and worst(x, seen) <= 1]
    if fits:
        return min(fits, key=lambda x: len(changed(claimed, x)))
    for fit in all_fitted([(claimed, (number,)) for number in names], seen):
        if worst(fit.anatomy, seen) <= 1:
            return fit.anatomy
    fits = [fitted(x, seen, [name for name in x.values if name not in names]).anatomy for x in others]
    if fits := [x for x in fits if worst(x, seen) <= 1]:
        return min(fits, key=lambda x: len(changed(claimed, x)))
    for fit in all_fitted([(claimed, pair) for pair in combinations(names, 2)], seen):
        if worst(fit.anatomy, seen) <= 1:
            return fit.anatomy
    near = sorted((fitted(other, seen, rounds=12) for other in others), key=lambda fit: fit.misfit)[:6]
    for fit in near:
        fit = fitted(fit.anatomy, seen)
        if worst(fit.anatomy, seen) <= 1:
            return fit.anatomy
    return None


def changed(claimed: Anatomy, found: Anatomy) -> tuple[tuple[str, object, object], ...]:
    """What differs: features, then the numbers that both have and that differ by more than their fit."""
    features = [(name, claimed.features[name], found.features[name]) for name in claimed.differs(found)]
    numbers = []
    for name, value in claimed.values.items():
        if name in found.values and not np.isclose(found.values[name], value, rtol=2.0**-30, atol=0):
            numbers.append((name, value, found.values[name]))
    return (*features, *numbers)


def told(changes) -> str | None:
    """The changes in words."""
    if not changes:
        return None
    return "; ".join(map(sentence, changes))


def sentence(change: tuple[str, object, object]) -> str:
    """One change in words: a feature by what its option says, a number with its factor."""
    name, claimed, found = change
    if name in BY_NAME:
        options = BY_NAME[name].options
        return f"{options[found]}; claimed: {options[claimed]}"
    factor = f", a factor of {found / claimed:.6g}" if claimed else ""
    return f"{WORDS[name]} is {found:.10g}, not {claimed:.10g}{factor}"


def described(anatomy: Anatomy) -> list[str]:
    """What a step is made of: the features that are not the plainest, and those that are always asked for."""
    lines = []
    for feature in FEATURES:
        option = anatomy.features[feature.name]
        is_told = option != next(iter(feature.options)) or feature.name in ALWAYS
        if meant(feature, anatomy.features) and is_told:
            lines.append(feature.options[option])
    return lines
