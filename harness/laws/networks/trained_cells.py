"""The trainings of N1 to N4: which network, which optimizer, which precision. Nothing here loads torch."""

from __future__ import annotations

from dataclasses import dataclass

from noether.laws.cell import LawCell, Subject
from noether.verdicts.record import Record

RULES = {"sgd": "gradient-descent", "momentum": "heavy-ball", "decay": "heavy-ball", "adamw": "adamw"}
"""Recipe -> the rule of the catalogue."""
QUICK = ("batchnorm-mlp", "decay", "float32")
NAMES = (
    "relu-mlp", "relu-mlp-bare", "dropout-mlp", "leaky-regression", "tanh-mlp", "layernorm-mlp",
    "weightnorm-mlp", "cnn-batchnorm", "cnn-groupnorm", "resnet", "deep-linear", "tied-autoencoder",
    "tied-mlp", "attention-layernorm", "attention-rmsnorm", "transformer-gelu", "transformer-relu",
)  # fmt: skip
"""Of the zoo; a test holds that none is missing."""
WITHOUT_EPS = (
    "relu-mlp", "relu-mlp-bare", "dropout-mlp", "leaky-regression", "tanh-mlp", "weightnorm-mlp",
    "deep-linear", "tied-autoencoder", "tied-mlp",
)  # fmt: skip
"""Those without a normalisation that has an eps: N4 says nothing of them, as a test holds."""


@dataclass(frozen=True)
class TrainedCell(LawCell):
    """One training of one network of the zoo.

    every   a look each so many steps
    plants  whether faults are planted in it too
    """

    network: str
    optimizer: str
    precision: str
    profile: str
    seed: int
    steps: int = 200
    every: int = 50
    plants: bool = False
    law: str = "N1"
    backend = "torch"
    words = "networks"

    @property
    def also(self) -> tuple[str, ...]:
        """Further laws that it must say something of: N4 where an eps breaks a symmetry."""
        return ("N2", "N3") if self.network in WITHOUT_EPS else ("N2", "N3", "N4")

    @property
    def case(self) -> Subject:
        return Subject(self.network)

    @property
    def rule(self) -> str:
        return RULES[self.optimizer]

    @property
    def name(self) -> str:
        return f"N1/{self.network}/{self.optimizer}/{self.precision}"

    def records(self) -> list[Record]:
        """What it finds. Loads torch."""
        from noether.laws.networks.trained import records

        return records(self)


def trainings(profile: str, seed: int) -> list[TrainedCell]:
    """One small network in a quick run, with every fault; all networks in a full one.

    Each network meets one optimizer and one precision there, in turn: all pairs of these are met.
    """
    quick = TrainedCell(*QUICK, profile, seed, steps=8, every=4, plants=True)
    if profile == "quick":
        return [quick]
    turns = [(optimizer, "float32") for optimizer in RULES] + [("momentum", "bfloat16-autocast")]
    each = (TrainedCell(name, *turns[i % len(turns)], profile, seed) for i, name in enumerate(NAMES))
    return [quick, *each]
