"""Mistakes in the step itself: optimizers by hand, and weights that somebody else writes to."""

from __future__ import annotations

import copy

import torch

from noether.campaigns.watch.plants.plant import batches, loss_of, made, plant, sgd, trained


class SGD(torch.optim.Optimizer):
    """SGD with momentum, written by hand.

    times  the factor on the rate;  buffer  the type of the momentum buffer
    """

    def __init__(self, params, lr, momentum=0.9, weight_decay=0.0, times=1.0, buffer=torch.float32):
        super().__init__(params, dict(lr=lr, momentum=momentum, weight_decay=weight_decay))
        self.times, self.buffer = times, buffer

    @torch.no_grad()
    def step(self):
        """One step."""
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                g = p.grad.add(p, alpha=group["weight_decay"])
                state = self.state[p]
                if "momentum_buffer" not in state:
                    state["momentum_buffer"] = g.to(self.buffer, copy=True)
                else:
                    state["momentum_buffer"].mul_(group["momentum"]).add_(g)
                p.add_(state["momentum_buffer"], alpha=-group["lr"] * self.times)


class AdamW(torch.optim.Optimizer):
    """AdamW, written by hand. coupled: the decay goes into the gradient, as in Adam with L2."""

    def __init__(self, params, lr=1e-2, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.1, coupled=False):
        super().__init__(params, dict(lr=lr, betas=betas, eps=eps, weight_decay=weight_decay))
        self.coupled = coupled

    @torch.no_grad()
    def step(self):
        """One step."""
        for group in self.param_groups:
            (b1, b2), lr, k = group["betas"], group["lr"], group["weight_decay"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                state, g = self.state[p], p.grad
                if not state:
                    state.update(step=0, exp_avg=torch.zeros_like(p), exp_avg_sq=torch.zeros_like(p))
                state["step"] += 1
                if self.coupled:
                    g = g.add(p, alpha=k)
                else:
                    p.mul_(1 - lr * k)
                m, s = state["exp_avg"], state["exp_avg_sq"]
                m.lerp_(g, 1 - b1)
                s.mul_(b2).addcmul_(g, g, value=1 - b2)
                n = state["step"]
                denominator = (s.sqrt() / (1 - b2**n) ** 0.5).add_(group["eps"])
                p.addcdiv_(m, denominator, value=-lr / (1 - b1**n))


@plant(
    "SGD by hand moves by a part in a thousand too far", "not within the rounding of the definition of sgd"
)
def too_far(watching, wrong: bool) -> None:
    net = made()
    optimizer = SGD(net.parameters(), lr=0.05, times=1.001 if wrong else 1.0)
    with watching(net, optimizer):
        trained(net, optimizer)


@plant("AdamW by hand couples its decay", "not within the rounding of the definition of adamw")
def coupled(watching, wrong: bool) -> None:
    net = made()
    optimizer = AdamW(net.parameters(), coupled=wrong)
    with watching(net, optimizer):
        trained(net, optimizer)


@plant("momentum is kept in bfloat16", "momentum_buffer in bfloat16")
def narrow_momentum(watching, wrong: bool) -> None:
    net = made()
    optimizer = SGD(net.parameters(), lr=0.05, buffer=torch.bfloat16 if wrong else torch.float32)
    with watching(net, optimizer):
        trained(net, optimizer)


@plant("weights are clipped between forward and step", "between the network's call and the step")
def clipped_weights(watching, wrong: bool) -> None:
    net = made()
    optimizer = sgd(net)
    with watching(net, optimizer):
        for x, y in batches():
            optimizer.zero_grad()
            loss_of(net, x, y).backward()
            if wrong:
                with torch.no_grad():
                    for p in net.parameters():
                        p.clamp_(-0.05, 0.05)
            optimizer.step()


@plant("a spectral norm is divided out of the weights in place", "by something else than its optimizer")
def divided(watching, wrong: bool) -> None:
    net = made()
    if not wrong:
        torch.nn.utils.parametrizations.spectral_norm(next(net.children()))
    optimizer = sgd(net)
    with watching(net, optimizer):
        for x, y in batches():
            if wrong:
                weight = next(net.parameters())
                weight.data /= torch.linalg.matrix_norm(weight.data, 2)
            optimizer.zero_grad()
            loss_of(net, x, y).backward()
            optimizer.step()


@plant("averaged weights are copied back into the network", "by something else than its optimizer")
def averaged_back(watching, wrong: bool) -> None:
    net = made()
    optimizer, ema = sgd(net), copy.deepcopy(net)
    with watching(net, optimizer):
        for x, y in batches():
            optimizer.zero_grad()
            loss_of(net, x, y).backward()
            optimizer.step()
            with torch.no_grad():
                for mean, p in zip(ema.parameters(), net.parameters(), strict=True):
                    mean.lerp_(p, 0.1)
                    if wrong:
                        p.copy_(mean)


@plant(
    "the rate is ten times too large",
    blind="a rate is what a script says it is: the angle by which layers turn is told",
)
def large_rate(watching, wrong: bool) -> None:
    net = made()
    optimizer = sgd(net, lr=0.5 if wrong else 0.05)
    with watching(net, optimizer):
        trained(net, optimizer)
