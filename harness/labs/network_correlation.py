"""How the gradients of normalised filters agree from step to step, in networks of the zoo: F of theory.md#N5.

    python -m noether.labs.network_correlation

Eq. 17 of NLD has F = (1 + beta)/(1 - beta) = 19 at beta .9, white noise F = 1. Prints a table with standard
errors over seeds, for docs/networks/paper.md.
"""

from __future__ import annotations

import numpy as np
import torch

from noether.networks.network import one_thread
from noether.networks.recipes import Recipe
from noether.networks.training import train
from noether.networks.zoo import NETWORKS

SHOWN = {
    "batchnorm-mlp": ("first.weight", "second.weight"),
    "cnn-batchnorm": ("conv1.weight", "conv2.weight"),
    "resnet": (),
}
"""Network -> the parameters whose rows or kernels are normalised; those of every convolution where empty."""
SEEDS, BURN, STEPS, BETA = range(6), 500, 900, 0.9
BATCHES = (32, 128)


def factors(network: str, batch: int, seed: int) -> dict[str, float]:
    """F of each parameter, over its filters and the steps after BURN."""
    kept: dict[str, list] = {}

    def each(step: int, model, optimizer) -> None:
        for name, p in model.named_parameters():
            if name in SHOWN[network] or (not SHOWN[network] and p.ndim == 4):
                g = p.grad.double().flatten(1)
                m, both, alone = kept.setdefault(name, [torch.zeros_like(g), 0.0, 0.0])
                if step >= BURN:
                    both, alone = both + float((g * m).sum()), alone + float((g * g).sum())
                kept[name] = [BETA * m + g, both, alone]

    train(NETWORKS[network], Recipe("decay", batch=batch), STEPS, seed, each)
    return {name: 1 + 2 * BETA * both / alone for name, (_, both, alone) in kept.items()}


def main() -> None:
    """Print the table."""
    print("| network | layer | pictures a batch | F |\n|---|---|---|---|")
    with one_thread():
        for network in SHOWN:
            for batch in BATCHES:
                found = [factors(network, batch, seed) for seed in SEEDS]
                for name in found[0]:
                    x = np.array([one[name] for one in found])
                    error = x.std(ddof=1) / len(x) ** 0.5
                    print(f"| {network} | {name} | {batch} | {x.mean():.3f} ± {error:.3f} |", flush=True)


if __name__ == "__main__":
    main()
