"""Where the exact laws stop: an overflow that the statement does not cover, decided apart from what is under test.

Two references decide, and neither reads the output under test: the job in float64, and the job in its own
stores with a gradient from wide arithmetic. A lane in which either comes within MARGIN of overflow, in a state
or in any operation of the program, is outside; a non-finite value anywhere else is a violation.
"""

from __future__ import annotations

import numpy as np

from cases.case import Case
from harness import bounds, wide
from harness.trajectory import Trajectory
from kernels import launch
from kernels.precision import Precision
from kernels.step import step

OVERFLOW = {"float16": 65504.0, "bfloat16": 3.3e38, "float32": 3.4e38, "float64": 1.7e308}
MARGIN = 16.0  # the references are other trajectories than the one under test: leave room for their difference


def leaving(case: Case, job: launch.Job, t: Trajectory) -> np.ndarray | None:
    """(lanes,) True for the lanes that are outside; None when every state is finite and the question is idle."""
    if t.finite.all():
        return None
    wide_job = launch.Job(job.program, job.rule, Precision("float64"), job.q0, job.v0, job.params, job.steps)
    z = launch.run(wide_job, "numpy").wide()[0]
    return overflowing(job, z) | overflowing(job, same_stores(case, job))


def overflowing(job: launch.Job, z: np.ndarray) -> np.ndarray:
    """(lanes,) whether a reference (steps + 1, d, lanes) comes near the largest number of a store or an operation."""
    rows, d, lanes = z.shape
    z = np.moveaxis(z, 1, 0)
    with np.errstate(all="ignore"):
        q = np.exp(z) if job.rule.log_state else z
        inside = bounds.largest_value(job.program, q.reshape(d, -1), np.tile(job.params[3], rows)).reshape(rows, lanes).max(axis=0)
        stored = np.abs(z).max(axis=(0, 1))
    p = job.precision
    return ~((inside < OVERFLOW[p.rounded] / MARGIN) & (stored < OVERFLOW[p.q_store] / MARGIN))


def same_stores(case: Case, job: launch.Job) -> np.ndarray:
    """The job's q in its own stores, its gradient from wide arithmetic on the loss: (steps + 1, d, lanes) float64."""
    dtype = np.dtype(job.precision.arith)
    q, v, params = ([x.astype(dtype) for x in rows] for rows in (job.q0, job.v0, job.params))

    def gradient(at, eps):
        return list(wide.gradient(lambda x, xp: case.total(x, eps.astype(wide.WIDE), xp), np.stack(at)).astype(dtype))

    out = [job.q0]
    with np.errstate(all="ignore"):
        for _ in range(job.steps):
            q, v = step(q, v, params, gradient, job.rule, job.precision)
            out.append(np.stack(q).astype(np.float64))
    return np.stack(out)
