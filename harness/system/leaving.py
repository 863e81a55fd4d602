"""Noticing that C code ends this process: exit() of C runs no exit hook of python, and chooses the exit code.

A loss may call a library that ends its process where it meets an error. Without this the shell would be told
that library's code, and 0 means that everything holds.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

_kept: list = []  # what C calls and points at must live as long as the process


def on_exit_of_c(ended: Callable[[FrameType | None], None]) -> None:
    """Let exit() of C call ended(frame) first, with the frame of python that called C, if one did.

    It is called in this process alone, not in children that it forks. What ends a process without exit(), as
    _exit() of C or a signal does, is not noticed; nor is anything where there is no such libc.
    """
    process = os.getpid()

    def called(_):
        if os.getpid() == process:
            ended(sys._getframe().f_back)

    with suppress(ImportError, OSError, AttributeError, TypeError):
        import ctypes

        libc, mark = ctypes.CDLL(None), ctypes.c_char()
        register, take_back = libc.__cxa_atexit, libc.__cxa_finalize
        hook = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(called)
        _kept.extend((hook, mark))
        register(hook, None, ctypes.byref(mark))
        # A forked child that ends as python does has no interpreter left when C calls the hook.
        os.register_at_fork(after_in_child=lambda: take_back(ctypes.byref(mark)))
