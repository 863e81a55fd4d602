"""Which rule a subject obeys: what is claimed of it where something is, else what its motion says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from noether.campaigns.audit.anatomy import Anatomy
from noether.campaigns.audit.claims import claimed, like_of, numbers_of
from noether.campaigns.audit.finding import HOLDS, INCONCLUSIVE, VIOLATED, Finding
from noether.campaigns.audit.fitting import uncertainties, worst
from noether.campaigns.audit.identify import Found, identify, name_of
from noether.campaigns.audit.naming import WORDS, changed, described, deviation, told
from noether.campaigns.audit.reproduction import shown
from noether.campaigns.audit.scripted import Script
from noether.campaigns.audit.subject import Motion, Subject, TargetError, Trial, observed
from noether.system.usage import UsageError, brief

ALIKE = 2.0**-20  # of an argument: a number that was fitted is that argument


def arguments(subject: Subject, script: Script) -> dict:
    """What the optimizer is made with, its own defaults included. Raises UsageError where it cannot be."""
    try:
        optimizer = Trial(subject, [script.q0], "float64").optimizer
    except TargetError as error:
        given = ", ".join(f"{name}={brief(x)}" for name, x in subject.options.items()) or "no options"
        raise UsageError(
            f"{subject.word} cannot be made with {given}: {type(error.error).__name__}: {error.error}; "
            "--arg NAME=VALUE gives it an option"
        ) from None
    own = getattr(optimizer, "defaults", None)
    return {**(own if isinstance(own, dict) else {}), **subject.options}


def rule(subject: Subject, like: str | None, script: Script) -> tuple[Finding, Anatomy | None, Motion]:
    """What is found of the rule, the anatomy that it obeys, and its motion in float64."""
    given = arguments(subject, script)
    motion = observed(subject, script, "float64")
    if like is not None:
        return against(subject, like, given, script, motion)
    name = like_of(subject.word)
    if name is not None and worst(claimed(name, given), motion.seen) <= 1:
        return obeys(claimed(name, given), motion, given), claimed(name, given), motion
    starts = (claimed(name, given),) if name else ()
    if motion.told.left:
        with default_type(torch.float64):
            sharper = observed(subject, script, "float64")
        sharp = identify(sharper.seen, numbers_of(given), starts)
        if sharp.fits and worst(sharp.anatomy, motion.seen) > 1:
            return coarse(subject, sharp.anatomy, motion), sharp.anatomy, sharper
    found = identify(motion.seen, numbers_of(given), starts)
    if not found.fits:
        return nearest(found, motion), None, motion
    return obeys(found.anatomy, motion, given, found, name), found.anatomy, motion


def against(subject: Subject, like: str, given: dict, script: Script, motion: Motion):
    """What is found against a claim."""
    claim = claimed(like, given, subject.options)
    if worst(claim, motion.seen) <= 1:
        return obeys(claim, motion, given), claim, motion
    if motion.told.left:
        with default_type(torch.float64):
            sharper = observed(subject, script, "float64")
        if worst(claim, sharper.seen) <= 1:
            return coarse(subject, claim, motion), claim, sharper
    wrong = deviation(claim, motion.seen)
    if wrong is None:  # the bound is too wide to see anything
        return Finding("rule", like, INCONCLUSIVE, "rounding hides the motion"), None, motion
    where = f"it differs from {like} first in step {wrong.step}, by {wrong.relative:.3g} of a step"
    reason = f"{where}: {wrong.reason}" if wrong.reason else f"{where}; no change of an option explains it"
    data = {"step": wrong.step, "relative": wrong.relative, "changes": [list(x) for x in wrong.changes]}
    found = Finding(
        "rule", like, VIOLATED, reason, wrong.spent, data, shown(subject, claim, motion, wrong.step)
    )
    return found, wrong.found, motion


def obeys(anatomy: Anatomy, motion: Motion, given: dict, found: Found | None = None, name=None) -> Finding:
    """What is told of an anatomy that fits."""
    sure = uncertainties(anatomy, motion.seen)
    numbers = {WORDS[key]: (value, sure[key]) for key, value in anatomy.numbers}
    known = name_of(anatomy)
    data = {
        "anatomy": anatomy.features,
        "numbers": {key: list(x) for key, x in numbers.items()},
        "described": described(anatomy),
        "others": [told(changed(anatomy, x)) for x in (found.others if found else ())],
        "remarks": remarks(anatomy, given, name),
    }
    listed = ", ".join(f"{key} {value:.6g} ± {plus:.1g}" for key, (value, plus) in numbers.items())
    reason = f"it moves as {known or 'a step of its own'} ({listed})"
    return Finding("rule", known or "unnamed", HOLDS, reason, worst(anatomy, motion.seen), data)


def remarks(anatomy: Anatomy, given: dict, name: str | None) -> list[str]:
    """Where the name or an argument says something else than the motion."""
    lines = []
    if name is not None:
        difference = told(changed(claimed(name, given), anatomy))
        lines.append(f"its name says {name}, but {difference}" if difference else "")
    for number, value in numbers_of(given).items():
        if number in anatomy.values and abs(anatomy.values[number] - value) > ALIKE * abs(value):
            lines.append(f"{WORDS[number]} is given as {value:.6g} and acts as {anatomy.values[number]:.6g}")
    return [x for x in lines if x]


def nearest(found: Found, motion: Motion) -> Finding:
    """What is told where no anatomy fits."""
    spent = found.spent if found.spent < float("inf") else None
    name = name_of(found.anatomy) or ", ".join(described(found.anatomy)) or "gradient descent"
    near = f"the nearest of {found.tried} is {name}, off by {found.misfit:.2g} of a step"
    reason = f"no known step moves as this; {near}"
    unknown = ", ".join(sorted(motion.told.unknown))
    reason += f"; operations without a meaning here: {unknown}" if unknown else ""
    data = {"anatomy": found.anatomy.features, "misfit": found.misfit, "unknown": dict(motion.told.unknown)}
    return Finding("rule", "none known", INCONCLUSIVE, reason, spent, data)


def coarse(subject: Subject, claim: Anatomy, motion: Motion) -> Finding:
    """What is told where a number that left the tensors was too coarse for their type."""
    spent = worst(claim, motion.seen)
    reason = (
        "a number of the step is kept in torch's default type, float32, although parameters are float64: "
        "coefficients have 24 bits (with torch.set_default_dtype(torch.float64) all is right)"
    )
    data = {"left": dict(motion.told.left), "anatomy": claim.features}
    return Finding(
        "rule", name_of(claim) or "unnamed", VIOLATED, reason, spent, data, shown(subject, claim, motion)
    )


@contextmanager
def default_type(kind: torch.dtype) -> Iterator[None]:
    """A context with another default type of torch."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(kind)
    try:
        yield
    finally:
        torch.set_default_dtype(before)
