"""All probes of a subject, each a finding with what it can see and cannot."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from noether.campaigns.audit.finding import HOLDS, INCONCLUSIVE, OUTSIDE, VIOLATED, Finding
from noether.campaigns.audit.ground import Ground
from noether.campaigns.audit.probes import calls, gradients, groups, rates, saved, shapes
from noether.campaigns.audit.probes.probe import Outcome, Probe, Stand, stand
from noether.campaigns.audit.subject import TargetError
from noether.optimizers.anatomy import Anatomy

PROBES: tuple[Probe, ...] = (
    *calls.PROBES, *groups.PROBES, *shapes.PROBES, *gradients.PROBES, *rates.PROBES, *saved.PROBES,
)  # fmt: skip
SWITCHES = ("foreach", "fused")
"""Implementations that are probed too, beside the one that the subject has by default."""


def probes(ground: Ground, anatomy: Anatomy | None) -> Iterator[Finding]:
    """Yield a finding for each probe, then what other implementations do otherwise."""
    there = stand(ground, anatomy)
    found = {}
    for probe in PROBES:
        outcome = found[probe.name] = tried(probe, there)
        data = {"sees": probe.sees, "blind": probe.blind, **outcome.data}
        yield Finding("probes", probe.name, outcome.verdict, outcome.reason, outcome.spent, data)
    for name in SWITCHES:
        if name in ground.accepts and not ground.given.get(name):
            yield from switched(ground, anatomy, name, found)


def switched(ground: Ground, anatomy: Anatomy | None, name: str, plain: dict) -> Iterator[Finding]:
    """Yield what probes find wrong or open with an implementation and not with the usual one, and how many
    hold."""
    off = {x: False for x in SWITCHES if x in ground.accepts}
    other = replace(ground, subject=ground.subject.having(**{**off, name: True}))
    label = f"with {name}=True"
    try:
        there = stand(other, anatomy)
    except TargetError as error:
        yield Finding("probes", label, OUTSIDE, f"refused, {error}")
        return
    done = 0
    for probe in PROBES:
        outcome = tried(probe, there)
        before = plain[probe.name].verdict
        is_worse = (
            outcome.verdict == VIOLATED != before or outcome.verdict == INCONCLUSIVE and before == HOLDS
        )
        if is_worse:
            data, named = {"sees": probe.sees, "blind": probe.blind, **outcome.data}, f"{probe.name}, {label}"
            yield Finding("probes", named, outcome.verdict, outcome.reason, outcome.spent, data)
        done += outcome.verdict == HOLDS
    yield Finding("probes", label, HOLDS, f"{done} of {len(PROBES)} probes hold; what does not is told apart")


def tried(probe: Probe, there: Stand) -> Outcome:
    """What a probe finds. What the target raises is a refusal; what else is raised is an error of ours."""
    try:
        found = probe.run(there)
    except TargetError as error:
        return Outcome(OUTSIDE, f"refused, {error}")
    chance = there.stochastic or not there.repeats
    if chance and probe.name not in ("seeds", "closure") and found.verdict == VIOLATED:
        return Outcome(INCONCLUSIVE, f"{found.reason}; but it does not move the same again", found.spent)
    return found
