"""A learning rate that changes smoothly against its continuous model: O7 (theory.md section 5).

t = n eta, F = g + k q, m = eta (1+beta)/2, mu = 1 - beta; the step from t to t + eta has the rate s_n = s(t +
theta eta), theta 0, 1/2 or 1: at its start, middle or end. Two rules differ in what the buffer holds:

    gradients (PyTorch)    p' = beta p + F,            q' = q - eta s_n p'                       (1)
    displacements          v' = beta v - eta s_n F,    q' = q + v'                               (2)

With v = -eta s_{n-1} p, (1) is (2) with beta s_n/s_{n-1} for beta. With w = qdot/s the step
(q' - q)/(eta s_n) is (1 + (1/2 - theta) eta sdot/s) w at its middle, up to eta^2. In (1),
w(t + eta/2) - beta w(t - eta/2) with this factor is -F:

    (1)   m qddot + (mu - c eta sdot/s) qdot + s F = 0,                                          (3)
          c = (1+beta)/2 + (theta - 1/2) (1-beta):
          beta at the start of the step, (1+beta)/2 (so c eta = m) at its middle, 1 at its end
    (2)   m qddot + mu qdot + s F = 0  at the start of the step                                  (4)

both from qdot(0) = (2 beta v_0/eta - s(0) F)/(1+beta), order 2; crossed, order 1. In its own time,
sigma = int s dt, (3) at the start is m s q'' + (mu + eta mu s'/2) q' + F = 0: a changing mass brings a
friction. Of two models with c and c' the error over eta differs by (c - c') Y,
Y' = -s F'Y/mu - (sdot/s) s F/mu^2, Y(0) = 0.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from noether.laws.law import NEAR
from noether.laws.orders import constants, faults
from noether.laws.orders.claims import NUDGE, Claim, Solution, ended, judged
from noether.laws.orders.massive import at_start
from noether.laws.orders.runs import FINAL, QUIET, Cell, Fan, reference, rough, steps_of
from noether.laws.orders.units import EPS
from noether.mechanics.symbolic import gradient
from noether.verdicts.record import Record

STARTS = 2


def inverse(t):
    """s = 1/(1 + t/4) and sdot/s."""
    return 1 / (1 + t / 4), -1 / (4 + t)


def cosine(t):
    """s = (1 + cos(pi t/4))/2, half of a cosine cycle at FINAL, and sdot/s."""
    s = (1 + np.cos(np.pi * t / 4)) / 2
    return s, -np.pi / 8 * np.sin(np.pi * t / 4) / s


SCHEDULES = {"1/(1 + t/4)": inverse, "(1 + cos(pi t/4))/2": cosine}


PLACES = dict(zip(faults.PLACES, (0.0, 0.5, 1.0), strict=True))
"""theta of a rate at the start, in the middle and at the end of its step."""
SYMBOLS = ("mass", "mu", "c eta sdot/s", "sF", "qdot(0)")


def share(beta: float, place: str) -> float:
    """The coefficient c of (3) for a rate that is taken at this place of its step."""
    return (1 + beta) / 2 + (PLACES[place] - 0.5) * (1 - beta)


@dataclass(frozen=True, eq=False)
class Steps:
    """A run of (1), or of (2) where ratio is False, from v_0 = eta v0, by steps of factor * eta."""

    theta: float = 0.0
    ratio: bool = True
    v0: np.ndarray | float = 0.0
    factor: float = 1.0


@dataclass(frozen=True, eq=False)
class Slowed:
    """(3) with its c and qdot(0)."""

    c: float
    qdot: np.ndarray

    @property
    def symbols(self) -> tuple:
        """Those that it has, None before them for the model itself."""
        return (None, *(name for name in SYMBOLS if self.c or name != "c eta sdot/s"))


@QUIET
def run(force, many: list[Steps], schedule, q0, sizes, beta: float) -> np.ndarray:
    """(1) where ratio, else (2): q at FINAL, (runs, d, starts, sizes)."""
    fan = Fan(q0, sizes, len(many))
    counts, size, q, end = steps_of(fan.eta), fan.eta, fan.q, np.empty_like(fan.q)
    factor, theta, ratio = (fan.each([getattr(s, x) for s in many]) for x in ("factor", "theta", "ratio"))
    v = size * fan.starts(np.stack([np.zeros_like(q0) + s.v0 for s in many], axis=1))
    before = schedule((theta - 1) * size)[0]
    for k in range(int(counts.max()) + 1):
        end[:, counts == k] = q[:, counts == k]
        s = schedule(np.minimum((k + theta) * size, FINAL + size))[0]  # lanes that are done go on
        v = beta * np.where(ratio, s / before, 1.0) * v - factor * size * s * force(q)  # (1), (2)
        q, before = q + v, s
    return fan.apart(end)


def solutions(force, many: list[tuple[Slowed, str | None]], schedule, q0, sizes, beta: float, by):
    """(3) for many (model, symbol that is NUDGE too large or None), by `reference` or `rough`; q is its first
    d rows."""
    fan, d = Fan(q0, sizes, len(many)), len(q0)
    mass, friction, extra, pull, start = (
        fan.each([1 + NUDGE if symbol == name else 1.0 for _, symbol in many]) for name in SYMBOLS
    )
    m, mu = mass * fan.eta * (1 + beta) / 2, friction * (1 - beta)
    c = extra * fan.each([of.c for of, _ in many])

    def rates(x):
        s, slope = schedule(x[-1])
        qdot = x[d:-1]
        pulled = (mu - c * fan.eta * slope) * qdot + pull * s * force(x[:d])
        return np.concatenate([qdot, -pulled / m, 1 + 0 * x[-1:]])

    qdot = start * fan.starts(np.stack([of.qdot for of, _ in many], axis=1))
    x0 = np.concatenate([fan.q, qdot, 0 * fan.eta[None]])
    return fan, by(rates, x0, (1 - beta) * 2 / (fan.eta * (1 + beta)), FINAL)


def difference(force, schedule, q0, beta: float) -> np.ndarray:
    """Y of the docstring, (d, starts), along X' = -s F/mu."""
    mu, d = 1 - beta, len(q0)

    def rates(x):
        s, slope = schedule(x[-1])
        q, y = np.split(x[:-1], 2)
        F, along = force(q), constants.along(force, q, y)
        return np.concatenate([-s * F / mu, -s * along / mu - slope * s * F / mu**2, 1 + 0 * x[-1:]])

    return constants.smooth(rates, np.concatenate([q0, 0 * q0, 0 * q0[:1]]), FINAL)[d:-1]


def schedule_orders(cell: Cell) -> list[Record]:
    """The records of O7 for rates that change, under (3) and (4)."""
    many = list(zip(cell.settings, SCHEDULES, strict=False))[: 1 if cell.quick else 2]
    return [r for (beta, k, _), name in many for r in scheduled(cell, beta, k, name)]


def claims_of(beta: float, F, w) -> list[Claim]:
    """F and w at the start, where s is 1."""
    first, middle, last = (Slowed(share(beta, place), -F / (1 + beta)) for place in PLACES)
    plain = replace(first, c=0.0)
    warm, still = replace(first, qdot=(2 * beta * w - F) / (1 + beta)), replace(first, qdot=0 * F)
    own, displaced, buffer = Steps(), Steps(ratio=False), "buffer of displacements"
    out = [
        Claim("buffer of gradients", own, first, 2),
        Claim("buffer of gradients, warm", Steps(v0=w), warm, 2),
        Claim(buffer, displaced, plain, 2),
        Claim("rates of the middle of the step", Steps(0.5), middle, 2),
        Claim("rates of the end of the step", Steps(1.0), last, 2),
        Claim("buffer of gradients, friction mu", own, plain, 1, faults.NO_SCHEDULE_FRICTION, right=first),
        Claim(f"{buffer}, friction of the other", displaced, first, 1, faults.OTHER_BUFFER, right=plain),
        Claim("qdot(0) = 0", own, still, 1, faults.SCHEDULE_START_ZERO),
        Claim("steps too long", Steps(factor=NEAR), first, None, faults.TOO_LONG),
    ]
    models = dict(zip(PLACES, (first, middle, last), strict=True))
    for (of, other), fault in faults.OTHER_PLACE.items():
        note = f"rates of the {of}, friction of the {other} of the step"
        out.append(Claim(note, Steps(PLACES[of]), models[other], 1, fault, right=models[of]))
    return out


def scheduled(cell: Cell, beta: float, k: float, name: str) -> list[Record]:
    (sizes, q0, w, _), schedule = at_start(cell), SCHEDULES[name]
    q0, w, g, d = q0[:, :STARTS], w[:, :STARTS, 0], gradient(cell.slowed), len(q0)
    force = lambda x: g(x, EPS) + k * x
    claims, out = claims_of(beta, force(q0), w), []
    ends = run(force, [c.run for c in claims], schedule, q0, sizes, beta)
    Y = constants.twice(lambda: difference(force, schedule, q0, beta))
    models = [(c.model, None) for c in claims]
    fan, (x, error) = solutions(force, models, schedule, q0, sizes, beta, reference)
    many = [(c.model, symbol) for c in claims if c.order == 2 for symbol in c.model.symbols]
    lanes, felt = solutions(force, many, schedule, q0, sizes, beta, rough)
    at = dict(zip(many, lanes.apart(felt[:d]), strict=True))
    for c, q, *of in zip(claims, ends, fan.apart(x[:d]), fan.apart(error), strict=True):
        constant = tuple((c.right.c - c.model.c) * y for y in Y) if c.right else None
        names = c.model.symbols[1:] if c.order == 2 else ()
        D = {symbol: (at[c.model, None] - at[c.model, symbol]) / NUDGE for symbol in names}
        out.append(replace(c, run=ended(q), model=Solution(*of), responses=D, constant=constant))
    how = dict(sequence="order limit constant fault", steps=int(steps_of(sizes).max()))
    at, about = f"schedule {name}, beta {beta:g}, ", {"beta": beta, "k": k / cell.unit}
    return judged(cell, out, at, about=about, **how)
