"""Seeds of cells, derived from the run's seed and the cell's name, so that order and parallelism change
nothing."""

from __future__ import annotations

import hashlib

import numpy as np


def digest(seed: int, name: str) -> int:
    """A number of 64 bits that a run's seed and a name decide."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{name}".encode()).digest()[:8], "big")


def derive(seed: int, name: str) -> int:
    """A seed of 63 bits that a run's seed and a name decide; it fits where numbers are signed."""
    return digest(seed, name) >> 1


def generator(seed: int, name: str) -> np.random.Generator:
    """Random numbers that a run's seed and a name alone decide."""
    return np.random.default_rng(digest(seed, name))
