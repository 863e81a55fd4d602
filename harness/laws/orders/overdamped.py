"""The state in the overdamped limit: O9 (theory.md section 5).

    m (Euler-Lagrange of <qdot, G qdot>/2) + mu G qdot + g = 0,          (1)
        or the Bregman Lagrangian of theory.md#T2
    mu G qdot = -g                                                       (2)

|q_m - q_flow| at a fixed time is of order 1 in m, from any fixed start velocity. From one of order 1/m it is
of order 0: the layer then moves q by m qdot(0)/mu, which does not vanish.
"""

from __future__ import annotations

import numpy as np

from noether.cases.case import BREGMAN
from noether.laws.orders import constants, faults
from noether.laws.orders.bregman import bregman_rates
from noether.laws.orders.claims import NUDGE, Claim, Solution, ended, judged
from noether.laws.orders.curved import OnMetric, model, on_metric
from noether.laws.orders.runs import Cell, Fan, reference, rough
from noether.laws.orders.units import EPS, KAPPA
from noether.mechanics.symbolic import gradient
from noether.mechanics.symbolic_metric import Curved, curved
from noether.verdicts.record import Record

MASSES = 2.0 ** -np.arange(5.0, 12.0)
FRICTION = 0.73


def overdamped(cell: Cell) -> list[Record]:
    """The records of O9: the state at small masses against the flow (2)."""
    metric, (q0, w), m, mu, d = curved(cell.case), cell.start(), MASSES, FRICTION, cell.case.dim
    g = lambda x: gradient(cell.slowed)(x, EPS)
    bregman = cell.case.metric.kind == BREGMAN
    w = w * (q0 / 4 if bregman else 1.0)  # q + m qdot must stay in the orthant, whatever m
    fan, near = Fan(q0, m, 2), 1 + NUDGE
    # a kick of a quarter: q must stay where the loss is tame
    calm, kick = fan.apart(fan.starts(w[:, None]))[0], w[:, :, None] / (4 * m)
    start = np.concatenate([fan.q, np.concatenate([x.reshape(d, -1) for x in (calm, kick)], axis=1)])
    ones = np.ones_like(fan.eta)

    def rates(c=1.0, phi=1.0):
        pull = lambda x: phi * g(x)
        if bregman:
            return bregman_rates(metric, pull, fan.eta, mu * c)
        return model(metric, pull, fan.eta, mu * c, ones, ones)

    x, error = reference(rates(), start, mu / fan.eta)
    plain = rough(rates(), start, mu / fan.eta)
    felt = lambda **by: fan.apart((rough(rates(**by), start, mu / fan.eta) - plain)[:d])[0] / NUDGE
    D = {"friction": felt(c=near), "force": felt(phi=near)}
    ((q, own), (q_off, own_off)), Y = flows_of(metric, g, q0), None
    if not bregman:
        first = lambda: on_metric(metric, g, q0, 1.0, mu, [OnMetric(1.0, 1.0, w)])
        Y = tuple(y[0] for y in constants.twice(first))
    (slow, kicked), (e, e_kicked) = (ended(q) for q in fan.apart(x[:d])), fan.apart(error)
    flow, off, after = Solution(q, e + own), Solution(q_off, e + own_off), Solution(q, e_kicked + own)
    claims = [
        Claim("|q_m - q_flow|", slow, flow, 1, faults.LIMIT_SECOND, constant=Y, responses=D),
        Claim("flow of another friction", slow, off, None, faults.FLOW_FRICTION, under=1),
        Claim("qdot(0) = w/(4 m)", kicked, after, None, faults.START_LARGE, under=1),
    ]
    return judged(cell, claims, eta=m, own={"small": "m"})


def flows_of(metric: Curved, g, q0: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """The end of (2), (d, starts, 1), and its error, of the friction and of one an eighth too large."""
    friction = np.repeat([FRICTION, FRICTION * 9 / 8], q0.shape[1])
    rates = lambda y: -g(y) / metric.entries(y, KAPPA) / friction
    end, error = reference(rates, np.tile(q0, 2), 1 / friction)
    return [(end.reshape(len(q0), 2, -1, 1)[:, i], error.reshape(2, -1, 1)[i]) for i in (0, 1)]
