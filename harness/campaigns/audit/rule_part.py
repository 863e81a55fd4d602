"""Which rule a subject obeys: what is claimed of it where something is, else what its motion says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from noether.campaigns.audit.arithmetic_part import elsewhere
from noether.campaigns.audit.finding import HOLDS, INCONCLUSIVE, VIOLATED, Finding
from noether.campaigns.audit.fitting import fitted, uncertainties, worst
from noether.campaigns.audit.identify import Found, by_memories, identify, name_of
from noether.campaigns.audit.naming import WORDS, changed, described, deviation, told
from noether.campaigns.audit.reproduction import shown
from noether.campaigns.audit.scripted import Script
from noether.campaigns.audit.scripted import script as scripted
from noether.campaigns.audit.subject import MADE, Motion, Subject, TargetError, Trial, observed
from noether.campaigns.audit.triton_motion import TritonSubject
from noether.optimizers.anatomy import Anatomy
from noether.optimizers.claims import like_of, meanings, numbers_of
from noether.system.usage import UsageError, brief

ALIKE = 2.0**-20  # of an argument: a number that was fitted is that argument
GIVEN = "is given as"


MATRIX = (4, 6)


def fitting_script(subject: Subject, seed: int, name: str | None = None) -> tuple[Script, dict]:
    """The script that a subject takes, of one axis or of a matrix, and what it is made with, its own defaults
    included. Raises UsageError where it takes neither.

    name  the rule that is claimed, if any: one of matrices is tried with a matrix first
    """
    if isinstance(subject, TritonSubject):
        return scripted(seed), subject.options
    refused = None
    for shape in (MATRIX, None) if name == "muon" else (None, MATRIX):
        script = scripted(seed, shape=shape)
        try:
            trial = Trial(subject, [script.q0], "float64")
            own = getattr(trial.optimizer, "defaults", None)
            trial.step([script.gradients[0]])
        except TargetError as error:
            refused = refused or error
            continue
        return script, {**(own if isinstance(own, dict) else {}), **subject.options}
    if refused.stage != MADE:
        raise refused
    given = ", ".join(f"{name}={brief(x)}" for name, x in subject.options.items()) or "no options"
    raise UsageError(
        f"{subject.word} cannot be made with {given}: {type(refused.error).__name__}: {refused.error}; "
        "--arg NAME=VALUE gives it an option"
    )


@dataclass(frozen=True)
class Ruled:
    """What is known of a subject's rule.

    finding  what is told of it
    anatomy  the anatomy that it obeys, None where none is known
    script   the script under which it was seen
    motion   its motion there in float64, of a kernel in the widest type that it is written for
    coarse    whether it obeys it only under torch's default type float64
    """

    finding: Finding
    anatomy: Anatomy | None
    script: Script
    motion: Motion
    coarse: bool = False


def rule(subject: Subject, like: str | None, seed: int) -> Ruled:
    """Look for the rule that a subject obeys. Raises UsageError, TargetError."""
    name = like or like_of(subject.word)
    script, given = fitting_script(subject, seed, name)
    widest = subject.widest if isinstance(subject, TritonSubject) else "float64"
    motion = observed(subject, script, widest)
    if motion.told.outside:
        found = Finding("rule", "none known", INCONCLUSIVE, elsewhere(motion))
        return Ruled(found, None, script, motion)
    claim = None if name is None else standing_for(name, given, subject.options if like else given, motion)
    if claim is not None and worst(claim, motion.seen) <= 1:
        return Ruled(obeys(claim, motion, given), claim, script, motion)
    with default_type(torch.float64):
        sharper = motion if isinstance(subject, TritonSubject) else observed(subject, script, widest)
    if claim is not None and worst(claim, sharper.seen) <= 1:
        return Ruled(coarse(subject, claim, motion), claim, script, sharper, True)
    if like is not None:
        finding, anatomy = against(subject, like, claim, motion)
        return Ruled(finding, anatomy, script, motion)
    found = identify(sharper.seen, numbers_of(given), () if claim is None else (claim,))
    if not found.fits:
        return Ruled(nearest(found, motion), None, script, motion)
    if worst(found.anatomy, motion.seen) > 1:
        return Ruled(coarse(subject, found.anatomy, motion), found.anatomy, script, sharper, True)
    told = obeys(found.anatomy, motion, given, found, claim)
    return Ruled(told, found.anatomy, script, motion)


def standing_for(name: str, given: dict, chosen: dict, motion: Motion) -> Anatomy:
    """The anatomy of a name: the first of its meanings that fits, with the numbers that nobody gave fitted;
    the plain claim where none does."""
    some = meanings(name, given, chosen)
    for claim in some:
        if worst(claim, motion.seen) <= 1:
            return claim
    for claim in some:
        free = set(claim.values) - set(numbers_of(given, name))
        hides = claim.features["form"] == "sign"
        fit = by_memories(claim, motion.seen) if hides else fitted(claim, motion.seen, free)
        if free and worst(fit.anatomy, motion.seen) <= 1:
            return fit.anatomy
    return some[0]


def of_matrices(subject: Subject, ruled: Ruled, seed: int, like: str | None = None) -> Finding | None:
    """What is found of a matrix, where the rule was found of one axis: some rules treat matrices apart. A
    kernel knows no shape."""
    if isinstance(subject, TritonSubject) or ruled.anatomy is None or len(ruled.script.q0.shape) > 1:
        return None
    motion = observed(subject, scripted(seed, shape=MATRIX), "float64")
    spent = worst(ruled.anatomy, motion.seen)
    if spent <= 1:
        return Finding("rule", "matrices", HOLDS, "a matrix moves by the same step", spent)
    with default_type(torch.float64):
        sharper = observed(subject, scripted(seed, shape=MATRIX), "float64")
    if (spent := worst(ruled.anatomy, sharper.seen)) <= 1:
        return Finding("rule", "matrices", HOLDS, "a matrix moves by the same step", spent)
    found = identify(sharper.seen, ruled.anatomy.values, (ruled.anatomy,))
    name = name_of(found.anatomy) or "a step of its own"
    if found.fits and like is not None:
        reason = f"a matrix does not move as {like}: {told(changed(ruled.anatomy, found.anatomy))}"
        return Finding("rule", "matrices", VIOLATED, reason, spent)
    if found.fits:
        return Finding("rule", "matrices", HOLDS, f"a matrix moves by another step: {name}", found.spent)
    return Finding("rule", "matrices", INCONCLUSIVE, "a matrix moves by another step, which is not known")


def against(subject: Subject, like: str, claim: Anatomy, motion: Motion) -> tuple[Finding, Anatomy | None]:
    """What is found against a claim that does not fit, and the anatomy that does."""
    wrong = deviation(claim, motion.seen)
    if wrong is None:  # the bound is too wide to see anything
        return Finding("rule", like, INCONCLUSIVE, "rounding hides the motion"), None
    if wrong.reason is None and motion.told.unknown:
        listed = ", ".join(sorted(motion.told.unknown))
        reason = f"it moves otherwise than {like}; operations without a meaning here: {listed}"
        return Finding("rule", like, INCONCLUSIVE, reason, None), None
    where = f"it differs from {like} first in step {wrong.step}, by {wrong.relative:.3g} of a step"
    reason = f"{where}: {wrong.reason}" if wrong.reason else f"{where}; no change of an option explains it"
    data = {"step": wrong.step, "relative": wrong.relative, "changes": [list(x) for x in wrong.changes]}
    script = shown(subject, claim, motion, wrong.step)
    return Finding("rule", like, VIOLATED, reason, wrong.spent, data, script), wrong.found


def obeys(anatomy: Anatomy, motion: Motion, given: dict, found: Found | None = None, claim=None) -> Finding:
    """What is told of an anatomy that fits; `claim` is what the name says where the motion does not."""
    sure = uncertainties(anatomy, motion.seen)
    numbers = {WORDS[key]: (value, sure[key]) for key, value in anatomy.numbers}
    known = name_of(anatomy)
    data = {
        "anatomy": anatomy.features,
        "numbers": {key: list(x) for key, x in numbers.items()},
        "described": described(anatomy),
        "others": [told(changed(anatomy, x)) for x in (found.others if found else ())],
        "remarks": remarks(anatomy, given, claim),
    }
    listed = ", ".join(f"{key} {value:.6g} ± {plus:.1g}" for key, (value, plus) in numbers.items())
    reason = f"it moves as {known or 'a step of its own'} ({listed})"
    spent = worst(anatomy, motion.seen)
    if known is None and any(GIVEN in x for x in data["remarks"]):
        reason = f"{reason}, but not with the numbers that it was given"
        return Finding("rule", "unnamed", INCONCLUSIVE, reason, spent, data)
    return Finding("rule", known or "unnamed", HOLDS, reason, spent, data)


def remarks(anatomy: Anatomy, given: dict, claim: Anatomy | None) -> list[str]:
    """Where the name or an argument says something else than the motion."""
    lines = []
    if claim is not None:
        difference = told(changed(claim, anatomy))
        lines.append(f"its name says something else: {difference}" if difference else "")
    for number, value in numbers_of(given).items():
        if number in anatomy.values and abs(anatomy.values[number] - value) > ALIKE * abs(value):
            lines.append(f"{WORDS[number]} {GIVEN} {value:.6g} and acts as {anatomy.values[number]:.6g}")
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
