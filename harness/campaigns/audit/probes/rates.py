"""Probes of the learning rate: changed on the way, zero, and a tensor."""

from __future__ import annotations

import numpy as np
import torch

from noether.campaigns.audit.course import Beginning, Course, same, target
from noether.campaigns.audit.finding import HOLDS, INCONCLUSIVE, VIOLATED
from noether.campaigns.audit.option_meanings import near
from noether.campaigns.audit.probes.probe import Outcome, Probe, Stand, agree, untold
from noether.optimizers.claims import number
from noether.optimizers.functions import PYTHON

EXACT = 2.0**-7
"""An lr that every type holds."""


def rate(stand: Stand) -> float | None:
    """The lr that the subject is made with, None where it has none."""
    return number(stand.ground.given.get("lr"))


def acts_as_rate(stand: Stand) -> bool:
    """Whether lr is known to be the factor of the step: neither its start, nor a bound, nor a schedule's."""
    if stand.anatomy is None:
        return False
    F = stand.anatomy.features
    direct = F["family"] == "elementwise" and F["form"] != "resilient" and F["rate"] != "averaged"
    return direct and near(stand.anatomy.values["eta"], rate(stand))


def set_rate(course: Course, lr: float) -> None:
    """What a scheduler does."""
    with target("its param_groups are read"):
        for group in course.optimizer.param_groups:
            group["lr"] = lr


def changed(stand: Stand) -> Outcome:
    """An lr that is doubled in param_groups doubles the next step."""
    lr = rate(stand)
    if not lr:
        return untold("it has no lr")
    if not hasattr(Course(stand.subject, [stand.ground.start()]).optimizer, "param_groups"):
        return untold("it has no param_groups")
    start, pulls = stand.ground.start(dtype="float64"), stand.ground.pulls(dtype="float64")
    kept, doubled = (Course(stand.subject, [start], shadow=True) for _ in range(2))
    for course in (kept, doubled):
        course.through([[g] for g in pulls[:3]])
        course.shadow.forget()
    before = kept.place().real.double().numpy().astype(np.longdouble)
    set_rate(doubled, 2 * lr)
    one, two = kept.step([pulls[3]]).place(), doubled.step([pulls[3]]).place()
    if same(one.real, two.real):
        late = not same(*(x.step([pulls[4]]).place().real for x in (kept, doubled)))
        when = "acts a step later only" if late else "changes nothing in the next steps"
        verdict = VIOLATED if acts_as_rate(stand) else INCONCLUSIVE
        return Outcome(verdict, f"an lr that is changed in param_groups {when}")
    if not acts_as_rate(stand) or stand.anatomy.features["decay"] == "unscaled":
        return Outcome(HOLDS, "a changed lr acts in the next step")
    first, second = (x.real.double().numpy() - before for x in (one, two))
    room = two.error + 2 * one.error + PYTHON * 2.0**-53 * (2 * abs(first) + abs(second))
    spent = float((abs(second - 2 * first) / np.where(room > 0, room, 1)).max())
    told = kept.shadow.told
    if spent <= 1 and not told.unknown and not told.left:
        return Outcome(HOLDS, "an lr that is doubled in param_groups doubles the next step", spent)
    if spent <= 1:
        return Outcome(HOLDS, "a changed lr acts in the next step")
    reason = "an lr that is doubled in param_groups acts in the next step, which is not doubled: "
    reason += "a part of the step has kept the former lr"
    return Outcome(INCONCLUSIVE, reason, spent)


def nothing(stand: Stand) -> Outcome:
    """An lr of 0 moves nothing, and spoils nothing for later steps."""
    lr = rate(stand)
    if not lr:
        return untold("it has no lr")
    pulls = [[g] for g in stand.ground.pulls()]
    course = Course(stand.subject.having(lr=0.0), [stand.ground.start()])
    course.through(pulls[:4])
    if not same(course.place().real, stand.ground.start()):
        unscaled = stand.anatomy is not None and stand.anatomy.features["decay"] == "unscaled"
        if unscaled:
            return Outcome(HOLDS, "with an lr of 0 parameters decay all the same: decay is not times lr")
        verdict = VIOLATED if acts_as_rate(stand) else INCONCLUSIVE
        return Outcome(verdict, "parameters move although lr is 0")
    if hasattr(course.optimizer, "param_groups"):
        set_rate(course, lr)
        course.through(pulls[4:])
        if not bool(course.place().real.isfinite().all()):
            return Outcome(VIOLATED, "after steps with an lr of 0 parameters are no numbers")
    return Outcome(HOLDS, "an lr of 0 moves nothing, and later steps stay finite")


def as_tensor(stand: Stand) -> Outcome:
    """An lr that is a tensor acts as the same number."""
    if rate(stand) is None:
        return untold("it has no lr")
    lr = torch.tensor(EXACT)

    def experiment(begin: Beginning) -> list:
        plain = begin([stand.ground.start()], lr=EXACT)
        tensor = begin([stand.ground.start()], lr=lr)
        return [(plain.step([g]).place(), tensor.step([g]).place()) for g in stand.ground.pulls()]

    found = agree(
        stand.subject,
        experiment,
        "an lr that is a tensor acts as the same number",
        "an lr that is a tensor acts otherwise than the same number",
    )
    if lr.item() != EXACT:
        return Outcome(VIOLATED, f"the tensor that is given as lr is changed, from {EXACT} to {lr.item()}")
    return found


PROBES = (
    Probe(
        "lr changed on the way",
        "an lr that is read once, or a step later",
        "schedules that know the optimizer",
        changed,
    ),
    Probe("lr 0", "what lr does not scale, and division by lr", "an lr that is almost 0", nothing),
    Probe("lr as a tensor", "a tensor that is changed", "tensors that have gradients", as_tensor),
)
"""In the order in which they are told."""
