"""Networks of linear layers and activations, with nothing that normalises.

An activation is homogeneous if phi(s z) = s phi(z) for every s > 0: ReLU and LeakyReLU are, tanh is not. Of
a unit with such an activation everything that it reads may be multiplied by s (a row of the weight, its
bias), and everything that reads it divided by s (a column of the next weight): its output grows by s and is
read by 1/s. That is exact, unit by unit, whatever the data are.

Source: Neyshabur, Salakhutdinov and Srebro (2015), "Path-SGD", section 2; Du, Hu and Lee (2018), "Algorithmic
regularization in learning deep homogeneous models", theorem 2.1: the charge of the flow is the difference of
the squared norms of what a unit reads and of what reads it.
"""

from __future__ import annotations

import torch
from torch import nn

from noether.networks.data import FLAT
from noether.networks.families import RESCALE
from noether.networks.network import NUMBERS, Network, Predicted, softmax_head

WIDTH = 32
SMALL = 16


class ReluMLP(nn.Module):
    """Two hidden layers of ReLU on the 64 pixels of a digit, with biases or without.

    Rescaling of every hidden unit is a symmetry: row and bias times s, the next column times 1/s. A bias is
    of degree one like the row that it stands beside, so it takes part and breaks nothing.
    """

    def __init__(self, *, has_biases: bool = True):
        super().__init__()
        self.first = nn.Linear(64, WIDTH, bias=has_biases)
        self.second = nn.Linear(WIDTH, WIDTH, bias=has_biases)
        self.head = nn.Linear(WIDTH, 10, bias=has_biases)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, 64) to logits (n, 10)."""
        return self.head(torch.relu(self.second(torch.relu(self.first(x)))))


class DropoutMLP(nn.Module):
    """The same with dropout after each ReLU, as a plain Sequential.

    Dropout multiplies a unit by 0 or by 1/(1 - p), whatever the unit's value is: that commutes with
    rescaling. So the loss of every mask has the symmetry exactly, and the gradient of every step is
    orthogonal to it.
    """

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(64, WIDTH),
            nn.ReLU(),
            nn.Dropout(0.2),
            nn.Linear(WIDTH, WIDTH),
            nn.ReLU(),
            nn.Dropout(0.2),
            nn.Linear(WIDTH, 10),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, 64) to logits (n, 10)."""
        return self.layers(x)


class LeakyRegression(nn.Module):
    """LeakyReLU on the ten measurements of the diabetes data, one number out, the mean square error.

    LeakyReLU is homogeneous, so every hidden unit can be rescaled. The mean square error sees each output, so
    the last layer has no symmetry of its own.
    """

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(10, SMALL)
        self.second = nn.Linear(SMALL, SMALL)
        self.last = nn.Linear(SMALL, 1)
        self.activation = nn.LeakyReLU(0.1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, 10) to (n, 1)."""
        return self.last(self.activation(self.second(self.activation(self.first(x)))))


class TanhMLP(nn.Module):
    """One hidden layer of tanh on the wine data: nothing between the layers can be rescaled.

    tanh is odd, so a unit and its readers may change sign together: a discrete symmetry, which has no
    generator and no charge. What is left is the shift of all logits.
    """

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(13, SMALL)
        self.head = nn.Linear(SMALL, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, 13) to logits (n, 3)."""
        return self.head(torch.tanh(self.first(x)))


UNITS = "every hidden unit: row and bias of what feeds it, against the column of what reads it"

NETWORKS = (
    Network(
        "relu-mlp",
        "two hidden layers of ReLU with biases, on digits",
        ReluMLP,
        ("digits", FLAT),
        (Predicted(RESCALE, 2 * WIDTH, UNITS), softmax_head("head", WIDTH)),
    ),
    Network(
        "relu-mlp-bare",
        "two hidden layers of ReLU without biases, on digits",
        lambda: ReluMLP(has_biases=False),
        ("digits", FLAT),
        (
            Predicted(
                RESCALE,
                2 * WIDTH,
                "every hidden unit: the row that feeds it against the column that reads it",
            ),
            softmax_head("head", WIDTH, has_bias=False),
        ),
    ),
    Network(
        "dropout-mlp",
        "two hidden layers of ReLU with dropout, on digits",
        DropoutMLP,
        ("digits", FLAT),
        (
            Predicted(RESCALE, 2 * WIDTH, f"{UNITS}; the mask of dropout multiplies and commutes"),
            softmax_head("layers.6", WIDTH),
        ),
    ),
    Network(
        "leaky-regression",
        "two hidden layers of LeakyReLU and the square error, on diabetes",
        LeakyRegression,
        ("diabetes", FLAT),
        (Predicted(RESCALE, 2 * SMALL, UNITS),),
        task=NUMBERS,
    ),
    Network(
        "tanh-mlp",
        "one hidden layer of tanh, on wine",
        TanhMLP,
        ("wine", FLAT),
        (softmax_head("head", SMALL),),
    ),
)
