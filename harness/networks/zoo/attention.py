"""Two layers of attention on the rows of a digit, with LayerNorm or with RMSNorm.

A digit is a sequence of 8 tokens, its rows. The residual stream is written by the embedding, the places and
the output of each attention, and every reader normalises it first.

Source: Vaswani et al. (2017), "Attention is all you need", equation 1; Zhang and Sennrich (2019), "Root mean
square layer normalization", equation 4; Elhage et al. (2021), "A mathematical framework for transformer
circuits": only the products Q^T K and O V of a head count.
"""

from __future__ import annotations

import torch
from torch import nn

from noether.networks.data import TOKENS
from noether.networks.families import GL, RESCALE, SCALE, TRANSLATION
from noether.networks.network import Beside, Network, Predicted, softmax_head

LENGTH, INPUTS = 8, 8  # tokens, numbers a token
WIDTH, HEADS, LAYERS = 16, 2, 2
EACH = WIDTH // HEADS  # numbers of a head


class Attention(nn.Module):
    """softmax(Q K^T / sqrt(d)) V for each head, then O over all; no rotation by place.

    Q = X Wq^T + bq and so on. A head reads Q and K by their products alone: rows of Wq and bq under S, of Wk
    and bk under S^-T, for any invertible d x d matrix S. Its values pass a mean over tokens, linear: rows of
    Wv and bv under S, columns of Wo that read the head under S^-1. A number added to bk adds the same to all
    scores of a query, which its softmax subtracts: one translation an entry of bk, exact. A shift of bv is
    what a shift of bo does too, since the weights of attention add up to 1. Its generator, 1 on bv and -Wo
    on bo, is of none of the four forms, and is not counted.
    """

    def __init__(self, *, has_biases: bool):
        super().__init__()
        self.q, self.k, self.v, self.o = (nn.Linear(WIDTH, WIDTH, bias=has_biases) for _ in range(4))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, tokens, width) to the same."""
        q, k, v = (
            layer(x).unflatten(-1, (HEADS, EACH)).transpose(1, 2) for layer in (self.q, self.k, self.v)
        )
        weights = torch.softmax(q @ k.transpose(-1, -2) / EACH**0.5, dim=-1)
        return self.o((weights @ v).transpose(1, 2).flatten(-2))


class AttentionNet(nn.Module):
    """Embedding and places, two times x + attention(norm(x)), a norm, the mean over tokens, a head.

    All readers of the stream divide by its size: everything that writes to it scales together, one
    generator, but for eps. Weight and bias of each norm rescale against all columns that read them: of q, k
    and v together, or of the head. LayerNorm also subtracts the mean over the width: one number added to all
    of a writer's outputs is not seen, by column of its weight, in its bias, by place. RMSNorm subtracts
    nothing.
    """

    def __init__(self, norm: type[nn.Module], *, has_biases: bool):
        super().__init__()
        self.embed = nn.Linear(INPUTS, WIDTH, bias=has_biases)
        self.places = nn.Parameter(0.02 * torch.randn(LENGTH, WIDTH))
        # RMSNorm's own eps is that of the number format: a twin in float64 would have another one.
        self.norms = nn.ModuleList(norm(WIDTH, eps=1e-5) for _ in range(LAYERS))
        self.attentions = nn.ModuleList(Attention(has_biases=has_biases) for _ in range(LAYERS))
        self.norm = norm(WIDTH, eps=1e-5)
        self.head = nn.Linear(WIDTH, 10, bias=has_biases)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, 8, 8) to logits (n, 10)."""
        stream = self.embed(x) + self.places
        for norm, attention in zip(self.norms, self.attentions, strict=True):
            stream = stream + attention(norm(stream))
        return self.head(self.norm(stream).mean(dim=1))


NORMS = ("norms.0", "norms.1", "norm")
HEADS_GL = LAYERS * HEADS * EACH**2
NORM_RESCALE = LAYERS * WIDTH + WIDTH
CLASSES_BUT_ONE = 9  # of 10 logits the softmax of the loss tells 9 apart

SHARED = (
    Predicted(GL, HEADS_GL, "each head: rows of q against rows of k, with their biases"),
    Predicted(GL, HEADS_GL, "each head: rows of v, with their bias, against columns of o"),
    Predicted(SCALE, 1, "all that writes to the stream: embed, places, every o; all readers divide", NORMS),
)
"""What both have."""


def turned(width: int) -> Beside:
    """Rotations of the stream, which no norm sees. Norms without weights alone would make them linear.

    width  of the stream; of LayerNorm one less, since the direction of the mean has to stand
    """
    told = "rotations of the stream: its writers turn, and its readers back, over the weights of the norms"
    return Beside(width * (width - 1) // 2, told)


def of_norm_bias(readers: int) -> Beside:
    """The bias of a LayerNorm against those of its readers, and the mean that LayerNorm has taken away.

    readers  outputs of all that read it
    """
    told = (
        "a LayerNorm's bias against its readers' biases; a row of a reader along 1/weight, against its bias"
    )
    return Beside(WIDTH + readers, told)


NETWORKS = (
    Network(
        "attention-layernorm",
        "two layers of attention with LayerNorm, on the rows of digits",
        lambda: AttentionNet(nn.LayerNorm, has_biases=True),
        ("digits", TOKENS),
        (
            *SHARED,
            Predicted(
                RESCALE, NORM_RESCALE, "weight and bias of each norm against columns of q, k, v or the head"
            ),
            Predicted(TRANSLATION, LAYERS * WIDTH, "every entry of k.bias: softmax over keys subtracts it"),
            Predicted(
                TRANSLATION,
                INPUTS + 1 + LENGTH + LAYERS * (WIDTH + 1),
                "what writes to the stream, by one number for the whole width: LayerNorm subtracts it",
            ),
            softmax_head("head", WIDTH),
        ),
        beside=(
            turned(WIDTH - 1),
            *(of_norm_bias(3 * WIDTH),) * LAYERS,
            of_norm_bias(CLASSES_BUT_ONE),
            Beside(LAYERS * WIDTH, "v.bias against o.bias: the weights of attention add up to 1"),
            Beside(WIDTH - 1, "embed.bias against all places"),
        ),
    ),
    Network(
        "attention-rmsnorm",
        "two layers of attention with RMSNorm and no biases, on the rows of digits",
        lambda: AttentionNet(nn.RMSNorm, has_biases=False),
        ("digits", TOKENS),
        (
            *SHARED,
            Predicted(RESCALE, NORM_RESCALE, "weight of each norm against columns of q, k, v or the head"),
            softmax_head("head", WIDTH, has_bias=False),
        ),
        beside=(turned(WIDTH),),
    ),
)
