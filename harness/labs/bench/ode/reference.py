"""The solution that errors are measured against: extrapolated midpoint steps in the 64 bits of longdouble.

A step of H is taken by the modified midpoint rule in n_j = 2, 4, ..., 2k parts, and extrapolated:

    T_{j,l} = T_{j,l-1} + (T_{j,l-1} - T_{j-1,l-1}) / ((n_j / n_{j-l+1})^2 - 1)                            (1)

from T_{j,1}, what n_j parts give. It has order 2k (Hairer, Norsett, Wanner, Solving Ordinary Differential
Equations I (1993), II.9). No tool that is timed uses this method. Its error is estimated by the same in
half as many steps, and where heyoka is installed some lanes are solved again by Taylor's method in 64 bits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from noether.labs.bench.ode.problem import Problem
from noether.mechanics import flow
from noether.mechanics.symbolic_mechanics import MU_OFF

ROWS, STEPS = 8, 48
SECOND = 4  # lanes that heyoka solves again


@dataclass(frozen=True)
class Reference:
    """y (n, lanes) at the end, and what is known of its error, as shares of the largest |y|.

    halved   the largest distance from the solution with half as many steps
    second   the same from heyoka's in 64 bits, in SECOND lanes; None where heyoka is not installed
    """

    y: np.ndarray
    halved: float
    second: float | None

    def error(self, y: np.ndarray) -> float:
        """The largest difference over the first lanes of y (n, some) and all components, over the largest
        |y| of all lanes; inf where a value is not finite."""
        apart = np.abs(y - self.y[:, : y.shape[1]]).max() / np.abs(self.y).max()
        return float(apart) if np.isfinite(apart) else float("inf")


def rates(problem: Problem):
    """y (n, lanes) longdouble -> y' of the whole state."""
    mech, count = problem.mechanics, problem.x0.shape[0]
    values = [p.astype(np.longdouble) for p in problem.parameters.values]
    friction = values[1] / values[0]
    off = 1 + np.longdouble(MU_OFF.p) / np.longdouble(MU_OFF.q)
    factor = np.array([1.0] * mech.sources + [0.0] * (len(mech.parts) + mech.powers), dtype=np.longdouble)
    factor[mech.sources : mech.sources + len(mech.parts)] = off

    def of(y):
        out = mech.field(*y[:count], *values)
        return np.concatenate(
            [out[:count], flow.integral_sources(mech, out) - factor[:, None] * friction * y[count:]]
        )

    return of


def extrapolated(of, y: np.ndarray, time: float, steps: int) -> np.ndarray:
    """y at `time` by (1), in equal steps."""
    H = np.longdouble(time) / steps
    for _ in range(steps):
        first, row = of(y), []
        for j in range(1, ROWS + 1):
            h = H / (2 * j)
            before, now = y, y + h * first
            for _ in range(2 * j - 1):
                before, now = now, before + 2 * h * of(now)
            new = [(before + now + h * of(now)) / 2]
            for back in range(1, j):
                ratio = np.longdouble(j) / (j - back)
                new.append(new[-1] + (new[-1] - row[back - 1]) / (ratio * ratio - 1))  # (1)
            row = new
        y = row[-1]
    return y


def solve(problem: Problem) -> Reference:
    """The reference with what is known of its error."""
    of, y0 = rates(problem), problem.y0.astype(np.longdouble)
    coarse, fine = (extrapolated(of, y0, problem.time, steps) for steps in (STEPS // 2, STEPS))
    largest = np.abs(fine).max()
    return Reference(fine, float(np.abs(fine - coarse).max() / largest), second(problem, fine))


def second(problem: Problem, y: np.ndarray) -> float | None:
    """How far the reference is from heyoka's solution in 64 bits, over the largest |y|; None without
    heyoka."""
    from noether.labs.bench.ode import solver_heyoka

    if solver_heyoka.missing():
        return None
    apart = [np.abs(solver_heyoka.wide(problem, lane) - y[:, lane]).max() for lane in range(SECOND)]
    return float(max(apart) / np.abs(y).max())
