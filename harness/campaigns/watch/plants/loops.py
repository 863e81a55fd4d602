"""Mistakes in a training loop: gradients, clipping, schedulers, batches, modes."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from noether.campaigns.watch.plants.plant import batches, loss_of, made, plant, sgd, trained, validated


@plant("BatchNorm stays in evaluation mode after validation", "in evaluation mode")
def left_in_eval(watching, wrong: bool) -> None:
    net = made("batchnorm-mlp")
    optimizer = sgd(net)
    with watching(net, optimizer):
        for _ in range(3):
            trained(net, optimizer, 4)
            net.eval()
            validated(net)
            if not wrong:
                net.train()


@plant("zero_grad is forgotten", "of the step before was still there")
def never_zeroed(watching, wrong: bool) -> None:
    net = made()
    optimizer = sgd(net, momentum=0.0)
    with watching(net, optimizer):
        for x, y in batches():
            if not wrong:
                optimizer.zero_grad()
            loss_of(net, x, y).backward()
            optimizer.step()


@plant("zero_grad stands between backward and step", "was given no gradient")
def zeroed_too_late(watching, wrong: bool) -> None:
    net = made()
    optimizer = sgd(net)
    with watching(net, optimizer):
        for x, y in batches():
            if not wrong:
                optimizer.zero_grad()
            loss_of(net, x, y).backward()
            if wrong:
                optimizer.zero_grad()
            optimizer.step()


@plant("gradients are filled with 0 between backward and step", "was given a gradient of 0")
def filled_too_late(watching, wrong: bool) -> None:
    net = made()
    optimizer = sgd(net)
    with watching(net, optimizer):
        for x, y in batches():
            if not wrong:
                optimizer.zero_grad(set_to_none=False)
            loss_of(net, x, y).backward()
            if wrong:
                optimizer.zero_grad(set_to_none=False)
            optimizer.step()


@plant("clipped before GradScaler.unscale_", "before unscale_")
def clipped_scaled(watching, wrong: bool) -> None:
    net = made()
    optimizer = sgd(net, momentum=0.0)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**16)
    with watching(net, optimizer):
        for x, y in batches():
            optimizer.zero_grad()
            scaler.scale(loss_of(net, x, y)).backward()
            if not wrong:
                scaler.unscale_(optimizer)
            torch.nn.utils.clip_grad_norm_(net.parameters(), 0.1)
            scaler.step(optimizer)
            scaler.update()


@plant("the scheduler is stepped by batch and by epoch", "was stepped 2 times between")
def stepped_twice(watching, wrong: bool) -> None:
    net = made()
    optimizer = sgd(net)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 20)
    with watching(net, optimizer):
        for _ in range(3):
            for x, y in batches(4):
                optimizer.zero_grad()
                loss_of(net, x, y).backward()
                optimizer.step()
                scheduler.step()
            validated(net)
            if wrong:
                scheduler.step()


@plant("the scheduler is never stepped", "was never stepped")
def never_stepped(watching, wrong: bool) -> None:
    net = made()
    optimizer = sgd(net)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.1, total_steps=20)
    with watching(net, optimizer):
        for x, y in batches():
            optimizer.zero_grad()
            loss_of(net, x, y).backward()
            optimizer.step()
            if not wrong:
                scheduler.step()


@plant(
    "the loss is not divided by the number of micro batches",
    blind="a sum over micro batches is as right as their mean: the number of calls and the factor 1 are told",
)
def undivided(watching, wrong: bool) -> None:
    net = made()
    optimizer = sgd(net, lr=0.01)
    with watching(net, optimizer):
        for n, (x, y) in enumerate(batches(16, 16)):
            (loss_of(net, x, y) / (1 if wrong else 4)).backward()
            if n % 4 == 3:
                optimizer.step()
                optimizer.zero_grad()


@plant("labels are shuffled", blind="the watch does not know what a right label is")
def shuffled(watching, wrong: bool) -> None:
    net = made()
    optimizer = sgd(net)
    with watching(net, optimizer):
        for x, y in batches():
            y = y[torch.randperm(len(y))] if wrong else y
            optimizer.zero_grad()
            loss_of(net, x, y).backward()
            optimizer.step()


@plant("half of the batch is detached from the loss", "rows 16 to 31")
def half_detached(watching, wrong: bool) -> None:
    net = made()
    optimizer = sgd(net)
    with watching(net, optimizer):
        for x, y in batches():
            optimizer.zero_grad()
            out = net(x)
            if wrong:
                out = torch.cat([out[:16], out[16:].detach()])
            F.cross_entropy(out, y).backward()
            optimizer.step()


class Margin(torch.autograd.Function):
    """The mean of squares, with its backward pass by hand."""

    @staticmethod
    def forward(ctx, off, sign):
        ctx.save_for_backward(off)
        ctx.sign = sign
        return off.square().mean()

    @staticmethod
    def backward(ctx, slope):
        (off,) = ctx.saved_tensors
        return ctx.sign * slope * 2 * off / off.numel(), None


@plant(
    "a loss has the wrong sign in its own backward",
    blind="what the loss sends back is taken as it comes: any slope of the outputs is that of some loss",
)
def wrong_sign_of_loss(watching, wrong: bool) -> None:
    net = made()
    optimizer = sgd(net, lr=0.01)
    with watching(net, optimizer):
        for x, y in batches():
            optimizer.zero_grad()
            Margin.apply(net(x) - F.one_hot(y, 10), -1.0 if wrong else 1.0).backward()
            optimizer.step()


@plant(
    "the loss is of raw probabilities that a softmax was put on twice",
    blind="softmax of softmax is a loss as good as any: only whoever knows what was meant can tell",
)
def softmax_twice(watching, wrong: bool) -> None:
    net = made()
    optimizer = sgd(net)
    with watching(net, optimizer):
        for x, y in batches():
            optimizer.zero_grad()
            out = net(x)
            F.cross_entropy(out.softmax(1) if wrong else out, y).backward()
            optimizer.step()
