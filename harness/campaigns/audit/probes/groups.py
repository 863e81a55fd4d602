"""Probes of several tensors in one optimizer: groups, their order, others beside them."""

from __future__ import annotations

import torch

from noether.campaigns.audit.course import Beginning, target
from noether.campaigns.audit.finding import INCONCLUSIVE
from noether.campaigns.audit.probes.probe import Outcome, Probe, Stand, agree, neighbours, untold
from noether.optimizers.claims import number


def tensors(stand: Stand, count: int = 2, steps: int = 8):
    """Starts of some tensors, and their gradients step by step."""
    starts = [stand.ground.start(i) for i in range(count)]
    return starts, list(zip(*(stand.ground.pulls(i, steps=steps) for i in range(count)), strict=True))


def together(stand: Stand) -> Outcome:
    """Two tensors in one optimizer move as each alone."""
    if not stand.alone:
        return untold("a tensor moves otherwise beside another one: its rule looks at all of them")
    return agree(
        stand.subject,
        lambda begin: neighbours(begin, stand.ground, "float32"),
        "each of two tensors moves as alone",
        "a tensor moves otherwise when another one is in the same optimizer",
        stand.wrong,
    )


def with_options(stand: Stand) -> Outcome:
    """Groups with their own lr and decay move as optimizers with these."""
    if not stand.alone:
        return untold("a tensor moves otherwise beside another one: its rule looks at all of them")
    lr = number(stand.ground.given.get("lr"))
    decay = next((x for x in ("weight_decay", "wd") if x in stand.ground.accepts), None)
    if not lr and decay is None:
        return untold("it has neither lr nor decay")
    own = [{"lr": lr}, {"lr": 3 * lr}] if lr else [{}, {}]
    own = [{**x, decay: 0.05 * i} for i, x in enumerate(own)] if decay else own

    def experiment(begin: Beginning) -> list:
        starts, pulls = tensors(stand)
        grouped = begin(
            starts, groups=lambda ps: [{"params": [p], **x} for p, x in zip(ps, own, strict=True)]
        )
        alone = [begin([start], **x) for start, x in zip(starts, own, strict=True)]
        pairs = []
        for row in pulls:
            grouped.step(row)
            pairs += [(grouped.place(i), alone[i].step([row[i]]).place()) for i in range(2)]
        return pairs

    said = " and ".join(own[0])
    return agree(
        stand.subject,
        experiment,
        f"groups with {said} of their own move as optimizers with these",
        f"a group with {said} of its own moves otherwise than an optimizer with these",
        stand.wrong,
    )


def added(stand: Stand) -> Outcome:
    """A group that is added midway moves as one that begins then, and changes nothing for the others."""

    def experiment(begin: Beginning, others: bool) -> list:
        starts, pulls = tensors(stand)
        course, first = begin(starts[:1]), begin(starts[:1])
        for row in pulls[:3]:
            course.step(row[:1])
            first.step(row[:1])
        course.parameters.append(torch.nn.Parameter(starts[1].clone()))
        with target("a group is added"):
            course.optimizer.add_param_group({"params": [course.parameters[1]]})
        second = begin(starts[1:])
        pairs = []
        for row in pulls[3:]:
            course.step(row)
            pairs.append(
                (course.place(0), first.step(row[:1]).place())
                if others
                else (course.place(1), second.step(row[1:]).place())
            )
        return pairs

    if not hasattr(stand.subject.make, "add_param_group"):
        return untold("it has no add_param_group()")
    if not stand.alone:
        return untold("a tensor moves otherwise beside another one: its rule looks at all of them")
    kept = "a group that is added leaves the others as they are"
    moved = "tensors move otherwise after a group was added"
    found = agree(stand.subject, lambda begin: experiment(begin, True), kept, moved, stand.wrong)
    if found.verdict != "holds":
        return found
    anew = "a group that is added midway begins as a new one, and leaves the others as they are"
    late = "a group that is added midway does not begin as a new one: it goes on with the others' count"
    return agree(stand.subject, lambda begin: experiment(begin, False), anew, late, INCONCLUSIVE)


def reversed_order(stand: Stand) -> Outcome:
    """The order of parameters does not matter."""

    def experiment(begin: Beginning) -> list:
        starts, pulls = tensors(stand, 3)
        one, two = begin(starts), begin(starts[::-1])
        pairs = []
        for row in pulls:
            one.step(row)
            two.step(row[::-1])
            pairs += zip(one.places(), two.places()[::-1], strict=True)
        return pairs

    held = "tensors move the same in any order"
    return agree(stand.subject, experiment, held, "tensors move otherwise in another order")


def apart_from_another(stand: Stand) -> Outcome:
    """Two optimizers share nothing."""

    def experiment(begin: Beginning) -> list:
        starts, pulls = tensors(stand)
        alone = begin(starts[:1]).through([row[:1] for row in pulls])
        one, two = begin(starts[:1]), begin(starts[1:])
        for row in pulls:
            two.step(row[1:])
            one.step(row[:1])
        return [(alone.place(), one.place())]

    return agree(
        stand.subject,
        experiment,
        "two optimizers do not touch each other",
        "an optimizer moves otherwise while another one is at work: they share something",
    )


PROBES = (
    Probe(
        "two tensors",
        "state or counts that tensors share by mistake",
        "what tensors share on purpose",
        together,
    ),
    Probe(
        "groups",
        "an lr or a decay that is taken from the defaults, or from the first group",
        "options of a group other than lr and decay",
        with_options,
    ),
    Probe("added group", "groups that are set up only at the beginning", "groups of several tensors", added),
    Probe("order", "tensors that take another one's state", "groups in another order", reversed_order),
    Probe(
        "two optimizers",
        "state that lies in the class or the module",
        "optimizers of the same parameters",
        apart_from_another,
    ),
)
"""In the order in which they are told."""
