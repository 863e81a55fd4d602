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
    """arrays: one for each parameter, None where the parameter is a number."""

    def __init__(self, arrays: list[np.ndarray | None]):
        self.arrays = arrays
        self._cells: dict[tuple[int, int], np.ndarray] = {}

    @staticmethod
    def base(index: int) -> int:
        return (index + 1) << SPACING

    def cells(self, index: int, size: int) -> np.ndarray:
        """The array as unsigned integers of `size` bytes."""
        key = index, size
        if key not in self._cells:
            raw = self.arrays[index].reshape(-1).view(np.uint8)
            self._cells[key] = raw[: len(raw) // size * size].view(f"u{size}")
        return self._cells[key]

    def find(self, i: Instruction, first: int, last: int, size: int, count: int) -> tuple[np.ndarray, int]:
        """The cells that hold [first, last + size * count) and the address of cell 0."""
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
    kind = (i.op.result or i.op.sources[1:])[0]
    size, count = width(kind) // 8, len(values)
    offset = i.sources[0].offset
    store = i.op.meaning == "store"
    ramp = np.arange(lanes, dtype=np.int64) * (size * count)
    scratch = np.empty(lanes, np.int64)
    same = np.empty(lanes, bool)
    if store:
        values = [np.broadcast_to(v, lanes) if v.ndim else v for v in values]

    def uniform():
        if mask is not None and not mask:
            return
        at = int(address) + offset
        cells, base = memory.find(i, at, at, size, count)
        k = _cell(i, at - base, size, count)
        for j, v in enumerate(values):
            if v is not None:
                v[...] = cells[k + j]

    def lanewise():
        n = lanes if mask is None else np.count_nonzero(mask)
        if n == 0:
            return
        prefix = n == lanes or (mask.ndim and np.count_nonzero(mask[:n]) == n)
        if prefix and address.ndim:
            start = int(address[0])
            off = np.subtract(address[:n], ramp[:n], scratch[:n])
            if np.equal(off, start, same[:n]).all():
                return contiguous(start + offset, n)
        every = np.arange(lanes) if mask is None or not mask.ndim else np.flatnonzero(mask)
        at = np.broadcast_to(address, lanes)[every] + offset
        if len(np.unique(at >> SPACING)) > 1:
            raise OutOfBounds(f"PTX line {i.line}: the lanes reach into different arrays   [{i.text}]")
        cells, base = memory.find(i, int(at.min()), int(at.max()), size, count)
        at -= base
        if (at % (size * count)).any():
            raise OutOfBounds(
                f"PTX line {i.line}: an address is not aligned to {size * count} bytes   [{i.text}]"
            )
        at //= size
        for j, v in enumerate(values):
            if store:
                cells[at + j] = v[every] if v.ndim else v
            elif v is not None:
                v[every] = cells[at + j]

    def contiguous(start, n):
        cells, base = memory.find(i, start, start + (n - 1) * size * count, size, count)
        k = _cell(i, start - base, size, count)
        for j, v in enumerate(values):
            part = cells[k + j : k + j + (n - 1) * count + 1 : count]
            if store:
                part[...] = v[:n] if v.ndim else v
            elif v is not None:
                v[:n] = part

    alone = not store and address.ndim == 0 and all(v is None or v.ndim == 0 for v in values)
    return uniform if alone else lanewise


def _cell(i: Instruction, offset: int, size: int, count: int) -> int:
    if offset % (size * count):
        raise OutOfBounds(
            f"PTX line {i.line}: offset {offset} is not aligned to {size * count} bytes   [{i.text}]"
        )
    return offset // size
