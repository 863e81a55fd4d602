"""The picture docs/images/charge.svg: one charge under two kinetic energies, predicted and measured.

The loss is the Mexican hat, f(q) = (|q|^2 - 1)^2 / 4 in three parameters, which every rotation leaves as it
is. The charge is the angular momentum J = m <G qdot, xi>, with G = diag(1 + kappa w) as in
cases/losses/deformed_hat.py. kappa = 0 is one learning rate for all parameters, and the kinetic energy has
the rotation too; kappa = 1 is a rate for each parameter, and it has not. Both start at one point with one
velocity.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from noether.cases import DEFORMED_HAT
from noether.laws.continuous.comparison import bounds
from noether.mechanics import flow
from noether.mechanics.symbolic_mechanics import mechanics
from noether.report.figures.motion import motion
from noether.report.figures.standalone import side_by_side
from noether.system.files import write_whole

ROOT = Path(__file__).resolve().parents[2]
PICTURE = "docs/images/charge.svg"
MASS, FRICTION = 0.9, 0.1
KAPPAS = (0.0, 1.0)
START, VELOCITY = (0.5, -0.5, 0.75), (-0.5, 0.25, 0.5)
TIMES, POINTS = 3.0, 61  # how long, in units of m/mu, and at how many times
SYMMETRY = 0  # the rotation that turns the first parameter into the second
LABEL = "An angular momentum over time, measured and predicted: with equal and with unequal learning rates"
TITLES = ("Symmetric: one learning rate for all", "Asymmetric: a learning rate for each parameter")


def solved() -> flow.Certified:
    """Both trajectories, one a lane, each found by two methods at two accuracies."""
    mech, lanes = mechanics(DEFORMED_HAT), len(KAPPAS)
    columns = [np.full(lanes, x) for x in (MASS, FRICTION, 0.0)]
    parameters = flow.Parameters(*columns, np.array(KAPPAS))
    times = np.linspace(0, TIMES * MASS / FRICTION, POINTS)[:, None].repeat(lanes, axis=1)
    q, velocity = (np.array(x)[:, None].repeat(lanes, axis=1) for x in (START, VELOCITY))
    return flow.certified(mech, flow.start(mech, q, velocity, parameters), parameters, times)


def spent(solution: flow.Certified) -> np.ndarray:
    """(lanes,) the largest |measured - predicted| in units of the bound of law T1: at most 1, or the theorem
    fails here."""
    measured = lambda t: t.j[:, SYMMETRY]
    predicted = lambda t: t.predicted(SYMMETRY)
    bound = bounds(solution, SYMMETRY, np.ones(POINTS, dtype=bool), predicted, measured)
    return np.max(np.abs(measured(solution.run) - predicted(solution.run)), axis=0) / bound


def picture(solution: flow.Certified) -> str:
    """The text of the picture. Raises ValueError where the theorem does not hold on it."""
    worst = float(np.max(spent(solution)))
    if not worst <= 1:
        raise ValueError(f"measured is {worst:.3g} bounds from predicted, must be at most 1")
    run = solution.run
    traces = []
    for lane in range(len(KAPPAS)):
        start = run.j[0, SYMMETRY, lane]
        time = run.times[:, lane] * FRICTION / MASS
        measured = (run.j[:, SYMMETRY, lane] / start).tolist()
        measured[1::2] = [None] * (POINTS // 2)  # every other dot, so that the line shows between them
        traces.append((time.tolist(), measured, (run.predicted(SYMMETRY)[:, lane] / start).tolist()))
    drawings = motion(traces, TITLES, "time, in units of mass/friction", "charge J(t) / J(0)")
    return side_by_side(drawings, TITLES, LABEL)


if __name__ == "__main__":
    write_whole(ROOT / PICTURE, picture(solved()))
    print(PICTURE)
