"""heyoka: Taylor's method, as many lanes at once as the processor's vectors take, compact and unrolled."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from noether.labs.bench.ode.problem import Problem
from noether.labs.bench.peers import not_installed
from noether.laws.reference import translation


def missing() -> str:
    """Why heyoka is not here, or ''."""
    return not_installed("heyoka")


def environment() -> dict[str, str]:
    """Nothing to set."""
    return {}


def settings(problem: Problem) -> dict[str, tuple[float, ...]]:
    """Of each method its ladder of tolerances."""
    tolerances = (1e-6, 1e-8, 1e-10, 1e-12, 1e-14, 2.0**-52)
    return {"batch, unrolled": tolerances, "batch, compact": tolerances}


def system(problem: Problem) -> list:
    """[(variable, rate)]; par[0] to par[4] are m, mu, eps, kappa, k."""
    import heyoka

    state, rates, _ = problem.expressions
    return translation.system(heyoka, state, rates)


def prepare(problem: Problem, method: str, level: float) -> Callable[[], np.ndarray]:
    """run() -> y (n, lanes) at the end. Its run raises FloatingPointError where heyoka stops before."""
    import heyoka

    width, lanes, y0 = heyoka.recommended_simd_size(), problem.lanes, problem.y0
    values, compact = np.array(problem.parameters.values), method.endswith("compact")
    pars = np.zeros((len(values), width))
    zero = np.zeros((problem.size, width))
    integrator = heyoka.taylor_adaptive_batch(
        system(problem), zero, tol=level, compact_mode=compact, pars=pars
    )

    def run():
        out = np.empty_like(y0)
        for first in range(0, lanes, width):
            chosen = np.minimum(np.arange(first, first + width), lanes - 1)
            integrator.state[:], integrator.pars[:] = y0[:, chosen], values[:, chosen]
            integrator.set_time(0.0)
            integrator.propagate_until(problem.time)
            lost = [r[0] for r in integrator.propagate_res if "time_limit" not in str(r[0])]
            if lost:
                raise FloatingPointError(f"heyoka stops: {lost[0]}, lanes {first} to {chosen[-1]}")
            out[:, chosen] = integrator.state
        return out

    return run


def wide(problem: Problem, lane: int) -> np.ndarray:
    """y (n,) of one lane at the end, longdouble, at the tolerance 2^-63 of heyoka's 64 bits."""
    import heyoka

    start = problem.y0[:, lane].astype(np.longdouble)
    pars = np.array(problem.parameters.values)[:, lane].astype(np.longdouble)
    integrator = heyoka.taylor_adaptive(
        system(problem), start, pars=pars, fp_type=np.longdouble, compact_mode=True
    )
    integrator.propagate_until(np.longdouble(problem.time))
    return integrator.state.copy()
