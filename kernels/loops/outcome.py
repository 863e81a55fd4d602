"""What a launch returns, and whether two of them agree bit for bit."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import numpy as np

from noether.kernels.programs.precision import BUFFER, Precision, encode, widen

WATERMARK = {"float64": 0x7FF8DEAD0BADF00D, "float32": 0x7FC0BADF, "float16": 0x7EAD, "bfloat16": 0x7FEA}
QUIET = {"float64": 0x7FF8000000000000, "float32": 0x7FC00000, "float16": 0x7E00, "bfloat16": 0x7FC0}


@dataclass
class Outcome:
    """What a launch gives: q, v (rows, d, lanes) in buffer types, and the name of the backend that ran it."""

    q: np.ndarray
    v: np.ndarray
    precision: Precision
    backend: str
    seconds: float
    notes: dict = field(default_factory=dict)

    def wide(self) -> tuple[np.ndarray, np.ndarray]:
        """q and v in float64, exactly."""
        return widen(self.q, self.precision.q_store), widen(self.v, self.precision.v_store)

    @property
    def digest(self) -> str:
        """The SHA-256 of the final q and v, any NaN as one: machines that agree bit for bit agree in it."""
        text = hashlib.sha256()
        for x, kind in ((self.q[-1], self.precision.q_store), (self.v[-1], self.precision.v_store)):
            raw = bits(np.ascontiguousarray(x))
            text.update(np.where(np.isnan(widen(x, kind)), raw.dtype.type(QUIET[kind]), raw).tobytes())
        return text.hexdigest()

    @property
    def unwritten(self) -> np.ndarray:
        """(lanes,) bool: whether the watermark still stands anywhere in a lane."""
        return marked(self.q, self.precision.q_store) | marked(self.v, self.precision.v_store)


def started(start: np.ndarray, kind: str, rows: int) -> np.ndarray:
    """A buffer (rows, d, lanes) of `kind`: row 0 is the start (d, lanes), the others are watermarked."""
    raw = np.full((rows, *start.shape), WATERMARK[kind], f"u{np.dtype(BUFFER[kind]).itemsize}")
    buffer = raw.view(BUFFER[kind])
    buffer[0] = encode(start, kind)
    return buffer


def bits(x: np.ndarray) -> np.ndarray:
    """The bits of a buffer as whole numbers."""
    return x.view(f"u{x.dtype.itemsize}")


def marked(buffer: np.ndarray, kind: str) -> np.ndarray:
    """Where a buffer still holds the watermark."""
    raw = bits(buffer)
    return (raw == raw.dtype.type(WATERMARK[kind])).any(axis=(0, 1))


def differing_bits(a: Outcome, b: Outcome) -> int:
    """How many stored values differ in any bit; two NaN are the same whatever their payload."""
    count = 0
    for x, y, kind in ((a.q, b.q, a.precision.q_store), (a.v, b.v, a.precision.v_store)):
        same = bits(x) == bits(y)
        if not same.all():
            same |= np.isnan(widen(x, kind)) & np.isnan(widen(y, kind))
        count += int((~same).sum())
    return count
