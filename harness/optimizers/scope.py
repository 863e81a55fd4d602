"""Which operations a shadow follows: all, or those that read or make some chosen tensors.

Where few of a network's parameters are followed, the others must cost nothing. So an operation is followed
where one of its operands has a shadow already, and its result then has one too. Tensors of a single number
(a rate, a count of steps) are always followed, but do not spread: a rate times a parameter that was not
chosen is of no interest. What is not followed is taken as it stands where it meets what is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

import torch

from noether.optimizers.meaning import FULL, kind_of, plain
from noether.optimizers.running import UNITS


class Scope:
    """All operations are followed.

    places  storage -> the places of the numbers that are followed of it, where not all are (parts.py)
    """

    places: Mapping[int, torch.Tensor] = MappingProxyType({})

    def begin(self, shadow) -> None:
        """What a shadow knows when it has just forgotten everything."""

    def concerns(self, shadow, name: str, given: dict) -> bool:
        """Whether an operation with these arguments is followed by a shadow."""
        return True


class Chosen(Scope):
    """Operations on some tensors are followed, and on what was made of them.

    tensors  what is followed: parameters, their gradients, what an optimizer keeps of them
    apart    tensors of a single number that are not followed, as counts of steps of other parameters
    some     of these tensors too, but only the numbers at some places
    """

    def __init__(
        self,
        tensors: Iterable[torch.Tensor],
        apart: Iterable[torch.Tensor] = (),
        some: Iterable[tuple[torch.Tensor, torch.Tensor]] = (),
    ):
        some = [(x, at) for x, at in some if plain(x) and kind_of(x) in UNITS]
        self.places = {x.untyped_storage()._cdata: at for x, at in some}
        self.tensors = [x for x in tensors if plain(x) and kind_of(x) in UNITS] + [x for x, _ in some]
        self.roots = {x.untyped_storage()._cdata for x in self.tensors}
        self.kept = [x.untyped_storage() for x in apart if x.numel() == 1]
        self.apart = {x._cdata for x in self.kept}

    def begin(self, shadow) -> None:
        for x in self.tensors:
            shadow.entry(x)

    def concerns(self, shadow, name: str, given: dict) -> bool:
        found, single = False, True
        for x in filter(plain, tensors_of(given.values())):
            found, own = True, x.untyped_storage()._cdata
            if own in self.roots or x.numel() > 1 and shadow.knows(x):
                return True
            single = single and x.numel() == 1 and own not in self.apart
        return single if found else name.rstrip("_") in FULL  # a number may be rounded where it is put


def tensors_of(values: Iterable) -> Iterator[torch.Tensor]:
    """The tensors among arguments and in their lists."""
    for x in values:
        if isinstance(x, torch.Tensor):
            yield x
        elif isinstance(x, (list, tuple)):
            yield from tensors_of(x)
