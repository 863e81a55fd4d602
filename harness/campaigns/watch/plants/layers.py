"""Mistakes inside of a network: backward passes by hand, dropout, recomputation."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from noether.campaigns.watch.plants.plant import batches, loss_of, plant, sgd, trained


class ByHand(torch.autograd.Function):
    """A leaky ReLU whose slopes are of the backward pass's own. chosen: whether it is made of torch.where."""

    @staticmethod
    def forward(ctx, x, up, down, chosen):
        ctx.save_for_backward(x)
        ctx.slopes = up, down
        return torch.where(x > 0, x, 0.1 * x) if chosen else F.leaky_relu(x, 0.1)

    @staticmethod
    def backward(ctx, slope):
        (x,) = ctx.saved_tensors
        up, down = ctx.slopes
        return torch.where(x > 0, up * slope, down * slope), None, None, None


class Leaky(nn.Module):
    """The function as a module."""

    def __init__(self, *options):
        super().__init__()
        self.options = options

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, ...) of the same shape."""
        return ByHand.apply(x, *self.options)


def leaky(up: float, down: float, *, chosen: bool = False) -> nn.Module:
    """A hidden layer with it."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(64, 32), Leaky(up, down, chosen), nn.Linear(32, 10))


@plant("an activation has the wrong sign in its own backward", "N3 of")
def wrong_sign(watching, wrong: bool) -> None:
    net = leaky(1.0, -0.1 if wrong else 0.1)
    optimizer = sgd(net)
    with watching(net, optimizer):
        trained(net, optimizer)


@plant("an activation made of torch.where has the wrong sign in its own backward", "N3 of")
def wrong_sign_chosen(watching, wrong: bool) -> None:
    net = leaky(1.0, -0.1 if wrong else 0.1, chosen=True)
    optimizer = sgd(net)
    with watching(net, optimizer):
        trained(net, optimizer)


@plant("a layer's own backward is off by a part in 1024", "N3 of")
def off_by_little(watching, wrong: bool) -> None:
    off = 1 + 2.0**-10 if wrong else 1.0
    net = leaky(off, 0.1 * off)
    optimizer = sgd(net)
    with watching(net, optimizer):
        trained(net, optimizer)


class Shift(torch.autograd.Function):
    """The mean over the batch is subtracted."""

    @staticmethod
    def forward(ctx, x, wrong):
        ctx.wrong = wrong
        return x - x.mean(0)

    @staticmethod
    def backward(ctx, slope):
        return slope if ctx.wrong else slope - slope.mean(0), None


class Centred(nn.Module):
    """A hidden layer whose mean over the batch is subtracted."""

    def __init__(self, wrong: bool):
        super().__init__()
        self.first, self.head, self.wrong = nn.Linear(64, 32), nn.Linear(32, 10), wrong

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, 64) to (n, 10)."""
        return self.head(torch.relu(Shift.apply(self.first(x), self.wrong)))


@plant("a normalisation's own backward forgets the mean", "N3 of")
def forgotten_mean(watching, wrong: bool) -> None:
    torch.manual_seed(0)
    net = Centred(wrong)
    optimizer = sgd(net)
    with watching(net, optimizer):
        trained(net, optimizer)


class Dropped(nn.Module):
    """A hidden layer with dropout that is computed again in the backward pass."""

    def __init__(self, preserve: bool):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Dropout(0.5))
        self.head, self.preserve = nn.Linear(32, 10), preserve

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, 64) to (n, 10)."""
        how = dict(use_reentrant=False, preserve_rng_state=self.preserve)
        return self.head(checkpoint(self.body, x, **how))


@plant("dropout draws again where a layer is recomputed", "something else too")
def drawn_again(watching, wrong: bool) -> None:
    torch.manual_seed(0)
    net = Dropped(not wrong)
    optimizer = sgd(net)
    with watching(net, optimizer):
        trained(net, optimizer)


class Entered(nn.Module):
    """A layer, and a hidden one with dropout that is computed again, in the older way of doing so.

    first  whether a layer with parameters stands before it
    """

    def __init__(self, first: bool = True):
        super().__init__()
        self.first = nn.Linear(64, 64) if first else nn.Identity()
        self.body = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Dropout(0.5))
        self.head = nn.Linear(32, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, 64) to (n, 10)."""
        return self.head(checkpoint(self.body, torch.relu(self.first(x)), use_reentrant=True))


@plant("dropout is off where a layer is recomputed", "something else too")
def off_in_recomputation(watching, wrong: bool) -> None:
    torch.manual_seed(0)
    net = Entered()
    optimizer = sgd(net)
    with watching(net, optimizer):
        for x, y in batches():
            net.train()
            optimizer.zero_grad()
            loss = F.cross_entropy(net(x), y)
            if wrong:
                net.eval()
            loss.backward()
            optimizer.step()


@plant("a recomputed layer reads an input that requires no gradient", "no gradient in any step")
def no_gradient_in(watching, wrong: bool) -> None:
    torch.manual_seed(0)
    net = Entered(first=False)
    optimizer = sgd(net)
    with watching(net, optimizer):
        for x, y in batches():
            optimizer.zero_grad()
            loss_of(net, x if wrong else x.clone().requires_grad_(), y).backward()
            optimizer.step()


@plant("part of a network is detached by mistake", "no gradient in any step")
def detached(watching, wrong: bool) -> None:
    torch.manual_seed(0)

    class Cut(nn.Sequential):
        def forward(self, x):
            h = torch.relu(self[0](x))
            return self[1](h.detach() if wrong else h)

    net = Cut(nn.Linear(64, 32), nn.Linear(32, 10))
    optimizer = sgd(net)
    with watching(net, optimizer):
        for x, y in batches():
            optimizer.zero_grad()
            loss_of(net, x, y).backward()
            optimizer.step()
