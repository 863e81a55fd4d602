"""Global memory of an evaluated kernel: each pointer argument is an array of its own, and every access is
checked.

Addresses are made up, 2^40 apart, so that an offset beyond an array's end cannot land in its neighbour.
"""

from __future__ import annotations

import numpy as np

from noether.kernels.ptx.parse import Instruction
from noether.kernels.ptx.table import width

SPACING = 40  # bits


class OutOfBounds(IndexError):
    """An access outside every array; the message names the instruction, the lane and the array."""


class Memory:
    """The arrays of a launch, one for each parameter; None where the parameter is a number."""

    def __init__(self, arrays: list[np.ndarray | None]):
        self.arrays = arrays
        self._cells: dict[tuple[int, int], np.ndarray] = {}

    @staticmethod
    def base(index: int) -> int:
        """The made-up address of the first byte of an array."""
        return (index + 1) << SPACING

    def cells(self, index: int, size: int) -> np.ndarray:
        """The array as unsigned integers of `size` bytes."""
        key = index, size
        if key not in self._cells:
            raw = self.arrays[index].reshape(-1).view(np.uint8)
            self._cells[key] = raw[: len(raw) // size * size].view(f"u{size}")
        return self._cells[key]

    def find(self, i: Instruction, first: int, last: int, size: int, count: int) -> tuple[np.ndarray, int]:
        """The cells that hold [first, last + size * count) and the address of cell 0. Raises OutOfBounds."""
        index = (first >> SPACING) - 1
        known = 0 <= index < len(self.arrays) and self.arrays[index] is not None
        if not known:
            raise OutOfBounds(f"PTX line {i.line}: address {first:#x} is in no array   [{i.text}]")
        low, high = first - self.base(index), last - self.base(index) + size * count
        if low < 0 or high > self.arrays[index].nbytes:
            raise OutOfBounds(
                f"PTX line {i.line}: bytes {low} to {high} of argument {index}, which has "
                f"{self.arrays[index].nbytes}   [{i.text}]"
            )
        return self.cells(index, size), self.base(index)


def access(
    memory: Memory, i: Instruction, address: np.ndarray, values: list, mask: np.ndarray | None, lanes: int
):
    """A call that loads into or stores from `values` for the lanes under mask.

    address () or (lanes,) int64; values: arrays, None where a loaded value is dropped.
    """
    made = Access(memory, i, address, values, mask, lanes)
    alone = not made.store and address.ndim == 0 and all(v is None or v.ndim == 0 for v in values)
    return made.uniform if alone else made.lanewise


class Access:
    """One load or store, with the buffers that its calls use again. Its calls raise OutOfBounds."""

    def __init__(self, memory, i: Instruction, address, values: list, mask, lanes: int):
        self.memory, self.i, self.address, self.mask, self.lanes = memory, i, address, mask, lanes
        kind = (i.op.result or i.op.sources[1:])[0]
        self.size, self.count = width(kind) // 8, len(values)
        self.offset, self.store = i.sources[0].offset, i.op.meaning == "store"
        self.values = [np.broadcast_to(v, lanes) if v.ndim else v for v in values] if self.store else values
        self.ramp = np.arange(lanes, dtype=np.int64) * (self.size * self.count)
        self.scratch, self.same = np.empty(lanes, np.int64), np.empty(lanes, bool)

    def uniform(self) -> None:
        """A load of one value by all lanes alike."""
        if self.mask is not None and not self.mask:
            return
        at = int(self.address) + self.offset
        cells, base = self.memory.find(self.i, at, at, self.size, self.count)
        k = _cell(self.i, at - base, self.size, self.count)
        for j, v in enumerate(self.values):
            if v is not None:
                v[...] = cells[k + j]

    def lanewise(self) -> None:
        """An access of each lane under the mask at its own address; faster where these follow each other."""
        address, mask, size, count = self.address, self.mask, self.size, self.count
        n = self.lanes if mask is None else np.count_nonzero(mask)
        if n == 0:
            return
        prefix = n == self.lanes or (mask.ndim and np.count_nonzero(mask[:n]) == n)
        if prefix and address.ndim:
            start = int(address[0])
            off = np.subtract(address[:n], self.ramp[:n], self.scratch[:n])
            if np.equal(off, start, self.same[:n]).all():
                return self.contiguous(start + self.offset, n)
        every = np.arange(self.lanes) if mask is None or not mask.ndim else np.flatnonzero(mask)
        at = np.broadcast_to(address, self.lanes)[every] + self.offset
        where = f"PTX line {self.i.line}"
        if len(np.unique(at >> SPACING)) > 1:
            raise OutOfBounds(f"{where}: the lanes reach into different arrays   [{self.i.text}]")
        cells, base = self.memory.find(self.i, int(at.min()), int(at.max()), size, count)
        at -= base
        if (at % (size * count)).any():
            raise OutOfBounds(f"{where}: an address is not aligned to {size * count} bytes   [{self.i.text}]")
        at //= size
        for j, v in enumerate(self.values):
            if self.store:
                cells[at + j] = v[every] if v.ndim else v
            elif v is not None:
                v[every] = cells[at + j]

    def contiguous(self, start: int, n: int) -> None:
        """An access of the first n lanes, whose addresses follow each other from `start`."""
        size, count = self.size, self.count
        cells, base = self.memory.find(self.i, start, start + (n - 1) * size * count, size, count)
        k = _cell(self.i, start - base, size, count)
        for j, v in enumerate(self.values):
            part = cells[k + j : k + j + (n - 1) * count + 1 : count]
            if self.store:
                part[...] = v[:n] if v.ndim else v
            elif v is not None:
                v[:n] = part


def _cell(i: Instruction, offset: int, size: int, count: int) -> int:
    """The number of the cell at an offset in bytes. Raises OutOfBounds where it is not aligned."""
    if offset % (size * count):
        where = f"PTX line {i.line}"
        raise OutOfBounds(f"{where}: offset {offset} is not aligned to {size * count} bytes   [{i.text}]")
    return offset // size
