"""Noise from a counter: 32 random bits for each (lane, step, component, seed), the same on every backend.

    key  = mix(lane + mix(seed + G))                                                        (1)
    bits = mix(key xor mix(c + G)),   c = (step + 1) D + component,   G = 0x9E3779B9        (2)
    s_0  = +1 where bits(-1) < 2^31, else -1;   s_{n+1} = -s_n where bits(n) < t, else s_n  (3)

Counters, not a generator with a state: any draw can be had alone, and no order of lanes changes it. `mix`
is a bijection of 32 bits, so within a lane no counter repeats another's bits; the key enters by xor, so two
lanes never run through one sequence at different steps, as they would with a sum. (3) is a random
telegraph: |s| = 1 always, E s_n s_m = rho^|n-m| with rho = 1 - 2 t/2^32, exactly white for t = 2^31 and
constant for t = 0: the covariance of an AR(1) process, and every value exact in every precision.

The twin in Triton is kernels/loops/noise_loop.py; the two agree bit for bit.
Source of the constants of mix: C. Wellons, hash-prospector (2018, public domain), "lowbias32".
"""

from __future__ import annotations

import numpy as np

GOLDEN = 0x9E3779B9  # 2^32 over the golden ratio
WHITE = 1 << 31  # the threshold of independent signs
LIMIT = 1 << 31  # counters (2) stay below


def mix(x: np.ndarray) -> np.ndarray:
    """A hash of uint32 numbers: a bijection in which every input bit moves every output bit half of
    the time."""
    x = np.asarray(x, np.uint32)
    with np.errstate(over="ignore"):
        x = x ^ (x >> np.uint32(16))
        x = x * np.uint32(0x7FEB352D)
        x = x ^ (x >> np.uint32(15))
        x = x * np.uint32(0x846CA68B)
    return x ^ (x >> np.uint32(16))


def key(lane: np.ndarray, seed: np.ndarray) -> np.ndarray:
    """The keys (1) of lanes, uint32 as lane and seed are."""
    with np.errstate(over="ignore"):
        return mix(np.asarray(lane, np.uint32) + mix(np.asarray(seed, np.uint32) + np.uint32(GOLDEN)))


def draw(keys: np.ndarray, counter: int) -> np.ndarray:
    """The draws (2) of all keys for one counter, uint32."""
    return mix(keys ^ mix(np.uint32((counter + GOLDEN) & 0xFFFFFFFF)))


def threshold(rho: float) -> int:
    """The t of (3) for which signs one step apart have the correlation rho, to 2^-31."""
    if not 0 <= rho <= 1:
        raise ValueError(f"rho is {rho}, must be in [0, 1]")
    return round((1 - rho) * WHITE)


def correlation(t: int) -> float:
    """The correlation rho of signs one step apart under a threshold; exact."""
    return 1 - t / WHITE
