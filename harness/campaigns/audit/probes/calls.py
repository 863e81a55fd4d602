"""Probes of how step() is called: its closure, what it returns, and random numbers."""

from __future__ import annotations

import torch

from noether.campaigns.audit.course import Course, target
from noether.campaigns.audit.finding import HOLDS, INCONCLUSIVE, OUTSIDE, VIOLATED
from noether.campaigns.audit.probes.probe import Outcome, Probe, Stand
from noether.campaigns.audit.subject import TargetError

LOSS = 3.25


def closure(stand: Stand) -> Outcome:
    """step(closure) calls it with gradients enabled, and returns its loss."""
    course = Course(stand.subject, [stand.ground.start()])
    (g,) = stand.ground.pulls(steps=1)
    enabled = []

    def evaluate():
        enabled.append(torch.is_grad_enabled())
        course.parameters[0].grad = g.clone()
        return torch.tensor(LOSS)

    try:
        with target("step(closure)"):
            returned = course.optimizer.step(evaluate)
    except TargetError as error:
        if isinstance(error.error, TypeError) and not enabled:
            return Outcome(OUTSIDE, "its step() takes no closure")
        raise
    if not enabled:
        return Outcome(VIOLATED, "step(closure) never calls the closure")
    if not all(enabled):
        return Outcome(VIOLATED, "step(closure) calls the closure with gradients disabled")
    value = returned.item() if isinstance(returned, torch.Tensor) and returned.numel() == 1 else returned
    if value != LOSS:
        return Outcome(VIOLATED, f"step(closure) returns {returned!r}, not the loss of the closure")
    return Outcome(HOLDS, "step(closure) calls it with gradients enabled, and returns its loss")


def seeds(stand: Stand) -> Outcome:
    """The motion does not depend on torch.manual_seed."""
    if not stand.repeats:
        reason = "a second optimizer does not move as the first one did: they share state, or chance comes"
        return Outcome(VIOLATED if stand.anatomy else INCONCLUSIVE, f"{reason} from elsewhere")
    if not stand.stochastic:
        return Outcome(HOLDS, "the motion does not depend on torch.manual_seed")
    if stand.anatomy is not None:
        return Outcome(VIOLATED, "the motion depends on torch.manual_seed, which nothing in its rule does")
    return Outcome(OUTSIDE, "it is stochastic: the motion depends on torch.manual_seed")


PROBES = (
    Probe("closure", "a closure that is not called, or without gradients", "how often it is called", closure),
    Probe("seeds", "random numbers, and state that outlives an optimizer", "chance that is rare", seeds),
)
"""In the order in which they are told."""
