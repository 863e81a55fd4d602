"""Networks that read handwritten digits, several at once, trained by torch's own SGD on minibatches.

    z = W x,  y = batch_norm(z),  a = act(y),  c = act(M a + m),  logits = H c + h                       (1)

W are the filters, normalised; M and H are a pair of layers, with ReLU between them where act is; softmax
follows. A lane is one network with its own start and its own order of the data. All lanes go through one call
of torch: the normalisation sees them as channels, and the loss is the sum of theirs, so that each has its own
gradient. The data are the 1797 pictures of 8 x 8 that scikit-learn carries (UCI optical recognition of
handwritten digits).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from noether.networks.data import loaded

PIXELS, CLASSES = 64, 10
NO_EPS = 2.0**-1000
"""An eps that is lost beside any variance; torch 2.13 refuses one of 0."""
ACTIVATIONS = {"relu": functional.relu, "gelu": functional.gelu}


@cache
def data() -> tuple[torch.Tensor, torch.Tensor]:
    """Pictures (1797, 64) float64 from 0 to 1, and their digits (1797,) int64."""
    pictures, digits = loaded("digits")
    return torch.from_numpy(pictures / 16), torch.from_numpy(digits)


@dataclass(frozen=True)
class Training:
    """How networks are trained.

    eta, beta, k   of every parameter, where nothing else is said
    filters        what is said otherwise of the filters: {"lr", "momentum", "weight_decay"}
    batch          pictures of a minibatch; 0 for the first `whole` pictures in every step
    replaced       whether each picture of a batch is drawn from all, and not from those left of an epoch
    eps            that of the normalisation
    """

    eta: float
    beta: float = 0.0
    k: float = 0.0
    filters: dict = field(default_factory=dict)
    batch: int = 32
    whole: int = 256
    replaced: bool = False
    eps: float = 1e-5
    activation: str = "relu"
    lanes: int = 1
    hidden: int = 8
    middle: int = 8
    dtype: torch.dtype = torch.float64


class Networks(nn.Module):
    """(1). Parameters: filters (lanes, hidden, 64), gain and shift (lanes, hidden), middle (lanes, middle,
    hidden) with bias (lanes, middle), head (lanes, 10, middle) with bias (lanes, 10)."""

    def __init__(self, how: Training, generator: torch.Generator):
        super().__init__()
        n, h, m = how.lanes, how.hidden, how.middle

        def drawn(*shape: int, of: int) -> nn.Parameter:
            x = torch.randn(*shape, generator=generator, dtype=torch.float64) / of**0.5
            return nn.Parameter(x.to(how.dtype))

        self.how = how
        self.filters = drawn(n, h, PIXELS, of=PIXELS)
        self.gain = nn.Parameter(torch.ones(n, h, dtype=how.dtype))
        self.shift = nn.Parameter(torch.zeros(n, h, dtype=how.dtype))
        self.middle, self.middle_bias = drawn(n, m, h, of=h), drawn(n, m, of=4)
        self.head, self.head_bias = drawn(n, CLASSES, m, of=m), drawn(n, CLASSES, of=4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits (lanes, batch, 10) of pictures (lanes, batch, 64)."""
        n, many, _ = x.shape
        z = torch.bmm(x, self.filters.mT).transpose(0, 1).reshape(many, -1)
        flat = self.gain.reshape(-1), self.shift.reshape(-1)
        y = functional.batch_norm(z, None, None, *flat, training=True, eps=self.how.eps)
        act = ACTIVATIONS[self.how.activation]
        a = act(y).reshape(many, n, -1).transpose(0, 1)
        c = act(torch.baddbmm(self.middle_bias[:, None], a, self.middle.mT))
        return torch.baddbmm(self.head_bias[:, None], c, self.head.mT)

    def loss(self, x: torch.Tensor, digits: torch.Tensor) -> torch.Tensor:
        """The sum over lanes of the mean loss of a batch (lanes, batch, ...)."""
        logits = self(x)
        return functional.cross_entropy(logits.mT, digits, reduction="none").mean(dim=1).sum()


def batches(how: Training, generator: torch.Generator) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Batches (lanes, batch, 64) and their digits, for ever: each lane goes through the data in an order of
    its own, and in another one each time; what is left at the end of an epoch is left out."""
    pictures, digits = data()
    pictures = pictures.to(how.dtype)
    if not how.batch:
        x, y = pictures[: how.whole].expand(how.lanes, -1, -1), digits[: how.whole].expand(how.lanes, -1)
        while True:
            yield x, y
    whole = len(digits) // how.batch
    while how.replaced:
        at = torch.randint(len(digits), (how.lanes, how.batch), generator=generator)
        yield pictures[at], digits[at]
    while True:
        order = torch.stack([torch.randperm(len(digits), generator=generator) for _ in range(how.lanes)])
        for i in range(whole):
            at = order[:, i * how.batch : (i + 1) * how.batch]
            yield pictures[at], digits[at]


def optimizer(net: Networks, how: Training, **options) -> torch.optim.SGD:
    """torch's SGD, one step of which is judged: the plain loop over parameters."""
    usual = dict(lr=how.eta, momentum=how.beta, weight_decay=how.k)
    others = [p for name, p in net.named_parameters() if name != "filters"]
    groups = [{"params": [net.filters], **how.filters}, {"params": others}]
    return torch.optim.SGD(groups, foreach=False, **{**usual, **options})


@dataclass
class Step:
    """One step of training, of every parameter or of one (longdouble arrays by name).

    before, after  the parameters;  gradient  without decay;  buffer, buffer_after  of the momentum
    """

    number: int
    loss: float
    before: dict[str, np.ndarray]
    gradient: dict[str, np.ndarray]
    buffer: dict[str, np.ndarray]
    after: dict[str, np.ndarray]
    buffer_after: dict[str, np.ndarray]


def training(how: Training, seed: int) -> tuple[Networks, torch.optim.SGD, Iterator]:
    """Networks at their start, their optimizer, and their batches; one seed makes both."""
    generator = torch.Generator().manual_seed(seed % 2**63)
    net = Networks(how, generator)
    return net, optimizer(net, how), batches(how, generator)


def wide(x: torch.Tensor) -> np.ndarray:
    """A tensor as longdouble, exactly."""
    return x.detach().numpy().astype(np.longdouble)


def steps(how: Training, seed: int, many: int, names=("filters",)) -> Iterator[Step]:
    """Training, step by step, as it is seen from outside: what stood before and after each step.

    names   of the parameters that are looked at
    """
    net, optimizer_, drawn = training(how, seed)
    mine = {name: dict(net.named_parameters())[name] for name in names}
    for number in range(many):
        x, digits = next(drawn)
        yield stepped(net, optimizer_, mine, number, x, digits)


def stepped(net: Networks, optimizer_, mine: dict, number: int, x, digits) -> Step:
    """One step, seen from outside."""
    before, old = {n: wide(p) for n, p in mine.items()}, {n: buffer(optimizer_, p) for n, p in mine.items()}
    optimizer_.zero_grad()
    loss = net.loss(x, digits)
    loss.backward()
    gradient = {n: wide(p.grad) for n, p in mine.items()}
    optimizer_.step()
    after, new = {n: wide(p) for n, p in mine.items()}, {n: buffer(optimizer_, p) for n, p in mine.items()}
    return Step(number, float(loss.detach()) / net.how.lanes, before, gradient, old, after, new)


def buffer(optimizer_: torch.optim.SGD, p: torch.Tensor) -> np.ndarray:
    """The momentum buffer of a parameter, zeros where there is none yet; without momentum there is none."""
    found = optimizer_.state[p].get("momentum_buffer") if p in optimizer_.state else None
    return np.zeros(p.shape, dtype=np.longdouble) if found is None else wide(found)
