"""Which numbers are looked at in a sample: all of them in turn, a few at a time.

A unit is what a family touches, or a parameter that no family touches. Units are taken whole as long as there
is room. Of one that is larger than a whole sample some generators are taken, with all the numbers of each, or
some numbers in a row; where its rule reads whole tensors it is taken alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import torch

from noether.networks.families import Family

BYTES = 512  # a number: it, its gradient and two of its state, each with an error, in 128 bits, several times
FEWEST = 50_000  # numbers that a first sample follows, if there are so many
LEAST = 5_000  # a sample has costs that do not depend on it
SECONDS = 0.5  # that a sample may take, as far as the last one tells

Chosen = dict[str, torch.Tensor | None]
"""Name of a parameter -> the places that are followed, None for all of them."""


@dataclass
class Unit:
    """Parameters that are looked at together, of a family or of none; `at` is where the next part begins."""

    names: tuple[str, ...]
    family: Family | None = None
    at: int = 0

    def part(self, parameters: Mapping[str, torch.Tensor], room: int) -> Chosen:
        """The next part of it that has room."""
        if self.family is None:
            (name,) = self.names
            return {name: self.run(parameters[name].numel(), room)}
        each = sum(part.where.shape[1] for part in self.family.parts)
        if each > room:
            return {}
        rows = self.run(self.family.n, room // each)
        found: dict[str, list[torch.Tensor]] = {}
        for part in self.family.parts:
            found.setdefault(part.parameter, []).append(part.where[rows].reshape(-1))
        return {name: torch.cat(places).unique() for name, places in found.items()}

    def run(self, whole: int, many: int) -> torch.Tensor:
        """The next places in a row; at the end it begins again."""
        begin, end = self.at, min(whole, self.at + many)
        self.at = 0 if end == whole else end
        return torch.arange(begin, end)


@dataclass
class Rota:
    """Whose turn it is.

    limit  bytes;  rate  seconds a number took in the last sample, None before the first
    whole  parameters whose rule reads whole tensors;  large  those of them that there is no room for
    """

    parameters: Mapping[str, torch.Tensor]
    limit: int
    units: list[Unit] = field(default_factory=list)
    turn: int = 0
    rate: float | None = None
    whole: set[str] = field(default_factory=set)
    large: set[str] = field(default_factory=set)

    def __post_init__(self):
        self.arrange([])

    def arrange(self, families: Iterable[Family]) -> None:
        """Units by families, whose parameters are all of this optimizer, and of what they leave."""
        mine = [f for f in families if all(name in self.parameters for name in f.parameters)]
        touched = {name for f in mine for name in f.parameters}
        left = [Unit((name,)) for name in self.parameters if name not in touched]
        # Of a family that moves a part of a parameter the rest must have its turn too.
        left += [
            Unit((name,)) for name in self.parameters if name in touched and not self.covered(mine, name)
        ]
        self.units, self.turn = [*(Unit(f.parameters, f) for f in mine), *left], 0

    def covered(self, families: Sequence[Family], name: str) -> bool:
        """Whether families move every number of a parameter."""
        places = [part.where.reshape(-1) for f in families for part in f.parts if part.parameter == name]
        return len(torch.cat(places).unique()) == self.parameters[name].numel()

    @property
    def room(self) -> int:
        """How many numbers a sample may follow."""
        most = self.limit // BYTES
        usual = FEWEST if self.rate is None else int(SECONDS / max(self.rate, 1e-9))
        return max(1, min(most, max(LEAST, usual)))

    def take(self) -> Chosen:
        """What is followed in this sample."""
        room, chosen = self.room, {}
        for _ in range(len(self.units)):
            unit = self.units[self.turn % len(self.units)]
            new = [name for name in unit.names if name not in chosen]
            size = sum(self.parameters[name].numel() for name in new)
            if size > room and chosen:
                break
            self.turn += 1
            if size <= room:
                chosen.update(dict.fromkeys(new))
                room -= size
            elif not self.whole.intersection(new):
                chosen.update(unit.part(self.parameters, room))
                break
            elif size <= self.limit // BYTES:
                chosen.update(dict.fromkeys(new))
                break
            else:
                self.large.update(self.whole.intersection(new))
        return chosen

    def took(self, numbers: int, seconds: float) -> None:
        """A sample followed so many numbers in this time."""
        if numbers:
            self.rate = seconds / numbers
