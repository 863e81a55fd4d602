"""Launching a kernel: one job, five backends that can execute it, and the same buffers back.

    numpy         blocked numpy: always there, the oracle
    triton-...    a kernel, as kernels/loops/backends.py executes it

`run` takes a job of any loop: `Job` here, of the trajectory loop; of the others screen_launch.py and
noisy_launch.py.
"""

from __future__ import annotations

import importlib.util
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from noether.cases.rule import Rule
from noether.kernels.loops import backends, memory_launch
from noether.kernels.loops.backends import Launch
from noether.kernels.loops.outcome import Outcome, bits, differing_bits, marked, started  # noqa: F401
from noether.kernels.programs.numpy_step import advanced, trajectory
from noether.kernels.programs.precision import Precision
from noether.kernels.programs.program import Program
from noether.kernels.programs.trace_rule import Apart, place_program, update_program

BACKENDS = ("numpy", "triton-interpreted", "triton-ptx", "triton-cpu", "triton-gpu")
PREFERRED = ("triton-gpu", "triton-cpu", "numpy")
ON_CPU = ("triton-ptx", "triton-cpu")
GPU_DEVICES = ("/dev/nvidiactl", "/dev/nvidia0", "/dev/dxg", "/dev/kfd")  # Linux, WSL, AMD


class BackendMissing(RuntimeError):
    """Raised when a backend is asked for that this machine does not have; the message says why."""


@dataclass(frozen=True, repr=False)
class Job:
    """One launch of the trajectory loop: all that decides its bits.

    q0, v0   (d, lanes), (buffers d, lanes) float64, representable in the stores of `precision`
    params   (rows, lanes) float64, as Rule.parameters, representable in the arithmetic type
    metric   the program of G(q, kappa), for a rule that has one
    begun    how many steps are behind: a launch that goes on from the middle of a run
    timing   what each step knows of its number, where it is not what the rule knows: a planted fault
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
    begun: int = 0
    timing: np.ndarray | None = None
    backends = BACKENDS

    def __post_init__(self):
        d, lanes = self.q0.shape
        rows, v = len(self.rule.parameters), len(self.rule.buffers) * d
        if self.v0.shape != (v, lanes) or self.params.shape != (rows, lanes) or d != self.program.dim:
            raise ValueError(
                f"q0 is {self.q0.shape}, v0 {self.v0.shape}, params {self.params.shape} for a program of "
                f"{self.program.dim}: must be (d, lanes), ({v}, lanes), ({rows}, lanes) under rule "
                f"{self.rule.name}"
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
        """How many trajectories are run."""
        return self.q0.shape[1]

    @property
    def rows(self) -> int:
        """How many states are kept: all and the start, or the first and the last."""
        return self.steps + 1 if self.trace else 2

    @property
    def pointers(self) -> dict[str, str]:
        """The arrays of the kernel, by name, with the kind of their buffers."""
        numbers = dict.fromkeys(("params_ptr", "known_ptr"), "float64")
        state = {"q_ptr": self.precision.q_store, "v_ptr": self.precision.v_store, **numbers}
        return state | (memory_launch.pointers(self.precision) if self.memory else {})

    @cached_property
    def memory(self) -> memory_launch.Memory | None:
        """What a launch of many parameters has beside its state; None of few, whose state is in registers."""
        if not memory_launch.in_memory(self.program):
            return None
        return memory_launch.memory(self.program, self.metric, self.rule, self.precision)

    @cached_property
    def known(self) -> np.ndarray:
        """What each step knows of its number, (steps, names, lanes or 1) float64."""
        if self.timing is not None:
            return self.timing
        return self.rule.known_numbers(self.params, self.steps, self.begun)

    @property
    def scalars(self) -> dict[str, int]:
        """The whole numbers that the kernel is given, by name."""
        return {"lanes": self.lanes, "steps": self.steps}

    def kernel(self):
        """The @triton.jit function."""
        if self.memory:
            return memory_launch.kernel()
        from noether.kernels.loops.trajectory_loop import trajectory

        return trajectory

    def constexprs(self, block: int) -> dict:
        """The compile-time parameters of the kernel, by name."""
        options = {"ROWS": len(self.params), "KNOWN": self.known.shape[1], "SPREAD": self.known.shape[2] > 1}
        if self.memory:
            stepping = memory_launch.stepping(self.memory, self.rule, self.program.dim, self.precision)
        else:
            stepping = steps_of(self.program, self.metric, self.rule, self.precision)
        return {**stepping, **options, "TRACE": self.trace, "BLOCK": block}

    def apart(self) -> Job:
        """The same launch for a process that cannot import the file of its rule."""
        return replace(self, rule=Apart.of(self.rule, self.program.dim), timing=self.known)

    def buffers(self) -> list[np.ndarray]:
        """q and v with their starts in the first row, the parameters, and what is known of the steps."""
        q = started(self.q0, self.precision.q_store, self.rows)
        v = started(self.v0, self.precision.v_store, self.rows)
        known = np.ascontiguousarray(self.known) if self.known.size else np.zeros((1, 1, 1))
        beside = memory_launch.buffers(self.memory, self.precision, self.lanes) if self.memory else []
        return [q, v, np.ascontiguousarray(self.params), known, *beside]

    def plain(self, advance: Callable = advanced) -> Outcome:
        """The launch in numpy."""
        start = (self.q0, self.v0, self.params, self.steps)
        options = dict(known=self.known, trace=self.trace, advance=advance, metric=self.metric)
        q, v = trajectory(self.program, self.rule, self.precision, *start, **options)
        return Outcome(q, v, self.precision, "numpy", 0.0)

    def collected(self, buffers: list[np.ndarray], backend: str, notes: dict) -> Outcome:
        """The Outcome of a launch, made of its buffers."""
        return Outcome(*buffers[:2], self.precision, backend, 0.0, notes)


def steps_of(program: Program, metric: Program | None, rule: Rule, precision: Precision) -> dict:
    """The compile-time parameters of `advance` of kernels/loops/trajectory_loop.py, and of the stores."""
    import triton.language as tl

    from noether.kernels.programs.triton_text import function

    d, of = program.dim, lambda x: function(x, precision)
    update, place = update_program(rule, d), place_program(rule, d)
    return {
        "GRAD": of(program),
        "METRIC": of(metric or program),
        "UPDATE": of(update),
        "PLACE": of(place or update),
        "KAPPA": rule.index("kappa") if metric else -1,
        "LOG": place is not None,
        "D": d,
        "V": d * len(rule.buffers),
        "ARITH": getattr(tl, precision.arith),
        "Q_KIND": precision.q_store,
        "V_KIND": precision.v_store,
    }


def run(
    job: Launch, backend: str, advance: Callable | None = None, sabotage: Callable[[str], str] | None = None
):
    """Execute a job of any loop on a backend, and give what the job makes of its buffers.

    advance   a wrong step, as noether.kernels.programs.numpy_step.advanced: numpy only
    sabotage  from the PTX to what runs in its place: triton-ptx and triton-cpu only

    Raises BackendMissing; ValueError for a backend that has no such loop, or for what it cannot be planted
    with.
    """
    if backend not in job.backends:
        raise ValueError(f"backend is {backend!r}, must be one of {job.backends}")
    if advance is not None and backend != "numpy":
        raise ValueError(f"a wrong step is planted in numpy only, not in {backend}")
    if sabotage is not None and backend not in ON_CPU:
        raise ValueError(f"wrong PTX runs on {' and '.join(ON_CPU)} only, not on {backend}")
    begin = time.perf_counter()
    reason = missing(backend)
    if reason:
        raise BackendMissing(f"backend {backend} is not here: {reason}")
    found = job.plain(advance or advanced) if backend == "numpy" else backends.execute(job, backend, sabotage)
    if found.backend != backend:
        raise RuntimeError(
            f"{backend} was asked for but {found.backend} executed: a record must name what ran"
        )
    found.seconds = time.perf_counter() - begin
    return found


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
    """The name of the best backend here: a GPU, else PTX compiled for this processor, else numpy."""
    return next(b for b in PREFERRED if not missing(b))


def slower() -> str:
    """Why the backend that is chosen automatically is numpy; '' where it is a compiled one."""
    chosen = automatic()
    return (
        f"backend auto is {chosen}: triton-cpu is not here: {missing('triton-cpu')}"
        if chosen == PREFERRED[-1]
        else ""
    )
