"""Heavy ball on a metric against its model: O8 (theory.md section 5).

    p' = beta p - eta g,  q' = q + G(q)^{-1} p'                                                            (1)
    m G qddot + eta beta Gdot qdot + (1-beta) G qdot + g = 0,  m = eta (1+beta)/2,
    from G qdot(0) = (2 beta p_0/eta - g)/(1+beta): order 2;  Euler-Lagrange of T with mu = 1-beta: 1      (2)

(1) is G(q_n)(q_{n+1} - q_n) - beta G(q_{n-1})(q_n - q_{n-1}) = -eta g, expanded about q_n; in P = G qdot it is
m Pdot - (eta (1-beta)/2) Gdot qdot + (1-beta) P + g = 0, for beta = 0 natural gradient's model. In (4) of curved.py
a = 2 beta/(1+beta), b = 0.
"""

from __future__ import annotations

import numpy as np

from harness.order_laws.bregman import KAPPA
from harness.order_laws.claims import OFF
from harness.order_laws.curved import model
from harness.order_laws.descent import EPS
from harness.order_laws.runs import Cell, judged_claims, reference, step_sizes, steps_of, updates
from harness.symbolic import gradient
from harness.symbolic_metric import curved
from harness.verdicts import Record
from kernels.rules import HEAVY_BALL_METRIC

BETA = 0.5


def heavy_ball_on_metric(cell: Cell) -> list[Record]:
    """O8 (1), (2)"""
    metric, eta, (q0, w), beta = curved(cell.case), step_sizes(cell), cell.start(), BETA
    g = lambda x: gradient(cell.case)(x, EPS)  # noqa: E731
    n, d, mu, share = len(eta), len(q0), 1 - BETA, 2 * BETA / (1 + BETA)
    G, force = metric.entries(q0, KAPPA), g(q0)
    cold, warm = -force / G / (1 + beta), (2 * beta * w - force) / G / (1 + beta)
    claims = [  # note, p_0/eta, a, b, qdot(0), factor of eta, stated, control
        ("metric heavy ball, cold", 0, share, 0, cold, 1, 2, None),
        ("metric heavy ball, warm", w, share, 0, warm, 1, 2, None),
        ("metric heavy ball against Euler-Lagrange of T", 0, 1, 1, cold, 1, 1, "Euler-Lagrange of T for heavy ball on a metric"),
        ("metric heavy ball against m d/dt(G qdot)", 0, 1, 0, cold, 1, 1, "momentum of a metric heavy ball without its Gdot"),
        ("metric heavy ball, qdot(0) = -G^-1 g", 0, share, 0, -force / G, 1, 1, "start velocity -G^-1 g"),
        ("metric heavy ball, steps too long", 0, share, 0, cold, OFF, None, "eta x (1 + 2^-10)"),
    ]
    each = lambda i: np.repeat([float(c[i]) for c in claims], n)  # noqa: E731
    every, counts = np.tile(eta, len(claims)), np.tile(steps_of(eta), len(claims))
    q, p = np.repeat(q0, len(every), axis=1), np.concatenate([np.zeros((d, n)) + eta * c[1] for c in claims], axis=1)
    end = updates(g, q, p, each(5) * every, counts, beta=beta, rule=HEAVY_BALL_METRIC, metric=lambda q: metric.entries(q, KAPPA))[0]
    m = every * (1 + beta) / 2
    start = np.concatenate([np.repeat(q0, len(every), axis=1), np.concatenate([np.repeat(c[4], n, axis=1) for c in claims], axis=1)])
    x, error = reference(model(metric, g, m, mu, each(2), each(3)), start, mu / m)
    e, size = np.linalg.norm(end - x[:d], axis=0), np.linalg.norm(end, axis=0)
    return judged_claims(cell, claims, e, error, size, steps=int(counts.max()))
