"""Decoupled decay, Nesterov and dampening against their continuous models: O6, O7 (theory.md section 5).

F = g + k q, mu = 1 - beta, m = eta (1+beta)/2; the rules are (3), (5), (6) of cases/rules.
O6  decoupled decay   m qddot + (mu + eta beta k) qdot + mu k q + g = 0,
                      qdot(0) = (2 beta v_0/eta - g)/(1+beta) - k q_0        (1)
O7  Nesterov          m qddot + (mu + eta beta k + eta beta H) qdot + k q + g = 0,
                      qdot(0) = (2 beta^2 v_0/eta - (1+2 beta) F)/(1+beta)   (2)
    dampening tau     in the time e = eta (1-tau) per step, e for eta in m:  m qddot + mu qdot + F = 0,
                      qdot(0) = (2 beta v_0/e - (1+tau)/(1-tau) F)/(1+beta)  (3)

A start velocity stands for the displacement that the layer leaves behind: sum over n of the discrete velocity
less its rest value -F/mu, for Nesterov beta^2/mu (v_0 + eta F/mu), must be m/mu (qdot(0) + F/mu). All are of
order 2; without a term, or from another start: 1; with the decay or the time of another rule: 0.
"""

from __future__ import annotations

from dataclasses import replace

from noether.cases.rules import HEAVY_BALL_DAMPENED, HEAVY_BALL_DECOUPLED, NESTEROV
from noether.laws.orders.claims import OFF, Claim, judge_claims
from noether.laws.orders.models import FORCE, Term
from noether.laws.orders.runs import FINAL, Cell, step_sizes
from noether.laws.orders.units import EPS
from noether.mechanics.symbolic import gradient
from noether.verdicts.record import Record


def at_start(cell: Cell):
    """eta (sizes,), q_0 (d, starts), w and g(q_0) (d, starts, 1)."""
    q0, w = cell.start()
    return step_sizes(cell), q0, w[..., None], gradient(cell.slowed)(q0, EPS)[..., None]


def decoupled_orders(cell: Cell) -> list[Record]:
    """O6 (1)"""
    return [r for beta, k, _ in cell.settings for r in decoupled(cell, beta, k)]


def decoupled(cell: Cell, beta: float, k: float) -> list[Record]:
    (eta, q0, w, g), mu, at = at_start(cell), 1 - beta, f"beta {beta:g}, k {k:g}, "
    q = q0[..., None]

    def model(*qdot, extra=1.0, spring=mu * k):
        terms = [
            Term("mass", "mass", eta * (1 + beta) / 2),
            Term("friction", "friction", mu),
            Term("spring", "spring", spring),
            FORCE,
            *qdot,
        ]
        return (*terms, *([Term("eta beta k", "friction", extra * eta * beta * k)] if extra else []))

    force, decay, buffer = (
        Term("g in qdot(0)", "qdot", -g / (1 + beta)),
        Term("k q in qdot(0)", "qdot", -k * q),
        Term("buffer", "qdot", 2 * beta * w / (1 + beta)),
    )
    cold, warm = model(force, decay), model(force, decay, buffer)
    coupled = Term("qdot(0)", "qdot", -(g + k * q) / (1 + beta))
    claims = [
        Claim(at + "cold, qdot(0) = -g/(1+beta) - k q", cold, 2),
        Claim(at + "warm, qdot(0) = (2 beta w - g)/(1+beta) - k q", warm, 2, v0=w),
        Claim(
            at + "cold, friction mu",
            model(force, decay, extra=0.0),
            1,
            "friction without eta beta k",
            right=cold,
            constant=True,
        ),
        Claim(
            at + "cold, qdot(0) = -g/(1+beta)",
            model(force),
            1,
            "start velocity without -k q",
            right=cold,
            constant=True,
        ),
        Claim(
            at + "cold, qdot(0) = -(g + k q)/(1+beta)",
            model(coupled),
            1,
            "start velocity of coupled decay",
            right=cold,
            constant=True,
        ),
        Claim(
            at + "warm, from the cold start velocity",
            cold,
            1,
            "buffer forgotten in the start velocity",
            v0=w,
            right=warm,
            constant=True,
        ),
        Claim(
            at + "cold, friction mu + eta k^2", model(force, decay, extra=k / beta), None, "friction eta k^2"
        ),
        Claim(at + "cold, spring k", model(force, decay, spring=k), None, "spring of coupled decay"),
        Claim(at + "cold, steps too long", cold, None, "eta x (1 + 2^-10)", factor=OFF),
    ]
    return judge_claims(cell, [replace(c, rule=HEAVY_BALL_DECOUPLED) for c in claims], q0, beta=beta, k=k)


def nesterov_orders(cell: Cell) -> list[Record]:
    """O7 (2)"""
    return [r for beta, k, _ in cell.settings for r in accelerated(cell, beta, k)]


def accelerated(cell: Cell, beta: float, k: float) -> list[Record]:
    (eta, q0, w, g), mu, at = at_start(cell), 1 - beta, f"Nesterov, beta {beta:g}, "
    F = g + k * q0[..., None]

    def model(*qdot, extra=beta):
        terms = [
            Term("mass", "mass", eta * (1 + beta) / 2),
            Term("friction", "friction", mu),
            Term("k", "spring", k),
            FORCE,
            *qdot,
        ]
        return (
            *terms,
            Term("eta beta k", "friction", eta * extra * k),
            Term("eta beta H", "curvature", eta * extra),
        )

    force, buffer = (
        Term("F in qdot(0)", "qdot", -(1 + 2 * beta) * F / (1 + beta)),
        Term("buffer", "qdot", 2 * beta**2 * w / (1 + beta)),
    )
    cold, heavy = model(force), Term("qdot(0)", "qdot", -F / (1 + beta))
    claims = [
        Claim(at + "cold, qdot(0) = -(1+2 beta) F/(1+beta)", cold, 2),
        Claim(at + "warm, qdot(0) = (2 beta^2 w - (1+2 beta) F)/(1+beta)", model(force, buffer), 2, v0=w),
        Claim(
            at + "friction mu",
            model(force, extra=0.0),
            1,
            "friction without eta beta H",
            right=cold,
            constant=True,
        ),
        Claim(
            at + "friction mu + eta (1-beta) (H + k)",
            model(force, extra=mu),
            1,
            "friction eta (1-beta) H",
            right=cold,
            constant=True,
        ),
        Claim(
            at + "qdot(0) = -F/(1+beta)",
            model(heavy),
            1,
            "start velocity of heavy ball",
            right=cold,
            constant=True,
        ),
        Claim(at + "steps too long", cold, None, "eta x (1 + 2^-10)", factor=OFF),
    ]
    return judge_claims(cell, [replace(c, rule=NESTEROV) for c in claims], q0, beta=beta, k=k)


def dampened_orders(cell: Cell) -> list[Record]:
    """O7 (3)"""
    return [r for beta, k, tau in cell.settings for r in dampened(cell, beta, k, tau)]


def dampened(cell: Cell, beta: float, k: float, tau: float) -> list[Record]:
    (eta, q0, w, g), mu, share, at = at_start(cell), 1 - beta, 1 - tau, f"dampening {tau:g}, beta {beta:g}, "
    F, e = g + k * q0[..., None], eta * share

    def model(*qdot, m=e * (1 + beta) / 2):
        return (
            Term("mass", "mass", m),
            Term("friction", "friction", mu),
            Term("k", "spring", k),
            FORCE,
            *qdot,
        )

    # (1+tau)/(1-tau): the first buffer is not dampened
    force, buffer = (
        Term("F in qdot(0)", "qdot", -(1 + tau) / share * F / (1 + beta)),
        Term("buffer", "qdot", 2 * beta * w / share / (1 + beta)),
    )
    cold, heavy, undamped = model(force), Term("qdot(0)", "qdot", -F / (1 + beta)), eta * (1 + beta) / 2
    claims = [
        Claim(at + "cold, qdot(0) = -(1+tau)/(1-tau) F/(1+beta)", cold, 2),
        Claim(
            at + "warm, qdot(0) = (2 beta v_0/e - (1+tau)/(1-tau) F)/(1+beta)", model(force, buffer), 2, v0=w
        ),
        Claim(
            at + "qdot(0) = -F/(1+beta)",
            model(heavy),
            1,
            "first buffer dampened too",
            right=cold,
            constant=True,
        ),
        Claim(
            at + "mass eta(1+beta)/2",
            model(force, m=undamped),
            1,
            "mass of undamped heavy ball",
            right=cold,
            constant=True,
        ),
        Claim(at + "time eta", model(force, m=undamped), None, "time of undamped heavy ball", final=FINAL),
        Claim(at + "steps too long", cold, None, "eta x (1 + 2^-10)", factor=OFF),
    ]
    rule = replace(HEAVY_BALL_DAMPENED, dampening=tau)
    claims = [replace(c, rule=rule, final=FINAL * (1.0 if "time eta" in c.note else share)) for c in claims]
    return judge_claims(cell, claims, q0, beta=beta, k=k)
