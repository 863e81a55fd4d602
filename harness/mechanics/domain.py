"""Which lanes leave the domain of the exact laws by overflow, decided from a reference, not from what is
under test.

Two references decide, and neither reads the output under test: the job in float64, and the job in its own
stores with a gradient from wide arithmetic. A lane in which either comes within MARGIN of overflow, in a
state or in any operation of the program with its bound on rounding, is outside; a non-finite value anywhere
else is a violation.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from noether.cases.case import Case
from noether.kernels.loops import launch
from noether.kernels.programs.numpy_step import Reader, step
from noether.kernels.programs.precision import Precision
from noether.kernels.programs.trace_rule import position_program, update_program
from noether.mechanics import bounds, wide
from noether.mechanics.step_bounds import reach

OVERFLOW = {"float16": 65504.0, "bfloat16": 3.3e38, "float32": 3.4e38, "float64": 1.7e308}
NORMAL = {"float16": 2.0**-14, "bfloat16": 2.0**-126, "float32": 2.0**-126, "float64": 2.0**-1022}
# The references are other trajectories than the one under test: this leaves room for their difference.
MARGIN = 16.0


def leaving(case: Case, job: launch.Job) -> np.ndarray:
    """(lanes,) bool: the lanes that leave the domain in a reference. Whoever finds a violation asks; a finite
    state proves nothing, for 1/inf is 0."""
    wide_job = replace(job, precision=Precision("float64"), trace=True)
    return overflowing(job, *launch.run(wide_job, "numpy").wide()) | overflowing(job, *same_stores(case, job))


def overflowing(job: launch.Job, z: np.ndarray, v: np.ndarray) -> np.ndarray:
    """(lanes,) whether a reference z, v (steps + 1, d, lanes) comes near the largest number of a store or an
    operation."""
    p = job.precision
    with np.errstate(all="ignore"):
        inside = operation_range(job, np.exp(z) if job.rule.log_state else z)[1].max(axis=0)
        stored, moved = np.abs(z).max(axis=(0, 1)), np.abs(v).max(axis=(0, 1))
    inside = np.maximum(inside, stepped_range(job, z, v))
    return ~(
        (inside < OVERFLOW[p.rounded] / MARGIN)
        & (stored < OVERFLOW[p.q_store] / MARGIN)
        & (moved < OVERFLOW[p.v_store] / MARGIN)
    )


def operation_range(job: launch.Job, q: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(rows, lanes): the smallest and largest magnitudes of the operations at q (rows, d, lanes)."""
    rows, d, lanes = q.shape
    flat, eps = np.moveaxis(q, 1, 0).reshape(d, -1), np.broadcast_to(job.params[3], (rows, lanes)).reshape(-1)
    smallest, largest = bounds.value_range(job.program, flat, eps, job.precision)
    if job.metric:
        less, more = bounds.value_range(
            job.metric,
            flat,
            np.broadcast_to(job.params[job.rule.index("kappa")], (rows, lanes)).reshape(-1),
            job.precision,
        )
        smallest, largest = np.minimum(smallest, less), np.maximum(largest, more)
    return smallest.reshape(rows, lanes), largest.reshape(rows, lanes)


def stepped_range(job: launch.Job, z: np.ndarray, v: np.ndarray) -> np.ndarray:
    """(lanes,) the largest |value| that an operation of the steps from z, v (steps + 1, d, lanes) may take,
    of a rule whose step squares or divides.  A linear step has none larger than its state and its force."""
    if job.rule.elementary:
        return np.zeros(job.lanes)
    q, rows, d = z[:-1], len(z) - 1, z.shape[1]
    whole = lambda x: np.broadcast_to(x, (rows, job.lanes))
    with np.errstate(all="ignore"):
        g, off = (np.stack(x) for x in zip(*(gradient(job, x) for x in q), strict=True))
        p = np.stack([whole(x) for x in (*job.params, *np.moveaxis(job.known, 1, 0))], axis=1)
        if job.metric:
            kappa = job.params[job.rule.index("kappa")]
            G = np.stack([np.stack(job.metric.run(list(x), kappa, Precision("float64"))) for x in q])
            p = np.concatenate([p, G], axis=1)
        inputs = {"q": (q, None), "v": (v[:-1], None), "w": (v[1:], None), "g": (g, off), "p": (p, None)}
        both = [reach(x(job.rule, d), inputs, job.precision) for x in (update_program, position_program)]
        return np.maximum(*both).max(axis=0)


def gradient(job: launch.Job, q: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The gradient of a job at q (d, lanes) in float64, and how far the kernel's own may be from it."""
    return bounds.program_error(job.program, q, np.zeros_like(q), job.params[3], job.precision)


def normal_steps(case: Case, job: launch.Job) -> np.ndarray:
    """(steps + 1, lanes) bool: true as long as nothing of the reference is within MARGIN of a subnormal or of
    the largest number."""
    (z, v), p = same_stores(case, job), job.precision
    with np.errstate(all="ignore"):
        smallest, largest = operation_range(job, z)

        def inside(x, kind):
            size = np.abs(x)
            small = np.where(size == 0, np.inf, size).min(axis=1)
            return (small >= MARGIN * NORMAL[kind]) & (size.max(axis=1) < OVERFLOW[kind] / MARGIN)

        fine = (smallest >= MARGIN * NORMAL[p.rounded]) & (largest < OVERFLOW[p.rounded] / MARGIN)
        fine &= inside(z, p.q_store) & inside(v, p.v_store)
    return np.logical_and.accumulate(fine, axis=0)


def same_stores(case: Case, job: launch.Job) -> tuple[np.ndarray, np.ndarray]:
    """The job in its own stores, its gradient from wide arithmetic on the loss: q, v (steps + 1, d, lanes)
    float64."""
    dtype = np.dtype(job.precision.arith)
    q, v = ([x.astype(dtype) for x in rows] for rows in (job.q0, job.v0))
    own = Reader(job.rule, job.precision, job.params, job.known)

    def gradient(at, eps):
        return list(
            wide.gradient(lambda x, xp: case.total(x, eps.astype(wide.WIDE), xp), np.stack(at)).astype(dtype)
        )

    def here(n, at):
        if not job.metric:
            return own.at(n, at)
        G = wide.metric(case, np.stack(at), own.own[job.rule.index("kappa")])
        return [*own.at(n, at), *G.astype(dtype)]

    out, momenta = [job.q0], [job.v0]
    with np.errstate(all="ignore"):
        for n in range(1, job.steps + 1):
            q, v = step(q, v, here(n, q), gradient, job.rule, job.precision)
            out.append(np.stack(q).astype(np.float64))
            momenta.append(np.stack(v).astype(np.float64))
    return np.stack(out), np.stack(momenta)
