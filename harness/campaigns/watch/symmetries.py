"""The families of symmetries of a network under watch, from its first call that was looked at.

A symmetry of the loss alone, as of a softmax that the script computes, is left out: here nobody knows the
loss, and what it sends back has been rounded.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from noether.networks.check import walked
from noether.networks.families import Family
from noether.networks.twin import Call


def found(model: torch.nn.Module, calls: Sequence[Call]) -> list[Family]:
    """The families that hold whatever the loss is. Raises NoTwin."""
    proposed, _ = walked(model, calls[0])
    return [family for family in proposed if not family.of_loss]
