"""Networks of linear layers that are normalised: by batch, by layer, or in the weights themselves.

What is divided by its own size does not have a size: a scale of what feeds a normalisation is not seen. It
is exact but for eps, which is added to the variance: z / sqrt(var(z) + eps) of s z is that of z with eps /
s^2. What has its mean subtracted does not have a level: a translation of it is not seen, and that is exact.

Source: Ioffe and Szegedy (2015), "Batch normalization", section 3.3; van Laarhoven (2017), "L2
regularization versus batch and weight normalization"; Kunin et al. (2021), "Neural mechanics", section 3;
Tanaka and Kunin (2021), "Noether's learning dynamics".
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.utils.parametrizations import weight_norm

from noether.networks.data import FLAT
from noether.networks.families import RESCALE, SCALE, TRANSLATION
from noether.networks.network import Beside, Network, Predicted, softmax_head

WIDTH = 32


class BatchNormMLP(nn.Module):
    """Linear layers with a bias, each normalised over the batch before its ReLU.

    BatchNorm subtracts the mean of each unit over the batch and divides by its deviation. So of each unit
    the bias can be shifted (exact), and row and bias multiplied by s (but for eps). Its own weight and bias
    are of degree one in front of ReLU: they rescale against the column of the next layer, exactly. In eval
    mode the mean and the deviation are constants: translation and scale are gone, rescaling is left.
    """

    def __init__(self):
        super().__init__()
        self.first, self.norm1 = nn.Linear(64, WIDTH), nn.BatchNorm1d(WIDTH)
        self.second, self.norm2 = nn.Linear(WIDTH, WIDTH), nn.BatchNorm1d(WIDTH)
        self.head = nn.Linear(WIDTH, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, 64) to logits (n, 10)."""
        h = torch.relu(self.norm1(self.first(x)))
        return self.head(torch.relu(self.norm2(self.second(h))))


class LayerNormMLP(nn.Module):
    """Linear layers normalised over their units, sample by sample, on the breast cancer data.

    LayerNorm subtracts the mean over the units of one sample and divides by their deviation. A single unit
    cannot be scaled; the whole layer, weight and bias together, can (one generator, but for eps). One number
    added to all units is subtracted: to all biases, or to a whole column of the weight (one a column),
    exactly. The weight and bias of the second LayerNorm stand before ReLU and rescale against the head.
    Those of the first stand before GELU, which is not homogeneous: nothing.
    """

    def __init__(self):
        super().__init__()
        self.first, self.norm1 = nn.Linear(30, WIDTH), nn.LayerNorm(WIDTH)
        self.second, self.norm2 = nn.Linear(WIDTH, WIDTH), nn.LayerNorm(WIDTH)
        self.head = nn.Linear(WIDTH, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, 30) to logits (n, 2)."""
        h = nn.functional.gelu(self.norm1(self.first(x)))
        return self.head(torch.relu(self.norm2(self.second(h))))


class WeightNormMLP(nn.Module):
    """Two weight-normalised layers of ReLU and a plain head: each row of a weight is g v / |v|.

    The length of a row v is divided out, with no eps: scale of every v by itself, exact. g and the bias of a
    unit are of degree one, so they rescale against the plain column of the head. Against a column of a
    weight-normalised layer they do not: to divide that column, v and g of every row would have to move
    together, and g by the change of |v|, which is no affine motion. All columns at once can be: g and bias
    of the whole first layer against g of the whole second one, one generator.
    """

    def __init__(self):
        super().__init__()
        self.first = weight_norm(nn.Linear(64, WIDTH))
        self.second = weight_norm(nn.Linear(WIDTH, WIDTH))
        self.head = nn.Linear(WIDTH, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, 64) to logits (n, 10)."""
        return self.head(torch.relu(self.second(torch.relu(self.first(x)))))


NETWORKS = (
    Network(
        "batchnorm-mlp",
        "two hidden layers with biases, BatchNorm and ReLU, on digits",
        BatchNormMLP,
        ("digits", FLAT),
        (
            Predicted(
                SCALE,
                2 * WIDTH,
                "rows of first and second, with their biases: BatchNorm divides",
                ("norm1", "norm2"),
            ),
            Predicted(TRANSLATION, 2 * WIDTH, "biases of first and second: BatchNorm subtracts the mean"),
            Predicted(
                RESCALE,
                2 * WIDTH,
                "weight and bias of each BatchNorm against columns of the next layer, over ReLU",
            ),
            softmax_head("head", WIDTH),
        ),
    ),
    Network(
        "layernorm-mlp",
        "two hidden layers with LayerNorm, one GELU and one ReLU, on breast cancer",
        LayerNormMLP,
        ("breast-cancer", FLAT),
        (
            Predicted(
                SCALE,
                2,
                "weight and bias of first, and of second, as wholes: LayerNorm divides",
                ("norm1", "norm2"),
            ),
            Predicted(
                TRANSLATION,
                (30 + 1) + (WIDTH + 1),
                "weights of first and second by column, and their biases: LayerNorm subtracts the mean",
            ),
            Predicted(RESCALE, WIDTH, "weight and bias of norm2 against columns of the head, over ReLU"),
            softmax_head("head", WIDTH),
        ),
    ),
    Network(
        "weightnorm-mlp",
        "two weight-normalised hidden layers of ReLU, on digits",
        WeightNormMLP,
        ("digits", FLAT),
        (
            Predicted(SCALE, 2 * WIDTH, "rows of the directions v (original1): their length is divided out"),
            Predicted(
                RESCALE, WIDTH, "g (original0) and bias of second against columns of the head, over ReLU"
            ),
            Predicted(RESCALE, 1, "g and bias of the whole of first against g of the whole of second"),
            softmax_head("head", WIDTH),
        ),
        beside=(
            Beside(
                WIDTH - 1, "a unit of first against its column in second: v and g of all rows must turn along"
            ),
        ),
    ),
)
