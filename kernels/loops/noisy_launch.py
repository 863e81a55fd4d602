"""Launching trajectories under a noisy tangential force, as a scale-invariant loss exerts with minibatches.

    turning     F = a A q / |q|^2,  A turns each pair of components by a right angle: |F| = |a| / |q|     (1)
    projected   F = (z - q <z, q>/|q|^2) / |q|                                                            (2)

with a (a scalar) and z (one number a component) = (drift + noise s_n) (1 + swing p_n), s_n the telegraph
signs (3) of kernels/loops/noise.py, p_n = (n >> shift) mod 2. The gradient at unit norm is ghat = F |q|. In
(1) |ghat| = |a| and the correlation of the noise lives in the frame that turns with q; in (2), in the frame
at rest. Neither is a gradient of a loss.

What leaves is, for each window of `every` steps, the sum over its steps n -> n+1 of

    |q'|^2, |q'|^4, 1/|q'|^2, |v'|^2, |q'/|q'| - q/|q||^2                                                 (4)
    the angle turned: arctan of t = <A q, q'>/<q, q'>, by its series to t^7: |t| < 1/8 leaves t^9/9 < 1e-9 (5)

    numpy        the plain step of kernels/programs/numpy_step.py; the oracle
    triton-...   kernels/loops/noise_loop.py; the same bits
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from noether.cases.rule import COMMON, Rule
from noether.kernels.loops import noise
from noether.kernels.loops.launch import BACKENDS
from noether.kernels.loops.outcome import started
from noether.kernels.programs.numpy_step import advanced
from noether.kernels.programs.precision import Precision, widen
from noether.kernels.programs.trace_rule import update_program

PARAMETERS = ("eta", "beta", "k", "drift", "noise", "swing")
COUNTERS = ("lane", "seed", "threshold", "shift")
SUMS = ("r2", "r4", "inverse", "w2", "chord2", "turn")
BLOCK = 4096  # lanes: a numpy call costs as much as a thousand of them
UNWRITTEN = -np.inf  # no sum (4) is


@dataclass
class Sums:
    """What a noisy launch gives.

    sums  (windows, 6, lanes) float64, of the terms SUMS
    q, v  (d, lanes) float64, the last state
    """

    sums: np.ndarray
    q: np.ndarray
    v: np.ndarray
    every: int
    backend: str
    seconds: float = 0.0
    notes: dict = field(default_factory=dict)

    def means(self, name: str) -> np.ndarray:
        """The mean of one sum over the steps of a window, (windows, lanes)."""
        return self.sums[:, SUMS.index(name)] / self.every


@dataclass(frozen=True)
class NoisyJob:
    """One launch of the noisy loop: all that decides its bits.

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
    backends = BACKENDS

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
        if not self.rule.linear or self.rule.inputs != COMMON or self.precision.eager:
            raise ValueError(
                f"rule {self.rule.name} in {self.precision.label} has no noisy loop: it must move q by its "
                "buffer and the force, by the common parameters alone, and not round every operation"
            )
        if min(lanes, self.windows, self.every) < 1 or (self.steps + 1) * self.signs >= noise.LIMIT:
            raise ValueError(
                f"{lanes} lanes, {self.windows} windows of {self.every} steps: each at least 1, and fewer "
                "than 2^31 draws a lane"
            )

    @property
    def lanes(self) -> int:
        """How many trajectories are run."""
        return self.q0.shape[1]

    @property
    def steps(self) -> int:
        """How many steps each takes."""
        return self.windows * self.every

    @property
    def signs(self) -> int:
        """How many telegraph signs a lane has."""
        return 1 if self.force == "turning" else len(self.q0)

    @property
    def pointers(self) -> dict[str, str]:
        """The arrays of the kernel, by name, with the kind of their buffers."""
        p = self.precision
        state = {"q_ptr": p.q_store, "v_ptr": p.v_store, "params_ptr": "float64"}
        return state | {"counters_ptr": "int32", "sums_ptr": "float64"}

    @property
    def scalars(self) -> dict[str, int]:
        """The whole numbers that the kernel is given, by name."""
        return {"lanes": self.lanes, "windows": self.windows, "every": self.every}

    def kernel(self):
        """The @triton.jit function."""
        from noether.kernels.loops.noise_loop import noisy

        return noisy

    def constexprs(self, block: int) -> dict:
        """The compile-time parameters of the kernel, by name."""
        import triton.language as tl

        from noether.kernels.loops import noise_loop
        from noether.kernels.programs.triton_text import function

        p = self.precision
        force = {"FORCE": getattr(noise_loop, self.force), "SIGNS": self.signs, "D": len(self.q0)}
        kinds = {"ARITH": getattr(tl, p.arith), "Q_KIND": p.q_store, "V_KIND": p.v_store}
        update = function(update_program(self.rule, len(self.q0)), p)
        return force | kinds | {"UPDATE": update, "BLOCK": block}

    def buffers(self) -> list[np.ndarray]:
        """q, v, params, counters as int32, sums."""
        q, v = started(self.q0, self.precision.q_store, 2), started(self.v0, self.precision.v_store, 2)
        sums = np.full((self.windows, len(SUMS), self.lanes), UNWRITTEN)
        counters = np.ascontiguousarray(self.counters).view(np.int32)
        return [q, v, np.ascontiguousarray(self.params), counters, sums]

    def collected(self, buffers: list[np.ndarray], backend: str, notes: dict) -> Sums:
        """The Sums of a launch, made of its buffers. Raises RuntimeError where lanes are unwritten."""
        q, v, _, _, sums = buffers
        missed = np.isneginf(sums).any(axis=(0, 1))
        if missed.any():
            raise RuntimeError(f"{backend} left {int(missed.sum())} of {self.lanes} lanes unwritten")
        ends = widen(q[1], self.precision.q_store), widen(v[1], self.precision.v_store)
        return Sums(sums, *ends, self.every, backend, notes=notes)

    def plain(self, advance: Callable = advanced) -> Sums:
        """The same launch in numpy, in blocks of lanes."""
        sums, end = np.empty((self.windows, len(SUMS), self.lanes)), np.empty((2, *self.q0.shape))
        with np.errstate(all="ignore"):
            for start in range(0, self.lanes, BLOCK):
                cut = slice(start, min(self.lanes, start + BLOCK))
                end[0, :, cut], end[1, :, cut] = summed(self, cut, advance, sums[:, :, cut])
        return Sums(sums, end[0], end[1], self.every, "numpy")


def total(parts: list) -> np.ndarray:
    """The sum of some arrays from left to right, in the order in which the kernel adds."""
    out = parts[0]
    for x in parts[1:]:
        out = out + x
    return out


def forced(job: NoisyJob):
    """The function force(q, noise) of (1) or (2)."""

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


def summed(job: NoisyJob, cut: slice, advance: Callable, sums: np.ndarray) -> tuple[list, list]:
    """Run a block of lanes and fill its sums (windows, 6, lanes); returns q, v at the end."""
    dtype, signs, force = np.dtype(job.precision.arith), job.signs, forced(job)
    q, v, params = ([x.astype(dtype) for x in rows[:, cut]] for rows in (job.q0, job.v0, job.params))
    eta, beta, k, drift, size, swing = params
    number, seed, threshold, shift = job.counters[:, cut]
    keys, one = noise.key(number, seed), dtype.type(1)
    s = [np.where(noise.draw(keys, i) < noise.WHITE, one, -one) for i in range(signs)]
    for n in range(job.steps):
        swung = one + swing * ((np.uint32(n) >> shift) & np.uint32(1)).astype(dtype)
        a = [(drift + size * x) * swung for x in s]
        r, w = advance(n + 1, q, v, (eta, beta, k, a), force, job.rule, job.precision)
        s = [np.where(noise.draw(keys, (n + 1) * signs + i) < threshold, -x, x) for i, x in enumerate(s)]
        window, inside = divmod(n, job.every)
        for i, x in enumerate(observed(q, r, w)):
            sums[window, i] = (sums[window, i] if inside else 0.0) + x
        q, v = r, w
    return q, v
