"""From what was measured in a sample to tallies: which number is compared, and what would have been seen."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from noether.campaigns.watch.gradient import NEAR, Along, Slopes
from noether.campaigns.watch.tally import BALANCE, SLOPE, STEP, Book
from noether.networks.charges import balance
from noether.networks.families import Family
from noether.networks.step_rule import Unjudged
from noether.verdicts.judgement import Worst, highest, worst
from noether.verdicts.power import ENOUGH

STEP_OFF = "update x (1 + 2^-10)"
BALANCE_OFF = "what a step adds to a charge x (1 + 2^-10)"
SLOPE_OFF = "2^-10 of a gradient along a symmetry"

MOTION = 16.0
"""A charge must move by this many bounds somewhere, or nothing was shown."""


def steps(book: Book, number: int, step, precisions: dict[str, str]) -> None:
    """N1: each parameter's update. step: a noether.networks.moved.Step; number: of the training, from 1."""
    for name, why in step.unjudged.items():
        for one in [name] if name else list(precisions):
            book.of(STEP, one, precision=precisions.get(one, "")).hindered[why] += 1
    for name, moved in step.moved.items():
        tally = book.of(STEP, name, precision=moved.dtype)
        if moved.gradient is None and moved.spent == 0:
            tally.hindered["it had no gradient"] += 1
            continue
        component, place = moved.worst
        at = Worst(moved.spent, place.stored, place.predicted, place.bound, (place.at,))
        moves = bool((moved.q.after != moved.q.before).any())
        what = "" if component == "q" else f" of its {component}"
        rule = f"the definition of {moved.definition.like}" if moved.definition else "its own operations"
        how = "is within" if moved.spent <= 1 else "is not within"
        said = f"number {place.at}{what} {how} the rounding of {rule}"
        tally.numbers = max(tally.numbers, len(moved.q.after))
        tally.judged(number, at, said, enough=moves)
        if moved.why:
            tally.data["rule"] = moved.why
        if moved.q.predicted is not None and moves and moved.gradient is not None:
            power_of_step(tally, moved.q)


def power_of_step(tally, q) -> None:
    """What a change of the update would have been seen from, and whether one of 2^-10 would have been."""
    value, bound = (np.asarray(x, float) for x in (q.predicted.value, q.predicted.error))
    update = value - q.before
    seen = np.isfinite(bound) & (update != 0)
    if not seen.any():
        return
    tally.saw(float((2 * bound[seen] / np.abs(update[seen])).min()))
    planted = worst(q.after[seen], (value + NEAR * update)[seen], bound[seen])
    keep_worst(tally, STEP_OFF, planted)


def keep_worst(tally, fault: str, planted: Worst) -> None:
    """Of planted faults the one that is seen best."""
    there = tally.planted.get(fault)
    if there is None or (planted.spent or 0) > (there.spent or 0):
        tally.planted[fault] = planted


def balances(book: Book, number: int, step, families: Iterable[Family]) -> None:
    """N2: the charge of each family whose parameters were all looked at."""
    for family in families:
        if not all(name in step.moved for name in family.parameters):
            continue
        kinds = "+".join(dict.fromkeys(step.moved[name].dtype for name in family.parameters))
        tally = book.of(BALANCE, family.words, symmetry=family.kind, precision=kinds)
        try:
            with np.errstate(all="ignore"):
                balanced(tally, number, balance(family, step.moved))
        except Unjudged as why:
            tally.hindered[str(why)] += 1


def balanced(tally, number: int, found) -> None:
    """One charge in one step. found: a noether.networks.charges.Balance."""
    at, predicted = highest(found.spent), np.asarray(found.predicted, float)
    after, before, bound = (np.asarray(x, float) for x in (found.after, found.before, found.bound))
    moves = bool((np.abs(after - before) >= MOTION * bound).any())
    if not np.isfinite(bound[at]):
        tally.hindered["its rounding has no bound"] += 1
        return
    numbers = (float(x[at]) for x in (found.spent, after, predicted, bound))
    name = {"momentum": "<p, xi>", "norm": "half the square", "translation": "the sum"}[found.law]
    how = "balances" if found.spent[at] <= 1 else "does not balance"
    said = f"the charge {place_of(found.worst)}, {name}, {how} to rounding"
    tally.numbers = max(tally.numbers, after.size)
    tally.judged(number, Worst(*numbers, found.worst), said, enough=moves)
    if len(found.generators) == found.family.n:
        size, lost = (float(np.sqrt(np.square(x).sum())) for x in (after, after - predicted))
        first = tally.data.get("first_charge", size)
        tally.data.update(charge=size, first_charge=first, law=found.law, lost=lost)
    added = sum(np.asarray(x, float) for part, x in found.parts.items() if part != "kept")
    seen = np.isfinite(bound) & (added != 0)
    if seen.any():
        tally.saw(float((2 * bound[seen] / np.abs(added[seen])).min()))
        keep_worst(tally, BALANCE_OFF, worst(after[seen], (predicted + NEAR * added)[seen], bound[seen]))


def place_of(at: tuple[int, ...]) -> str:
    """The index of a generator in words."""
    return f"{at[0]}" if len(at) == 1 else "({}, {})".format(*at)


def slopes(book: Book, number: int, found: Slopes, precision: str) -> None:
    """N3: what the gradient has along each family."""
    for x in found.along:
        tally = book.of(SLOPE, x.family.words, symmetry=x.family.kind, precision=precision)
        tally.numbers = x.family.count
        tally.data.update(share=max(x.share, tally.data.get("share", 0.0)), why=x.family.why)
        if x.broken is not None:
            tally.data["broken"] = max(x.broken, tally.data.get("broken", 0.0))
            tally.outside["the network itself breaks it: its outputs change too"] += 1
            continue
        along(tally, number, x)


def along(tally, number: int, x: Along) -> None:
    """One family in one sample."""
    if not np.isfinite(x.power):
        tally.hindered["the gradient of all that it moves is 0"] += 1
        return
    said = f"the gradient has {x.worst.measured:.2g} along generator {place_of(x.worst.at)}"
    if x.worst.predicted:
        said += f", of which eps gives {x.worst.predicted:.2g}"
    if x.worst.spent is not None and not x.worst.spent <= 1:
        said += ", although the outputs do not change along it: the backward pass is wrong there"
    tally.judged(number, x.worst, said, enough=x.power <= ENOUGH)
    tally.saw(x.power)
    keep_worst(tally, SLOPE_OFF, x.planted)
