"""Heavy ball against its continuous models: O3 (theory.md section 5).

    v' = beta v - eta F(q),   q' = q + v',   F = g + k q                                                   (1)
O3  against m qddot + mu qdot + F = 0, m = eta (1+beta)/2, mu = 1 - beta: 2 from
    qdot(0) = (2 beta v_0/eta - F(q_0)) / (1+beta); cold, from 0, -F or -F/(1-beta): 1                     (2)
    inside the layer, at all of its first steps: 1 cold, 2 from v_0 = -eta F/mu                            (3)
    against mu qdot = -F: 1;  against the flow of f/mu + eta (1+beta)/(4 mu^3) |F|^2,
    qdot = -F/mu - eta (1+beta)/(2 mu^3) (H + k) F: 2 from v_0 = -eta F/mu, 1 cold                         (4)
"""

from __future__ import annotations

import numpy as np

from noether.cases.rules import HEAVY_BALL
from noether.laws.orders import constants, faults
from noether.laws.orders.claims import NUDGE, Claim, Run, Solution, judged
from noether.laws.orders.massive import at_start, judge_claims, kinds
from noether.laws.orders.models import massive
from noether.laws.orders.runs import (
    Cell,
    reference,
    rough,
    second_order,
    solved,
    step_sizes,
    stepping,
    steps_of,
    updates,
)
from noether.laws.orders.units import EPS
from noether.mechanics.symbolic import gradient, hessian_product
from noether.verdicts.record import Record

LAYER = 32  # steps; beta^32 of the layer is left, 2e-9 at beta .53
LAYER_STEPS = 2.0 ** -np.arange(9.0, 16.0)
"""Any size costs LAYER steps: they must span a time in which the force hardly moves."""


def heavy_ball_orders(cell: Cell) -> list[Record]:
    """The records of O3 for the model (2) of heavy ball."""
    return [r for beta, k, _ in cell.settings for r in heavy_ball(cell, beta, k)]


def heavy_ball(cell: Cell, beta: float, k: float) -> list[Record]:
    (eta, q0, w, g), mu = at_start(cell), 1 - beta
    F = g + k * q0[..., None]

    def model(qdot, mass=eta * (1 + beta) / 2):
        return massive(mass={"mass": mass}, friction={"friction": mu}, spring={"k": k}, qdot=qdot)

    cold, warm, long = kinds(HEAVY_BALL, w)
    start = {"F in qdot(0)": -F / (1 + beta)}
    right, after = model(start), model(start | {"buffer": 2 * beta * w / (1 + beta)})  # (2)
    of, half = lambda qdot: model({"qdot(0)": qdot}), model(start, eta / 2)
    claims = [
        Claim("cold, qdot(0) = -(g + k q)/(1 + beta)", cold, right, 2, right=right),
        Claim("warm, qdot(0) = (2 beta w - (g + k q))/(1 + beta)", warm, after, 2, right=after),
        Claim("cold, qdot(0) = 0", cold, of(0 * F), 1, faults.START_ZERO, right=right),
        Claim("cold, qdot(0) = -(g + k q)", cold, of(-F), 1, faults.START_FORCE, right=right),
        Claim("cold, qdot(0) = -(g + k q)/(1 - beta)", cold, of(-F / mu), 1, faults.START_REST, right=right),
        Claim("cold, mass eta/2", cold, half, 1, faults.HALF_MASS, right=right),
        Claim("cold, steps too long", long, right, None, faults.TOO_LONG),
    ]
    return judge_claims(cell, claims, q0, beta=beta, k=k, at=f"beta {beta:g}, ")


def sides(cell: Cell, steps: np.ndarray, beta: float, k: float):
    """Lanes (sides, starts, sizes), cold and from v_0 = -eta F/mu: the force F, eta, q_0, v_0, F(q_0) and the
    way back to shapes."""
    g = gradient(cell.slowed)
    q0, _ = cell.start()
    shape = (2, q0.shape[1], len(steps))
    force = lambda x: g(x, EPS) + k * x
    eta = np.broadcast_to(steps, shape).reshape(-1)
    q = np.broadcast_to(q0[:, None, :, None], (len(q0), *shape)).reshape(len(q0), -1)
    F = force(q)
    v = np.where(np.arange(q.shape[1]) < q.shape[1] // 2, 0, -eta * F / (1 - beta))
    return force, eta, q, v, F, lambda y: y.reshape(*y.shape[:-1], *shape)


def layer_orders(cell: Cell) -> list[Record]:
    """O3 (3), in the norm over a fixed number of steps: as good as the largest, and smooth where the place of
    that jumps."""
    return [r for beta, k, _ in cell.settings for r in layer(cell, beta, k)]


def layer(cell: Cell, beta: float, k: float) -> list[Record]:
    force, eta, q0, v0, F, back = sides(cell, LAYER_STEPS, beta, k)
    rates = second_order(force, eta * (1 + beta) / 2, 1 - beta)
    times = np.arange(LAYER + 1)[:, None] * eta
    x, error = solved(rates, np.concatenate([q0, (2 * beta * v0 / eta - F) / (1 + beta)]), times)
    run = stepping(lambda y: force(y) - k * y, q0, v0, eta, beta=beta, k=k)
    q = np.array([next(run)[0] for _ in range(LAYER + 1)])
    cold, warm = by_side(back(q), np.linalg.norm(back(q[-1]), axis=0), Run)
    of_cold, of_warm = by_side(back(x[:, : len(q0)]), back(error[-1]) * LAYER**0.5, Solution)
    claims = [
        Claim("cold", cold, of_cold, 1, faults.IN_THE_LAYER),
        Claim("v_0 = -eta F/mu", warm, of_warm, 2),
    ]
    at, facts = f"beta {beta:g}, all of the first {LAYER} steps, ", dict(steps=LAYER, about={"beta": beta})
    return judged(cell, claims, at, eta=LAYER_STEPS, own={"rounded": LAYER}, **facts)


def by_side(ends: np.ndarray, scalars: np.ndarray, kind: type) -> tuple:
    """A Run or a Solution, cold and warm, of ends (..., d, sides, starts, sizes) and a number each."""
    return tuple(kind(ends[..., side, :, :], scalars[side]) for side in (0, 1))


def flow_limits(cell: Cell) -> list[Record]:
    """The records of O3 for the flows (4) that heavy ball tends to."""
    return [r for beta, k, _ in cell.fewer for r in limits(cell, beta, k)]


def limits(cell: Cell, beta: float, k: float) -> list[Record]:
    sizes = step_sizes(cell)
    force, eta, q0, v0, _, back = sides(cell, sizes, beta, k)
    mu, H = 1 - beta, hessian_product(cell.slowed)
    q = updates(lambda x: force(x) - k * x, q0, v0, eta, steps_of(eta), beta=beta, k=k)[0]

    def modified(term=1.0, lead=1.0, share=1.0):
        def rates(x):
            F = force(x)
            return -lead * F / mu - term * eta * (1 + share * beta) / (2 * mu**3) * (H(x, EPS, F) + k * F)

        return rates

    def against(rates):
        x, error = reference(rates, q0, np.full_like(eta, 1 / mu))
        return by_side(back(x), back(error), Solution)

    plain, near = rough(modified(), q0, np.full_like(eta, 1 / mu)), 1 + NUDGE
    response = lambda **by: -back(rough(modified(**by), q0, np.full_like(eta, 1 / mu)) - plain)[:, 1] / NUDGE
    felt = {
        "1/mu": response(lead=near),
        "eta (1+beta)/(4 mu^3)": response(term=near),
        "beta": response(share=near),
    }
    start = q0[:, : q0.shape[1] // 2 : len(sizes)]
    drift = constants.twice(lambda: constants.drift(cell.slowed, mu, k, (1 + beta) / 2, start))
    cold, warm = by_side(back(q), np.linalg.norm(back(q), axis=0), Run)
    (_, flow), (of_cold, of_warm) = against(lambda x: -force(x) / mu), against(modified())
    _, lesser = against(modified(1 / (1 + beta)))
    note = "flow of f/mu + eta (1+beta)/(4 mu^3) |F|^2"
    claims = [
        Claim("mu qdot = -F", warm, flow, 1, faults.OF_THE_FLOW, constant=drift),
        Claim(note + ", v_0 = -eta F/mu", warm, of_warm, 2, responses=felt),
        Claim(note + ", cold", cold, of_cold, 1, faults.MODIFIED_COLD),
        Claim(note, warm, lesser, None, faults.MODIFIED_SHARE),
    ]
    facts = dict(steps=int(steps_of(eta).max()), about={"beta": beta, "k": k / cell.unit})
    return judged(cell, claims, f"beta {beta:g}, ", graded=True, **facts)
