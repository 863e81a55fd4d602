"""A network that is trained: how it is made, on which data, and which symmetries it must have.

The symmetries are predicted by hand, from the way the layers are put together, before anything measures
them: what is found in the network by its operations is compared with this.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional as F

from noether.networks.data import Data, data_set
from noether.networks.families import TRANSLATION

CLASSES, NUMBERS, ITSELF = "classes", "numbers", "itself"
TASKS = {
    CLASSES: "one of several classes: cross-entropy of the logits",
    NUMBERS: "numbers: the mean square error",
    ITSELF: "its own input, as an autoencoder gives it: the mean square error",
}


class Predicted(NamedTuple):
    """One kind of symmetry that a network must have by its architecture.

    kind    as families.py names them
    count   how many independent generators
    words   which parameters they move, and why the loss does not see it
    broken  names of the modules whose eps breaks them a little; () where they are exact
    """

    kind: str
    count: int
    words: str
    broken: tuple[str, ...] = ()


class Beside(NamedTuple):
    """Directions that leave the outputs alone and are of none of the forms of families.py.

    count  how many independent of each other and of all that is predicted
    words  what they are
    """

    count: int
    words: str


def softmax_head(name: str, inputs: int, *, has_bias: bool = True) -> Predicted:
    """What cross-entropy does not see of the last layer: one number added to all logits.

    inputs  how many numbers the layer reads: a weight column may be shifted for each
    """
    what = f"{name}.weight by column" + (f", and {name}.bias" if has_bias else "")
    words = f"{what}: the same number added to all logits is subtracted by the softmax of the loss"
    return Predicted(TRANSLATION, inputs + has_bias, words)


@dataclass(frozen=True, eq=False)
class Network:
    """One entry of the catalogue.

    build      makes the module from torch's random numbers: make(seed) calls it
    data       (name of a data set, form in which it is read), as data_set takes them
    task       classes, numbers or itself: what the output is compared with
    predicted  the symmetries that it must have while its normalisations use the batch that they see
    beside     what else leaves its outputs alone, by hand too
    """

    name: str
    words: str
    build: Callable[[], nn.Module]
    data: tuple[str, str]
    predicted: tuple[Predicted, ...]
    task: str = CLASSES
    beside: tuple[Beside, ...] = ()

    def make(self, seed: int) -> nn.Module:
        """A fresh module in float32, of this seed; the random numbers of torch outside stay as they are."""
        with seeded(seed):
            return self.build()

    def read(self) -> Data:
        """Its data. Raises UsageError where scikit-learn is not installed."""
        return data_set(*self.data)

    def loss(self, output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """(), the mean over the batch.

        output  (n, classes) of a task of classes, else in the shape of the target
        target  (n,) int64 of classes; of the task `itself` the input
        """
        return F.cross_entropy(output, target) if self.task == CLASSES else F.mse_loss(output, target)

    @property
    def broken(self) -> tuple[str, ...]:
        """The modules whose eps breaks one of its symmetries a little."""
        return tuple(dict.fromkeys(name for one in self.predicted for name in one.broken))

    def count(self, kind: str) -> int:
        """How many independent generators of a kind are predicted."""
        return sum(one.count for one in self.predicted if one.kind == kind)

    @property
    def flat(self) -> int:
        """Of how many directions of parameter space the loss sees nothing, whatever the data, by hand."""
        return sum(one.count for one in (*self.predicted, *self.beside))


@contextmanager
def seeded(*seeds: int):
    """torch's random numbers of the CPU from these seeds inside, and outside as they were.

    seeds  whole numbers; the numbers of (1, 2) and (2, 1) differ
    """
    mixed = 0
    for seed in seeds:
        mixed = (mixed * 1_000_003 + seed + 1) % 2**63
    # torch.manual_seed would seed the generators of GPUs too, which fork_rng(devices=[]) does not put back
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(mixed)
        yield


@contextmanager
def one_thread():
    """torch on one thread inside, as before outside: of small tensors threads only wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
