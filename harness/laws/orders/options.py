"""Decoupled decay, Nesterov and dampening against their continuous models: O6, O7 (theory.md section 5).

F = g + k q, mu = 1 - beta, m = eta (1+beta)/2; the rules are those of
heavy_ball_decoupled.py, nesterov.py and heavy_ball_dampened.py in cases/rules/.
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

from noether.cases.rules import HEAVY_BALL_DECOUPLED, NESTEROV
from noether.cases.rules.heavy_ball_dampened import from_the_second
from noether.laws.orders import faults
from noether.laws.orders.claims import Claim
from noether.laws.orders.massive import at_start, judge_claims, kinds
from noether.laws.orders.models import massive
from noether.laws.orders.runs import FINAL, Cell
from noether.verdicts.record import Record


def decoupled_orders(cell: Cell) -> list[Record]:
    """The records of O6, in which decoupled decay is held against (1)."""
    return [r for beta, k, _ in cell.settings for r in decoupled(cell, beta, k)]


def decoupled(cell: Cell, beta: float, k: float) -> list[Record]:
    (eta, q0, w, g), mu = at_start(cell), 1 - beta
    q, m = q0[..., None], eta * (1 + beta) / 2

    def model(qdot, extra=1.0, spring=mu * k):
        friction = {"friction": mu} | ({"eta beta k": extra * eta * beta * k} if extra else {})
        return massive(mass={"mass": m}, friction=friction, spring={"spring": spring}, qdot=qdot)

    cold, warm, long = kinds(HEAVY_BALL_DECOUPLED, w)
    force, decay = {"g in qdot(0)": -g / (1 + beta)}, {"k q in qdot(0)": -k * q}
    right, after = model(force | decay), model(force | decay | {"buffer": 2 * beta * w / (1 + beta)})
    coupled, plain = model({"qdot(0)": -(g + k * q) / (1 + beta)}), model(force | decay, extra=0.0)
    square, spring = model(force | decay, extra=k / beta), model(force | decay, spring=k)
    claims = [
        Claim("cold, qdot(0) = -g/(1+beta) - k q", cold, right, 2),
        Claim("warm, qdot(0) = (2 beta w - g)/(1+beta) - k q", warm, after, 2),
        Claim("cold, friction mu", cold, plain, 1, faults.NO_DECAY_FRICTION, right=right),
        Claim("cold, qdot(0) = -g/(1+beta)", cold, model(force), 1, faults.START_WITHOUT_DECAY, right=right),
        Claim("cold, qdot(0) = -(g + k q)/(1+beta)", cold, coupled, 1, faults.START_COUPLED, right=right),
        Claim("warm, from the cold start velocity", warm, right, 1, faults.BUFFER_FORGOTTEN, right=after),
        Claim("cold, friction mu + eta k^2", cold, square, None, faults.SQUARE_FRICTION),
        Claim("cold, spring k", cold, spring, None, faults.COUPLED_SPRING),
        Claim("cold, steps too long", long, right, None, faults.TOO_LONG),
    ]
    return judge_claims(cell, claims, q0, beta=beta, k=k, at=f"beta {beta:g}, k {k:g}, ")


def nesterov_orders(cell: Cell) -> list[Record]:
    """The records of O7 for Nesterov against (2)."""
    return [r for beta, k, _ in cell.settings for r in accelerated(cell, beta, k)]


def accelerated(cell: Cell, beta: float, k: float) -> list[Record]:
    (eta, q0, w, g), mu = at_start(cell), 1 - beta
    F, m = g + k * q0[..., None], eta * (1 + beta) / 2

    def model(qdot, extra=beta):
        friction, bend = {"friction": mu, "eta beta k": eta * extra * k}, {"eta beta H": eta * extra}
        return massive(mass={"mass": m}, friction=friction, curvature=bend, spring={"k": k}, qdot=qdot)

    cold, warm, long = kinds(NESTEROV, w)
    force = {"F in qdot(0)": -(1 + 2 * beta) * F / (1 + beta)}
    right, after = model(force), model(force | {"buffer": 2 * beta**2 * w / (1 + beta)})
    plain, other, heavy = model(force, 0.0), model(force, mu), model({"qdot(0)": -F / (1 + beta)})
    claims = [
        Claim("cold, qdot(0) = -(1+2 beta) F/(1+beta)", cold, right, 2),
        Claim("warm, qdot(0) = (2 beta^2 w - (1+2 beta) F)/(1+beta)", warm, after, 2),
        Claim("friction mu", cold, plain, 1, faults.NO_CURVATURE, right=right),
        Claim("friction mu + eta (1-beta) (H + k)", cold, other, 1, faults.OTHER_CURVATURE, right=right),
        Claim("qdot(0) = -F/(1+beta)", cold, heavy, 1, faults.START_HEAVY_BALL, right=right),
        Claim("steps too long", long, right, None, faults.TOO_LONG),
    ]
    return judge_claims(cell, claims, q0, beta=beta, k=k, at=f"Nesterov, beta {beta:g}, ")


def dampened_orders(cell: Cell) -> list[Record]:
    """The records of O7 for dampening against (3)."""
    return [r for beta, k, tau in cell.settings for r in dampened(cell, beta, k, tau)]


def dampened(cell: Cell, beta: float, k: float, tau: float) -> list[Record]:
    (eta, q0, w, g), mu, share = at_start(cell), 1 - beta, 1 - tau
    F, e, m = g + k * q0[..., None], eta * share, eta * (1 + beta) / 2

    def model(qdot, m=e * (1 + beta) / 2, final=FINAL * share):
        return massive(final, mass={"mass": m}, friction={"friction": mu}, spring={"k": k}, qdot=qdot)

    cold, warm, long = kinds(from_the_second(tau), w)
    force = {"F in qdot(0)": -(1 + tau) / share * F / (1 + beta)}  # the first buffer is not dampened
    right, after = model(force), model(force | {"buffer": 2 * beta * w / share / (1 + beta)})
    heavy, undamped, early = model({"qdot(0)": -F / (1 + beta)}), model(force, m), model(force, m, FINAL)
    of_warm = "warm, qdot(0) = (2 beta v_0/e - (1+tau)/(1-tau) F)/(1+beta)"
    claims = [
        Claim("cold, qdot(0) = -(1+tau)/(1-tau) F/(1+beta)", cold, right, 2),
        Claim(of_warm, warm, after, 2),
        Claim("qdot(0) = -F/(1+beta)", cold, heavy, 1, faults.FIRST_DAMPENED, right=right),
        Claim("mass eta(1+beta)/2", cold, undamped, 1, faults.UNDAMPED_MASS, right=right),
        Claim("time eta", cold, early, None, faults.UNDAMPED_TIME),
        Claim("steps too long", long, right, None, faults.TOO_LONG),
    ]
    return judge_claims(cell, claims, q0, beta=beta, k=k, at=f"dampening {tau:g}, beta {beta:g}, ")
