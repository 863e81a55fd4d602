"""Which parameters and families are looked at in a sample: all of them in turn, a few at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch

from noether.networks.families import Family

BYTES = 512  # a number: it, its gradient and two of its state, each with an error, in 128 bits, several times
FEWEST = 50_000  # numbers that a first sample follows, if there are so many
SECONDS = 0.5  # that a sample may take, as far as the last one tells


@dataclass
class Rota:
    """Units that are looked at in turn: what a family touches, and each parameter that no family touches.

    limit  bytes;  rate  seconds a number took in the last sample, None before the first
    """

    parameters: Mapping[str, torch.Tensor]
    limit: int
    units: list[tuple[str, ...]] = field(default_factory=list)
    at: int = 0
    rate: float | None = None

    def __post_init__(self):
        self.units = self.units or [(name,) for name in self.parameters]

    def arrange(self, families: Sequence[Family]) -> None:
        """Units by families; every parameter stays in one at least."""
        found = dict.fromkeys(tuple(sorted(f.parameters)) for f in families)
        touched = {name for unit in found for name in unit}
        mine = [unit for unit in found if self.fits(unit)]
        left = [(name,) for name in self.parameters if name not in touched or (name,) in found]
        whole = {name for unit in mine for name in unit}
        left += [(name,) for name in self.parameters if name in touched and name not in whole]
        self.units, self.at = list(dict.fromkeys([*mine, *left])), 0

    def fits(self, unit: Sequence[str]) -> bool:
        """Whether a unit is of this optimizer, and small enough to be looked at as a whole."""
        if not all(name in self.parameters for name in unit):
            return False
        return sum(self.parameters[name].numel() for name in unit) <= self.limit // BYTES

    @property
    def room(self) -> int:
        """How many numbers a sample may follow."""
        most = self.limit // BYTES
        return min(most, FEWEST if self.rate is None else max(1, int(SECONDS / max(self.rate, 1e-9))))

    def take(self) -> tuple[list[str], list[str]]:
        """The names that are followed in this sample, and those that are too large ever to be."""
        most, room = self.limit // BYTES, self.room
        chosen: dict[str, None] = {}
        large: list[str] = []
        for _ in range(len(self.units)):
            unit = self.units[self.at % len(self.units)]
            new = [name for name in unit if name not in chosen]
            size = sum(self.parameters[name].numel() for name in new)
            if size > most:
                large += new
            elif chosen and size > room:
                break
            else:
                chosen.update(dict.fromkeys(new))
                room -= size
            self.at += 1
        return list(chosen), large

    def took(self, numbers: int, seconds: float) -> None:
        """A sample followed so many numbers in this time."""
        if numbers:
            self.rate = seconds / numbers
