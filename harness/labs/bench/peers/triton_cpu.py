"""The work in this project's Triton kernel, compiled for sm_90 and run on the CPU (kernels/ptx/native).

It does a little more than the others: it also keeps where the largest residual was, the first step above 1,
and on how many steps the state moved.
"""

from __future__ import annotations

import numpy as np

from noether.kernels.loops import launch
from noether.kernels.loops.backends import LANES, compiled
from noether.kernels.programs.precision import widen
from noether.labs.bench.peers import THREADS
from noether.labs.bench.work import Work


def variants(work: Work) -> tuple[str, ...]:
    """The one shape of our kernels."""
    return (f"{LANES} lanes",)


def missing() -> str:
    """Why our kernels cannot run on this CPU, or ''."""
    return launch.missing("triton-cpu")


def environment() -> dict[str, str]:
    """The environment variables that the C library of threads reads."""
    return {"OMP_NUM_THREADS": str(THREADS)}


def prepare(work: Work, variant: str):
    """How arrays are sent to our kernel, and how the work is run."""
    from noether.kernels.ptx.native import execute

    job, blocks = work.job, -(-work.lanes // LANES)
    given = job.buffers()
    q, v = given[:2]  # row 0 the start, which a kernel only reads; row 1 the end
    kernel, more, worst = (updating if work.residual is None else screening)(work)

    def run(again):
        execute(kernel, [*given, *more(again), work.lanes, work.steps], blocks)
        return lambda: (widen(q[-1], job.precision.q_store), widen(v[-1], job.precision.v_store), worst())

    return np.ascontiguousarray, run


def updating(work: Work):
    """The kernel, its further arguments, and how the largest residual is read."""
    none = np.zeros(work.lanes)
    return compiled(work.job).ptx, lambda again: (), lambda: none


def screening(work: Work):
    """The same of the kernel that has the residuals beside the step."""
    laws = len(work.residual.outputs)
    spent, steps = np.empty((laws, work.lanes)), np.empty((2 * laws + 1, work.lanes), np.int32)
    return compiled(work.screen).ptx, lambda again: (again, spent, steps), lambda: spent.max(axis=0)
