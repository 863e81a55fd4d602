"""Ending a process that was started to run somebody's code, with everything that it started."""

from __future__ import annotations

import os
import signal


def kill(child: int) -> None:
    """End a child that leads a process group of its own, and everything in the group."""
    for signalled in (os.killpg, os.kill):
        try:
            signalled(child, signal.SIGKILL)
        except ProcessLookupError:
            pass
