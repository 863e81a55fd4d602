"""diffrax: lanes by vmap, compiled by XLA for the CPU in float64, steps chosen by its PID controller."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from noether.labs.bench.ode.problem import Problem
from noether.labs.bench.peers import not_installed

FEW = 64  # lanes up to which the implicit method is tried: it factors a Jacobian of every lane in every step


def missing() -> str:
    """Why diffrax is not here, or ''."""
    return not_installed("diffrax")


def environment() -> dict[str, str]:
    """Read by jax when it is imported."""
    return {"JAX_PLATFORMS": "cpu", "JAX_ENABLE_X64": "1"}


def settings(problem: Problem) -> dict[str, tuple[float, ...]]:
    """Of each method its ladder of tolerances; the implicit one of few lanes alone."""
    tolerances = (1e-4, 1e-6, 1e-8, 1e-10, 1e-12, 1e-13)
    implicit = {"Kvaerno5": tolerances[:3]} if problem.lanes <= FEW else {}
    return {"Dopri8": tolerances, "Tsit5": tolerances[:4], **implicit}


@cache
def compiled(problem: Problem, method: str) -> Callable:
    """solve(y0 (lanes, n), parameters (lanes, 5), tolerance) -> y (lanes, n), compiled once a method."""
    import diffrax
    import jax
    import jax.numpy as jnp
    import sympy

    state, rates, parameters = problem.expressions
    call = sympy.lambdify((*state, *parameters), list(rates), modules="jax", cse=True)
    field = diffrax.ODETerm(
        lambda t, y, p: jnp.stack([jnp.asarray(x, y.dtype) for x in call(*y, *p)])  # a constant is no array
    )
    solver = getattr(diffrax, method)()

    def lane(y, p, tolerance):
        steps = diffrax.PIDController(rtol=tolerance, atol=tolerance / 10)
        ends = dict(t0=0.0, t1=problem.time, dt0=None, y0=y, args=p, stepsize_controller=steps)
        kept = dict(saveat=diffrax.SaveAt(t1=True), max_steps=100_000)
        adjoint = diffrax.ForwardMode()  # no derivative is asked for: nothing is kept for one
        return diffrax.diffeqsolve(field, solver, **ends, **kept, adjoint=adjoint).ys[0]

    return jax.jit(jax.vmap(lane, (0, 0, None)))


def prepare(problem: Problem, method: str, level: float) -> Callable[[], np.ndarray]:
    """run() -> y (n, lanes) at the end."""
    import jax.numpy as jnp

    solve = compiled(problem, method)
    y0, values = jnp.asarray(problem.y0.T), jnp.asarray(np.array(problem.parameters.values).T)
    tolerance = jnp.asarray(level)
    return lambda: np.asarray(solve(y0, values, tolerance)).T
