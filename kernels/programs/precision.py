"""Precisions: which numbers are rounded, where, and to which type.

    mode      arithmetic                  q is stored in    v is stored in
    stored    float32 (float64 for it)    the named type    the named type
    eager     the named type              the named type    the named type
    mixed     float32 (float64 for it)    the named type    the arithmetic type

Learning rate, momentum, decay and breaking magnitude are values of the arithmetic type in every mode.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

UNIT = {"float64": 2.0**-53, "float32": 2.0**-24, "float16": 2.0**-11, "bfloat16": 2.0**-8}
SUBNORMAL = {"float64": 2.0**-1074, "float32": 2.0**-149, "float16": 2.0**-24, "bfloat16": 2.0**-133}
PRECISIONS = tuple(UNIT)
MODES = ("stored", "eager", "mixed")


@dataclass(frozen=True)
class Precision:
    """One way of rounding: a type and a mode, with unit roundoffs u_* and smallest subnormals tiny_* (R0)."""

    name: str
    mode: str = "stored"

    def __post_init__(self):
        if self.name not in UNIT:
            raise ValueError(f"precision is {self.name!r}, must be one of {list(UNIT)}")
        if self.mode not in MODES:
            raise ValueError(f"precision mode is {self.mode!r}, must be one of {list(MODES)}")

    @property
    def label(self) -> str:
        """As it is written in words, "bfloat16/eager"."""
        return self.name if self.mode == "stored" else f"{self.name}/{self.mode}"

    @property
    def arith(self) -> str:
        """The type of the arithmetic."""
        return "float64" if self.name == "float64" else "float32"

    @property
    def eager(self) -> bool:
        """Whether every operation is rounded to the named type."""
        return self.mode == "eager" and self.name != self.arith

    @property
    def q_store(self) -> str:
        """The type in which parameters are stored."""
        return self.name

    @property
    def v_store(self) -> str:
        """The type in which the buffer is stored."""
        return self.arith if self.mode == "mixed" else self.name

    def store_of(self, operation: str) -> str:
        """The type to which `store`, of parameters, or `store_buffer` rounds."""
        return self.q_store if operation == "store" else self.v_store

    @property
    def rounded(self) -> str:
        """The type in which every operation is rounded."""
        return self.name if self.eager else self.arith

    @property
    def u_arith(self) -> float:
        """The unit roundoff of an operation."""
        return UNIT[self.rounded]

    @property
    def u_q(self) -> float:
        """The unit roundoff of the store of parameters."""
        return UNIT[self.q_store]

    @property
    def u_v(self) -> float:
        """The unit roundoff of the store of the buffer."""
        return UNIT[self.v_store]

    @property
    def tiny_arith(self) -> float:
        """The smallest subnormal number of the arithmetic."""
        return SUBNORMAL[self.rounded]

    @property
    def tiny_q(self) -> float:
        """The smallest subnormal number of the store of parameters."""
        return SUBNORMAL[self.q_store]

    @property
    def tiny_v(self) -> float:
        """The smallest subnormal number of the store of the buffer."""
        return SUBNORMAL[self.v_store]


def parse(label: str) -> Precision:
    """The precision of a word such as 'bfloat16' or 'bfloat16/eager'. Raises ValueError for other words."""
    name, _, mode = label.partition("/")
    return Precision(name, mode or "stored")


BUFFER = {"float64": np.float64, "float32": np.float32, "float16": np.float16, "bfloat16": np.uint16}
"""The numpy type that holds a stored value; bfloat16 travels as its bits."""


def narrow(x: np.ndarray, kind: str) -> np.ndarray:
    """x rounded to `kind`, to nearest, ties to even, in the type of x (float32 or float64)."""
    if kind == "float64" or (
        kind == "float32" and x.dtype == np.float32
    ):  # not dtype.name: it costs as much as a block
        return x
    if kind == "float32":
        return x.astype(np.float32).astype(x.dtype)
    if x.dtype != np.float32:
        raise TypeError(f"narrow to {kind} takes float32, got {x.dtype}: a float64 would be rounded twice")
    if kind == "float16":
        return x.astype(np.float16).astype(np.float32)
    return nearest_bfloat16(x).view(np.float32)


def nearest_bfloat16(x: np.ndarray) -> np.ndarray:
    """The bits of float32 numbers rounded to bfloat16, as uint32 whose lower half is 0; ties to even, NaN
    stays quiet."""
    bits = np.asarray(x, dtype=np.float32, order="C").view(np.uint32)
    tie = (bits >> np.uint32(16)) & np.uint32(1)
    nearest = (bits + (tie + np.uint32(0x7FFF))) & np.uint32(0xFFFF0000)
    lost = np.isnan(x)
    if lost.any():  # the carry of a NaN whose payload is all ones would make it an infinity
        return np.where(lost, (bits & np.uint32(0xFFFF0000)) | np.uint32(0x400000), nearest)
    return np.asarray(nearest)


def bfloat16_bits(x: np.ndarray) -> np.ndarray:
    """The 16 bits of the bfloat16 nearest to a float32, as `nearest_bfloat16` has it."""
    return (nearest_bfloat16(x) >> np.uint32(16)).astype(np.uint16)


def encode(x: np.ndarray, kind: str) -> np.ndarray:
    """Values that are representable in `kind`, in the type of its buffers; bfloat16 as its bits."""
    if kind == "bfloat16":
        return bfloat16_bits(x.astype(np.float32))
    if x.dtype == BUFFER[kind]:
        return x.astype(BUFFER[kind])
    with np.errstate(over="ignore"):  # what a store cannot hold it keeps as an infinity
        return x.astype(BUFFER[kind])


def widen(buffer: np.ndarray, kind: str) -> np.ndarray:
    """A buffer of `kind` in float64, exactly."""
    if kind == "bfloat16":
        return (buffer.astype(np.uint32) << np.uint32(16)).view(np.float32).astype(np.float64)
    return buffer.astype(np.float64)


def representable(x: np.ndarray, kind: str) -> np.ndarray:
    """float64 values rounded to `kind`, once, and then widened to float64 (rules of evidence, 8)."""
    x = np.asarray(x, dtype=np.float64)
    with np.errstate(over="ignore", under="ignore"):
        return widen(bfloat16_bits(to_odd(x)) if kind == "bfloat16" else x.astype(BUFFER[kind]), kind)


def to_odd(x: np.ndarray) -> np.ndarray:
    """float64 rounded to float32, what is inexact to the odd neighbour: a second rounding then errs no more.

    Boldo, Melquiond (2008): round to odd with two more bits than the last rounding keeps.
    """
    near = np.asarray(x, order="C").astype(np.float32)
    bits = near.view(np.uint32) - (np.abs(near.astype(np.float64)) > np.abs(x)).astype(np.uint32)
    return np.where(near == x, near.view(np.uint32), bits | np.uint32(1)).astype(np.uint32).view(np.float32)
