"""Where the trajectories of continuous time start: drawn, and chosen so that a law and its faults have room.

One start in a few moves a charge by its memory or its potential term alone, and shows nothing of the kinetic
term (of the entropy mirror one in eight has a share below 1/10). So CANDIDATES are drawn, and ordered by the
terms of the theorem at t = 0, from the case alone:

    room of a symmetry  =  |kinetic terms| / (|kinetic terms| + |potential term| + (mu/m) |j|)           (1)
                        =  |j| / sum_i |p_i xi_i|  where it has no kinetic terms
    room of a start     =  the smallest room of its symmetries

No trajectory is looked at for that. The first of TRIES whose reference, a loose solution that no verdict is
about, meets no kink (kinks.py) is taken; where each meets one, the cell is outside.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from noether.mechanics import flow
from noether.mechanics.kinks import Kinked, met, require_smooth, singular
from noether.mechanics.own_units import narrowed
from noether.mechanics.symbolic import gradient
from noether.mechanics.symbolic_mechanics import Mechanics

CANDIDATES, ROOMY, TRIES, ROUGH = 64, 16, 2, 32
NEAR = 1 / 8


def drawn(rng: np.random.Generator, mech: Mechanics, count: int) -> tuple[np.ndarray, np.ndarray]:
    """q, qdot (d, count): velocities of order 1, in the orthant relative to q: the layer must move, and q + m
    qdot stay inside."""
    q = mech.case.draw(rng, count)
    w = rng.uniform(0.25, 0.5, q.shape) * rng.choice([-1.0, 1.0], q.shape)
    return q, w * q if mech.bregman else 2 * w * narrowed(mech.case, 1.0)[:, None]


def room(mech: Mechanics, x0: np.ndarray, parameters: flow.Parameters) -> np.ndarray:
    """(lanes,) of (1) at x0 (2d, lanes)."""
    count = len(mech.parts)
    charges = np.abs(mech.charges(*x0, *parameters.values))
    sources, rate = mech.field(*x0, *parameters.values)[2 * mech.dim :], parameters.mu / parameters.m
    rooms = []
    for where, j, size in zip(mech.parts, charges[:count], charges[count:], strict=True):
        kinetic = np.abs(
            sum((sources[where[n]] for n in ("generator", "metric") if n in where), np.zeros_like(j))
        )
        if where.keys() & {"generator", "metric"}:
            others = rate * j + (np.abs(sources[where["potential"]]) if "potential" in where else 0)
            rooms.append(kinetic / (kinetic + others))
        else:
            rooms.append(j / size)
    return np.nan_to_num(np.min(rooms, axis=0))


def lost(mech: Mechanics, x0: np.ndarray, parameters: flow.Parameters, final: float) -> np.ndarray:
    """(lanes,) whether a rough solution, ROUGH steps of Runge-Kutta's fourth order, meets a kink that the
    case declares, or comes nearer than NEAR of its start to where a root, a logarithm or a quotient has no
    derivative.
    """
    x, h, rows = x0, final / ROUGH, [x0]
    rate = lambda y: mech.rates(*y, *parameters.values)
    for _ in range(ROUGH):
        a = rate(x)
        b = rate(x + h / 2 * a)
        c = rate(x + h / 2 * b)
        x = x + h / 6 * (a + 2 * b + 2 * c + rate(x + h * c))
        rows.append(x)
    q, out = np.array(rows)[:, : mech.dim], ~np.isfinite(x).all(axis=0)
    if mech.case.kinks:
        out |= met(mech.case, q)
    call = singular(mech.case)
    return out | ~(np.abs(call(q)) >= NEAR * np.abs(call(q[:1]))).all(axis=(0, 1)) if call else out


def candidates(
    rng: np.random.Generator, mech: Mechanics, parameters: flow.Parameters, times: np.ndarray
) -> Iterator[np.ndarray]:
    """x_0 (2d, lanes), all lanes from one q and qdot, the roomiest first; room is that of the first lane's
    parameters.

    Of the ROOMY roomiest those come last that a rough solution of the first or the last lane brings to where
    no solution is smooth; a light lane's is told by the mass 1/2 there.
    """
    q, velocity = drawn(rng, mech, CANDIDATES)
    first = flow.Parameters(*(np.full(CANDIDATES, p[0]) for p in parameters.values))
    with np.errstate(all="ignore"):  # a candidate outside the domain has no room
        pulled = (gradient(mech.case)(q, 0.0) != 0).any(
            axis=0
        )  # past a layer nothing moves where the loss is flat: behind a ReLU
        order = np.lexsort((-room(mech, flow.start(mech, q, velocity, first), first), ~pulled))[:ROOMY]
        if mech.case.kinks or singular(mech.case):
            both = np.concatenate([order, order])
            m, *others = (np.repeat(p[[0, -1]], len(order)) for p in parameters.values)
            ends = flow.Parameters(np.maximum(m, 1 / 2), *others)
            gone = lost(
                mech, flow.start(mech, q[:, both], velocity[:, both], ends), ends, float(times[-1, 0])
            )
            order = order[np.argsort(gone.reshape(2, -1).any(axis=0), kind="stable")]
    for k in order:
        lanes = [k] * len(parameters.m)
        yield flow.start(mech, q[:, lanes], velocity[:, lanes], parameters)


def reference(
    mech: Mechanics, x0: np.ndarray, parameters: flow.Parameters, times: np.ndarray
) -> flow.Trajectory:
    """The loose solution. Raises Kinked where it meets a kink, FloatingPointError where there is none.

    Heavy lanes first: they take a tenth of the time, and a light one that gives up may be at a kink that a
    heavy one shows.
    """

    def smooth(part: flow.Trajectory):
        require_smooth(mech.case, part.x[:, : mech.dim], part.times)

    try:
        with np.errstate(all="ignore"):
            return flow.by_scipy(mech, x0, parameters, times, flow.LOOSE, smooth)
    except flow.Undefined as error:
        raise Kinked(f"the reference meets a point without a derivative: {error}") from None


def begun(
    rng: np.random.Generator, mech: Mechanics, parameters: flow.Parameters, times: np.ndarray
) -> tuple[np.ndarray, flow.Trajectory]:
    """x_0 (2d, lanes) and its reference. Raises Kinked, of the first candidate, where each of TRIES meets a
    kink."""
    first = None
    for _, x0 in zip(range(TRIES), candidates(rng, mech, parameters, times), strict=False):
        try:
            return x0, reference(mech, x0, parameters, times)
        except Kinked as error:
            first = first or error
    raise first
