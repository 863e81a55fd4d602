"""Launches of kernels/loops/noisy_launch.py for a regime, lane by lane."""

from __future__ import annotations

import numpy as np

from noether.cases.rules import RULES
from noether.kernels.loops import noise, noisy_launch
from noether.kernels.programs.precision import Precision, parse, representable
from noether.system.seeds import derive

VOLUME = ("triton-cpu", "triton-gpu")
"""Backends that are fast enough for volume; where none of them is here numpy does fewer lanes."""


def executes(profile: str, backend: str) -> str:
    """What runs a cell: volume in compiled kernels, the few lanes of a quick run in numpy, which needs no
    compiler."""
    return backend if backend in VOLUME and profile not in ("glance", "quick") else "numpy"


def lanes(eta, beta, k, drift, size, rho, r, *, number, seed: int, swing=0.0, shift=0, start=None):
    """q0, v0, params, counters of lanes that start at (r, 0) with velocity `start` (2, lanes), by default at
    rest."""
    everything = np.broadcast_arrays(
        *(np.asarray(x, float) for x in (eta, beta, k, drift, size, swing, r, rho, number, shift))
    )
    *params, r, rho, number, shift = (x.ravel() for x in everything)
    q0 = np.stack([r, np.zeros_like(r)])
    threshold = np.array([noise.threshold(x) for x in rho])
    counters = (
        np.array([number, np.full(len(r), seed % 2**32), threshold, shift]).astype(np.int64).astype(np.uint32)
    )
    return q0, np.zeros_like(q0) if start is None else start, np.array(params), counters


def job(parts, *, windows: int, every: int, rule: str = "heavy-ball") -> noisy_launch.NoisyJob:
    return noisy_launch.NoisyJob(RULES[rule], Precision("float64"), *parts, windows, every)


def in_windows(y, job: noisy_launch.NoisyJob) -> np.ndarray:
    """The means of y (steps,) or (steps, lanes) over the windows of a launch: (windows, 1) or (windows,
    lanes)."""
    return np.asarray(y).reshape(job.windows, job.every, -1).mean(axis=1)


def drawn(
    rule: str, precision: str, force: str, d: int, *, count=61, windows=3, every=4, seed=5
) -> noisy_launch.NoisyJob:
    """A launch with everything at random, for comparing backends: each kind of noise, a swing, a mean."""
    p, rng = parse(precision), np.random.default_rng(seed)
    q0 = representable(rng.normal(size=(d, count)), p.q_store)
    v0 = representable(0.01 * rng.normal(size=(d, count)), p.v_store)
    between = ((0.01, 0.1), (0.5, 0.95), (0.01, 0.1), (-0.1, 0.1), (0.1, 1))  # eta, beta, k, drift, noise
    params = [rng.uniform(low, high, count) for low, high in between] + [rng.choice([0, 0.5], count)]
    flips, shifts = rng.choice([0, noise.WHITE, 1 << 28], count), rng.integers(0, 4, count)
    counters = np.array([np.arange(count), np.full(count, 7), flips, shifts], dtype=np.uint32)
    params = representable(np.array(params), p.arith)
    return noisy_launch.NoisyJob(RULES[rule], p, q0, v0, params, counters, windows, every, force)


FORCES = (
    ("heavy-ball", "float64", "turning", 2),
    ("gradient-descent", "float32", "projected", 3),
    ("nesterov", "bfloat16/mixed", "turning", 4),
)
"""What `drawn` is asked for where backends are compared."""


def seed_of(cell) -> int:
    return derive(cell.seed, cell.name) % 2**32
