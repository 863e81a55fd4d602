"""Mistakes in which parameters an optimizer holds, with which options, in which type."""

from __future__ import annotations

import copy

import torch
from torch import nn
from torch.nn import functional as F

from noether.campaigns.watch.plants.plant import batches, loss_of, made, plant, sgd, trained


@plant("a head was put in after the optimizer was made", "no optimizer holds")
def new_head(watching, wrong: bool) -> None:
    net = made("batchnorm-mlp")
    old = sgd(net)
    net.head = nn.Linear(32, 10)
    optimizer = old if wrong else sgd(net)
    with watching(net, optimizer):
        trained(net, optimizer)


@plant("the network was copied after the optimizer was made", "is no parameter of the network")
def copied(watching, wrong: bool) -> None:
    first = made("batchnorm-mlp")
    optimizer = sgd(first)
    net = copy.deepcopy(first) if wrong else first
    with watching(net, optimizer):
        trained(net, optimizer)


class Listed(nn.Module):
    """Hidden layers in a list."""

    def __init__(self, wrong: bool):
        super().__init__()
        layers = [nn.Linear(32, 32) for _ in range(2)]
        self.first, self.head = nn.Linear(64, 32), nn.Linear(32, 10)
        self.layers = layers if wrong else nn.ModuleList(layers)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, 64) to (n, 10)."""
        h = torch.relu(self.first(x))
        for layer in self.layers:
            h = torch.relu(layer(h))
        return self.head(h)


@plant("layers are kept in a plain list", "in a plain list")
def plain_list(watching, wrong: bool) -> None:
    torch.manual_seed(0)
    net = Listed(wrong)
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-2)
    with watching(net, optimizer):
        trained(net, optimizer)


class Grown(nn.Module):
    """A network to which a layer is added while it is trained."""

    def __init__(self):
        super().__init__()
        self.first, self.added, self.head = nn.Linear(64, 32), None, nn.Linear(32, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, 64) to (n, 10)."""
        h = torch.relu(self.first(x))
        return self.head(h if self.added is None else torch.relu(self.added(h)))


@plant("a layer added later is not given to the optimizer", "no optimizer holds")
def grown(watching, wrong: bool) -> None:
    torch.manual_seed(0)
    net = Grown()
    optimizer = sgd(net)
    with watching(net, optimizer):
        trained(net, optimizer, 4)
        net.added = nn.Linear(32, 32)
        if not wrong:
            optimizer.add_param_group({"params": net.added.parameters()})
        trained(net, optimizer, 4)


@plant("a layer stayed frozen", "does not require a gradient")
def frozen(watching, wrong: bool) -> None:
    net = made()
    if wrong:
        net.first.requires_grad_(False)
    optimizer = sgd(net)
    with watching(net, optimizer):
        trained(net, optimizer)


@plant("the rate of a group is 0", "lr is 0")
def no_rate(watching, wrong: bool) -> None:
    net = made()
    layers = list(net.children())
    slow = {"params": layers[0].parameters(), "lr": 0.0 if wrong else 0.01}
    fast = {"params": [p for layer in layers[1:] for p in layer.parameters()]}
    optimizer = torch.optim.SGD([slow, fast], lr=0.05)
    with watching(net, optimizer):
        trained(net, optimizer)


@plant(
    "biases and normalisations decay too",
    "weight decay 0.1 on 3 matrices, 2 of them of a length that the loss does not know and 7 vectors",
)
def decay_of_all(watching, wrong: bool) -> None:
    net = made("batchnorm-mlp")
    matrices = [p for p in net.parameters() if p.ndim > 1]
    others = [p for p in net.parameters() if p.ndim < 2]
    groups = [{"params": matrices}, {"params": others, "weight_decay": 0.0}]
    if wrong:
        groups = net.parameters()
    optimizer = torch.optim.AdamW(groups, lr=1e-2, weight_decay=0.1)
    with watching(net, optimizer):
        trained(net, optimizer)


@plant("only layers before a normalisation decay", "weight decay 0.01 on 2 matrices, 2 of them of a length")
def decay_of_normalised(watching, wrong: bool) -> None:
    net = made("batchnorm-mlp")
    decays = [net.first.weight, net.second.weight] + ([] if wrong else [net.head.weight])
    others = [p for p in net.parameters() if not any(p is x for x in decays)]
    groups = [{"params": decays}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.SGD(groups, lr=0.05, weight_decay=1e-2)
    with watching(net, optimizer):
        trained(net, optimizer)


@plant("bfloat16 weights without float32 ones beside them", "stand still")
def bfloat16(watching, wrong: bool) -> None:
    net = made()
    dtype = torch.bfloat16 if wrong else torch.float32
    net.to(dtype)
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-5)
    with watching(net, optimizer):
        for x, y in batches():
            optimizer.zero_grad()
            F.cross_entropy(net(x.to(dtype)).float(), y).backward()
            optimizer.step()


@plant("weights are cast in place while they are trained", "became bfloat16")
def cast_in_place(watching, wrong: bool) -> None:
    net = made()
    optimizer = sgd(net)
    with watching(net, optimizer):
        trained(net, optimizer, 4)
        if wrong:
            for p in net.parameters():
                p.data = p.data.to(torch.bfloat16)
                p.grad = None
        for x, y in batches(4):
            optimizer.zero_grad()
            loss_of(net, x.to(next(net.parameters()).dtype), y).backward()
            optimizer.step()
