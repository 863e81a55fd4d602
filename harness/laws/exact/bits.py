"""What a law that compares bits would notice (rules of evidence, 9).

Neighbouring numbers of a type with unit roundoff u are at most 2u of themselves apart: a value that is off by
so much or more has other bits. What a wrong coefficient needs to change a bit of any value is measured, by
launches of graded ones.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from noether.kernels.loops import launch
from noether.kernels.loops.launch import Job
from noether.kernels.programs.precision import UNIT, Precision

GRADES = 16.0
COEFFICIENTS = {"eta": 0, "k": 2}


def of_store(precision: Precision) -> dict[str, float]:
    """Of two runs that agree in every bit: how far off any one stored value would be seen."""
    return {"stored value": 2 * max(UNIT[precision.q_store], UNIT[precision.v_store])}


def of_covariance(
    job: Job, backend: str, q: np.ndarray, v: np.ndarray, normal: np.ndarray
) -> dict[str, float]:
    """Of D13 at a = 2: the smallest wrong scale of eta and of k that any bit of the states shows.

    q, v (steps + 1, d, lanes) the run at a = 1 on this backend;  normal (steps + 1, lanes) where the
                                                                  statement applies
    """
    out = {}
    for name, at in COEFFICIENTS.items():
        if not job.params[at].any():
            continue
        x = 2 * UNIT[job.precision.arith]
        while x < 1 and not differs(job, backend, q, v, normal, at, x):
            x *= GRADES
        out[name] = x if x < 1 else float("inf")
    return out


def differs(
    job: Job, backend: str, q: np.ndarray, v: np.ndarray, normal: np.ndarray, at: int, x: float
) -> bool:
    """Whether one coefficient times 1 + x makes the run at a = 2 another than twice the one at a = 1."""
    params = job.params * np.array([4.0, 1.0, 0.25, 1.0])[:, None]
    params[at] *= 1 + x
    z, w = launch.run(replace(job, q0=2 * job.q0, v0=2 * job.v0, params=params), backend).wide()
    return bool((((z != 2 * q) | (w != 2 * v)) & normal[:, None, :]).any())
