"""Heavy ball on a metric against its model: O8 (theory.md section 5).

    p' = beta p - eta g,  q' = q + G(q)^{-1} p'                                                        (1)
    m G qddot + eta beta Gdot qdot + (1-beta) G qdot + g = 0,  m = eta (1+beta)/2,
    from G qdot(0) = (2 beta p_0/eta - g)/(1+beta): order 2;  Euler-Lagrange of T with mu = 1-beta: 1  (2)

(1) is G(q_n)(q_{n+1} - q_n) - beta G(q_{n-1})(q_n - q_{n-1}) = -eta g, expanded about q_n; in P = G qdot it
is m Pdot - (eta (1-beta)/2) Gdot qdot + (1-beta) P + g = 0, for beta = 0 natural gradient's model. In (4) of
curved.py a = 2 beta/(1+beta), b = 0.
"""

from __future__ import annotations

import numpy as np

from noether.cases.rules import HEAVY_BALL_METRIC
from noether.laws.orders import constants
from noether.laws.orders.claims import OFF
from noether.laws.orders.curved import CURVED_STARTS, on_metric, solved_models
from noether.laws.orders.records import judge
from noether.laws.orders.runs import Cell, Fan, step_sizes, steps_of, updates
from noether.laws.orders.units import EPS, KAPPA
from noether.mechanics.symbolic import gradient
from noether.mechanics.symbolic_metric import curved
from noether.verdicts.record import Record


def heavy_ball_on_metric(cell: Cell) -> list[Record]:
    """O8 (1), (2)"""
    return [r for beta, *_ in cell.fewer for r in on_its_model(cell, beta)]


def on_its_model(cell: Cell, beta: float) -> list[Record]:
    metric, sizes, (q0, w), out = curved(cell.case), step_sizes(cell), cell.start(CURVED_STARTS), []
    g = lambda x: gradient(cell.slowed)(x, EPS)
    mu, M, share = 1 - beta, (1 + beta) / 2, 2 * beta / (1 + beta)
    G, force, at = metric.entries(q0, KAPPA), g(q0), f"metric heavy ball, beta {beta:g}, "
    cold, warm = -force / G / (1 + beta), (2 * beta * w - force) / G / (1 + beta)
    claims = [  # note, p_0/eta, a, b, qdot(0), factor of eta, stated, fault, the model of order 2
        (at + "cold", 0, share, 0, cold, 1, 2, None, 0),
        (at + "warm", w, share, 0, warm, 1, 2, None, 1),
        (
            at + "against Euler-Lagrange of T",
            0,
            1,
            1,
            cold,
            1,
            1,
            "Euler-Lagrange of T for heavy ball on a metric",
            0,
        ),
        (
            at + "against m d/dt(G qdot)",
            0,
            1,
            0,
            cold,
            1,
            1,
            "momentum of a metric heavy ball without its Gdot",
            0,
        ),
        (at + "Gdot qdot of eta/(1+beta)", 0, 1 / (1 + beta), 0, cold, 1, 1, "Gdot of 1 for 2 beta", 0),
        (at + "qdot(0) = -G^-1 g", 0, share, 0, -force / G, 1, 1, "start velocity -G^-1 g", 0),
        (at + "steps too long", 0, share, 0, cold, OFF, None, "eta x (1 + 2^-10)", 0),
    ]
    fan = Fan(q0, sizes, len(claims))
    p = np.stack([np.zeros_like(q0) + c[1] for c in claims], axis=1)
    end = updates(g, fan.q, fan.eta * fan.starts(p), fan.each([c[5] for c in claims]) * fan.eta,
        steps_of(fan.eta), beta=beta,
                  rule=HEAVY_BALL_METRIC, metric=lambda q: metric.entries(q, KAPPA))[0]  # fmt: skip
    models = [c[2:5] for c in claims]
    Y, facts = (
        list(zip(*constants.twice(lambda: on_metric(metric, g, q0, M, mu, models)), strict=True)),
        dict(steps=int(steps_of(sizes).max()), about={"beta": beta}),
    )
    found = solved_models(metric, g, q0, sizes, M, mu, models)
    for i, ((note, *_, stated, fault, right), q, (x, error, D)) in enumerate(
        zip(claims, fan.apart(end), found, strict=True)
    ):
        off, size = q - x, np.linalg.norm(q, axis=0)
        if stated:
            out.append(judge(cell, off, error, size, stated, note, **facts))
        if stated == 2:
            out.append(
                constants.vanishing(
                    cell, off, error, size, 1, {name: -d for name, d in D.items()}, note, **facts
                )
            )
        if stated == 1:
            out += constants.judged(
                cell, off, error, size, 1, tuple(np.subtract(Y[right], Y[i])), note, **facts
            )
        if fault:
            out.append(judge(cell, off, error, size, 2, note, fault=fault, **facts))
    return out
