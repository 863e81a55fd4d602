"""The flow of the overdamped limit, (3) of overdamped.py, the constants along it, and what rounding does.

A solver rounds q in each step, and the gradient there in each operation. No distance of two methods shows
all of that, for all of them take the same operations and as many steps: where q hardly moves in its last
digits, or a gradient cancels, it is the largest error of a constant. It is measured as the distance of the
constants along the same steps in float64 and in 64 bits: a wrong term is in both and widens nothing.
"""

from __future__ import annotations

import numpy as np
from scipy.integrate import solve_ivp

from noether.cases.case import Case
from noether.kernels.programs import trace
from noether.laws.continuous.settings import FRICTION
from noether.mechanics import stiffness
from noether.mechanics.dual import WIDE
from noether.mechanics.flow_rounding import UNSEEN
from noether.mechanics.symbolic import gradient
from noether.mechanics.symbolic_metric import curved

FEWEST = 2**6
"""Steps of Runge and Kutta at least, more than a collocation takes to the end."""
NO_SYMMETRY = "no-symmetry"


def velocity(case: Case, q: np.ndarray) -> np.ndarray:
    """(3) at q (d, lanes)."""
    return -gradient(case)(q, 0.0) / curved(case).entries(q, 0.0) / FRICTION


def constants(case: Case, q: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(1) over m, or (2), of every symmetry at q (d, lanes), and the same without cancellation, (symmetries,
    lanes) each."""
    v, G, g = velocity(case, q), curved(case).entries(q, 0.0), gradient(case)(q, 0.0)
    pull, value, size = curved(case).bend(q, v, 0.0)[: case.dim], [], []
    for s in case.symmetries:
        xi, twist = s.matrix @ q + s.shift[:, None], s.matrix @ v
        terms = -g * xi if s.name == NO_SYMMETRY else np.concatenate([v * G * twist, xi * pull])
        value.append(terms.sum(axis=0) / FRICTION)
        size.append(np.abs(terms).sum(axis=0) / FRICTION)
    return np.array(value), np.array(size)


def rates(case: Case, q: np.ndarray) -> float:
    """The largest lambda over q (d, lanes)."""
    H, root = stiffness.hessian(case, q, 0.0), np.sqrt(curved(case).entries(q, 0.0)).T
    return float(np.abs(np.linalg.eigvalsh(H / root[:, :, None] / root[:, None, :])).max())


def rough(case: Case, q: np.ndarray, h: float, steps: int) -> np.ndarray:
    """(steps + 1, d, lanes) of (3) by Runge-Kutta's fourth order."""
    rows = [q]
    with np.errstate(all="ignore"):
        for _ in range(steps):
            a = velocity(case, q)
            b = velocity(case, q + h / 2 * a)
            c = velocity(case, q + h / 2 * b)
            q = q + h / 6 * (a + 2 * b + 2 * c + velocity(case, q + h * c))
            rows.append(q)
    return np.array(rows)


def exact(case: Case, q: np.ndarray, time: float) -> tuple[np.ndarray, np.ndarray]:
    """The constants at a time on the flow from q (d, 1), (symmetries,), and how far they are known: by two
    tolerances, and the rounding of each operation of the gradient and of the sums.
    """
    ends = []
    for rtol in (1e-12, 1e-9):
        found = solve_ivp(
            lambda t, q: velocity(case, q[:, None])[:, 0],
            (0, time),
            q[:, 0],
            "DOP853",
            rtol=rtol,
            atol=rtol / 100,
        )
        if found.status != 0:
            raise FloatingPointError(f"the overdamped flow has no solution: {found.message}")
        ends.append(np.array(constants(case, found.y[:, -1:]))[..., 0])
    operations = trace.gradient(case).length + 2 * case.dim + 4
    return ends[0][0], np.abs(ends[0][0] - ends[1][0]) + 2.0**-53 * operations * ends[0][1]


def wandered(case: Case, q: np.ndarray, time: float, steps: int) -> np.ndarray:
    """By how much rounding may move the constants on the flow from q (d, 1) until a time, (symmetries,):
    UNSEEN times the most that is seen at FEWEST places, or more."""
    steps = max(steps, FEWEST)
    every = steps // FEWEST
    near, wide = (rough(case, q.astype(kind), kind(time) / steps, steps)[::every] for kind in (float, WIDE))
    with np.errstate(all="ignore"):
        off = [constants(case, a)[0] - constants(case, b)[0] for a, b in zip(near, wide, strict=True)]
    return (UNSEEN * np.max(np.abs(off), axis=0))[:, 0].astype(float)
