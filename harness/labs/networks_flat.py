"""How many directions of its parameters a network's loss does not see: by rank and by hand.

Run as `python -m noether.labs.networks_flat [NAME ...]`: Markdown on stdout; the exit code is 1 where a
count is another one than by hand.

A direction xi is unseen if J xi = 0, with J the Jacobian of the outputs in the parameters for any data. So
at a point in general position the number of parameters less the rank of J is the number of independent
directions that no loss of these outputs sees, of whatever form. It is found in float64 from random inputs,
without any idea of what a symmetry is. Three things are taken away first that hide or add directions: eps,
which breaks some (it is set to 1e-30); units that are never on, which nothing sees (LeakyReLU of slope 0.3,
of the same degree, stands in the place of ReLU); and dropout. Of classes the differences of logits
count, which are all that softmax sees.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from noether.networks.network import CLASSES, Network
from noether.networks.zoo import NETWORKS, network

EPS = 1e-30
MORE = 1.5  # rows of J for each parameter
SAMPLES, ROWS = 64, 64  # of one batch: its samples, and rows of J: few, or a unit may never be off
AT_ONCE = 128  # rows of one backward pass
MOVED = 0.1  # of the spread of each parameter: biases and weights of norms are no 0 and 1 then
ZERO = 1e-11
"""A singular value below it, as a part of the largest, is 0. Rounding leaves about 2^-53 times the number of
parameters at most, 1e-12; each row says how far the two nearest are from it."""


class Leaky(TorchFunctionMode):
    """A mode in which ReLU is LeakyReLU of slope 0.3."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        if function in (torch.relu, nn.functional.relu, torch.Tensor.relu):
            return nn.functional.leaky_relu(args[0], 0.3)
        return function(*args, **(kwargs or {}))


@dataclass(frozen=True)
class Flat:
    """What was counted.

    parameters  how many numbers there are
    count       of independent directions that no output sees
    above       the smallest singular value that is not 0;  below  the largest that is; parts of the largest
    """

    parameters: int
    count: int
    above: float
    below: float


def flat(one: Network, seed: int = 0) -> Flat:
    """The directions that the loss of a network does not see."""
    generator = torch.Generator().manual_seed(seed)
    model = moved(one.make(seed).double(), generator)
    n = sum(p.numel() for p in model.parameters())
    sample = one.read().x.shape[1:]
    found: list[torch.Tensor] = []
    while sum(map(len, found)) < MORE * n:
        with Leaky():
            out = model(torch.randn(SAMPLES, *sample, generator=generator, dtype=torch.float64))
        out = out[:, 1:] - out[:, :1] if one.task == CLASSES else out
        rows = torch.randperm(out.numel(), generator=generator)[:ROWS]
        found.append(jacobian(out.flatten(), rows, list(model.parameters())))
    values = torch.linalg.svdvals(torch.linalg.qr(torch.cat(found), mode="r")[1])
    values = (values / values[0]).tolist()
    count = sum(x < ZERO for x in values)
    return Flat(n, count, values[n - count - 1], values[n - count] if count else 0.0)


def moved(model: nn.Module, generator: torch.Generator) -> nn.Module:
    """The model in general position, without eps and dropout. In place."""
    for module in model.modules():
        if hasattr(module, "eps"):
            module.eps = EPS
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    with torch.no_grad():
        for p in model.parameters():
            spread = float(p.std()) if p.numel() > 1 else 0.0
            p += MOVED * (spread or 1.0) * torch.randn(p.shape, generator=generator, dtype=p.dtype)
    return model


def jacobian(out: torch.Tensor, rows: torch.Tensor, parameters: list) -> torch.Tensor:
    """(rows, parameters): the slopes of these outputs."""
    found = []
    for part in rows.split(AT_ONCE):
        chosen = torch.zeros(len(part), out.numel(), dtype=out.dtype)
        chosen[torch.arange(len(part)), part] = 1
        slopes = torch.autograd.grad(out, parameters, chosen, retain_graph=True, is_grads_batched=True)
        found.append(torch.cat([x.reshape(len(part), -1) for x in slopes], dim=1))
    return torch.cat(found)


def main(names: list[str]) -> int:
    """Print the table."""
    torch.set_num_threads(1)
    wrong = 0
    head = (
        "network | parameters | unseen, by rank | by hand | of four forms | of others | next singular values"
    )
    print(f"| {head} | seconds |\n|---|--:|--:|--:|--:|--:|---|--:|")
    for one in map(network, names or NETWORKS):
        begun = time.monotonic()
        found = flat(one)
        forms, others = one.flat - sum(x.count for x in one.beside), sum(x.count for x in one.beside)
        same = found.count == one.flat
        wrong += not same
        row = [
            one.name,
            found.parameters,
            found.count,
            one.flat if same else f"**{one.flat}**",
            forms,
            others,
        ]
        row += [f"{found.above:.0e}, {found.below:.0e}", f"{time.monotonic() - begun:.0f}"]
        print(f"| {' | '.join(map(str, row))} |", flush=True)
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
