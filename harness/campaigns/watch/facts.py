"""What a watch knows of a network, and what is told of an optimizer beside its laws."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace

import torch

from noether.campaigns.watch.gradient import Slopes
from noether.campaigns.watch.turning import Turn
from noether.networks.families import Family


@dataclass(eq=False)
class Net:
    """A network: the module as it is called, the one that holds its parameters, and its families.

    prefix    before the names of its parameters, where several networks are watched
    families  by the names that the module has; None until a first gradient was looked at
    called    how often it was called
    parts     whether calls of its modules count, for it is never called itself
    depth     how many of its modules are running now
    seats     (optimizer, its number for this network) of those that are to be told of a call
    """

    outer: torch.nn.Module
    inner: torch.nn.Module
    prefix: str = ""
    families: list[Family] | None = None
    no_families: str = ""
    called: int = 0
    parts: bool = False
    depth: int = 0
    seats: list = field(default_factory=list)

    @property
    def shown(self) -> list[Family]:
        """Its families by the names with the prefix."""
        if not self.prefix:
            return self.families or []
        part = lambda x: replace(x, parameter=self.prefix + x.parameter)
        return [
            replace(f, words=f"{self.prefix}{f.words}", parts=tuple(map(part, f.parts)))
            for f in self.families or []
        ]


@dataclass
class Facts:
    """What is told of an optimizer beside its laws.

    factors  (step, x) of the gradients;  rests  (step, rest) of those that no factor explains;  repeated  how
             many one does
    turns    layer -> (step, Turn);  still  parameter -> (step, share of numbers that did not move though the
             rule moves them)
    without  parameters that had a gradient in no sample;  large  those that no sample has room for
    infinite  (step, parameter) of gradients that are not finite
    unjudged  why a sample said nothing -> how often;  sampled  the steps that were looked at
    """

    factors: list[tuple[int, float]] = field(default_factory=list)
    rests: list[tuple[int, float]] = field(default_factory=list)
    repeated: int = 0
    rounding: dict[str, float] = field(default_factory=dict)
    turns: dict[str, list[tuple[int, Turn]]] = field(default_factory=dict)
    still: dict[str, list[tuple[int, float]]] = field(default_factory=dict)
    without: set[str] | None = None
    infinite: list[tuple[int, str]] = field(default_factory=list)
    unjudged: Counter = field(default_factory=Counter)
    large: set[str] = field(default_factory=set)
    sampled: list[int] = field(default_factory=list)

    def gradient(self, step: int, prefix: str, found: Slopes) -> None:
        """What one gradient says beside the laws."""
        self.factors.append((step, found.factor))
        self.repeated += found.repeats
        if not found.repeats:
            self.rests.append((step, found.rest))
        for name, x in found.rounding.items():
            self.rounding[prefix + name] = max(x, self.rounding.get(prefix + name, 0.0))

    def missing(self, without: set[str]) -> None:
        """Parameters without a gradient in this sample."""
        self.without = without if self.without is None else self.without & without

    def looked_at(self, step: int) -> None:
        """Something of this step was looked at."""
        if self.last != step:
            self.sampled.append(step)

    @property
    def last(self) -> int:
        """The last step of which something was looked at, 0 before there is one."""
        return self.sampled[-1] if self.sampled else 0
