"""The state in the overdamped limit: O9 (theory.md section 5).

    m (Euler-Lagrange of <qdot, G qdot>/2) + mu G qdot + g = 0,  or the Bregman Lagrangian of theory.md#T2       (1)
    mu G qdot = -g                                                                                         (2)

|q_m - q_flow| at a fixed time is of order 1 in m, from any fixed start velocity. From one of order 1/m it is of order 0:
the layer then moves q by m qdot(0)/mu, which does not vanish.
"""

from __future__ import annotations

import numpy as np

from cases.case import BREGMAN
from harness.order_laws.bregman import KAPPA, bregman_rates
from harness.order_laws.curved import model
from harness.order_laws.descent import EPS
from harness.order_laws.runs import Cell, both, judge, reference
from harness.symbolic import gradient
from harness.symbolic_metric import curved
from harness.verdicts import Record

MASSES = 2.0 ** -np.arange(5.0, 12.0)
FRICTION = 0.75


def overdamped(cell: Cell) -> list[Record]:
    """O9"""
    metric, (q0, w), m, mu, n, d = curved(cell.case), cell.start(), MASSES, FRICTION, len(MASSES), cell.case.dim
    g = lambda x: gradient(cell.case)(x, EPS)  # noqa: E731
    bregman = cell.case.metric.kind == BREGMAN
    w = w * (q0 / 4 if bregman else 1.0)  # q + m qdot must stay in the orthant, whatever m
    mass, q = np.tile(m, 2), np.repeat(q0, 2 * n, axis=1)
    qdot = np.concatenate([np.repeat(w, n, axis=1), w / (4 * m)], axis=1)  # a kick of a quarter: q must stay where the loss is tame
    ones = np.ones_like(mass)
    rates = bregman_rates(metric, g, mass, mu) if bregman else model(metric, g, mass, mu, ones, ones)
    x, error = reference(rates, np.concatenate([q, qdot]), mu / mass)
    friction = np.array([mu, mu * 9 / 8])
    flow, own = reference(lambda y: -g(y) / metric.entries(y, KAPPA) / friction, np.repeat(q0, 2, axis=1), 1 / friction)

    def compared(lanes, of):
        e = np.linalg.norm(x[:d, lanes] - flow[:, [of]], axis=0)
        return e, error[lanes] + own[of], np.linalg.norm(x[:d, lanes], axis=0)

    small, calm, kicked = dict(small="m", eta=m), slice(0, n), slice(n, 2 * n)
    out = both(cell, *compared(calm, 0), 1, "|q_m - q_flow|", "second order claimed of the overdamped limit", 2, **small)
    out.append(judge(cell, *compared(calm, 1), 1, "flow of another friction", control="friction of the flow off by 1/8", **small))
    return [*out, judge(cell, *compared(kicked, 0), 1, "qdot(0) = w/(4 m)", control="start velocity of order 1/m", **small)]
