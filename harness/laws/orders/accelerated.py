"""Nesterov's increasing momentum against its equation: O13 (theory.md section 5).

    x_n = q_{n-1} - eta g(q_{n-1}),   q_n = x_n + (n-1)/(n+2) (x_n - x_{n-1}),   x_0 = q_0                 (1)
A step takes the time h = sqrt(eta). With p = Xdot + (h/2) g(X),
    Xdot = p - (h/2) g(X),   pdot = -(r/t) p - g(X + (h/2) p),   r = 3, from X = q_0, p = 0 at t = 0       (2)
    q_n against X((n + 3/2) h): 2 in h;  against Xddot + (3/t) Xdot + g = 0 at t = n h: 1                  (3)
    of r = 2 or 4: 0

(2) is Xddot + (3/t + h H) Xdot + (1 + 3 h/(2 t)) g = 0 up to h^2, the equation of high resolution of Shi, Du,
Jordan, Su (2022). x_n is its X((n + 1/2) h), and q_n is x_n a step ahead. It is solved for t^r p, whose rate
has no 1/t.
"""

from __future__ import annotations

import numpy as np

from noether.cases.rules.nesterov_increasing import NESTEROV_INCREASING
from noether.laws.law import NEAR
from noether.laws.orders import faults
from noether.laws.orders.claims import Claim
from noether.laws.orders.memories import COUNTS, Walk, walked
from noether.laws.orders.parametric import Grid, Kind, Model, judge_models, shaped
from noether.laws.orders.runs import FINAL, Cell
from noether.laws.orders.units import EPS
from noether.mechanics.symbolic import gradient
from noether.verdicts.record import Record


def rates_of(g, c):
    """(2) as rates of (X, t^r p, t)."""

    def rates(x):
        d = len(x) // 2
        X, P, t = x[:d], x[d:-1], x[-1]
        r, h, pull = shaped(x, c.r, c.h, c.g)
        grown = t**r
        p = np.where(t > 0, P / np.where(t > 0, grown, 1.0), 0.0)
        return np.concatenate([p - h / 2 * g(X), -grown * pull * g(X + h / 2 * p), 1 + 0 * t[None]])

    return rates


GROWING = Kind(lambda g, c, q0: np.concatenate([q0, 0 * q0, 0 * q0[:1]]), rates_of, lambda c: c.t[0])


def increasing_orders(cell: Cell) -> list[Record]:
    """The records of O13."""
    (q0, _), of, counts = cell.start(), gradient(cell.slowed), 4 * COUNTS
    g = lambda x: of(x, EPS)
    h = FINAL / counts
    at = lambda factor: Walk(NESTEROV_INCREASING, dict(eta=factor * h**2), counts)
    run, long = walked(g, [at(1.0), at(NEAR)], q0)
    names = ("r", "h", "g", "t")
    right = Model(GROWING, dict(r=3.0, h=h, g=1.0, t=FINAL + 1.5 * h), names)
    plain = right.changed(h=0.0, t=FINAL)
    less, more = plain.changed(r=2.0), plain.changed(r=4.0)
    claims = [
        Claim("at n h", run, plain, 1, faults.SECOND_OF_FRICTION),
        Claim("at (n + 3/2) h, high resolution", run, right, 2),
        Claim("at (n + 1/2) h, high resolution", run, right.changed(t=FINAL + h / 2), 1, faults.OF_X),
        Claim("at (n + 3/2) h", run, right.changed(h=0.0), 1, faults.LOW_RESOLUTION),
        Claim("friction 2/t", run, less, None, faults.OTHER_FRICTIONS[2], under=1),
        Claim("friction 4/t", run, more, None, faults.OTHER_FRICTIONS[4], under=1),
        Claim("steps too long", long, right, None, faults.TOO_LONG),
    ]
    return judge_models(cell, Grid(g, q0, h), claims, small="sqrt(eta)", eta=h, counts=counts)
