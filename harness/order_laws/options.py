"""Decoupled decay, Nesterov and dampening against their continuous models: O6, O7 (theory.md section 5).

F = g + k q, mu = 1 - beta, m = eta (1+beta)/2; the rules are (3), (5), (6) of kernels/rules.py.
O6  decoupled decay   m qddot + (mu + eta beta k) qdot + mu k q + g = 0,
                      qdot(0) = (2 beta v_0/eta - g)/(1+beta) - k q_0                                      (1)
O7  Nesterov          m qddot + (mu + eta beta k + eta beta H) qdot + k q + g = 0,
                      qdot(0) = (2 beta^2 v_0/eta - (1+2 beta) F)/(1+beta)                                 (2)
    dampening tau     in the time e = eta (1-tau) per step, e for eta in m:  m qddot + mu qdot + F = 0,
                      qdot(0) = (2 beta v_0/e - (1+tau)/(1-tau) F)/(1+beta)                                (3)

A start velocity stands for the displacement that the layer leaves behind: sum over n of the discrete velocity less
its rest value -F/mu, for Nesterov beta^2/mu (v_0 + eta F/mu), must be m/mu (qdot(0) + F/mu). All are of order 2;
without a term, or from another start: 1; with the decay or the time of another rule: 0.
"""

from __future__ import annotations

from dataclasses import replace

from harness.order_laws.claims import OFF, Claim, Model, judge_claims
from harness.order_laws.descent import EPS
from harness.order_laws.runs import FINAL, Cell, step_sizes
from harness.symbolic import gradient
from harness.verdicts import Record
from kernels.rules import HEAVY_BALL_DAMPENED, HEAVY_BALL_DECOUPLED, NESTEROV

BETA = 0.5
DECAY = 1 / 2  # of O6: eta beta k must not hide behind the terms of order eta^2
NESTEROV_DECAY = 1 / 8


def decoupled_orders(cell: Cell) -> list[Record]:
    """O6 (1)"""
    eta, (q0, w), beta, k = step_sizes(cell), cell.start(), BETA, DECAY
    g, m, mu = gradient(cell.case)(q0, EPS), eta * (1 + BETA) / 2, 1 - BETA

    def model(qdot, friction=mu + eta * beta * k, spring=mu * k):
        return Model(m, friction, qdot, spring=spring)

    cold, warm = -g / (1 + beta) - k * q0, (2 * beta * w - g) / (1 + beta) - k * q0
    claims = [
        Claim("cold, qdot(0) = -g/(1+beta) - k q", model(cold), 2),
        Claim("warm, qdot(0) = (2 beta w - g)/(1+beta) - k q", model(warm), 2, v0=w),
        Claim("cold, friction mu", model(cold, mu), 1, "friction without eta beta k"),
        Claim("cold, qdot(0) = -g/(1+beta)", model(cold + k * q0), 1, "start velocity without -k q"),
        Claim("cold, qdot(0) = -(g + k q)/(1+beta)", model(-(g + k * q0) / (1 + beta)), 1, "start velocity of coupled decay"),
        Claim("warm, from the cold start velocity", model(cold), 1, "buffer forgotten in the start velocity", v0=w),
        Claim("cold, spring k", model(cold, spring=k), None, "spring of coupled decay"),
        Claim("cold, steps too long", model(cold), None, "eta x (1 + 2^-10)", factor=OFF),
    ]
    claims = [replace(c, rule=HEAVY_BALL_DECOUPLED) for c in claims]
    return judge_claims(cell, claims, q0, beta=beta, k=k, eps=EPS)


def nesterov_orders(cell: Cell) -> list[Record]:
    """O7 (2)"""
    eta, (q0, w), beta, k = step_sizes(cell), cell.start(), BETA, NESTEROV_DECAY
    F, m, mu = gradient(cell.case)(q0, EPS) + NESTEROV_DECAY * q0, eta * (1 + BETA) / 2, 1 - BETA

    def model(qdot, extra=beta):
        return Model(m, mu + eta * extra * k, qdot, curvature=eta * extra, spring=k)

    cold, warm = -(1 + 2 * beta) * F / (1 + beta), (2 * beta**2 * w - (1 + 2 * beta) * F) / (1 + beta)
    claims = [
        Claim("Nesterov, cold, qdot(0) = -(1+2 beta) F/(1+beta)", model(cold), 2),
        Claim("Nesterov, warm, qdot(0) = (2 beta^2 w - (1+2 beta) F)/(1+beta)", model(warm), 2, v0=w),
        Claim("Nesterov, friction mu", model(cold, 0.0), 1, "friction without eta beta H"),
        Claim("Nesterov, qdot(0) = -F/(1+beta)", model(-F / (1 + beta)), 1, "start velocity of heavy ball"),
        Claim("Nesterov, steps too long", model(cold), None, "eta x (1 + 2^-10)", factor=OFF),
    ]
    return judge_claims(cell, [replace(c, rule=NESTEROV) for c in claims], q0, beta=beta, k=k, eps=EPS)


def dampened_orders(cell: Cell) -> list[Record]:
    """O7 (3)"""
    eta, (q0, w), beta, k = step_sizes(cell), cell.start(), BETA, NESTEROV_DECAY
    F, mu, share = gradient(cell.case)(q0, EPS) + NESTEROV_DECAY * q0, 1 - BETA, 1 - HEAVY_BALL_DAMPENED.dampening
    e = eta * share

    def model(qdot, m=e * (1 + beta) / 2):
        return Model(m, mu, qdot, spring=k)

    first = (2 - share) / share * F  # (1+tau)/(1-tau): the first buffer is not dampened
    cold, warm = -first / (1 + beta), (2 * beta * w / share - first) / (1 + beta)
    claims = [
        Claim("dampening, cold, qdot(0) = -(1+tau)/(1-tau) F/(1+beta)", model(cold), 2),
        Claim("dampening, warm, qdot(0) = (2 beta v_0/e - (1+tau)/(1-tau) F)/(1+beta)", model(warm), 2, v0=w),
        Claim("dampening, qdot(0) = -F/(1+beta)", model(-F / (1 + beta)), 1, "first buffer dampened too"),
        Claim("dampening, mass eta(1+beta)/2", model(cold, eta * (1 + beta) / 2), 1, "mass of undamped heavy ball"),
        Claim("dampening, time eta", model(cold, eta * (1 + beta) / 2), None, "time of undamped heavy ball", final=FINAL),
        Claim("dampening, steps too long", model(cold), None, "eta x (1 + 2^-10)", factor=OFF),
    ]
    claims = [replace(c, rule=HEAVY_BALL_DAMPENED, final=FINAL * (1.0 if "time eta" in c.note else share)) for c in claims]
    return judge_claims(cell, claims, q0, beta=beta, k=k, eps=EPS)
