"""Small trainings of many kinds, with and without a watch: what tests of the watch are made of."""

from __future__ import annotations

from contextlib import nullcontext

import torch
from torch import nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

STEPS = 8


class Blocks(nn.Module):
    """Convolutions with batch normalisation and dropout; a block may be checkpointed."""

    def __init__(self, checkpointed: bool = False):
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(1, 4, 3, bias=False), nn.BatchNorm2d(4), nn.ReLU())
        self.second = nn.Sequential(nn.Conv2d(4, 4, 3), nn.GroupNorm(2, 4), nn.ReLU(), nn.Dropout(0.3))
        self.head = nn.Linear(4 * 16, 5)
        self.checkpointed = checkpointed

    def forward(self, x):
        x = self.first(x)
        x = checkpoint(self.second, x, use_reentrant=False) if self.checkpointed else self.second(x)
        return self.head(x.flatten(1))


class Judged(nn.Module):
    """A network that is called by keywords and returns its loss beside its scores, as transformers do."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(11, 16)
        self.layer = nn.TransformerEncoderLayer(16, 2, 32, dropout=0.1, batch_first=True)
        self.head = nn.Linear(16, 11)

    def forward(self, tokens=None, labels=None):
        scores = self.head(self.layer(self.embed(tokens)))
        return {"loss": functional.cross_entropy(scores.flatten(0, 1), labels.flatten()), "logits": scores}


def pictures(generator) -> tuple[torch.Tensor, torch.Tensor]:
    return (
        torch.randn(12, 1, 8, 8, generator=generator),
        torch.randint(5, (12,), generator=generator),
    )


class Training:
    """One training: network, optimizer and loop, all from one seed.

    make      network -> optimizer;  autocast  the type of autocast
    scaler, accumulate, scheduled, closure, clip, none   what else the loop does
    """

    def __init__(
        self, make, net=Blocks, *, autocast=None, scaler=False, accumulate=1, scheduled=False,
        closure=False, clip=None, dtype=None, none=True,
    ):  # fmt: skip
        self.make, self.net, self.autocast, self.scaled, self.accumulate = (
            make,
            net,
            autocast,
            scaler,
            accumulate,
        )
        self.scheduled, self.closure, self.clip, self.dtype, self.none = scheduled, closure, clip, dtype, none

    def loss(self, net, generator):
        if isinstance(net, Judged):
            tokens = torch.randint(11, (3, 6), generator=generator)
            return net(tokens=tokens, labels=tokens.roll(1, 1))["loss"]
        x, y = pictures(generator)
        return functional.cross_entropy(net(x if self.dtype is None else x.to(self.dtype)), y)

    def run(self, watch=lambda net, optimizer: nullcontext(), steps: int = STEPS):
        """Train; what is left of it, and the watch."""
        torch.manual_seed(3)
        generator = torch.Generator().manual_seed(4)
        net = self.net()
        net = net if self.dtype is None else net.to(self.dtype)
        optimizer = self.make(net.parameters())
        scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 2, 0.5) if self.scheduled else None
        scaler = torch.amp.GradScaler("cpu", init_scale=2.0**10, growth_interval=3, enabled=self.scaled)
        with watch(net, optimizer) as watched:
            for _ in range(steps):
                self.step(net, optimizer, scaler, generator)
                if scheduler is not None:
                    scheduler.step()
        return self.left(net, optimizer), watched

    def backward(self, net, scaler, generator):
        for _ in range(self.accumulate):
            on = self.autocast is not None
            with torch.autocast("cpu", dtype=self.autocast or torch.bfloat16, enabled=on):
                loss = self.loss(net, generator) / self.accumulate
            scaler.scale(loss).backward()
        return loss

    def step(self, net, optimizer, scaler, generator):
        if self.closure:

            def again():
                optimizer.zero_grad()
                return self.backward(net, scaler, generator)

            optimizer.step(again)
            return
        optimizer.zero_grad(set_to_none=self.none)
        self.backward(net, scaler, generator)
        if self.clip is not None:
            scaler.unscale_(optimizer)
            nn.utils.clip_grad_norm_(net.parameters(), self.clip)
        scaler.step(optimizer)
        scaler.update()

    @staticmethod
    def left(net, optimizer) -> dict:
        """Every bit that a training leaves: parameters, buffers, optimizer state, options, random numbers."""
        found = {f"net {name}": x for name, x in net.state_dict().items()}
        for n, state in optimizer.state_dict()["state"].items():
            found |= {f"state {n} {name}": torch.as_tensor(x) for name, x in state.items() if x is not None}
        for n, group in enumerate(optimizer.param_groups):
            found[f"lr {n}"] = torch.as_tensor(group["lr"])
        return {**found, "random": torch.get_rng_state()}


def same(a: dict, b: dict) -> list[str]:
    """What differs between the bits of two trainings."""
    assert len(a) > 5 and a.keys() == b.keys()
    bits = lambda x: x.contiguous().view(torch.uint8) if x.ndim else x
    return [name for name in a if not torch.equal(bits(a[name]), bits(b[name]))]


SGD = lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, weight_decay=1e-2)
ADAMW = lambda p: torch.optim.AdamW(p, lr=1e-2, weight_decay=0.1)
TRAININGS = {
    "sgd": Training(SGD),
    "adamw": Training(ADAMW, accumulate=2, clip=0.5),
    "fused adam": Training(lambda p: torch.optim.Adam(p, lr=1e-2, fused=True)),
    "foreach rmsprop": Training(lambda p: torch.optim.RMSprop(p, lr=1e-3, momentum=0.5, foreach=True)),
    "autocast": Training(ADAMW, autocast=torch.bfloat16),
    "scaler": Training(SGD, scaler=True, clip=1.0),
    "scheduler": Training(SGD, scheduled=True, none=False),
    "checkpointed": Training(ADAMW, net=lambda: Blocks(True)),
    "closure": Training(SGD, closure=True),
    "bfloat16": Training(ADAMW, dtype=torch.bfloat16),
    "tokens": Training(ADAMW, net=Judged),
}  # fmt: skip
