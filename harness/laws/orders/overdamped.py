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
from noether.laws.orders import constants
from noether.laws.orders.bregman import bregman_rates
from noether.laws.orders.claims import NUDGE
from noether.laws.orders.curved import model, on_metric
from noether.laws.orders.records import both, judge
from noether.laws.orders.runs import Cell, Fan, reference, rough
from noether.laws.orders.units import EPS, KAPPA
from noether.mechanics.symbolic import gradient
from noether.mechanics.symbolic_metric import curved
from noether.verdicts.record import Record

MASSES = 2.0 ** -np.arange(5.0, 12.0)
FRICTION = 0.73


def overdamped(cell: Cell) -> list[Record]:
    """O9"""
    metric, (q0, w), m, mu, d = curved(cell.case), cell.start(), MASSES, FRICTION, cell.case.dim
    g = lambda x: gradient(cell.slowed)(x, EPS)
    bregman = cell.case.metric.kind == BREGMAN
    w = w * (q0 / 4 if bregman else 1.0)  # q + m qdot must stay in the orthant, whatever m
    fan, near = Fan(q0, m, 2), 1 + NUDGE
    # a kick of a quarter: q must stay where the loss is tame
    qdot = np.concatenate(
        [fan.apart(fan.starts(w[:, None]))[0].reshape(d, -1), (w[:, :, None] / (4 * m)).reshape(d, -1)],
        axis=1,
    )
    ones = np.ones_like(fan.eta)

    def rates(c=1.0, phi=1.0):
        pull = lambda x: phi * g(x)
        return (
            bregman_rates(metric, pull, fan.eta, mu * c)
            if bregman
            else model(metric, pull, fan.eta, mu * c, ones, ones)
        )

    start = np.concatenate([fan.q, qdot])
    x, error = reference(rates(), start, mu / fan.eta)
    plain = rough(rates(), start, mu / fan.eta)
    D = {
        name: fan.apart((rough(rates(**{key: near}), start, mu / fan.eta) - plain)[:d])[0] / NUDGE
        for name, key in (("friction", "c"), ("force", "phi"))
    }
    friction = np.repeat([mu, mu * 9 / 8], q0.shape[1])
    flow, own = reference(lambda y: -g(y) / metric.entries(y, KAPPA) / friction, np.tile(q0, 2), 1 / friction)
    flow, own = flow.reshape(d, 2, -1, 1), own.reshape(2, -1, 1)
    x, error = fan.apart(x[:d]), fan.apart(error)

    def compared(lanes, of):
        return x[lanes] - flow[:, of], error[lanes] + own[of], np.linalg.norm(x[lanes], axis=0)

    small, calm, note = dict(small="m", eta=m), compared(0, 0), "|q_m - q_flow|"
    out = both(cell, *calm, 1, note, "second order claimed of the overdamped limit", 2, **small)
    out.append(constants.vanishing(cell, *calm, 0, D, note, eta=m))
    if not bregman:
        Y = tuple(y[0] for y in constants.twice(lambda: on_metric(metric, g, q0, 1.0, mu, [(1.0, 1.0, w)])))
        out += constants.judged(cell, *calm, 1, Y, note, eta=m)
    out.append(
        judge(
            cell,
            *compared(0, 1),
            1,
            "flow of another friction",
            fault="friction of the flow off by 1/8",
            **small,
        )
    )
    return [
        *out,
        judge(cell, *compared(1, 0), 1, "qdot(0) = w/(4 m)", fault="start velocity of order 1/m", **small),
    ]
