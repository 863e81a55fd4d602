"""The floating-point environment of this thread (rounding mode, subnormals): read, shown and restored.

A library that is loaded with -ffast-math, or a call of fesetround, changes every result that comes after.
What counts are the bits that control (rounding, precision, flushing of subnormal numbers, traps), not the
flags that results leave.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import platform
from functools import cache

SIZE = 512  # bytes, far more than an fenv_t has anywhere
X86 = platform.machine() in ("x86_64", "AMD64")
ROUNDING = {0x000: "to nearest", 0x400: "down", 0x800: "up", 0xC00: "towards zero"}  # of x86


@cache
def library():
    """The C library's fegetenv, fesetenv and fegetround; None where it is not found."""
    for name in (None, ctypes.util.find_library("m")):
        try:
            found = ctypes.CDLL(name)
            found.fegetenv, found.fesetenv, found.fegetround  # noqa: B018
            return found
        except (OSError, AttributeError, TypeError):
            continue
    return None


def capture() -> tuple[bytes, bool] | None:
    """The floating point environment as the C library keeps it, and whether subnormal numbers are what they
    should be."""
    if library() is None:
        return None
    room = ctypes.create_string_buffer(SIZE)
    if library().fegetenv(room) != 0:
        return None
    return room.raw, subnormal()


def subnormal() -> bool:
    least, half = float.fromhex("0x1p-1022"), float.fromhex("0x1p-1")
    tiny = float.fromhex("0x1p-1074")
    return least * half != 0.0 and tiny * 2.0 != 0.0


def restore(kept: tuple[bytes, bool] | None) -> None:
    """Put the environment back as it was captured."""
    if kept is not None:
        library().fesetenv(ctypes.create_string_buffer(kept[0], SIZE))


def controls(kept: tuple[bytes, bool] | None) -> tuple:
    """The part of the environment that decides results; nothing where the system does not let it be read."""
    if kept is None:
        return ()
    raw, fine = kept
    if X86:  # fenv_t of glibc, musl and macOS: the x87 control word first, mxcsr at 28
        return int.from_bytes(raw[:2], "little") & 0x0F3F, int.from_bytes(raw[28:32], "little") & 0xFFC0, fine
    return library().fegetround(), fine


def same(a: tuple[bytes, bool] | None, b: tuple[bytes, bool] | None) -> bool:
    """Whether two captured environments give the same results."""
    return a is None or b is None or controls(a) == controls(b)


def told(kept: tuple[bytes, bool] | None) -> str:
    """What an environment does, in words."""
    if kept is None:
        return "unknown"
    found = controls(kept)
    rounding = ROUNDING[found[0] & 0xC00] if X86 else f"mode {found[0]}"
    bits = f" (control word {found[0]:#x}, mxcsr {found[1]:#x})" if X86 else ""
    return f"rounding {rounding}{'' if found[-1] else ', subnormal numbers are zero'}{bits}"
