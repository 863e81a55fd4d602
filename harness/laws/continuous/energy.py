"""T4, the energy along the trajectories of T1 (theory.md#T4).

    E(t) - E(t_0) = -mu int <qdot, G qdot> dt,   E = T + f                                           (1)

t_0 is the first output time of a window: layer and rest apart. The integral is carried with the state,
undamped, so (1) is judged as the charge is: in units of the distance between two methods and two orders, plus
rounding.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from noether.cases.case import DIAGONAL
from noether.laws.continuous import faults
from noether.laws.continuous.comparison import Cell, fault_record, judge, windows
from noether.mechanics import flow
from noether.verdicts.claims import Judged, course, record
from noether.verdicts.figures import Lines
from noether.verdicts.judgement import most_spent
from noether.verdicts.record import Record


def gained(quantity, first: int):
    """quantity(trajectory) less its value at output time `first`, float64."""
    return lambda t: (quantity(t) - quantity(t)[first]).astype(float)


def whole(t):
    return t.energies[0] + t.energies[1]


def sensitivity(t) -> np.ndarray:
    """sum_i |x_i dE/dx_i| (n, lanes): what E moves when the state is rounded, which |E| near a minimum says
    nothing of.

    dE/dq at fixed p is -(m pdot + mu p); the momenta give 2T.
    """
    d, x = t.mechanics.dim, np.moveaxis(t.x, 1, 0)
    rates = t.mechanics.field(*x, *t.parameters.values)
    pull = t.parameters.m * rates[d : 2 * d] + t.parameters.mu * x[d:]
    return (2 * t.energies[0]).astype(float) + np.sum(np.abs(x[:d] * pull), axis=0)


def judged(
    solution: flow.Certified, lane: int, window: np.ndarray, energy=whole, friction: float = 1.0
) -> Judged:
    """(1) over one window of one lane.

    The integral is carried from t = 0, so every step rounds all of it, also where a window loses next to
    nothing.
    """
    first, run = int(np.argmax(window)), solution.run
    lost = gained(lambda t: -friction * t.dissipated, first)
    size = sensitivity(run) + np.abs(run.dissipated).astype(float)
    kinetic, potential = (gained(lambda t, i=i: t.energies[i], first) for i in (0, 1))

    def terms(t):
        named = {"kinetic energy": kinetic(t), "potential energy": potential(t)}
        return {"prediction": lost(t), "friction": lost(t), **named}

    taken = gained(energy, first)
    unit, strayed = np.abs(lost(run)), run.energy_strayed
    return judge(solution, 0, lane, window, lost, taken, unit, size, terms=terms, strayed=strayed)


FAULTS = {
    faults.FRICTION_DOUBLED: dict(friction=2.0),
    faults.FRICTION: dict(friction=1.001),
    faults.NO_KINETIC_ENERGY: dict(energy=lambda t: t.energies[1]),
    faults.NO_METRIC: dict(energy=lambda t: t.energies[2] + t.energies[1]),
}


def energies(
    cell: Cell, solution: flow.Certified, lanes_of: dict[float, list[int]], motion: float
) -> list[Record]:
    """Each mass and window; each fault at the mass that sees it least, by the window and lane that see it
    best."""
    cell, out = replace(cell, law="T4"), []
    for m, lanes in lanes_of.items():
        for name, window in windows(solution, lanes[0]).items():
            found = [judged(solution, lane, window) for lane in lanes]
            figure = drawn(most_spent(found), m, name)
            out.append(record(cell, None, found, {"m": m, "window": name}, motion, figure=figure))
            out[-1].parameters |= solution.run.parameters.about(out[-1].worst["lane"])
    for fault, wrong in FAULTS.items():
        if fault is not faults.NO_METRIC or cell.case.metric.kind == DIAGONAL:
            judge_one = lambda lane, window, wrong=wrong: judged(solution, lane, window, **wrong)
            out.append(fault_record(cell, None, solution, list(lanes_of.values()), fault, judge_one))
    return out


def drawn(worst: Judged, m: float, window: str) -> Lines:
    along = course(worst)
    return Lines(
        x=along.x,
        series={"measured": along.y, "predicted": along.predicted},
        xlabel="time",
        ylabel="E(t) - E(t_0)",
        caption=f"The energy T + f is lost to friction and to nothing else (m = {m:g}, {window}).",
    )
