"""Options that must matter: each is switched, and the motion must change as its name says.

An option that changes nothing, bit for bit, is named. Where the anatomy of the step is known, the changed
motion is held against the anatomies for which the option may stand, and it is told as which of them it acts.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch

from noether.campaigns.audit.course import Course, same
from noether.campaigns.audit.finding import HOLDS, INCONCLUSIVE, OUTSIDE, VIOLATED, Finding
from noether.campaigns.audit.fitting import fitted, worst
from noether.campaigns.audit.ground import Ground
from noether.campaigns.audit.identify import name_of
from noether.campaigns.audit.implementations_part import IMPLEMENTATIONS
from noether.campaigns.audit.maximize import descent_of_minus
from noether.campaigns.audit.naming import explained
from noether.campaigns.audit.option_meanings import acts, against, alternatives
from noether.campaigns.audit.option_values import NoOther, flags, needed, other, smaller
from noether.campaigns.audit.reproduction import shown, unchanged_shown
from noether.campaigns.audit.rule_part import Ruled, default_type
from noether.campaigns.audit.subject import Subject, TargetError, observed
from noether.optimizers.claims import NUMBERS, SWITCHES, numbers_of

LONG = 60
"""Steps of the second try of an option that seems to change nothing, on a matrix."""
SEARCHES = 2
"""How many options are searched for what explains them, where nothing that is expected does."""
SURE = {"lr", "learning_rate", "weight_decay", "wd", "maximize", "amsgrad"}
"""Options whose names leave no doubt that they must change the motion. Momentum may come in a later phase."""
KNOWN = (set(NUMBERS) | set(SWITCHES) | {"betas"}) - {"alpha", "rho", "eps", "eps1", "epsilon"}
"""Options that must change the motion where the rule has a name: others may have a use for them elsewhere."""


def options(ground: Ground, ruled: Ruled | None) -> Iterator[Finding]:
    """Yield a finding for each option; what the subject obeys with its own options is `ruled`."""
    searches = [SEARCHES]
    for name, annotation in ground.accepts.items():
        if name in IMPLEMENTATIONS:
            continue
        try:
            value = other(name, ground.given.get(name), annotation)
        except NoOther as why:
            yield Finding("options", name, OUTSIDE, f"not switched: {why}")
            continue
        try:
            yield option(ground, name, value, ruled, searches)
        except TargetError as error:
            yield Finding("options", name, OUTSIDE, f"{name}={short(value)} is refused: {error}")
    if "maximize" in ground.accepts:
        yield descent_of_minus(ground)


def option(ground: Ground, name: str, value, ruled: Ruled | None, searches: list) -> Finding:
    """The finding of one option."""
    beside = first_that_matters(ground, name, value)
    was = ground.given.get(name)
    if beside is None and (less := smaller(was)) is not None and first_that_matters(ground, name, less) == {}:
        value, beside = less, {}
    said = f"{name}={short(value)}"
    if beside is None and (flag := flag_that_matters(ground, name, value)) is not None:
        reason = f"{said} changes nothing unless {' and '.join(f'{x}={y}' for x, y in flag.items())}"
        return Finding("options", name, INCONCLUSIVE, reason)
    if beside is None:
        has_name = ruled is not None and ruled.anatomy is not None and name_of(ruled.anatomy) is not None
        return nothing(name, value, said, ground, KNOWN if has_name else SURE)
    said += f" beside {', '.join(f'{x}={short(y)}' for x, y in beside.items())}" if beside else ""
    if ruled is None or ruled.anatomy is None:
        return Finding("options", name, HOLDS, f"{said} changes the motion", data={"value": short(value)})
    anatomy, before, after = ruled.anatomy, ground.given, {**ground.given, **beside, name: value}
    changed = ground.subject.having(**beside, **{name: value})
    with default_type(torch.float64 if ruled.coarse else torch.get_default_dtype()):
        motion = observed(changed, ruled.script, "float64")
    seen = motion.seen
    data: dict = {"value": short(value), "beside": {x: short(y) for x, y in beside.items()}}
    likely = alternatives(anatomy, before, after, ground.like)
    found = next((x for x in likely if worst(x, seen) <= 1), None)
    if found is None and (free := sorted(numbers_of({name: value}))):
        fits = [fitted(x, seen, free).anatomy for x in likely[:2] if set(free) <= set(x.values)]
        found = next((x for x in fits if worst(x, seen) <= 1), None)
    if found is None and not heard(name):
        return Finding("options", name, HOLDS, f"{said} changes the motion; what it stands for is not known")
    if found is None and searches[0]:
        searches[0] -= 1
        found = explained(likely[0], seen)
    if found is None:
        reason = f"{said} changes the motion, not as any meaning that is known of this name"
        return Finding("options", name, INCONCLUSIVE, reason, worst(likely[0], seen), data)
    data["acts"] = found.features | found.values
    if wrong := against(name, anatomy, found, before, after, ground.like):
        spent, script = worst(likely[0], seen), shown(changed, likely[0], motion)
        return Finding("options", name, VIOLATED, f"{said}: {wrong}", spent, data, script)
    reason = f"{said} acts as: {acts(anatomy, found)}"
    return Finding("options", name, HOLDS, reason, worst(found, seen), data)


def heard(name: str) -> bool:
    """Whether the name of an option says what it stands for."""
    return name in NUMBERS or name in SWITCHES or name == "betas"


def first_that_matters(ground: Ground, name: str, value) -> dict | None:
    """The options beside which this one changes the motion: none if it does alone; None if it never does."""
    refused = None
    for steps, shape in ((12, ground.shape), (LONG, (4, 6))):
        for beside in needed(name, ground.given):
            try:
                base = moved(ground, ground.subject.having(**beside), steps, shape)
                changed = moved(ground, ground.subject.having(**beside, **{name: value}), steps, shape)
            except TargetError as error:
                refused = error
                continue
            if not same(base, changed):
                return beside
            refused = refused or False
    if refused:
        raise refused
    return None


def flag_that_matters(ground: Ground, name: str, value) -> dict | None:
    """The flag that must be turned round for an option to change the motion, None where there is none."""
    for flag in flags(name, ground.given, (*IMPLEMENTATIONS, "maximize")):
        try:
            if not same(
                *(
                    moved(ground, ground.subject.having(**flag, **x), 12, ground.shape)
                    for x in ({}, {name: value})
                )
            ):
                return flag
        except TargetError:
            continue
    return None


def moved(ground: Ground, subject: Subject, steps: int, shape: tuple[int, ...]) -> torch.Tensor:
    """Where a tensor is after so many steps, in float64: gradients of all sizes, none, and some that fade."""
    start = ground.start(1, *shape, dtype="float64")
    sizes = torch.logspace(0, -6, start.numel(), dtype=torch.float64)
    sizes[-1], sizes[1::3] = 0, 1
    fades = torch.ones(start.numel(), dtype=torch.float64)
    fades[1::3] = 0.8
    pulls = ground.pulls(1, *shape, steps=steps, dtype="float64")
    if not ground.sparse:
        pulls = [g * (sizes * fades**n).reshape(shape) for n, g in enumerate(pulls)]
    return Course(subject, [start]).through([[g] for g in pulls]).place().real


def nothing(name: str, value, said: str, ground: Ground, sure: set[str]) -> Finding:
    """What is told of an option that changes nothing."""
    where = f"bit for bit, in 12 steps of a tensor {list(ground.shape)} nor in {LONG} of a matrix"
    if name in sure and ground.given.get(name) is not None:
        script = unchanged_shown(ground.subject, name, value)
        return Finding("options", name, VIOLATED, f"{said} changes nothing, {where}", script=script)
    reason = f"{said} changes nothing, {where}; its name does not say when it should"
    return Finding("options", name, INCONCLUSIVE, reason)


def short(value) -> str:
    """A value in a few characters."""
    if isinstance(value, float):
        return f"{value:.6g}"
    return repr(value.item() if isinstance(value, torch.Tensor) and value.numel() == 1 else value)[:60]
