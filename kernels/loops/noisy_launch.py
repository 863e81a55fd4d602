"""Launching trajectories under a noisy tangential force, as a scale-invariant loss exerts with minibatches.

    turning     F = a A q / |q|^2,  A turns each pair of components by a right angle: |F| = |a| /
                                    |q|          (1)
    projected   F = (z - q <z, q>/|q|^2) /
                |q|                                                                (2)

with a (a scalar) and z (one number a component) = (drift + noise s_n) (1 + swing p_n), s_n the telegraph
signs (3) of
kernels/loops/noise.py, p_n = (n >> shift) mod 2. The gradient at unit norm is ghat = F |q|. In (1) |ghat| =
|a| and the
correlation of the noise lives in the frame that turns with q; in (2), in the frame at rest. Neither is a
gradient of a loss.

What leaves is, for each window of `every` steps, the sum over its steps n -> n+1 of

    |q'|^2, |q'|^4, 1/|q'|^2, |v'|^2, |q'/|q'| -
    q/|q||^2                                                      (4)
    the angle turned: arctan of t = <A q, q'>/<q, q'>, by its series to t^7: |t| < 1/8 leaves t^9/9 <
    1e-9     (5)

    numpy        the plain step of kernels/programs/numpy_step.py; the oracle
    triton-...   kernels/loops/noise_loop.py, executed as kernels/loops/launch.py executes; the same bits
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field

import numpy as np

from noether.cases.rules import Rule
from noether.kernels.loops import launch, noise
from noether.kernels.loops.triton_cache import checked
from noether.kernels.programs.numpy_step import step
from noether.kernels.programs.precision import Precision, encode, widen

PARAMETERS = ("eta", "beta", "k", "drift", "noise", "swing")
COUNTERS = ("lane", "seed", "threshold", "shift")
SUMS = ("r2", "r4", "inverse", "w2", "chord2", "turn")
BLOCK = 4096  # lanes: a numpy call costs as much as a thousand of them
UNWRITTEN = -np.inf  # no sum (4) is


@dataclass(frozen=True)
class NoisyJob:
    """One launch.

    q0, v0    (d, lanes) float64, representable in the stores of `precision`, which rounds no single operation
    params    (6, lanes) float64, PARAMETERS, representable in the arithmetic type
    counters  (4, lanes) uint32, COUNTERS
    force     "turning" (d even) or "projected"
    """

    rule: Rule
    precision: Precision
    q0: np.ndarray
    v0: np.ndarray
    params: np.ndarray
    counters: np.ndarray
    windows: int
    every: int
    force: str = "turning"

    def __post_init__(self):
        d, lanes = self.q0.shape
        if (
            self.v0.shape != (d, lanes)
            or self.params.shape != (6, lanes)
            or self.counters.shape != (4, lanes)
            or self.counters.dtype != np.uint32
        ):
            raise ValueError(
                f"q0 is {self.q0.shape}, v0 {self.v0.shape}, params {self.params.shape}, counters "
                f"{self.counters.shape} {self.counters.dtype}: "
                f"must be (d, lanes) twice, (6, lanes), (4, lanes) uint32"
            )
        if self.force not in ("turning", "projected") or (self.force == "turning" and d % 2):
            raise ValueError(
                f"force is {self.force!r} in {d} dimensions, must be 'turning', with d even, or 'projected'"
            )
        if self.rule.log_state or self.precision.eager:
            raise ValueError(
                f"rule {self.rule.name} in {self.precision.label} has no noisy loop: neither log q nor "
                "rounding of every operation has"
            )
        if min(lanes, self.windows, self.every) < 1 or (self.steps + 1) * self.signs >= noise.LIMIT:
            raise ValueError(
                f"{lanes} lanes, {self.windows} windows of {self.every} steps: each at least 1, and fewer "
                "than 2^31 draws a lane"
            )

    @property
    def lanes(self) -> int:
        return self.q0.shape[1]

    @property
    def steps(self) -> int:
        return self.windows * self.every

    @property
    def signs(self) -> int:
        """Telegraph signs of a lane."""
        return 1 if self.force == "turning" else len(self.q0)


@dataclass
class Sums:
    """sums (windows, 6, lanes) of SUMS; q, v (d, lanes) float64, the end; means(name): of one sum a step,
    (windows, lanes)."""

    sums: np.ndarray
    q: np.ndarray
    v: np.ndarray
    every: int
    backend: str
    seconds: float = 0.0
    notes: dict = field(default_factory=dict)

    def means(self, name: str) -> np.ndarray:
        return self.sums[:, SUMS.index(name)] / self.every


def run(job: NoisyJob, backend: str = "numpy") -> Sums:
    """Execute. Raises BackendMissing; ValueError for an unknown backend."""
    if backend not in launch.BACKENDS:
        raise ValueError(f"backend is {backend!r}, must be one of {launch.BACKENDS}")
    reason = launch.missing(backend)
    if reason:
        raise launch.BackendMissing(f"backend {backend} is not here: {reason}")
    begin = time.perf_counter()
    if backend == "numpy":
        out = plain(job)
    elif backend == "triton-interpreted":
        out = launch.interpreter().submit(interpreted, job).result()
    else:
        out = on_gpu(job) if backend == "triton-gpu" else on_cpu(job, backend)
    if np.isneginf(out.sums).any():
        raise RuntimeError(
            f"{backend} left {int(np.isneginf(out.sums).any(axis=(0, 1)).sum())} of {job.lanes} lanes "
            "unwritten"
        )
    out.seconds = time.perf_counter() - begin
    return out


def total(parts: list) -> np.ndarray:
    """Left to right, as the kernel adds."""
    out = parts[0]
    for x in parts[1:]:
        out = out + x
    return out


def forced(job: NoisyJob):
    """force(q, noise) of (1) or (2)."""

    def turning(q, a):
        pull = a[0] / total([x * x for x in q])
        return [
            g for x, y in zip(q[::2], q[1::2], strict=True) for g in (y.dtype.type(0) - pull * y, pull * x)
        ]

    def projected(q, z):
        square = total([x * x for x in q])
        along = total([x * y for x, y in zip(z, q, strict=True)]) / square
        r = np.sqrt(square)
        return [(x - along * y) / r for x, y in zip(z, q, strict=True)]

    return turning if job.force == "turning" else projected


def observed(q: list, p: list, w: list) -> list:
    """The six terms of (4), (5) of one step q -> p with buffer w, in float64."""
    q, p, w = ([x.astype(np.float64, copy=False) for x in y] for y in (q, p, w))
    before, after, speed = (total([x * x for x in y]) for y in (q, p, w))
    along = total([x * y for x, y in zip(q, p, strict=True)])
    across = np.zeros_like(after)
    for i in range(0, len(q) - 1, 2):
        across = across + (q[i] * p[i + 1] - q[i + 1] * p[i])
    tangent = across / along
    t2 = tangent * tangent
    turn = tangent * (1.0 - t2 * (0.3333333333333333 - t2 * (0.2 - t2 * 0.14285714285714285)))
    return [after, after * after, 1.0 / after, speed, 2.0 - 2.0 * (along / np.sqrt(before * after)), turn]


def plain(job: NoisyJob) -> Sums:
    """The numpy twin, in blocks of lanes."""
    p, d, lanes, signs = job.precision, len(job.q0), job.lanes, job.signs
    dtype = np.dtype(p.arith)
    sums, end = np.empty((job.windows, len(SUMS), lanes)), np.empty((2, d, lanes))
    force = forced(job)
    with np.errstate(all="ignore"):
        for start in range(0, lanes, BLOCK):
            cut = slice(start, min(lanes, start + BLOCK))
            q, v = [x.astype(dtype) for x in job.q0[:, cut]], [x.astype(dtype) for x in job.v0[:, cut]]
            eta, beta, k, drift, size, swing = (x.astype(dtype) for x in job.params[:, cut])
            number, seed, threshold, shift = job.counters[:, cut]
            keys, one = noise.key(number, seed), dtype.type(1)
            s = [np.where(noise.draw(keys, i) < noise.WHITE, one, -one) for i in range(signs)]
            for n in range(job.steps):
                swung = one + swing * ((np.uint32(n) >> shift) & np.uint32(1)).astype(dtype)
                a = [(drift + size * x) * swung for x in s]
                r, w = step(q, v, (eta, beta, k, a), force, job.rule.at(n + 1), p)
                s = [
                    np.where(noise.draw(keys, (n + 1) * signs + i) < threshold, -x, x)
                    for i, x in enumerate(s)
                ]
                terms = observed(q, r, w)
                window, inside = divmod(n, job.every)
                for i, x in enumerate(terms):
                    sums[window, i, cut] = (sums[window, i, cut] if inside else 0.0) + x
                q, v = r, w
            end[0, :, cut], end[1, :, cut] = q, v
    return Sums(sums, end[0], end[1], job.every, "numpy")


def constexprs(job: NoisyJob, block: int) -> dict:
    import triton.language as tl

    from noether.kernels.loops import noise_loop

    p = job.precision
    return {"FORCE": getattr(noise_loop, job.force), "SIGNS": job.signs, "D": len(job.q0),
        "RULE": job.rule.number, "ARITH": getattr(tl, p.arith),
            "Q_KIND": p.q_store, "V_KIND": p.v_store, "BLOCK": block}  # fmt: skip


def arrays(job: NoisyJob) -> list[np.ndarray]:
    """q, v, params, counters as int32, sums."""
    out = []
    for start, kind in ((job.q0, job.precision.q_store), (job.v0, job.precision.v_store)):
        row = encode(start, kind)
        out.append(np.stack([row, row]))
    sums = np.full((job.windows, len(SUMS), job.lanes), UNWRITTEN)
    return [*out, np.ascontiguousarray(job.params), np.ascontiguousarray(job.counters).view(np.int32), sums]


def compiled(job: NoisyJob, arch: int = 90, warps: int = launch.WARPS):
    """The job's kernel compiled ahead of time for sm_<arch>; needs no GPU."""
    from noether.kernels.loops.compiled import compile_ptx
    from noether.kernels.loops.noise_loop import noisy

    p = job.precision
    signature = {
        "q_ptr": launch.SIGNATURE[p.q_store], "v_ptr": launch.SIGNATURE[p.v_store], "params_ptr": "*fp64",
        "counters_ptr": "*i32",
        "sums_ptr": "*fp64", "lanes": "i32", "windows": "i32", "every": "i32",
    }  # fmt: skip
    return compile_ptx(noisy, signature, constexprs(job, 32 * warps), arch=arch, num_warps=warps)


def on_cpu(job: NoisyJob, backend: str) -> Sums:
    if backend == "triton-ptx":
        from noether.kernels.ptx import evaluate as execute
    else:
        from noether.kernels.ptx.native import execute
    buffers = arrays(job)
    report = execute(
        compiled(job).ptx, [*buffers, job.lanes, job.windows, job.every], -(-job.lanes // (32 * launch.WARPS))
    )
    return summed(
        job, buffers, backend, {"unpinned": dict(report.unpinned), "notes": getattr(report, "notes", [])}
    )


def summed(job: NoisyJob, buffers: list[np.ndarray], backend: str, notes: dict | None = None) -> Sums:
    q, v = (
        widen(x[1], kind)
        for x, kind in zip(buffers, (job.precision.q_store, job.precision.v_store), strict=False)
    )
    return Sums(buffers[4], q, v, job.every, backend, notes=notes or {})


@checked()
def launched(job: NoisyJob, device: str, block: int, **options) -> list[np.ndarray]:
    import torch

    from noether.kernels.loops.noise_loop import noisy

    sent = [torch.from_numpy(x).to(device) for x in arrays(job)]
    noisy[(-(-job.lanes // block),)](
        *sent, job.lanes, job.windows, job.every, **constexprs(job, block), **options
    )
    return [x.cpu().numpy() for x in sent]


def on_gpu(job: NoisyJob) -> Sums:
    return summed(
        job,
        launched(job, "cuda", 32 * launch.WARPS, num_warps=launch.WARPS, enable_fp_fusion=False),
        "triton-gpu",
    )


def interpreted(job: NoisyJob) -> Sums:
    if os.environ.get("TRITON_INTERPRET") != "1":
        raise RuntimeError(
            "this process does not interpret: TRITON_INTERPRET must be 1 before triton is imported"
        )
    with np.errstate(all="ignore"):
        return summed(job, launched(job, "cpu", launch.INTERPRETED_BLOCK), "triton-interpreted")
