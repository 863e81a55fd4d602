"""Memory that is freed goes back to the system.

glibc keeps what was freed for what is asked for next, also where a computation of arrays is over and the next
one needs a tenth of it. Other C libraries have no such call, and keep what they keep. To give each page back
would cost more than it brings: the next computation asks the system for it again, a page at a time.
"""

from __future__ import annotations

import ctypes
import os
from contextlib import suppress
from functools import cache

from noether.system.memorypeak import resident_set

ROOM = 64 * 2**20
"""Bytes that a process may keep of what was freed. Of the processors the system took 7 s in a full run that
gave nothing back, 20 s in one that gave back all after each cell, and takes 13 s with 64 MiB."""
_least = 0  # bytes that were left when memory was given back last


@cache
def trim():
    """glibc's malloc_trim (malloc_trim(3)); None where there is none."""
    with suppress(OSError, AttributeError, TypeError):
        return ctypes.CDLL(None).malloc_trim
    return None


def give_back(room: int = ROOM) -> None:
    """Give back what is freed, where this process holds `room` bytes more than it did after the last time."""
    global _least
    held = resident_set(os.getpid())
    if trim() and held is not None and held > _least + room:
        trim()(ctypes.c_size_t(0))
        _least = resident_set(os.getpid()) or held
