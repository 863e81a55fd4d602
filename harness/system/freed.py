"""Memory that is freed goes back to the system.

glibc keeps what was freed for what is asked for next, also where a computation of arrays is over and the next
one needs a tenth of it. Other C libraries have no such call, and keep what they keep.
"""

from __future__ import annotations

import ctypes
from contextlib import suppress
from functools import cache


@cache
def trim():
    """glibc's malloc_trim (malloc_trim(3)); None where there is none."""
    with suppress(OSError, AttributeError, TypeError):
        return ctypes.CDLL(None).malloc_trim
    return None


def give_back() -> None:
    """Give what is freed back; it takes less than a millisecond where there is little."""
    if trim():
        trim()(ctypes.c_size_t(0))
