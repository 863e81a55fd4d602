"""A shadow of some numbers of large tensors, where operations move each number by itself.

Time and memory of a whole shadow go with the size of a tensor: some microseconds and some hundred bytes a
number. Of an operation that is elementwise any choice of numbers has a meaning of its own: the operands are
picked at the same places, and the rest of the tensor is not looked at. Other operations (norms, means,
products of matrices) read what is not followed: they are counted as unknown, and their results are taken as
they stand.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch.multiprocessing.reductions import StorageWeakRef

from noether.optimizers import fused
from noether.optimizers.meaning import COPIES, FILLED, FULL, aliases, kind_of, meaning, plain
from noether.optimizers.operations import ELEMENTWISE
from noether.optimizers.running import UNITS, WIDE, Running
from noether.optimizers.shadow import SILENT, Entry, Shadow

WHOLE = {"mm", "bmm", "mv", "dot", "addmm", "baddbmm", "addr"}
"""Operations of the table that read rows and columns."""
EACH = (set(ELEMENTWISE) - WHOLE) | COPIES | set(FILLED) | set(FULL) | SILENT | {"index_put"}


@dataclass
class Part(Entry):
    """The shadow of the numbers of a storage that are followed.

    at   (k,) int64, their places in the tensor, counted as in reshape(-1)
    lies the shape and strides of the tensor; none where it is contiguous, whatever its shape is
    """

    at: torch.Tensor
    size: int
    lies: tuple | None

    def whole(self, x: torch.Tensor) -> torch.Tensor:
        """The tensor as it was begun, of any view of its storage."""
        shape, stride, offset = self.lies or ((self.size,), (1,), 0)
        return torch.empty(0, dtype=x.dtype).set_(x.untyped_storage(), offset, shape, stride)

    def fits(self, x: torch.Tensor) -> bool:
        """Whether a tensor on the storage counts its numbers as this does."""
        return x.numel() == self.size and lies(x) == self.lies


@dataclass
class Picked:
    """An operation on numbers that were picked: its arguments, small, and what they mean."""

    at: torch.Tensor
    size: int  # of the tensors of which they are
    given: dict
    operands: dict

    def is_each(self, name: str, out: torch.Tensor) -> bool:
        """Whether the operation makes each number of its result of the numbers at the same place."""
        if name == "index_put":  # x[mask] = number
            mask, values = self.given["indices"], self.given["values"]
            return len(mask) == 1 and mask[0].dtype == torch.bool and values.numel() == 1
        return name in EACH and out.numel() == self.size


class Partial(Shadow):
    """A shadow that follows of each tensor in scope.places these numbers alone, and all of the others."""

    def entry(self, x: torch.Tensor) -> Entry:
        own = x.untyped_storage()._cdata
        at = self.scope.places.get(own)
        found = self.entries.get(own)
        live = found is not None and not found.storage.expired() and found.kind == kind_of(x)
        return found if live else super().entry(x) if at is None else self.part(x, at)

    def part(self, x: torch.Tensor, at: torch.Tensor) -> Part:
        """Begin to follow some numbers of a tensor, as they stand."""
        numbers = taken(x, at).double().numpy().astype(WIDE)
        storage = x.untyped_storage()
        found = Part(
            StorageWeakRef(storage), kind_of(x), numbers, np.zeros_like(numbers), at, x.numel(), lies(x)
        )
        self.entries[storage._cdata] = found
        return found

    def followed(self, x: torch.Tensor) -> Part | None:
        """The part of a tensor that is followed, None where it has none."""
        if not plain(x) or not (self.knows(x) or x.untyped_storage()._cdata in self.scope.places):
            return None
        found = self.entry(x)
        return found if isinstance(found, Part) else None

    def of(self, x: torch.Tensor) -> Running:
        found = self.followed(x)
        return super().of(x) if found is None else Running(found.value.copy(), found.error.copy())

    def put(self, x: torch.Tensor, found: Running) -> None:
        entry = self.followed(x)
        if entry is None:
            super().put(x, found)
            return
        self.written.add(x.untyped_storage()._cdata)
        entry.value[...], entry.error[...] = found.value, found.error

    def stands(self, x: torch.Tensor) -> None:
        entry = self.followed(x)
        if entry is None:
            super().stands(x)
            return
        self.written.add(x.untyped_storage()._cdata)
        self.part(entry.whole(x), entry.at)

    # ---- an operation

    def operands(self, given: dict):
        """The shadows of the arguments; of an operation on parts a Picked, None where it reads the rest."""
        first = next((part for x in flattened(given) if (part := self.followed(x))), None)
        if first is None:
            return super().operands(given)
        try:
            small = {key: self.picked(x, first) for key, x in given.items()}
            operands = {key: self.shadow_of(x, first) for key, x in given.items()}
        except NotImplementedError:
            return None
        return Picked(first.at, first.size, small, operands)

    def picked(self, x, part: Part):
        """An argument with the numbers that are followed alone. Raises NotImplementedError."""
        if isinstance(x, (list, tuple)):
            return [self.picked(y, part) for y in x]
        own = self.followed(x) if isinstance(x, torch.Tensor) else None
        if own is not None and not own.fits(x):
            raise NotImplementedError
        if not isinstance(x, torch.Tensor) or x.numel() == 1 and part.size != 1:
            return x
        if not plain(x) or x.numel() != part.size:
            raise NotImplementedError
        if own is not None and own.at is not part.at and not torch.equal(own.at, part.at):
            raise NotImplementedError
        return taken(x, part.at)

    def shadow_of(self, x, part: Part):
        """The shadow of an argument at the places that are followed."""
        if isinstance(x, (list, tuple)) and any(isinstance(y, torch.Tensor) for y in x):
            return [self.shadow_of(y, part) for y in x]
        if not isinstance(x, torch.Tensor):
            return x
        if x.numel() == 1 and part.size != 1 or self.followed(x) is not None:
            return self.of(x)
        if not self.knows(x):
            return Running(taken(x, part.at).double().numpy().astype(WIDE), WIDE(0))
        whole, at = super().of(x), part.at.numpy()
        return Running(whole.value.reshape(-1)[at], whole.error.reshape(-1)[at])

    def follow(self, function, name: str, out: torch.Tensor, given: dict, operands) -> None:
        if isinstance(operands, dict):
            super().follow(function, name, out, given, operands)
            return
        if aliases(function, out, given):
            return
        kind = kind_of(out)
        if kind not in UNITS and kind != "bool":
            return
        if operands is None or not operands.is_each(name, out):
            self.told.unknown[f"{name} of some numbers"] += 1
            if self.followed(out) is not None:
                self.stands(out)
            return
        small = taken(out, operands.at)
        found = meaning(name, kind, small, operands.given, operands.operands)
        part = self.followed(out)
        if part is None or not part.fits(out):
            part = self.part(out, operands.at)
        self.written.add(out.untyped_storage()._cdata)
        if found is None:
            self.stands(out)
            self.told.unknown.update([name] if name not in SILENT else [])
            return
        if kind in UNITS and np.any(found.error > 0):
            self.told.kinds[kind] += 1
        part.value[...], part.error[...] = found.value, found.error

    def fused(self, name: str, given: dict):
        for i in range(len(given["self"])):
            lists = [given[key][i] for key in fused.LISTS if given.get(key)]
            parts = [self.followed(x) for x in lists]
            if any(parts) and not all(x and x.fits(y) for x, y in zip(parts, lists, strict=True)):
                raise NotImplementedError(f"{name} of some numbers of one tensor and all of another")
        return super().fused(name, given)


def flattened(given: dict):
    """The tensors among arguments and in their lists."""
    for x in given.values():
        for y in x if isinstance(x, (list, tuple)) else (x,):
            if isinstance(y, torch.Tensor):
                yield y


def taken(x: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
    """(k,) the numbers at these places."""
    return x.detach().reshape(-1)[at]


def lies(x: torch.Tensor) -> tuple | None:
    """How a tensor counts its numbers on its storage: None where one after the other from the first on."""
    if x.is_contiguous() and x.storage_offset() == 0:
        return None
    return tuple(x.shape), x.stride(), x.storage_offset()
