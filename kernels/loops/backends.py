"""How each backend executes a kernel: every way stands here once, whatever is launched.

    triton-interpreted   Triton's interpreter, in a process of its own (one process per mode)
    triton-ptx           compiled by Triton for sm_90, the PTX evaluated on the CPU
    triton-cpu           the same PTX translated to C and compiled for this processor
    triton-gpu           on a GPU

A job of one of the loops says what to launch, as `Launch` has it; kernels/loops/launch.py asks for it.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Protocol

import numpy as np

from noether.kernels.loops.spawning import main_unread
from noether.kernels.loops.triton_cache import checked
from noether.kernels.signals import end_with_parent, unheard

WARPS = 4
LANES = 32 * WARPS  # of a compiled block
INTERPRETED_BLOCK = 1024
GPU = "cuda"  # where torch has what a GPU works on
POINTER = {"float64": "*fp64", "float32": "*fp32", "float16": "*fp16", "bfloat16": "*u16", "int32": "*i32"}
"""The kind of a buffer -> how Triton calls a pointer to it; bfloat16 travels as its bits."""


class Launch(Protocol):
    """What a launch of any loop has. A kernel's parameters are its pointers, its scalars and its constexprs.

    backends  names of those that can execute it
    lanes     how many trajectories; a block has some of them, the last one fewer
    pointers  parameter -> kind of its buffer
    scalars   parameter -> whole number
    """

    backends: tuple[str, ...]
    lanes: int
    pointers: dict[str, str]
    scalars: dict[str, int]

    def kernel(self):
        """The @triton.jit function; imported when it is asked for, since triton may be missing."""

    def constexprs(self, block: int) -> dict:
        """The compile-time parameters of the kernel, by name."""

    def buffers(self) -> list[np.ndarray]:
        """Fresh ones, one a pointer: what is read is filled in, what is written is marked, so that a lane
        nobody wrote is seen."""

    def plain(self, advance: Callable):
        """The same launch in numpy.  advance  as noether.kernels.programs.numpy_step.advanced"""

    def collected(self, buffers: list[np.ndarray], backend: str, notes: dict):
        """What the launch gives, made of its buffers; it has a `backend` and `seconds`."""


def execute(job: Launch, backend: str, sabotage: Callable[[str], str] | None = None):
    """Run a launch on one of the backends above.  sabotage  from the PTX to what runs in its place"""
    shares = job.shares(backend) if hasattr(job, "shares") else ()
    if shares:
        return job.joined(shares, [execute(share, backend, sabotage) for share in shares])
    if backend == "triton-interpreted":
        sent = job.apart() if hasattr(job, "apart") else job
        return interpreter().submit(interpreted, sent).result()
    if backend == "triton-gpu":
        buffers = through_torch(job, GPU, LANES, num_warps=WARPS, enable_fp_fusion=False)
        return job.collected(buffers, backend, {})
    return on_cpu(job, backend, sabotage)


def architecture() -> int:
    """Of those that are compiled for ahead of time the one of this GPU, or the next older; 0: of no GPU that
    ptxas knows."""
    import triton

    from noether.kernels.loops.compiled import ARCHITECTURES

    target = triton.runtime.driver.active.get_current_target()
    if target.backend != "cuda":
        return 0
    return max((arch for arch in ARCHITECTURES if arch <= target.arch), default=0)


def blocks(job: Launch, block: int) -> int:
    """How many blocks of lanes a launch has."""
    return -(-job.lanes // block)


def compiled(job: Launch, arch: int = 90, warps: int = WARPS):
    """The job's kernel compiled ahead of time for sm_<arch>, with a lane for each thread; needs no GPU."""
    from noether.kernels.loops.compiled import compile_ptx

    signature = {name: POINTER[kind] for name, kind in job.pointers.items()}
    signature |= dict.fromkeys(job.scalars, "i32")
    block = job.constexprs(32 * warps)
    return compile_ptx(job.kernel(), signature, block, arch=arch, num_warps=warps, bare=True)


def on_cpu(job: Launch, backend: str, sabotage: Callable[[str], str] | None = None):
    """Run the PTX that a GPU would run, evaluated in numpy or translated to C."""
    if backend == "triton-ptx":
        from noether.kernels.ptx import evaluate as run
    else:
        from noether.kernels.ptx.native import execute as run
    ptx, buffers = compiled(job).ptx, job.buffers()
    ptx = sabotage(ptx) if sabotage else ptx
    report = run(ptx, [*buffers, *job.scalars.values()], blocks(job, LANES))
    notes = {"unpinned": dict(report.unpinned), "notes": getattr(report, "notes", []), "ptx": ptx}
    return job.collected(buffers, backend, notes)


@checked()
def through_torch(job: Launch, device: str, block: int, **options) -> list[np.ndarray]:
    """Let Triton itself launch the kernel, with its buffers in torch; returns them as numpy arrays."""
    import torch

    sent = [torch.from_numpy(x).to(device) for x in job.buffers()]
    grid = (blocks(job, block),)
    job.kernel()[grid](*sent, *job.scalars.values(), **job.constexprs(block), **options)
    return [x.cpu().numpy() for x in sent]


def interpreted(job: Launch):
    """Run a launch in the process that interprets."""
    if os.environ.get("TRITON_INTERPRET") != "1":
        raise RuntimeError(
            "this process does not interpret: TRITON_INTERPRET must be 1 before triton is imported"
        )
    with np.errstate(all="ignore"):
        return job.collected(through_torch(job, "cpu", INTERPRETED_BLOCK), "triton-interpreted", {})


_INTERPRETER: ProcessPoolExecutor | None = None


def interpreter() -> ProcessPoolExecutor:
    """The one process in which Triton interprets, started when it is asked for first."""
    global _INTERPRETER
    if _INTERPRETER is None:
        context = multiprocessing.get_context("spawn")
        with (
            unheard(),
            main_unread(),
        ):  # a launch is made of traced programs, of nothing that a script defines
            _INTERPRETER = ProcessPoolExecutor(1, context, initializer=_become_interpreter)
            _INTERPRETER.submit(os.getpid)  # the process starts with the first call
    return _INTERPRETER


def close() -> None:
    """End the interpreter's process, where one was started. A worker process must, before it ends."""
    global _INTERPRETER
    if _INTERPRETER is not None:
        _INTERPRETER.shutdown()
        _INTERPRETER = None


def _become_interpreter() -> None:
    os.environ["TRITON_INTERPRET"] = "1"
    end_with_parent()
