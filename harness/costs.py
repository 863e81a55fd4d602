"""How long a cell will take, roughly: the longest go first, so that no worker is left with one of them at the end.

Only the order matters. A launch costs its lanes times its steps; other cells what those of their law took on average in a
full run (two cores, 2026-11-27).
"""

from __future__ import annotations

import re

LAWS = {}
"""Mean seconds of a cell in a full run, by the first word of its name."""
SIZE = re.compile(r"/(\d+)x(\d+)(/|$)")
LANE_STEPS = 2e4  # a second, in wide arithmetic and with all that is judged
COMPILING = 0.3  # seconds


def cost(cell) -> float:
    """Seconds, to a factor of a few."""
    family, size = cell.name.split("/")[0], SIZE.search(cell.name)
    seconds = LAWS.get(family, 0.1)
    if size:
        seconds = max(seconds, int(size[1]) * int(size[2]) / LANE_STEPS)
    return seconds + (COMPILING if str(getattr(cell, "backend", "")).startswith("triton") else 0.0)
