"""What the harness itself solves such a batch with (harness/mechanics/flow.py): SciPy's DOP853 on all lanes
as one system, and collocation, one step an interval; and both at two accuracies, as a verdict asks."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from noether.labs.bench.ode.problem import ONE_THREAD, Problem
from noether.mechanics import flow

DOP853, COLLOCATION, CERTIFIED = "DOP853", "collocation", "with error bars"
FEW = 64  # lanes up to which solutions with error bars are measured: a verdict has fewer
ROWS = 48  # intervals between output times, as `noether verify` has them


def missing() -> str:
    """Never missing: it is the project itself."""
    return ""


def environment() -> dict[str, str]:
    """One thread for linear algebra."""
    return dict(ONE_THREAD)


def settings(problem: Problem) -> dict[str, tuple[float, ...]]:
    """Of each method its ladder: tolerances, or intervals of the collocation."""
    tolerances = (1e-4, 1e-6, 1e-8, 1e-10, 1e-12)
    certified = {CERTIFIED: (flow.TIGHT,)} if problem.lanes <= FEW else {}
    return {DOP853: tolerances, COLLOCATION: (2, 4, 8, 16, 32), **certified}


def prepare(problem: Problem, method: str, level: float) -> Callable[[], np.ndarray]:
    """run() -> y (n, lanes) at the end."""
    mech, x0, parameters = problem.mechanics, problem.x0, problem.parameters
    intervals = {DOP853: 1, COLLOCATION: int(level), CERTIFIED: ROWS}[method]
    times = np.repeat(np.linspace(0, problem.time, intervals + 1)[:, None], problem.lanes, axis=1)

    def run():
        if method == DOP853:
            found = flow.by_dop853(mech, x0, parameters, times, level)
        elif method == COLLOCATION:
            found = flow.by_collocation(mech, x0, parameters, times)
        else:
            found = flow.certified(mech, x0, parameters, times, tight=level).run
        return np.concatenate([found.x[-1], found.z[-1]])

    return run
