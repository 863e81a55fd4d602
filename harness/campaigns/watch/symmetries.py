"""The families of symmetries of a network under watch, from its first call that was looked at.

A symmetry of the loss alone, as of a softmax that the script computes, is left out: here nobody knows the
loss, and what it sends back has been rounded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch

from noether.networks.check import walked
from noether.networks.families import Family
from noether.networks.twin import Call, NoTwin

MOST = 5_000_000
"""Numbers of a network, beyond which looking for its symmetries takes longer than ten seconds or so."""


def found(model: torch.nn.Module, calls: Sequence[Call]) -> list[Family]:
    """The families that hold whatever the loss is. Raises NoTwin.

    Of a network that is called in parts those of each part, whose own outputs they leave alone.
    """
    numbers = sum(p.numel() for p in model.parameters() if p.requires_grad)
    if numbers > MOST:
        raise NoTwin(f"it has {numbers} numbers, and symmetries are looked for in at most {MOST}")
    families = []
    for name in dict.fromkeys(call.module for call in calls):
        call = next(call for call in calls if call.module == name)
        proposed, _ = walked(model.get_submodule(name), inside(call))
        families += [under(name, family) for family in proposed if not family.of_loss]
    return families


def inside(call: Call) -> Call:
    """The call as the part sees it that was called."""
    if not call.module:
        return call
    top = call.module + "."
    own = {name.removeprefix(top): x for name, x in call.training.items() if name.startswith(top)}
    written = {name.removeprefix(top): x for name, x in call.written.items() if name.startswith(top)}
    training = {"": call.training.get(call.module, True), **own}
    return replace(call, module="", training=training, written=written)


def under(name: str, family: Family) -> Family:
    """A family of a part by the names of the whole."""
    if not name:
        return family
    full = lambda x: f"{name}.{x}" if x else name
    parts = tuple(replace(part, parameter=full(part.parameter)) for part in family.parts)
    breaks = tuple(replace(x, module=full(x.module)) for x in family.breaks)
    return replace(family, words=f"{name}: {family.words}", parts=parts, breaks=breaks)
