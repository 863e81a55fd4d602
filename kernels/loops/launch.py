"""Launching a kernel: one job, five backends that can execute it, and the same buffers back.

    numpy                blocked numpy: always there, the oracle
    triton-interpreted   Triton's interpreter, in a process of its own (one process per mode)
    triton-ptx           compiled by Triton for sm_90, the PTX evaluated on the CPU
    triton-cpu           the same PTX translated to C and compiled for this processor
    triton-gpu           on a GPU

Every buffer is filled with a watermark before the launch, so that a lane nobody wrote is seen.
"""

from __future__ import annotations

import importlib.util
import multiprocessing
import os
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np

from noether.cases.rules import RULES, Rule
from noether.kernels.loops.outcome import WATERMARK, Outcome, bits, differing_bits, marked  # noqa: F401
from noether.kernels.loops.triton_cache import checked
from noether.kernels.programs.numpy_step import advanced
from noether.kernels.programs.numpy_step import trajectory as plain_trajectory
from noether.kernels.programs.precision import BUFFER, Precision, encode
from noether.kernels.programs.program import Program
from noether.kernels.signals import end_with_parent, unheard

BACKENDS = ("numpy", "triton-interpreted", "triton-ptx", "triton-cpu", "triton-gpu")
PREFERRED = ("triton-gpu", "triton-cpu", "numpy")
ON_CPU = ("triton-ptx", "triton-cpu")
GPU_DEVICES = ("/dev/nvidiactl", "/dev/nvidia0", "/dev/dxg", "/dev/kfd")  # Linux, WSL, AMD
WARPS = 4
INTERPRETED_BLOCK = 1024


class BackendMissing(RuntimeError):
    """A backend was asked for that this machine does not have; the message says why."""


@dataclass(frozen=True, repr=False)
class Job:
    """One launch: all that decides its bits.

    q0, v0   (d, lanes) float64, representable in the stores of `precision`
    params   (4, lanes) float64: eta, beta, k, eps, representable in the arithmetic type; a fifth row kappa
             under a metric
    metric   the program of G(q, kappa), for a rule that has one
    """

    program: Program
    rule: Rule
    precision: Precision
    q0: np.ndarray
    v0: np.ndarray
    params: np.ndarray
    steps: int
    trace: bool = True
    metric: Program | None = None

    def __post_init__(self):
        d, lanes = self.q0.shape
        if (
            self.v0.shape != (d, lanes)
            or self.params.shape != (len(self.rule.parameters), lanes)
            or d != self.program.dim
        ):
            raise ValueError(
                f"q0 is {self.q0.shape}, v0 {self.v0.shape}, params {self.params.shape} for a program of "
                f"{self.program.dim}: "
                f"must be (d, lanes), (d, lanes), ({len(self.rule.parameters)}, lanes) under {self.rule.name}"
            )
        if (self.metric is not None) != self.rule.on_metric:
            raise ValueError(
                f"rule {self.rule.name} {'needs a metric' if self.rule.on_metric else 'has no metric'}: "
                f"metric is {self.metric}"
            )
        if lanes < 1 or self.steps < 1:
            raise ValueError(f"lanes is {lanes}, steps is {self.steps}: both must be at least 1")

    def __repr__(self) -> str:
        """Its kind, not its arrays: a failing property prints it."""
        return (
            f"<Job {self.rule.name} {self.precision.label}, d = {self.program.dim}, {self.lanes} lanes, "
            f"{self.steps} steps>"
        )

    def _repr_pretty_(self, printer, cycle) -> None:
        printer.text(repr(self))

    @property
    def lanes(self) -> int:
        return self.q0.shape[1]

    @property
    def rows(self) -> int:
        return self.steps + 1 if self.trace else 2


def buffers(job: Job) -> tuple[np.ndarray, np.ndarray]:
    out = []
    for start, kind in ((job.q0, job.precision.q_store), (job.v0, job.precision.v_store)):
        raw = np.full((job.rows, *start.shape), WATERMARK[kind], f"u{np.dtype(BUFFER[kind]).itemsize}")
        buffer = raw.view(BUFFER[kind])
        buffer[0] = encode(start, kind)
        out.append(buffer)
    return out[0], out[1]


def constexprs(job: Job, block: int) -> dict:
    import triton.language as tl

    from noether.kernels.programs.triton_text import function

    p = job.precision
    if job.rule.begun:
        raise ValueError(
            f"rule {job.rule.name} has begun: a kernel starts with its first step, run it with numpy"
        )
    return {
        "GRAD": function(job.program, p),
        "METRIC": function(job.metric or job.program, p),
        "D": job.program.dim,
        "RULE": job.rule.number,
        "ARITH": getattr(tl, p.arith),
        "Q_KIND": p.q_store,
        "V_KIND": p.v_store,
        "EAGER": p.name if p.eager else "",
        "TRACE": job.trace,
        "BLOCK": block,
    }


def run(
    job: Job, backend: str, advance: Callable | None = None, sabotage: Callable[[str], str] | None = None
) -> Outcome:
    """Execute a job on a backend. Raises BackendMissing; ValueError for an unknown backend or what it cannot
    be planted with.

    advance   a wrong step, as noether.kernels.programs.numpy_step.advanced: numpy only
    sabotage  from the PTX to what runs in its place: triton-ptx and triton-cpu only
    """
    if backend not in BACKENDS:
        raise ValueError(f"backend is {backend!r}, must be one of {BACKENDS}")
    if advance is not None and backend != "numpy":
        raise ValueError(f"a wrong step is planted in numpy only, not in {backend}")
    if sabotage is not None and backend not in ON_CPU:
        raise ValueError(f"wrong PTX runs on {' and '.join(ON_CPU)} only, not on {backend}")
    begin = time.perf_counter()
    if backend == "numpy":
        p = job.precision
        q, v = plain_trajectory(
            job.program,
            job.rule,
            p,
            job.q0,
            job.v0,
            job.params,
            job.steps,
            trace=job.trace,
            advance=advance or advanced,
            metric=job.metric,
        )
        return Outcome(q, v, p, "numpy", time.perf_counter() - begin)
    reason = missing(backend)
    if reason:
        raise BackendMissing(f"backend {backend} is not here: {reason}")
    if backend == "triton-interpreted":
        outcome = interpreter().submit(_interpreted, job).result()
    else:
        outcome = (
            _gpu(job)
            if backend == "triton-gpu"
            else {"triton-ptx": _ptx, "triton-cpu": _cpu}[backend](job, sabotage)
        )
    if outcome.backend != backend:
        raise RuntimeError(
            f"{backend} was asked for but {outcome.backend} executed: a record must name what ran"
        )
    outcome.seconds = time.perf_counter() - begin
    return outcome


def installed(package: str) -> bool:
    """Whether a package is there; a bare folder of its name beside the user's own work is none."""
    spec = importlib.util.find_spec(package)
    return spec is not None and spec.origin is not None


def missing(backend: str) -> str:
    """Why a backend cannot run here; '' when it can."""
    if backend == "numpy":
        return ""
    if not installed("triton"):
        return "triton is not installed: pip install 'noether-harness[triton]'"
    interpreting = os.environ.get("TRITON_INTERPRET") == "1"
    if backend in ("triton-ptx", "triton-cpu", "triton-gpu") and interpreting:
        return "TRITON_INTERPRET=1 is set: a process either interprets or compiles"
    if backend == "triton-interpreted":
        import triton

        if triton.__version__.startswith("3.6.") and np.lib.NumpyVersion(np.__version__) >= "2.4.0":
            return f"the interpreter of triton {triton.__version__} fails with numpy {np.__version__}"
    if backend in ("triton-interpreted", "triton-gpu") and not installed("torch"):
        return "torch is not installed: pip install 'noether-harness[torch]'"
    if backend == "triton-cpu":
        from noether.kernels.ptx import native

        return native.missing()
    if backend == "triton-gpu":
        if not any(os.path.exists(device) for device in GPU_DEVICES):
            return "there is no GPU device file"  # importing torch to be told the same takes 2 s
        import torch

        if not torch.cuda.is_available():
            return "torch sees no GPU"
    return ""


def automatic() -> str:
    """The best backend here: a GPU, else PTX compiled for this processor, else numpy."""
    return next(b for b in PREFERRED if not missing(b))


def slower() -> str:
    """Why the backend that is chosen automatically is numpy; '' where it is a compiled one."""
    chosen = automatic()
    return (
        f"backend auto is {chosen}: triton-cpu is not here: {missing('triton-cpu')}"
        if chosen == PREFERRED[-1]
        else ""
    )


SIGNATURE = {"float64": "*fp64", "float32": "*fp32", "float16": "*fp16", "bfloat16": "*u16"}


def compiled(job: Job, arch: int = 90, warps: int = WARPS):
    """The job's kernel compiled ahead of time for sm_<arch>; needs no GPU."""
    from noether.kernels.loops.compiled import compile_ptx
    from noether.kernels.loops.trajectory_loop import trajectory

    p = job.precision
    signature = {
        "q_ptr": SIGNATURE[p.q_store], "v_ptr": SIGNATURE[p.v_store], "params_ptr": "*fp64",
        "lanes": "i32", "steps": "i32",
    }  # fmt: skip
    return compile_ptx(trajectory, signature, constexprs(job, 32 * warps), arch=arch, num_warps=warps)


def _ptx(job: Job, sabotage: Callable | None) -> Outcome:
    from noether.kernels.ptx import evaluate

    return _on_cpu(job, evaluate, "triton-ptx", sabotage)


def _cpu(job: Job, sabotage: Callable | None) -> Outcome:
    from noether.kernels.ptx.native import execute

    return _on_cpu(job, execute, "triton-cpu", sabotage)


def _on_cpu(job: Job, execute: Callable, backend: str, sabotage: Callable | None) -> Outcome:
    ptx = sabotage(compiled(job).ptx) if sabotage else compiled(job).ptx
    q, v = buffers(job)
    blocks = -(-job.lanes // (32 * WARPS))
    report = execute(ptx, [q, v, np.ascontiguousarray(job.params), job.lanes, job.steps], blocks)
    return Outcome(q, v, job.precision, backend, 0.0, {"unpinned": dict(report.unpinned), "ptx": ptx})


@checked()
def _launch(job: Job, device: str, block: int, **options) -> tuple[np.ndarray, np.ndarray]:
    import torch

    from noether.kernels.loops.trajectory_loop import trajectory

    q, v = buffers(job)
    send = lambda x: torch.from_numpy(x).to(device)  # noqa: E731
    q_t, v_t, params = send(q), send(v), send(np.ascontiguousarray(job.params))
    grid = (-(-job.lanes // block),)
    trajectory[grid](q_t, v_t, params, job.lanes, job.steps, **constexprs(job, block), **options)
    return q_t.cpu().numpy(), v_t.cpu().numpy()


def _gpu(job: Job) -> Outcome:
    q, v = _launch(job, "cuda", 32 * WARPS, num_warps=WARPS, enable_fp_fusion=False)
    return Outcome(q, v, job.precision, "triton-gpu", 0.0)


def _interpreted(job: Job) -> Outcome:
    if os.environ.get("TRITON_INTERPRET") != "1":
        raise RuntimeError(
            "this process does not interpret: TRITON_INTERPRET must be 1 before triton is imported"
        )
    with np.errstate(all="ignore"):
        q, v = _launch(job, "cpu", INTERPRETED_BLOCK)
    return Outcome(q, v, job.precision, "triton-interpreted", 0.0)


_INTERPRETER: ProcessPoolExecutor | None = None


def interpreter() -> ProcessPoolExecutor:
    """The one process in which Triton interprets; started when first asked for."""
    global _INTERPRETER
    if _INTERPRETER is None:
        context = multiprocessing.get_context("spawn")
        with unheard():
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


def rule(name: str) -> Rule:
    if name not in RULES:
        raise ValueError(f"rule is {name!r}, must be one of {list(RULES)}")
    return RULES[name]
