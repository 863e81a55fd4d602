"""Quasi-hyperbolic momentum against its continuous model: O14 (theory.md section 5).

    v' = beta v - eta (1 - beta) F,   q' = q + nu v' - (1 - nu) eta F,   F = g + k q                       (1)
    m qddot + (1 + c (H + k)) qdot + F = 0,   m = eta (1+beta)/(2 mu),   c = eta beta (1 - nu)/mu,
    qdot(0) = -F + 2 nu beta (F + v_0/eta)/(1+beta),   mu = 1 - beta                                       (2)

q_{n+1} - (1+beta) q_n + beta q_{n-1} = -eta (1 - nu beta) F_n + eta beta (1 - nu) F_{n-1}, and what the layer
leaves behind, nu beta (eta F + v_0)/mu, must be m (qdot(0) + F). Order 2; for nu = 1 it is O3 with eta mu for
eta, for nu = beta Nesterov's O7. Without a term, or from another start: 1.
"""

from __future__ import annotations

from noether.cases.rules.qhm import QHM
from noether.laws.law import NEAR
from noether.laws.orders import faults
from noether.laws.orders.claims import Claim
from noether.laws.orders.massive import at_start, judge_claims
from noether.laws.orders.memories import Walk, walked
from noether.laws.orders.models import massive
from noether.laws.orders.runs import Cell, steps_of
from noether.laws.orders.units import EPS
from noether.mechanics.symbolic import gradient
from noether.verdicts.record import Record


def quasi_hyperbolic_orders(cell: Cell) -> list[Record]:
    """The records of O14."""
    return [r for beta, k, nu in cell.fewer for r in quasi_hyperbolic(cell, beta, k, nu)]


def quasi_hyperbolic(cell: Cell, beta: float, k: float, nu: float) -> list[Record]:
    (eta, q0, w, g), mu = at_start(cell), 1 - beta
    F, whole, counts = g + k * q0[..., None], 1 + beta, steps_of(eta)

    def model(qdot, c=eta * beta * (1 - nu) / mu):
        fields = dict(friction={"friction": 1.0, "c k": c * k}, curvature={"c H": c}, spring={"k": k})
        return massive(mass={"mass": eta * whole / (2 * mu)}, qdot=qdot, **fields)

    lane = lambda factor, v: Walk(QHM, dict(eta=factor * eta, beta=beta, k=k, nu=nu), counts, dict(v=eta * v))
    cold, warm, long = walked(
        lambda x: gradient(cell.slowed)(x, EPS), [lane(1.0, 0.0), lane(1.0, w), lane(NEAR, 0.0)], q0
    )
    start = {"F in qdot(0)": (2 * nu * beta / whole - 1) * F}
    right, after = model(start), model(start | {"buffer": 2 * nu * beta * w / whole})
    plain, nesterov = model(start, 0.0), model(start, eta * beta / mu)
    heavy = model({"qdot(0)": -mu / whole * F})
    claims = [
        Claim("cold", cold, right, 2),
        Claim("warm", warm, after, 2),
        Claim("friction 1", cold, plain, 1, faults.NO_CURVATURE, right=right),
        Claim("c = eta beta/mu", cold, nesterov, 1, faults.OF_NESTEROV, right=right),
        Claim("qdot(0) = -mu F/(1+beta)", cold, heavy, 1, faults.START_HEAVY_BALL, right=right),
        Claim("steps too long", long, right, None, faults.TOO_LONG),
    ]
    how = dict(beta=beta, k=k, at=f"nu {nu:g}, beta {beta:g}, ", ends=[c.run for c in claims])
    return judge_claims(cell, claims, q0, **how)
