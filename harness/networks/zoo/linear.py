"""A deep linear network on digits: between two linear maps any invertible matrix may stand.

Source: Arora, Cohen and Hazan (2018), "On the optimization of deep networks", theorem 1 and its proof: W_2^T
W_2 - W_1 W_1^T is kept by the flow; it is the symmetric part of the charges of GL.
"""

from __future__ import annotations

import torch
from torch import nn

from noether.networks.data import FLAT
from noether.networks.families import GL
from noether.networks.network import Network, Predicted, softmax_head

WIDTH = 8  # less than the 9 logits that softmax tells apart: else more than GL leaves the product alone


class DeepLinear(nn.Module):
    """Three linear maps one after the other, without biases: W_3 W_2 W_1 x.

    W_1 -> S W_1 with W_2 -> W_2 S^-1 leaves the product as it is, for every invertible S: the generators are
    A W_1 on the first and -W_2 A on the second for every 8 x 8 matrix A, and likewise between the second
    and the third. Rescaling of a unit is the A with a single 1 on its diagonal, so it is not counted apart.
    """

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(64, WIDTH, bias=False)
        self.second = nn.Linear(WIDTH, WIDTH, bias=False)
        self.head = nn.Linear(WIDTH, 10, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, 64) to logits (n, 10)."""
        return self.head(self.second(self.first(x)))


NETWORKS = (
    Network(
        "deep-linear",
        "three linear maps with nothing between them, on digits",
        DeepLinear,
        ("digits", FLAT),
        (
            Predicted(GL, 2 * WIDTH**2, "first against second, second against head: any matrix between them"),
            softmax_head("head", WIDTH, has_bias=False),
        ),
    ),
)
