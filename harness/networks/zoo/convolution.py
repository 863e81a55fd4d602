"""Convolutional networks on digits: normalised by batch, and by groups of channels.

A convolution is linear in its kernel. What holds for the row of a weight of a linear layer holds for the
kernels that make one channel, and what holds for a column for the kernels that read one. ReLU and pooling,
of means or of the largest, are of degree one, so rescaling goes through both.

Source: Ioffe and Szegedy (2015), "Batch normalization", section 3.2; Wu and He (2018), "Group
normalization", equation 7.
"""

from __future__ import annotations

import torch
from torch import nn

from noether.networks.data import IMAGE
from noether.networks.families import RESCALE, SCALE, TRANSLATION
from noether.networks.network import Network, Predicted, softmax_head

FIRST, SECOND = 8, 16  # channels
GROUPS = 2, 4


class BatchNormCNN(nn.Module):
    """Two convolutions without a bias, each with BatchNorm and ReLU, pooling, a head.

    BatchNorm takes mean and deviation of a channel over batch and pixels: every kernel that makes a channel
    can be scaled (but for eps). Weight and bias of BatchNorm rescale against the kernels, or the column of
    the head, that read their channel.
    """

    def __init__(self):
        super().__init__()
        self.conv1, self.norm1 = nn.Conv2d(1, FIRST, 3, padding=1, bias=False), nn.BatchNorm2d(FIRST)
        self.conv2, self.norm2 = nn.Conv2d(FIRST, SECOND, 3, padding=1, bias=False), nn.BatchNorm2d(SECOND)
        self.head = nn.Linear(SECOND, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, 1, 8, 8) to logits (n, 10)."""
        h = nn.functional.max_pool2d(torch.relu(self.norm1(self.conv1(x))), 2)
        return self.head(torch.relu(self.norm2(self.conv2(h))).mean(dim=(2, 3)))


class GroupNormCNN(nn.Module):
    """Two convolutions with a bias, each with GroupNorm and ReLU; the head reads every pixel of the second.

    GroupNorm takes mean and deviation over the channels of a group and their pixels, sample by sample. So
    the kernels and biases of a whole group scale together (one generator a group, but for eps), and one
    number added to all biases of a group is subtracted. Added to the kernels it is not: it makes an image,
    not a constant. Weight and bias of GroupNorm belong to one channel each and rescale channel by channel.
    """

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, FIRST, 3, padding=1),
            nn.GroupNorm(GROUPS[0], FIRST),
            nn.ReLU(),
            nn.AvgPool2d(2),
            nn.Conv2d(FIRST, SECOND, 3, padding=1),
            nn.GroupNorm(GROUPS[1], SECOND),
            nn.ReLU(),
            nn.Flatten(),
        )
        self.head = nn.Linear(SECOND * 16, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, 1, 8, 8) to logits (n, 10)."""
        return self.head(self.body(x))


NETWORKS = (
    Network(
        "cnn-batchnorm",
        "two convolutions with BatchNorm and ReLU, on digits",
        BatchNormCNN,
        ("digits", IMAGE),
        (
            Predicted(
                SCALE,
                FIRST + SECOND,
                "kernels that make a channel: BatchNorm divides by its deviation",
                ("norm1", "norm2"),
            ),
            Predicted(
                RESCALE,
                FIRST + SECOND,
                "weight and bias of BatchNorm against kernels or columns of the head that read the channel",
            ),
            softmax_head("head", SECOND),
        ),
    ),
    Network(
        "cnn-groupnorm",
        "two convolutions with biases, GroupNorm and ReLU, on digits",
        GroupNormCNN,
        ("digits", IMAGE),
        (
            Predicted(
                SCALE, sum(GROUPS), "kernels and biases of a group: GroupNorm divides", ("body.1", "body.5")
            ),
            Predicted(TRANSLATION, sum(GROUPS), "biases of a group: GroupNorm subtracts their mean"),
            Predicted(
                RESCALE,
                FIRST + SECOND,
                "weight and bias of GroupNorm against kernels or columns of the head that read the channel",
            ),
            softmax_head("head", SECOND * 16),
        ),
    ),
)
