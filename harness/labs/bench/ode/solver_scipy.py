"""SciPy's solve_ivp one lane at a time, in plain floats: what most users would write.

A lane knows nothing of the others, so SOME lanes are solved, and the time is multiplied up to all of them.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from noether.labs.bench.ode.problem import ONE_THREAD, Problem

SOME = 8


def missing() -> str:
    """Never missing: the project needs SciPy itself."""
    return ""


def environment() -> dict[str, str]:
    """One thread for linear algebra."""
    return dict(ONE_THREAD)


def settings(problem: Problem) -> dict[str, tuple[float, ...]]:
    """Of each method its ladder of tolerances."""
    tolerances = (1e-4, 1e-6, 1e-8, 1e-10, 1e-12, 1e-13)
    return {"DOP853": tolerances, "Radau": tolerances[:4]}


def prepare(problem: Problem, method: str, level: float) -> Callable[[], np.ndarray]:
    """run() -> y (n, SOME) at the end. Its run raises FloatingPointError where SciPy stops before."""
    from scipy.integrate import solve_ivp

    call, y0 = problem.mechanics.complete, problem.y0
    values = np.array(problem.parameters.values).T.tolist()

    def lane(i: int) -> np.ndarray:
        rates = lambda t, y: call(*y.tolist(), *values[i])
        found = solve_ivp(rates, (0, problem.time), y0[:, i], method=method, rtol=level, atol=level / 10)
        if found.status:
            raise FloatingPointError(f"SciPy stops: {found.message}")
        return found.y[:, -1]

    return lambda: np.stack([lane(i) for i in range(min(SOME, problem.lanes))], axis=1)
