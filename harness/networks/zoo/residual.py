"""A residual network on digits: BatchNorm, and skip connections that tie what may be rescaled.

Source: He, Zhang, Ren and Sun (2016), "Deep residual learning", figure 2 and section 3.3, with a skip by a
1 x 1 convolution where the size changes.
"""

from __future__ import annotations

import torch
from torch import nn

from noether.networks.data import IMAGE
from noether.networks.families import RESCALE, SCALE
from noether.networks.network import Beside, Network, Predicted, softmax_head

FIRST, SECOND = 8, 16  # channels


class Block(nn.Module):
    """relu(norm2(conv2(relu(norm1(conv1(x))))) + skip(x)); where the size changes skip is a normalised
    1 x 1 convolution, else nothing.

    Inside, norm1 rescales against conv2 as in any network. norm2 alone does not rescale: its output is added
    to what the skip brings, and both would have to grow together.
    """

    def __init__(self, inputs: int, outputs: int, stride: int = 1):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.skip = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.skip = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, inputs, a, a) to (n, outputs, a / stride, a / stride)."""
        h = torch.relu(self.norm1(self.conv1(x)))
        return torch.relu(self.norm2(self.conv2(h)) + self.skip(x))


class ResNet(nn.Module):
    """A stem, a block of 8 channels, a block that goes to 16, the mean over pixels, a head.

    Every convolution feeds a BatchNorm, so the kernels of every channel can be scaled (but for eps).
    Rescaling has two forms. Inside a block: weight and bias of norm1 against the kernels of conv2. Along the
    stream: one channel of the stream grows everywhere that it is written and is divided everywhere that it
    is read. The first stream is written by stem.norm and block1.norm2, and read by block1.conv1,
    block2.conv1 and block2.skip; the second is written by block2.norm2 and the skip's BatchNorm, and read by
    the head.
    """

    def __init__(self):
        super().__init__()
        self.stem, self.norm = nn.Conv2d(1, FIRST, 3, padding=1, bias=False), nn.BatchNorm2d(FIRST)
        self.block1 = Block(FIRST, FIRST)
        self.block2 = Block(FIRST, SECOND, stride=2)
        self.head = nn.Linear(SECOND, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, 1, 8, 8) to logits (n, 10)."""
        h = self.block2(self.block1(torch.relu(self.norm(self.stem(x)))))
        return self.head(h.mean(dim=(2, 3)))


NORMS = ("norm", "block1.norm1", "block1.norm2", "block2.norm1", "block2.norm2", "block2.skip.1")

NETWORKS = (
    Network(
        "resnet",
        "two residual blocks with BatchNorm, on digits",
        ResNet,
        ("digits", IMAGE),
        (
            Predicted(
                SCALE,
                3 * FIRST + 3 * SECOND,
                "kernels that make a channel, of all six convolutions: BatchNorm divides",
                NORMS,
            ),
            Predicted(
                RESCALE, FIRST + SECOND, "inside a block: weight and bias of norm1 against kernels of conv2"
            ),
            Predicted(
                RESCALE, FIRST + SECOND, "along a stream: all that writes a channel against all that reads it"
            ),
            softmax_head("head", SECOND),
        ),
        beside=(Beside(SECOND, "block2.norm2.bias against block2.skip.1.bias: the stream has their sum"),),
    ),
)
