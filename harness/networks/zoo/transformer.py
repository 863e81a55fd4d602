"""A small transformer on the rows of a digit: torch's own attention, norms before each part, GELU or ReLU.

Source: Vaswani et al. (2017), "Attention is all you need"; Xiong et al. (2020), "On layer normalization in
the transformer architecture", figure 1b: the norm before each part.
"""

from __future__ import annotations

import torch
from torch import nn

from noether.networks.data import TOKENS
from noether.networks.families import GL, RESCALE, SCALE, TRANSLATION
from noether.networks.network import Beside, Network, Predicted, softmax_head
from noether.networks.zoo.attention import CLASSES_BUT_ONE, of_norm_bias, turned

LENGTH, INPUTS = 8, 8  # tokens, numbers a token
WIDTH, HEADS, HIDDEN = 16, 2, 32
EACH = WIDTH // HEADS


class TransformerBlock(nn.Module):
    """x + attention(norm1(x)), then x + fc2(activation(fc1(norm2(x)))), with nn.MultiheadAttention.

    Its in_proj_weight holds the rows of q, then of k, then of v; of each a head has 8 after one another. The
    symmetries of a head are those of attention.py: q against k, v against the columns of out_proj, a shift
    of k's part of in_proj_bias. With ReLU every hidden unit of the second part rescales: row and bias of fc1
    against the column of fc2. GELU is not homogeneous, so with it no unit does.
    """

    def __init__(self, activation: type[nn.Module]):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.attention = nn.MultiheadAttention(WIDTH, HEADS, batch_first=True)
        self.fc1, self.fc2 = nn.Linear(WIDTH, HIDDEN), nn.Linear(HIDDEN, WIDTH)
        self.activation = activation()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, tokens, width) to the same."""
        h = self.norm1(x)
        x = x + self.attention(h, h, h, need_weights=False)[0]
        return x + self.fc2(self.activation(self.fc1(self.norm2(x))))


class Transformer(nn.Module):
    """Embedding and places, one block, a norm, the mean over tokens, a head.

    As in attention.py: what writes to the stream (embed, places, out_proj, fc2) scales together, but for
    eps; one number for the whole width may be added to each of its writers; weight and bias of each norm
    rescale against the columns that read it, of in_proj_weight, fc1 or the head.
    """

    def __init__(self, activation: type[nn.Module]):
        super().__init__()
        self.embed = nn.Linear(INPUTS, WIDTH)
        self.places = nn.Parameter(0.02 * torch.randn(LENGTH, WIDTH))
        self.block = TransformerBlock(activation)
        self.norm = nn.LayerNorm(WIDTH)
        self.head = nn.Linear(WIDTH, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, 8, 8) to logits (n, 10)."""
        return self.head(self.norm(self.block(self.embed(x) + self.places)).mean(dim=1))


NORMS = ("block.norm1", "block.norm2", "norm")

SHARED = (
    Predicted(GL, HEADS * EACH**2, "each head: rows of q against rows of k, in in_proj, with their biases"),
    Predicted(GL, HEADS * EACH**2, "each head: rows of v, with their bias, against columns of out_proj"),
    Predicted(RESCALE, 3 * WIDTH, "weight and bias of each norm against columns of in_proj, fc1 or the head"),
    Predicted(
        SCALE, 1, "all that writes to the stream: embed, places, out_proj, fc2; all readers divide", NORMS
    ),
    Predicted(TRANSLATION, WIDTH, "k's part of in_proj_bias: softmax over keys subtracts it"),
    Predicted(
        TRANSLATION,
        (INPUTS + 1) + LENGTH + (WIDTH + 1) + (HIDDEN + 1),
        "what writes to the stream, by one number for the whole width: LayerNorm subtracts it",
    ),
    softmax_head("head", WIDTH),
)
"""What both have."""
BESIDE = (
    turned(WIDTH - 1),
    of_norm_bias(3 * WIDTH),
    of_norm_bias(HIDDEN),
    of_norm_bias(CLASSES_BUT_ONE),
    Beside(WIDTH, "v's part of in_proj_bias against out_proj.bias: the weights of attention add up to 1"),
    Beside(WIDTH - 1, "embed.bias against all places"),
)
"""The same, of what has no family."""

NETWORKS = (
    Network(
        "transformer-gelu",
        "one pre-norm transformer block with GELU, on the rows of digits",
        lambda: Transformer(nn.GELU),
        ("digits", TOKENS),
        SHARED,
        beside=BESIDE,
    ),
    Network(
        "transformer-relu",
        "one pre-norm transformer block with ReLU, on the rows of digits",
        lambda: Transformer(nn.ReLU),
        ("digits", TOKENS),
        (
            *SHARED,
            Predicted(RESCALE, HIDDEN, "every hidden unit: row and bias of fc1 against the column of fc2"),
        ),
        beside=BESIDE,
    ),
)
