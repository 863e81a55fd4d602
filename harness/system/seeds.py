"""Seeds: every cell's derives from the run's and the cell's name, so order and parallelism change nothing."""

from __future__ import annotations

import hashlib


def derive(seed: int, name: str) -> int:
    """A 63-bit seed from a run's seed and a name."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{name}".encode()).digest()[:8], "big") >> 1
