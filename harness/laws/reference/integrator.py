"""Solutions by heyoka: Taylor's method of an order that the precision decides, in 53, 64 or 113 bits, or
lanes in a batch.

Taylor's method is explicit: it takes some 60000 steps a unit of time at m = 1e-4 (theory.md section 8), and
113 bits are software. So 113 bits are for m >= SOFTWARE, the 64 bits of the x87 type below it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import cache

import mpmath
import numpy as np

from noether.cases.case import Case
from noether.laws.reference import translation
from noether.mechanics.flow_trajectory import Parameters, Trajectory
from noether.mechanics.symbolic_mechanics import equations, mechanics
from noether.system.machine import remedy

SOFTWARE = 5e-3
DIGITS = 45  # of mpmath, when a solution of 113 bits is worked with
BITS = (53, 64, 113)


def package():
    import heyoka

    return heyoka


def missing() -> str:
    """Why heyoka is not here, or ''."""
    try:
        hy = package()
    except ImportError as error:
        return f"{error}; {remedy('heyoka')}"
    return "" if hasattr(hy, "real128") else f"heyoka {hy.__version__} was built without 128-bit numbers"


def number(bits: int):
    """The type of heyoka for that many bits."""
    return {53: float, 64: np.longdouble, 113: getattr(package(), "real128", None)}[bits]


@dataclass(frozen=True, eq=False)
class Solution:
    """One lane: x and z at the times, in pieces of float64 whose sum they are.

    pieces   (3, n, 2d + sources)
    steps    of the solver;  seconds  of processor time
    """

    times: np.ndarray
    pieces: np.ndarray
    bits: int
    steps: int
    seconds: float

    def apart(self, x: np.ndarray) -> np.ndarray:
        """x - this, for float64 x (n, rows) near it: the first difference is exact (Sterbenz)."""
        first, second, third = self.pieces[:, :, : x.shape[1]]
        return ((x - first) - second) - third

    def rows(self) -> list[list]:
        """The state at each time as mpmath numbers, exactly."""
        return [
            [mpmath.mpf(a) + mpmath.mpf(b) + mpmath.mpf(c) for a, b, c in zip(*at, strict=True)]
            for at in self.pieces.swapaxes(0, 1)
        ]


def pieces(values: np.ndarray, kind) -> np.ndarray:
    """(3, ...) of float64 that sum to `values` exactly: 3 x 53 bits hold 113."""
    out, rest = [], values
    for _ in range(3):
        part = rest.astype(float)
        out.append(part)
        rest = rest - part.astype(kind)
    return np.stack(out)


@dataclass(eq=False)
class Engine:
    """The compiled integrators of one case. `compiled` tells the seconds that each took."""

    case: Case
    compiled: dict = field(default_factory=dict)
    ready: dict = field(default_factory=dict)

    def integrator(self, bits: int, batch: int = 0):
        key = (bits, batch)
        if key not in self.ready:
            hy, began = package(), time.process_time()
            state, rates = translation.complete(equations(self.case))
            described = translation.system(hy, state, rates)
            zero = np.zeros((len(state), batch) if batch else len(state)).astype(number(bits))
            make = hy.taylor_adaptive_batch if batch else hy.taylor_adaptive
            # compact_mode: formulas of d = 8 take minutes to compile unrolled.
            self.ready[key] = make(described, zero, fp_type=number(bits), compact_mode=True)
            self.compiled[key] = time.process_time() - began
        return self.ready[key]

    def solve(self, x0, values, times, bits: int, stops: bool = False) -> Solution:
        """One lane from x0 (2d,) with values (m, mu, eps, kappa, k).

        stops: a step ends at every time, so that the steps are other ones and nothing is read off within a
        step.
        """
        integrator, kind = self.integrator(bits), number(bits)
        set_up(integrator, x0, values, kind)
        grid, began = times.astype(kind), time.process_time()
        if stops:
            done = [integrator.propagate_until(grid[0])]
            rows = [integrator.state.copy()]
            for t in grid[1:]:
                done.append(integrator.propagate_until(t))
                rows.append(integrator.state.copy())
            out, outcome, steps = np.stack(rows), done[-1][0], sum(d[3] for d in done)
        else:
            outcome, _, _, steps, _, out = integrator.propagate_grid(grid)
        seconds = time.process_time() - began
        if "time_limit" not in str(outcome) or not np.all(np.isfinite(out.astype(float))):
            raise FloatingPointError(f"heyoka stops: {outcome} at {bits} bits, m = {values[0]:.3g}")
        return Solution(times, pieces(out, kind), bits, int(steps), seconds)

    def batch(
        self,
        x0: np.ndarray,
        parameters: Parameters,
        times: np.ndarray,
        stops: bool = False,
        longest: float = np.inf,
    ) -> tuple[Trajectory, float]:
        """Many lanes, x0 (2d, lanes), in float64, as many at once as the processor's vectors take; all at
        `times` (n,).

        stops as in `solve`; no step is longer than `longest`. Gives the trajectory and the seconds that it
        took.
        """
        width, lanes = package().recommended_simd_size(), x0.shape[1]
        integrator, values = self.integrator(53, width), np.array(parameters.values)
        out = np.empty((len(times), len(integrator.state), lanes))
        grid = np.repeat(times[:, None], width, axis=1)
        began = time.process_time()
        for first in range(0, lanes, width):
            chosen = np.minimum(
                np.arange(first, first + width), lanes - 1
            )  # the last batch is filled up with its last lane
            set_up(integrator, x0[:, chosen], values[:, chosen], float)
            if stops:
                for k, t in enumerate(times):
                    integrator.propagate_until(t, max_delta_t=longest)
                    out[k][:, chosen] = integrator.state
            else:
                out[:, :, chosen] = integrator.propagate_grid(grid, max_delta_t=longest)[1]
            lost = [str(r[0]) for r in integrator.propagate_res if "time_limit" not in str(r[0])]
            if lost:
                raise FloatingPointError(f"heyoka stops in a batch: {lost[0]}, lanes {first} to {chosen[-1]}")
        seconds = time.process_time() - began
        dim = x0.shape[0]
        return Trajectory(
            mechanics(self.case),
            parameters,
            np.repeat(times[:, None], lanes, axis=1),
            out[:, :dim],
            out[:, dim:],
        ), seconds


def set_up(integrator, x0, values, kind) -> None:
    """Back to t = 0 at (x0, z = 0)."""
    integrator.state[:] = np.concatenate(
        [x0, np.zeros((len(integrator.state) - len(x0), *x0.shape[1:]))]
    ).astype(kind)
    integrator.pars[:] = np.array(values).astype(kind)[: len(integrator.pars)]
    if integrator.state.ndim == 2:
        integrator.set_time(0.0)
    else:
        integrator.time = kind(0)


@cache
def engine(case: Case) -> Engine:
    return Engine(case)
