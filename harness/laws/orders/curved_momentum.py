"""Heavy ball on a metric against its model: O8 (theory.md section 5).

    p' = beta p - eta g,  q' = q + G(q)^{-1} p'                                                        (1)
    m G qddot + eta beta Gdot qdot + (1-beta) G qdot + g = 0,  m = eta (1+beta)/2,
    from G qdot(0) = (2 beta p_0/eta - g)/(1+beta): order 2;  Euler-Lagrange of T with mu = 1-beta: 1  (2)

(1) is G(q_n)(q_{n+1} - q_n) - beta G(q_{n-1})(q_n - q_{n-1}) = -eta g, expanded about q_n; in P = G qdot it
is m Pdot - (eta (1-beta)/2) Gdot qdot + (1-beta) P + g = 0, for beta = 0 natural gradient's model. In (4) of
curved.py a = 2 beta/(1+beta), b = 0.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from noether.cases.rules import HEAVY_BALL_METRIC
from noether.laws.law import NEAR
from noether.laws.orders import constants, faults
from noether.laws.orders.claims import Claim, ended, judged
from noether.laws.orders.curved import CURVED_STARTS, OnMetric, on_metric, solved_models
from noether.laws.orders.runs import Cell, Fan, step_sizes, steps_of, updates
from noether.laws.orders.units import EPS, KAPPA
from noether.mechanics.symbolic import gradient
from noether.mechanics.symbolic_metric import curved
from noether.verdicts.record import Record


@dataclass(frozen=True, eq=False)
class Steps:
    """A run of (1) from p_0 = eta p, by steps of factor * eta."""

    p: np.ndarray | float = 0.0
    factor: float = 1.0


def heavy_ball_on_metric(cell: Cell) -> list[Record]:
    """The records of O8 for heavy ball on a metric."""
    return [r for beta, *_ in cell.fewer for r in on_its_model(cell, beta)]


def claims_of(beta: float, G, force, w) -> list[Claim]:
    """G, the force and w at the start."""
    cold, warm, long = Steps(), Steps(w), Steps(factor=NEAR)
    share, start = 2 * beta / (1 + beta), -force / G / (1 + beta)
    right, natural = OnMetric(share, 0, start), OnMetric(share, 0, -force / G)
    after = OnMetric(share, 0, (2 * beta * w - force) / G / (1 + beta))
    lagrange, plain, less = (OnMetric(a, b, start) for a, b in ((1, 1), (1, 0), (1 / (1 + beta), 0)))
    return [
        Claim("cold", cold, right, 2),
        Claim("warm", warm, after, 2),
        Claim("against Euler-Lagrange of T", cold, lagrange, 1, faults.EULER_LAGRANGE, right=right),
        Claim("against m d/dt(G qdot)", cold, plain, 1, faults.NO_GDOT, right=right),
        Claim("Gdot qdot of eta/(1+beta)", cold, less, 1, faults.OTHER_GDOT, right=right),
        Claim("qdot(0) = -G^-1 g", cold, natural, 1, faults.START_NATURAL, right=right),
        Claim("steps too long", long, right, None, faults.TOO_LONG),
    ]


def on_its_model(cell: Cell, beta: float) -> list[Record]:
    metric, sizes, (q0, w) = curved(cell.case), step_sizes(cell), cell.start(CURVED_STARTS)
    g, mu, M = lambda x: gradient(cell.slowed)(x, EPS), 1 - beta, (1 + beta) / 2
    claims = claims_of(beta, metric.entries(q0, KAPPA), g(q0), w)
    fan = Fan(q0, sizes, len(claims))
    p = fan.eta * fan.starts(np.stack([np.zeros_like(q0) + c.run.p for c in claims], axis=1))
    eta, how = fan.each([c.run.factor for c in claims]) * fan.eta, dict(beta=beta, rule=HEAVY_BALL_METRIC)
    end = updates(g, fan.q, p, eta, steps_of(fan.eta), metric=lambda q: metric.entries(q, KAPPA), **how)[0]
    models = [c.model for c in claims]
    first = lambda: dict(zip(models, on_metric(metric, g, q0, M, mu, models), strict=True))
    fine, wide = constants.twice(first)
    found, solved = solved_models(metric, g, q0, sizes, M, mu, models), []
    for c, q, (solution, D) in zip(claims, fan.apart(end), found, strict=True):
        constant = tuple(Y[c.right] - Y[c.model] for Y in (fine, wide)) if c.right else None
        felt = {name: -d for name, d in D.items()} if c.order == 2 else {}
        solved.append(replace(c, run=ended(q), model=solution, responses=felt, constant=constant))
    how = dict(sequence="order limit constant fault", steps=int(steps_of(sizes).max()), about={"beta": beta})
    return judged(cell, solved, f"metric heavy ball, beta {beta:g}, ", **how)
