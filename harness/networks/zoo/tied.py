"""Networks that use a weight twice: a symmetry is left only if it suits both uses.

What is said of each is derived here.
"""

from __future__ import annotations

import torch
from torch import nn

from noether.networks.data import FLAT
from noether.networks.families import GL, RESCALE
from noether.networks.network import ITSELF, Beside, Network, Predicted, softmax_head

WIDTH, CODE = 32, 8
TIED = 24


class TiedAutoencoder(nn.Module):
    """64 -> 32 ReLU -> code of 8 -> 32 ReLU -> 64, whose last weight is the first one, transposed.

    The row W_j of the first weight feeds unit j of the encoder and reads unit j of the decoder. Multiplied
    by s, it makes the first unit larger by s, so the column of `code` that reads it is divided by s; and it
    reads the second unit larger, so row and bias of `open` that feed that one are divided by s. One
    generator a unit, over both uses: to rescale the encoder's unit alone is no symmetry. The code has no
    activation: any 8 x 8 matrix may stand between `code` and `open`.
    """

    def __init__(self):
        super().__init__()
        self.tied = nn.Parameter(torch.empty(WIDTH, 64))
        self.bias = nn.Parameter(torch.zeros(WIDTH))
        self.code = nn.Linear(WIDTH, CODE)
        self.open = nn.Linear(CODE, WIDTH)
        self.out_bias = nn.Parameter(torch.zeros(64))
        nn.init.kaiming_uniform_(self.tied, a=5**0.5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, 64) to (n, 64)."""
        h = torch.relu(nn.functional.linear(x, self.tied, self.bias))
        h = torch.relu(self.open(self.code(h)))
        return nn.functional.linear(h, self.tied.T, self.out_bias)


class TiedMLP(nn.Module):
    """64 -> 24, then the same linear layer twice, each with ReLU, and a head.

    The shared weight L writes the units that it reads next. Unit j may be rescaled in all three layers at
    once: row j of `first` and of L and their biases times s, column j of L and of the head times 1/s; the
    entry L_jj, which is in both, stays. In one of the layers alone nothing can be.
    """

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(64, TIED)
        self.shared = nn.Linear(TIED, TIED)
        self.head = nn.Linear(TIED, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, 64) to logits (n, 10)."""
        h = torch.relu(self.first(x))
        for _ in range(2):
            h = torch.relu(self.shared(h))
        return self.head(h)


NETWORKS = (
    Network(
        "tied-autoencoder",
        "an autoencoder whose last weight is its first, transposed, on digits",
        TiedAutoencoder,
        ("digits", FLAT),
        (
            Predicted(
                RESCALE, WIDTH, "tied by row and bias, against columns of code and rows and bias of open"
            ),
            Predicted(GL, CODE**2, "code against open: any matrix between them"),
        ),
        task=ITSELF,
        beside=(Beside(CODE, "a shift of code.bias, undone in open.bias"),),
    ),
    Network(
        "tied-mlp",
        "a hidden layer that is used twice, on digits",
        TiedMLP,
        ("digits", FLAT),
        (
            Predicted(RESCALE, TIED, "unit j of all three hidden layers at once: rows j against columns j"),
            softmax_head("head", TIED),
        ),
    ),
)
