"""The arrays of a launch with what their elements mean: of each its wide value and its running error."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from noether.campaigns.audit.ptx_shadow import WIDTH, Fields, Notes, Unknown, number_at
from noether.kernels.programs.precision import BUFFER, widen
from noether.kernels.ptx.memory import SPACING
from noether.optimizers.running import WIDE, Running, running
from noether.system.usage import UsageError


@dataclass
class Array:
    """One array of a launch.

    bits     the array itself, which the kernel reads and writes; bfloat16 as its 16 bits
    kind     of its elements
    number   their wide values and errors, longdouble, flat
    written  of each whether the kernel stored it
    start    the element to which the pointer of the launch points
    """

    bits: np.ndarray
    kind: str
    number: Running
    written: np.ndarray
    start: int = 0

    @classmethod
    def of(cls, bits: np.ndarray, kind: str, number: Running | None = None, start: int = 0) -> Array:
        """An array whose elements are exact, or known to be near others. Raises UsageError."""
        if kind not in BUFFER:
            raise UsageError(f"kind is {kind!r}, must be one of {', '.join(BUFFER)}")
        if bits.dtype != np.dtype(BUFFER[kind]) or not bits.flags.c_contiguous:
            raise UsageError(
                f"an array of {kind} is {bits.dtype}{list(bits.shape)}: must be contiguous and of "
                f"{np.dtype(BUFFER[kind])}"
            )
        exact = widen(bits.reshape(-1), kind).astype(WIDE)
        if number is None:
            number = running(exact)
        elif np.shape(number.value) != exact.shape or np.shape(number.error) != exact.shape:
            raise UsageError(
                f"the wide values of an array of {exact.size} are {np.shape(number.value)} with errors "
                f"{np.shape(number.error)}: must be ({exact.size},) each"
            )
        own = Running(np.array(number.value, WIDE), np.array(number.error, WIDE))
        return cls(bits, kind, own, np.zeros(exact.shape, bool), start)

    @property
    def real(self) -> np.ndarray:
        """The executed values, longdouble, flat."""
        return widen(self.bits.reshape(-1), self.kind).astype(WIDE)


class Shadows:
    """The arrays behind the pointers of a launch, by the position of their parameter."""

    def __init__(self, arrays: dict[int, Array], notes: Notes):
        self.arrays, self.notes = arrays, notes

    def places(self, address: np.ndarray, offset: int, lanes: np.ndarray, lane_count: int):
        """The array in which lanes access memory, and the byte of each; None where it holds no numbers."""
        at = np.broadcast_to(address, lane_count)[lanes].astype(np.int64) + offset
        index = (int(at[0]) >> SPACING) - 1
        array = self.arrays.get(index)
        return (array, at - (index + 1 << SPACING)) if array else (None, at)

    def load(self, address, offset: int, lanes, lane_count: int, size: int, count: int) -> list:
        """What each of `count` registers of `size` bytes holds after a load, or None for bits alone."""
        array, at = self.places(address, offset, lanes, lane_count)
        if array is None:
            return [None] * count
        each = WIDTH[array.kind] // 8
        if size % each:
            return [Unknown("a load of a part of a number")] * count
        shadows = []
        for k in range(count):
            fields = {}
            for j in range(size // each):
                place = np.clip((at + k * size) // each + j, 0, array.written.size - 1)
                value, error = np.zeros(lane_count, WIDE), np.zeros(lane_count, WIDE)
                value[lanes], error[lanes] = array.number.value[place], array.number.error[place]
                fields[8 * each * j] = array.kind, Running(value, error)
            shadows.append(Fields(fields))
        return shadows

    def store(self, address, offset: int, lanes, lane_count: int, size: int, sources, line: str):
        """Keep what is stored.

        sources  (shadow, executed bits) of each register
        """
        array, at = self.places(address, offset, lanes, lane_count)
        if array is None:
            return
        each = WIDTH[array.kind] // 8
        for k, (shadow, bits) in enumerate(sources):
            for j in range(max(1, size // each)):
                place = (at + k * size) // each + j
                if place.min() < 0 or place.max() >= array.written.size:
                    return  # the access itself is about to be refused
                x = number_at(shadow, bits, array.kind, 8 * each * j, self.notes)
                value, error = (np.broadcast_to(y, lane_count)[lanes] for y in (x.value, x.error))
                if size % each:
                    self.notes.unknown[line] = None
                    error = np.full(lanes.size, np.inf)
                array.number.value[place] = value
                array.number.error[place] = error
                array.written[place] = True
