"""The states from which generated faults take one step: those of a right run, and those where a step turns.

A fault shows only where something depends on it: a small change of a number that is read by its sign alone
where that is nearly 0, a floor below a norm where the norm is smaller.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from noether.kernels.loops import launch
from noether.kernels.programs.precision import representable
from noether.kernels.programs.program import Program
from noether.kernels.programs.trace_rule import update_program

EDGES = ((0.0, 0.0), (1.0, 0.0), (1.0, 2.0**-40))
"""(a, b) of some lanes that start at a (1, 0, ...), where many a loss is flat, with buffers times b: there a
sign is 0, and a floor below a norm counts."""
SETTLED, DESCENT = 2, 400
"""How many lanes stand where so many steps of gradient descent lead: there a floor below |g| counts."""
APART = len(EDGES) + SETTLED
BEGUN = 5
"""How many steps are behind: under a schedule that begins late, it has begun in some lanes, in some not."""
NEAREST = 8
"""A number that is read by its sign comes as near to 0 as so many bits above the rounding of its terms."""


def of_a_run(job: launch.Job) -> launch.Job:
    """One step from every state of a right launch; eps and k of at least a few lanes are large enough to
    count."""
    q, v = launch.run(job, "numpy").wide()
    flat = lambda x: np.ascontiguousarray(np.moveaxis(x[:-1], 1, 0).reshape(x.shape[1], -1))
    q, v, params = flat(q), flat(v), np.tile(job.params, (1, job.steps))
    # Breaking that counts in a third of the lanes.
    params[3, ::3] = np.where(params[3, ::3] == 0, 0.25, params[3, ::3])
    one = replace(job, q0=q, v0=v, params=params, steps=1, begun=BEGUN)
    if job.rule.log_state:
        return one
    q[:, ::4] *= -1  # a box may lie on one side of every change of sign
    turning(one)
    for lane, (start, size) in enumerate(EDGES):
        q[:, lane], params[2:4, lane] = start * np.eye(len(q))[0], 0
        v[:, lane] = representable(v[:, lane + len(EDGES)] * size, job.precision.v_store)
    settle(job, q, params)
    return replace(job, q0=q, v0=v, params=params, steps=1, begun=BEGUN)


def settle(job: launch.Job, q: np.ndarray, params: np.ndarray) -> None:
    """Move the lanes after those of EDGES to where the gradient nearly vanishes, in place."""
    lanes = slice(len(EDGES), APART)
    params[2:4, lanes] = 0
    here, zero = [x.astype(job.precision.arith) for x in q[:, lanes]], np.zeros(SETTLED, job.precision.arith)
    rate = job.params[0].max().astype(job.precision.arith)
    with np.errstate(all="ignore"):
        for _ in range(DESCENT):
            here = [
                x - rate * g for x, g in zip(here, job.program.run(here, zero, job.precision), strict=True)
            ]
    q[:, lanes] = representable(np.array(here, float), job.precision.q_store)


def among(job: launch.Job, lanes: np.ndarray) -> launch.Job:
    """The launch of some lanes alone, (lanes,) bool."""
    cut = lambda x: np.ascontiguousarray(x[:, lanes])
    return replace(job, q0=cut(job.q0), v0=cut(job.v0), params=cut(job.params))


def turning(job: launch.Job) -> None:
    """Move a buffer of every second lane to where a number that is read by its sign nearly vanishes.

    In place. Such a number is affine in a buffer. It is made 2^-j of what the buffer has in it, j from 4 up
    to where NEAREST bits are left above its rounding, or as near as the store of the buffer comes.
    """
    program = update_program(job.rule, len(job.q0))
    signs = [op.args[0] for op in program.ops if op.name == "sign"]
    rng, v = np.random.default_rng(job.lanes), job.v0
    most = -int(np.log2(job.precision.u_arith)) - NEAREST
    for i, at in enumerate(signs):
        lanes = np.arange(2 * i + 1, job.lanes, 2 * len(signs))
        row, slope = affine(job, program, at, lanes)
        if row is None:
            continue
        zero = v[row, lanes] - read(job, program, at)[lanes] / slope
        near = rng.choice([-1, 1], len(lanes)) * 2.0 ** -rng.integers(4, max(5, most), len(lanes))
        v[row, lanes] = representable(zero * (1 + near), job.precision.v_store)


def affine(job: launch.Job, program: Program, at: int, lanes) -> tuple[int | None, np.ndarray]:
    """The first number of the buffers that operation `at` of a step depends on, and by how much; None where
    it depends on none."""
    here = read(job, program, at)
    for row in range(len(job.v0)):
        v = job.v0.copy()
        v[row] += 1
        slope = (read(replace(job, v0=v), program, at) - here)[lanes]
        if slope.any():
            return row, np.where(slope == 0, 1, slope)
    return None, here[lanes]


def read(job: launch.Job, program: Program, at: int) -> np.ndarray:
    """The value of operation `at` of the step of a job, (lanes,) float64."""
    arith = np.dtype(job.precision.arith)
    q, v, p = ([x.astype(arith) for x in rows] for rows in (job.q0, job.v0, job.params))
    known = [np.broadcast_to(x, job.lanes).astype(arith) for x in job.known[0]]
    given = {"q": q, "v": v, "p": [*p, *known]}
    given["g"] = job.program.run(q, p[job.rule.index("eps")], job.precision)
    with np.errstate(all="ignore"):
        inputs = [given[name[0]][int(name[2:-1])] for name in program.inputs]
        value = program.values(inputs, job.precision)[at]
    return np.broadcast_to(value, job.lanes).astype(np.float64)
