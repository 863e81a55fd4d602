"""Launches of kernels/noisy.py for a regime, lane by lane."""

from __future__ import annotations

import numpy as np

from harness.seeds import derive
from kernels import noise, noisy
from kernels.precision import Precision
from kernels.rules import RULES

VOLUME = ("triton-cpu", "triton-gpu")
"""Backends that are fast enough for volume; where none of them is here numpy does fewer lanes."""


def executes(profile: str, backend: str) -> str:
    """What runs a cell: volume in compiled kernels, the few lanes of a quick run in numpy, which needs no compiler."""
    return backend if backend in VOLUME and profile not in ("glance", "quick") else "numpy"


def lanes(eta, beta, k, drift, size, rho, r, *, number, seed: int, swing=0.0, shift=0, start=None):
    """q0, v0, params, counters of lanes that start at (r, 0) with velocity `start` (2, lanes), by default at rest."""
    everything = np.broadcast_arrays(*(np.asarray(x, float) for x in (eta, beta, k, drift, size, swing, r, rho, number, shift)))
    *params, r, rho, number, shift = (x.ravel() for x in everything)
    q0 = np.stack([r, np.zeros_like(r)])
    threshold = np.array([noise.threshold(x) for x in rho])
    counters = np.array([number, np.full(len(r), seed % 2**32), threshold, shift]).astype(np.int64).astype(np.uint32)
    return q0, np.zeros_like(q0) if start is None else start, np.array(params), counters


def job(parts, *, windows: int, every: int, rule: str = "heavy-ball") -> noisy.NoisyJob:
    return noisy.NoisyJob(RULES[rule], Precision("float64"), *parts, windows, every)


def seed_of(cell) -> int:
    return derive(cell.seed, cell.name) % 2**32
