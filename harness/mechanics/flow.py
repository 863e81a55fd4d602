"""Flows: solutions of the equations of motion with their charges, computed by two methods at two tolerances
each.

The state carries, beside the 2d coordinates x, the damped integral of every part of every charge's source,

    z' = -(mu/m) z + source/m,    S = j(0) e^{-mu t / m} + sum of the parts,    j = J/m           (1)

theory.md#T1: never e^{+mu t / m}, never an absolute residual. The integrals W of |source| only set a unit:
they are not carried (a kink at every change of sign would cost the solver its order) but summed on the output
times with the exact damping of each interval.

Methods: SciPy's DOP853 for m >= 1/2, LSODA below (DOP853 needs 4e5 evaluations at m = 1e-4); collocation
(collocation.py) for every m. The error of a run is bounded by its distance from a better run:

    |j - S|  <=  |j - j'| + |S - S'|  +  |j' - S'|,    |j' - S'| <= |j' - j''| + |S' - S''|        (2)

with ' the fine collocation and '' the coarser one; |j' - S'| in (2) is what the theorem says is zero, so an
equation with a wrong term cannot widen its own bound.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.integrate import DOP853, ODEintWarning, odeint

from noether.mechanics import collocation
from noether.mechanics.flow_trajectory import Parameters, Trajectory
from noether.mechanics.symbolic import metric
from noether.mechanics.symbolic_mechanics import MU_OFF, TOTAL, Mechanics

FINAL = 4.0
MILD = 1 / 2
LAYER = 30.0  # the initial layer lasts t < 30 m/mu: e^-30 of it is left
# of LSODA between two output times, which needs a few hundred: beyond it its step fault is lost in rounding
MXSTEP = 20_000
STEPS = 2_000  # of DOP853, which needs some hundred for m >= MILD: beyond it the trajectory escapes
FINE, COARSE = 8, 7  # stages of the collocation: orders 15 and 13
TIGHT, LOOSE = 1e-12, 1e-9  # LSODA at 1e-13 stops at m = 1e-4: its step fault meets the rounding of mu/m


class Undefined(FloatingPointError):
    """Raised where a solver meets a point at which the equation of motion has no value."""


def output_times(m, mu=1.0, final: float = FINAL, points: int = 24) -> np.ndarray:
    """The (2 points + 1,) times of one lane: linear in the layer, then growing quadratically to `final`."""
    layer = LAYER * m / mu
    if layer >= final:
        return np.linspace(0, final, 2 * points + 1)
    inside = np.linspace(0, layer, points + 1)
    outside = np.linspace(np.sqrt(layer), np.sqrt(final), points + 1)[1:] ** 2
    return np.concatenate([inside, outside])


def start(mechanics: Mechanics, q: np.ndarray, velocity: np.ndarray, parameters: Parameters) -> np.ndarray:
    """The starts x_0 (2d, lanes): q and momenta p = G qdot, or q and qdot for Bregman."""
    if mechanics.bregman:
        return np.concatenate([q, velocity])
    return np.concatenate([q, metric(mechanics.case)(q, parameters.kappa) * velocity])


def initial_integrals(mechanics: Mechanics, x0: np.ndarray, parameters: Parameters) -> np.ndarray:
    """The starts z_0 (k + symmetries, lanes): zero, and j(0) for the detuned copies of S."""
    j = mechanics.charges(*x0, *parameters.values)[: len(mechanics.parts)]
    return np.concatenate(
        [np.zeros((mechanics.sources, x0.shape[1])), j, np.zeros((mechanics.powers, x0.shape[1]))]
    )


def integral_sources(mechanics: Mechanics, rates_and_sources: np.ndarray) -> np.ndarray:
    """The sources of every z: the parts, then the total of each symmetry for its detuned copy, then the
    power."""
    parts = rates_and_sources[2 * mechanics.dim :]
    totals = [
        sum((parts[w[n]] for n in TOTAL if n in w), np.zeros_like(rates_and_sources[0]))
        for w in mechanics.parts
    ]
    return np.concatenate([parts[: mechanics.sources], np.array(totals), parts[mechanics.sources :]])


def damping(mechanics: Mechanics, parameters: Parameters, lanes: int) -> np.ndarray:
    """The rates of damping, (k + symmetries + powers, lanes): mu/m, off by MU_OFF for the detuned copies, 0
    for the power."""
    detuned = [float(1 + MU_OFF)] * len(mechanics.parts)
    factor = np.array([1.0] * mechanics.sources + detuned + [0.0] * mechanics.powers)
    return factor[:, None] * np.broadcast_to(parameters.mu / parameters.m, (lanes,))


def by_collocation(
    mechanics: Mechanics, x0: np.ndarray, parameters: Parameters, times: np.ndarray, stages: int = FINE
) -> Trajectory:
    """The trajectory of every lane by collocation, in one batch; times (n, lanes)."""
    rates = lambda y: mechanics.rates(*y, *parameters.values)
    sources = lambda y: integral_sources(mechanics, mechanics.field(*y, *parameters.values))
    z0, rate = initial_integrals(mechanics, x0, parameters), damping(mechanics, parameters, x0.shape[1])
    x, z = collocation.march(rates, sources, x0, z0, rate, times, stages)
    return Trajectory(mechanics, parameters, times, x, z)


def by_dop853(
    mechanics: Mechanics, x0: np.ndarray, parameters: Parameters, times: np.ndarray, rtol: float
) -> Trajectory:
    """The trajectories by SciPy's DOP853, lanes in one system; times (n, lanes) equal over the lanes."""
    call, d, lanes = mechanics.field, 2 * mechanics.dim, x0.shape[1]
    rate = damping(mechanics, parameters, lanes)

    def rhs(t, y):
        y = y.reshape(-1, lanes)
        out = call(*y[:d], *parameters.values)
        return np.concatenate([out[:d], integral_sources(mechanics, out) - rate * y[d:]]).ravel()

    y = np.concatenate([x0, initial_integrals(mechanics, x0, parameters)]).ravel()
    out = dop853(rhs, y, times[:, 0], rtol / 10, rtol / 100, STEPS).reshape(len(times), -1, lanes)
    return Trajectory(mechanics, parameters, times, out[:, :d], out[:, d:])


def dop853(rates: Callable, y: np.ndarray, times: np.ndarray, rtol: float, atol: float, most: int):
    """y at the times, (n, len(y)), by SciPy's DOP853, begun again at every time: its dense output has order 7
    and would be the largest error. Raises FloatingPointError where it takes more than `most` steps, or none.
    """
    rows, step, steps = [y], None, 0
    for a, b in zip(times[:-1], times[1:], strict=True):
        first = None if step is None else min(step, b - a)
        solver = DOP853(rates, a, y, b, rtol=rtol, atol=atol, first_step=first)
        while solver.status == "running":
            solver.step()
            steps += 1
            if steps > most:
                raise FloatingPointError(
                    f"DOP853 took {most} steps to reach t = {solver.t:.6g} of {times[-1]:.6g}"
                )
            step = max(solver.h_abs, step or 0) if solver.status == "finished" else solver.h_abs
        if solver.status == "failed":
            raise FloatingPointError(f"DOP853 stopped at t = {solver.t:.6g} of {b:.6g}: step size underflow")
        y = solver.y
        rows.append(y)
    return np.array(rows)


def by_lsoda(
    mechanics: Mechanics, x0: np.ndarray, parameters: Parameters, times: np.ndarray, rtol: float
) -> Trajectory:
    """The trajectories by SciPy's LSODA, lane by lane in plain floats (it chooses Adams or BDF itself)."""
    call, d, lanes = mechanics.complete, 2 * mechanics.dim, x0.shape[1]
    y0, runs = np.concatenate([x0, initial_integrals(mechanics, x0, parameters)]), []
    for lane in range(lanes):
        values = [float(p[lane]) for p in parameters.values]

        def rhs(t, y, values=values):
            return call(*y.tolist(), *values)

        try:
            accuracy = dict(rtol=rtol, atol=rtol / 100, mxstep=MXSTEP)
            with warnings.catch_warnings():
                # What it warns of is in its message, which is raised below.
                warnings.simplefilter("ignore", ODEintWarning)
                y, info = odeint(rhs, y0[:, lane], times[:, lane], tfirst=True, full_output=True, **accuracy)
        except (ZeroDivisionError, OverflowError, ValueError, TypeError) as error:
            # Plain floats raise where numpy gives inf or NaN; a root of a negative number is complex to them.
            raise Undefined(
                f"LSODA came to a point where the equation of motion has no value: {error}"
            ) from None
        if info["message"] != "Integration successful.":
            raise FloatingPointError(f"SciPy's LSODA gave up before the end: {info['message']}")
        runs.append(y)
    out = np.stack(runs, axis=2)
    return Trajectory(mechanics, parameters, times, out[:, :d], out[:, d:])


@dataclass(frozen=True, eq=False)
class Certified:
    """One solution found four times; `run` is SciPy's at the tight tolerance, which is judged.

    state    (lanes,) largest distance of `run` from the fine collocation, relative to 1 + |x|
    settled  (lanes,) whether the tighter tolerance brought SciPy nearer to the fine collocation, or both are
             at the rounding floor
    share    of the time that was asked for, as far as it was followed
    """

    run: Trajectory
    fine: Trajectory
    coarse: Trajectory
    loose: Trajectory
    share: float = 1.0

    def distance(self, a: Trajectory) -> np.ndarray:
        """How far a solution is from the fine collocation, (lanes,), relative to 1 + the largest |x|."""
        return np.max(np.abs(a.x - self.fine.x), axis=(0, 1)) / (1 + np.max(np.abs(self.fine.x), axis=(0, 1)))

    @cached_property
    def state(self) -> np.ndarray:
        """How far the judged solution is from the fine collocation, (lanes,)."""
        return self.distance(self.run)

    @cached_property
    def settled(self) -> np.ndarray:
        """(lanes,) bool: whether the judged solution is as near to collocation as the loose one, or as
        rounding allows."""
        floor = 2.0**-53 * 10 * len(self.run.times)  # some steps between outputs, each rounding a few times
        return self.state <= np.maximum(self.distance(self.loose), floor)


def by_scipy(
    mechanics: Mechanics, x0, parameters: Parameters, times, rtol: float, seen: Callable = lambda part: None
) -> Trajectory:
    """DOP853 for the lanes with mu/m <= 1/MILD, in one system, then LSODA for the others.

    seen(trajectory) is told each of the two.
    """
    mild = methods(parameters) == "DOP853"
    parts = []
    for lanes, solve in ((mild, by_dop853), (~mild, by_lsoda)):
        if np.any(lanes):
            parts.append((lanes, solve(mechanics, x0[:, lanes], parameters.of(lanes), times[:, lanes], rtol)))
            seen(parts[-1][1])
    first = parts[0][1]
    x, z = (np.empty((*a.shape[:2], len(mild))) for a in (first.x, first.z))
    for lanes, run in parts:
        x[..., lanes], z[..., lanes] = run.x, run.z
    return Trajectory(mechanics, parameters, times, x, z)


def methods(parameters: Parameters) -> np.ndarray:
    """(lanes,) the name of the method that solves each lane."""
    return np.where(parameters.mu / parameters.m <= 1 / MILD, "DOP853", "LSODA")


def certified(
    mechanics: Mechanics, x0, parameters: Parameters, times, loose: Trajectory | None = None, tight=TIGHT
) -> Certified:
    """A trajectory with its error, from two methods at two accuracies each.

    parameters  all (lanes,)
    times       (n, lanes), equal over the lanes with m >= MILD
    loose       that of by_scipy at LOOSE, where it is there already
    """
    return Certified(
        by_scipy(mechanics, x0, parameters, times, tight),
        by_collocation(mechanics, x0, parameters, times, FINE),
        by_collocation(mechanics, x0, parameters, times, COARSE),
        loose or by_scipy(mechanics, x0, parameters, times, LOOSE),
    )
