"""Screening: a launch that computes the residuals of laws beside the update, and keeps only summaries.

    numpy        blocked: the plain step of kernels/programs/numpy_step.py, the residuals in float64; the
                 oracle
    triton-...   kernels/loops/screen_loop.py; the same bits, in one launch, or where that would spill in one
                 for each share of the laws (kernels/loops/screen_shares.py)

A residual program (harness/laws/exact/residuals.py) gives one number for each law and step, |measured -
predicted| in units of its bound. What is kept of it, lane by lane: the largest, the step where it was, the
first step above 1. NaN is inf. The residuals read parameters from a tensor of their own: a step size
demoted on its way into the update must show.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from noether.cases.rule import COMMON
from noether.kernels.loops import backends, screen_shares
from noether.kernels.loops.launch import Job
from noether.kernels.programs.fenced_text import fenced_function
from noether.kernels.programs.numpy_program import Registers
from noether.kernels.programs.numpy_step import Reader, advanced
from noether.kernels.programs.precision import Precision, encode
from noether.kernels.programs.program import Program
from noether.kernels.programs.triton_text import function

PARAMETERS = tuple(f"p[{i}]" for i in range(len(COMMON)))
FLOAT64 = Precision("float64")
UNWRITTEN = -2  # no step has this number: a lane that nobody wrote shows
BLOCK = 4096  # lanes: a numpy call costs as much as a thousand of them
BACKENDS = ("numpy", "triton-interpreted", "triton-ptx", "triton-cpu", "triton-gpu")


@dataclass
class Found:
    """What a screening gives.

    spent        (laws, lanes) float64, the most that each law spent
    worst_step   (laws, lanes), the step where that was, and first_bad the first above 1; -1 for none.
                 A step n takes state n to n + 1
    moved        (lanes,) on how many steps q changed
    q, v         (d, lanes), the final buffers
    """

    spent: np.ndarray
    worst_step: np.ndarray
    first_bad: np.ndarray
    moved: np.ndarray
    q: np.ndarray
    v: np.ndarray
    backend: str
    seconds: float = 0.0
    notes: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Screen:
    """One launch of the screening loop, and what is asked of it.

    residual  a program over o, u, q, v, r, w (q and v one step before, now, one step after) and p, the
              parameters eta, beta, k, eps
    lags      for each output, the number of steps that it looks back: judged from step lag - 1 on
    params    (4, lanes) float64, apart from the job's
    shared    whether the laws are shared out between launches; None: on a GPU, as screen_shares.py chooses
    of        of a share, for each output the law that it is of, by position
    fenced    whether the residual's operations are kept in order in the kernel
    """

    job: Job
    residual: Program
    lags: tuple[int, ...]
    params: np.ndarray
    shared: bool | None = None
    fenced: bool = False
    of: tuple[int, ...] = ()
    backends = BACKENDS

    def __post_init__(self):
        names = (*(f"{n}[{i}]" for n in "ouqvrw" for i in range(self.job.program.dim)), *PARAMETERS)
        if self.residual.inputs != names or len(self.lags) != len(self.residual.outputs):
            raise ValueError(
                f"a residual program of {len(self.residual.outputs)} outputs over {self.residual.inputs} "
                "cannot be screened"
            )
        if not self.job.rule.screened:
            raise ValueError(f"rule {self.job.rule.name} cannot be screened: its residuals are not traced")
        if self.params.shape != self.job.params.shape or self.params is self.job.params:
            raise ValueError(
                f"params is {self.params.shape}, must be a tensor of its own of shape {self.job.params.shape}"
            )

    @property
    def lanes(self) -> int:
        """How many trajectories are run."""
        return self.job.lanes

    @property
    def pointers(self) -> dict[str, str]:
        """The arrays of the kernel, by name, with the kind of their buffers."""
        wide = dict.fromkeys(("wide_ptr", "spent_ptr"), "float64")
        return {**self.job.pointers, **wide, "step_ptr": "int32"}

    @property
    def scalars(self) -> dict[str, int]:
        """The whole numbers that the kernel is given, by name."""
        return self.job.scalars

    def kernel(self):
        """The @triton.jit function."""
        from noether.kernels.loops.screen_loop import screen

        return screen

    def constexprs(self, block: int) -> dict:
        """The compile-time parameters of the kernel, by name."""
        out = self.job.constexprs(block)
        del out["TRACE"]
        late = sum(1 << law for law, lag in enumerate(self.lags) if lag > 1)
        residual = fenced_function if self.fenced else function
        how = {"LAWS": len(self.lags), "LATE": late, "FENCED": self.fenced}
        return {**out, "RESIDUAL": residual(self.residual, FLOAT64), **how}

    def shares(self, backend: str) -> list[Screen]:
        """The launches that take its place on a backend; none where it is launched as it is."""
        if self.shared is not None:
            return screen_shares.shared(self) if self.shared else []
        arch = backends.architecture() if backend == "triton-gpu" else 0
        spilled = lambda launch: screen_shares.spills(backends.compiled(launch, arch).ptx)
        return screen_shares.chosen(self, spilled) if arch else []

    def joined(self, launches: list[Screen], found: list[Found]) -> Found:
        """What is Found, of what the launches in its place found."""
        return screen_shares.joined(self, launches, found)

    def apart(self) -> Screen:
        """The same launch for a process that cannot import the file of its rule."""
        return replace(self, job=self.job.apart())

    def buffers(self) -> list[np.ndarray]:
        """q, v, params, known, params apart, spent, and steps: where each law was worst and first bad, and
        how many steps moved."""
        laws = len(self.lags)
        spent = np.full((laws, self.lanes), np.nan)
        steps = np.full((2 * laws + 1, self.lanes), UNWRITTEN, np.int32)
        return [*replace(self.job, trace=False).buffers(), np.ascontiguousarray(self.params), spent, steps]

    def collected(self, buffers: list[np.ndarray], backend: str, notes: dict) -> Found:
        """What is Found, made of the buffers. Raises RuntimeError where lanes are unwritten."""
        q, v, _, _, _, spent, steps = buffers
        laws, missed = len(self.lags), steps == UNWRITTEN
        if missed.any():
            raise RuntimeError(
                f"{backend} left {int(missed.any(axis=0).sum())} of {self.lanes} lanes unwritten"
            )
        worst, first = steps[:laws], steps[laws : 2 * laws]
        return Found(spent, worst, first, steps[-1], q[-1], v[-1], backend, notes=notes)

    def plain(self, advance=advanced, block: int = BLOCK) -> Found:
        """The same screening in numpy, block by block."""
        job, found, registers = self.job, empty(self, "numpy"), None
        with np.errstate(all="ignore"):
            for start in range(0, job.lanes, block):
                cut = slice(start, min(job.lanes, start + block))
                lanes = cut.stop - cut.start
                if registers is None or registers.lanes != lanes:
                    registers = Registers(self.residual, lanes, frozenset(PARAMETERS))
                state = watch(registers, self, cut, stepped(job, cut, advance), found)
                for i in range(job.program.dim):
                    found.q[i, cut] = encode(state[0][i], job.precision.q_store)
                    found.v[i, cut] = encode(state[1][i], job.precision.v_store)
        return found


def recorded(screen: Screen, q: np.ndarray, v: np.ndarray) -> Found:
    """What is Found in the states of a trajectory, (steps + 1, d, lanes) float64, instead of a launch."""
    found = empty(screen, "numpy")
    with np.errstate(all="ignore"):
        registers = Registers(screen.residual, screen.job.lanes, frozenset(PARAMETERS))
        watch(registers, screen, slice(None), zip(q, v, strict=True), found)
    return found


def empty(screen: Screen, backend: str) -> Found:
    """A Found in which nothing has been found yet."""
    d, lanes, laws, p = screen.job.program.dim, screen.job.lanes, len(screen.lags), screen.job.precision
    spent = np.zeros((laws, lanes))
    none = np.full((laws, lanes), -1, np.int32)
    buffers = [np.empty((d, lanes), encode(np.zeros(1), kind).dtype) for kind in (p.q_store, p.v_store)]
    return Found(spent, none, none.copy(), np.zeros(lanes, np.int32), *buffers, backend)


def stepped(job: Job, cut: slice, advance) -> Iterator[tuple]:
    """The states of a block of lanes, the start first: lists of d arrays of the arithmetic type."""
    dtype = np.dtype(job.precision.arith)
    q, v = ([x.astype(dtype) for x in rows[:, cut]] for rows in (job.q0, job.v0))
    known = job.known[..., cut] if job.known.shape[-1] > 1 else job.known
    here = Reader(job.rule, job.precision, job.params[:, cut], known, job.metric)
    gradient = lambda q, eps: job.program.run(q, eps, job.precision)
    yield q, v
    for n in range(1, job.steps + 1):
        q, v = advance(n, q, v, here.at(n, q), gradient, job.rule, job.precision)
        yield q, v


def watch(registers: Registers, screen: Screen, cut: slice, states: Iterable[tuple], found: Found) -> tuple:
    """Run the residuals on each pair of successive states, keep in `found` what it keeps, and return the last
    state."""
    d = screen.job.program.dim
    at = registers.inputs
    at[6 * d :] = screen.params[:, cut]
    registers.prepare()
    spent, worst, first = (x[:, cut] for x in (found.spent, found.worst_step, found.first_bad))
    moved = found.moved[cut]
    above, differs = np.empty(registers.lanes, bool), np.empty((d, registers.lanes), bool)
    state = None
    for n, state in enumerate(states, -1):
        at[: 4 * d] = at[2 * d : 6 * d]
        for i in range(d):
            at[4 * d + i], at[5 * d + i] = state[0][i], state[1][i]
        if n < 0:
            continue
        moved += np.not_equal(at[2 * d : 3 * d], at[4 * d : 5 * d], out=differs).any(axis=0)
        registers.run()
        for law, (s, lag) in enumerate(zip(registers.outputs, screen.lags, strict=True)):
            if n + 1 >= lag:
                np.fmin(s, np.inf, out=s)  # NaN becomes inf
                if np.greater(s, spent[law], out=above).any():
                    np.copyto(spent[law], s, where=above)
                    np.copyto(worst[law], n, where=above)
                    if (np.greater(s, 1.0, out=above)).any():
                        first[law][above & (first[law] < 0)] = n
    return state
