"""Linear algebra with one thread: two that wait for each other on a busy machine take fifty times as long."""

from __future__ import annotations

import sys

from threadpoolctl import ThreadpoolController

_found: list = [0, None]  # of so many modules, their libraries


def one_thread():
    """A context in which libraries of linear algebra that are loaded by now use one thread.

    To look for them takes milliseconds where many libraries are loaded, as long as a small cell. They come
    with modules, and are looked for again where there are more or fewer of these.
    """
    if _found[0] != len(sys.modules):
        _found[:] = len(sys.modules), ThreadpoolController()
    return _found[1].limit(limits=1, user_api="blas")
