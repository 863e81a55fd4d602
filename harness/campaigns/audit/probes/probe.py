"""What a probe is, on what it stands, and how two ways to the same place become a verdict."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch

from noether.campaigns.audit.course import Beginning, Course, Experiment, Place, compared, same
from noether.campaigns.audit.finding import HOLDS, INCONCLUSIVE, OUTSIDE, VIOLATED
from noether.campaigns.audit.ground import Ground
from noether.campaigns.audit.identify import name_of
from noether.campaigns.audit.subject import Subject, TargetError
from noether.optimizers.anatomy import Anatomy


@dataclass(frozen=True)
class Outcome:
    """What a probe found: a verdict, a sentence, and a distance in units of its bound where there is one."""

    verdict: str
    reason: str
    spent: float | None = None
    data: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Stand:
    """What a probe stands on.

    anatomy      what the subject obeys, None where it is not known
    elementwise  each element moves as it would alone
    alone        each tensor moves as it would alone
    sure         both follow from an anatomy that has a name, so that whatever contradicts them is a defect;
                 where they were only measured, it may be what the optimizer is meant to do
    stochastic   the motion depends on torch.manual_seed
    repeats      a second optimizer with the same seed moves as the first one did
    """

    ground: Ground
    anatomy: Anatomy | None
    elementwise: bool
    alone: bool
    sure: bool
    stochastic: bool
    repeats: bool

    @property
    def subject(self) -> Subject:
        """What is probed."""
        return self.ground.subject

    @property
    def wrong(self) -> str:
        """The verdict of what contradicts the rule of single elements and tensors."""
        return VIOLATED if self.sure else INCONCLUSIVE


@dataclass(frozen=True)
class Probe:
    """A probe.

    name   what is tried
    sees   what it can see
    blind  what it cannot
    run    run(stand) -> Outcome; TargetError means that the code under audit refused
    """

    name: str
    sees: str
    blind: str
    run: Callable[[Stand], Outcome]


def agree(subject: Subject, experiment: Experiment, held: str, broken: str, wrong: str = VIOLATED) -> Outcome:
    """The outcome of an experiment whose pairs must be the same.

    held, broken  what is told where they are and where they are not
    wrong         the verdict where they are not
    """
    found = compared(subject, experiment)
    if found.in_bits:
        return Outcome(HOLDS, f"{held}, bit for bit", 0.0)
    if found.lost:
        return Outcome(INCONCLUSIVE, f"bits differ where none need to, and no bound is known: {found.lost}")
    if found.agrees:
        return Outcome(HOLDS, f"{held}, within rounding", found.spent)
    return Outcome(wrong, broken, found.spent)


def stand(ground: Ground, anatomy: Anatomy | None) -> Stand:
    """What probes of a subject stand on: what its anatomy says, and where there is none what is measured."""
    first, again, otherwise = (once(ground, seed) for seed in (0, 0, 1))
    chance = {"repeats": same(first, again)}
    chance["stochastic"] = chance["repeats"] and not same(first, otherwise)
    if anatomy is not None:
        single = elementwise(anatomy)
        # A step that bears no name may be the first phase of a rule which does something else later.
        return Stand(ground, anatomy, single, True, name_of(anatomy) is not None, **chance)
    single = ground.plain and measured(ground, lambda begin: halves(begin, ground))
    alone = measured(ground, lambda begin: neighbours(begin, ground))
    return Stand(ground, None, single, alone, False, **chance)


def elementwise(anatomy: Anatomy) -> bool:
    """Whether each element moves by itself, by the rule."""
    F = anatomy.features
    single = F["form"] in ("plain", "sign", "resilient") and F["scope"] == "each"
    return F["family"] == "elementwise" and single


def once(ground: Ground, seed: int) -> torch.Tensor:
    """Where a tensor is after a course with a seed of torch's."""
    return (
        Course(ground.subject, [ground.start()], seed=seed)
        .through([[g] for g in ground.pulls()])
        .place()
        .real
    )


def measured(ground: Ground, experiment: Experiment) -> bool:
    """Whether the pairs of an experiment agree."""
    try:
        found = compared(ground.subject, experiment)
    except TargetError:
        return False
    return found.agrees and (found.in_bits or found.lost is None)


def halves(begin: Beginning, ground: Ground, cut: int = 7, dtype="float64") -> list[tuple[Place, Place]]:
    """One tensor of one axis, and the same in two pieces."""
    start, pulls = ground.start(dtype=dtype), ground.pulls(dtype=dtype)
    whole, pieces = begin([start]), begin([start[:cut], start[cut:]])
    found = []
    for g in pulls:
        whole.step([g])
        pieces.step([g[:cut].clone(), g[cut:].clone()])
        there = whole.place()
        found += [(there.at(slice(cut)), pieces.place(0)), (there.at(slice(cut, None)), pieces.place(1))]
    return found


def neighbours(begin: Beginning, ground: Ground, dtype: str = "float64") -> list[tuple[Place, Place]]:
    """Two tensors in one optimizer, and each in one of its own."""
    starts = [ground.start(i, dtype=dtype) for i in (0, 1)]
    pulls = [ground.pulls(i, dtype=dtype) for i in (0, 1)]
    both, alone = begin(starts), [begin([x]) for x in starts]
    found = []
    for row in zip(*pulls, strict=True):
        both.step(list(row))
        found += [(both.place(i), alone[i].step([row[i]]).place()) for i in (0, 1)]
    return found


CRASHES = (AttributeError, IndexError, KeyError, TypeError, NameError, ZeroDivisionError)
"""What is no refusal in words but a mistake of the code that raises it."""


def crashed(error: TargetError) -> bool:
    """Whether what was raised looks like a mistake, not like a refusal."""
    return isinstance(error.error, CRASHES)


def untold(why: str) -> Outcome:
    """The outcome of a probe that does not apply."""
    return Outcome(OUTSIDE, why)
