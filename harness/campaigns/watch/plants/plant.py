"""A planted fault: a small training script with a mistake in it, and the same script without.

What a watch should say was written down before any of them was run under one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

from noether.networks.data import data_set
from noether.networks.zoo import network

PLANTS: dict[str, Plant] = {}
"""By name, in the order of the files."""


@dataclass(frozen=True)
class Plant:
    """One mistake.

    script  script(watching, wrong) trains a network; watching(model, optimizer) is the context it runs in
    says    letters that the report must have where the mistake is in; '' where it cannot be seen
    blind   why it cannot be seen, '' where it can
    """

    name: str
    script: Callable
    says: str = ""
    blind: str = ""


def plant(name: str, says: str = "", *, blind: str = "") -> Callable:
    """Put a script into the list under a name, with what was predicted of it."""

    def put(script: Callable) -> Callable:
        PLANTS[name] = Plant(name, script, says, blind)
        return script

    return put


def made(name: str = "relu-mlp-bare", seed: int = 0) -> nn.Module:
    """A network of the catalogue; random numbers begin anew."""
    torch.manual_seed(seed)
    return network(name).make(seed)


def batches(steps: int = 6, size: int = 32) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """(images, digits), one after the other from scikit-learn's digits."""
    data = data_set("digits")
    for n in range(steps):
        at = n * size % (len(data.y) - size)
        yield data.x[at : at + size], data.y[at : at + size]


def validated(net: nn.Module) -> float:
    """The share of test images that a network gets right."""
    data = data_set("digits")
    with torch.no_grad():
        return float((net(data.test_x).argmax(1) == data.test_y).float().mean())


def sgd(net: nn.Module, **options) -> torch.optim.SGD:
    """SGD as most scripts have it."""
    return torch.optim.SGD(net.parameters(), **{"lr": 0.05, "momentum": 0.9, **options})


def loss_of(net: nn.Module, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Cross-entropy of a batch."""
    return F.cross_entropy(net(x), y)


def trained(net: nn.Module, optimizer, steps: int = 6) -> None:
    """The plain loop."""
    for x, y in batches(steps):
        optimizer.zero_grad()
        loss_of(net, x, y).backward()
        optimizer.step()
