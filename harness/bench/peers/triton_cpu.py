"""Ours: the Triton kernel, compiled for sm_90 and run on the CPU (kernels/native), with the residuals beside the update.

It does a little more than the others: it also keeps where the largest residual was, the first step above 1, and on how
many steps the state moved.
"""

from __future__ import annotations

import numpy as np

from harness.bench.peers import THREADS
from harness.bench.work import Work
from kernels import launch
from kernels.precision import widen

LANES = 32 * launch.WARPS


def variants(work: Work) -> tuple[str, ...]:
    return (f"{LANES} lanes",)


def missing() -> str:
    return launch.missing("triton-cpu")


def environment() -> dict[str, str]:
    return {"OMP_NUM_THREADS": str(THREADS)}


def prepare(work: Work, variant: str):
    from kernels.native import execute

    kernel, build = (updating if work.residual is None else screening)(work)
    blocks = -(-work.lanes // LANES)

    def run(again):
        arrays, worst = build(again)
        execute(kernel, [*arrays, work.lanes, work.steps], blocks)
        p = work.job.precision
        return lambda: (widen(arrays[0][-1], p.q_store), widen(arrays[1][-1], p.v_store), worst())

    return np.ascontiguousarray, run


def updating(work: Work):
    """The kernel, and a function that gives its arrays and how the largest residual is read."""
    job = work.job
    params, none = np.ascontiguousarray(job.params), np.zeros(work.lanes)
    return launch.compiled(job).ptx, lambda again: ([*launch.buffers(job), params], lambda: none)


def screening(work: Work):
    from kernels.screening import compiled

    job, laws = work.job, len(work.residual.outputs)
    params = np.ascontiguousarray(job.params)

    def build(again):
        spent, steps = np.empty((laws, job.lanes)), np.empty((2 * laws + 1, job.lanes), np.int32)
        return [*launch.buffers(job), params, again, spent, steps], lambda: spent.max(axis=0)

    return compiled(work.screen).ptx, build
