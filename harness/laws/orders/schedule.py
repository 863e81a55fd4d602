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

from dataclasses import dataclass

import numpy as np

from noether.laws.orders import constants
from noether.laws.orders.claims import NUDGE, OFF
from noether.laws.orders.options import at_start
from noether.laws.orders.records import judge
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


PLACES = {"start": 0.0, "middle": 0.5, "end": 1.0}
SYMBOLS = ("mass", "mu", "c eta sdot/s", "sF", "qdot(0)")


def share(beta: float, place: str) -> float:
    """c of (3)"""
    return (1 + beta) / 2 + (PLACES[place] - 0.5) * (1 - beta)


@dataclass(frozen=True, eq=False)
class Scheduled:
    """One comparison: a run of (1) or (2), and a model with c of (3); right: the c of order 2 of this run."""

    note: str
    ratio: bool
    c: float
    qdot: np.ndarray
    stated: int | None
    fault: str | None = None
    right: float | None = None
    factor: float = 1.0
    v0: np.ndarray | float = 0.0
    theta: float = 0.0


@QUIET
def run(force, claims: list[Scheduled], schedule, q0, sizes, beta: float) -> np.ndarray:
    """(1) where ratio, else (2): q at FINAL, (claims, d, starts, sizes)."""
    fan = Fan(q0, sizes, len(claims))
    counts, size, q, end = steps_of(fan.eta), fan.eta, fan.q, np.empty_like(fan.q)
    ratio, factor, theta = (
        fan.each([float(getattr(c, name)) for c in claims]) for name in ("ratio", "factor", "theta")
    )
    v = size * fan.starts(np.stack([np.zeros_like(q0) + c.v0 for c in claims], axis=1))
    before = schedule((theta - 1) * size)[0]
    for k in range(int(counts.max()) + 1):
        end[:, counts == k] = q[:, counts == k]
        s = schedule(np.minimum((k + theta) * size, FINAL + size))[0]  # lanes that are done go on
        v = beta * np.where(ratio, s / before, 1.0) * v - factor * size * s * force(q)  # (1), (2)
        q, before = q + v, s
    return fan.apart(end)


def solutions(force, many: list, schedule, q0, sizes, beta: float, by):
    """(3) for many (claim, symbol that is NUDGE too large or None), by `reference` or `rough`; q is its first
    d rows."""
    fan, d = Fan(q0, sizes, len(many)), len(q0)
    mass, mu, extra, pull, start = (
        fan.each([1 + NUDGE if symbol == name else 1.0 for _, symbol in many]) for name in SYMBOLS
    )
    m, mu, c = (
        mass * fan.eta * (1 + beta) / 2,
        mu * (1 - beta),
        extra * fan.each([claim.c for claim, _ in many]),
    )

    def rates(x):
        s, slope = schedule(x[-1])
        qdot = x[d:-1]
        return np.concatenate(
            [qdot, -((mu - c * fan.eta * slope) * qdot + pull * s * force(x[:d])) / m, 1 + 0 * x[-1:]]
        )

    qdot = start * fan.starts(np.stack([claim.qdot for claim, _ in many], axis=1))
    return fan, by(
        rates,
        np.concatenate([fan.q, qdot, 0 * fan.eta[None]]),
        (1 - beta) * 2 / (fan.eta * (1 + beta)),
        FINAL,
    )


def difference(force, schedule, q0, beta: float) -> np.ndarray:
    """Y of the docstring, (d, starts), along X' = -s F/mu."""
    mu, d = 1 - beta, len(q0)

    def rates(x):
        s, slope = schedule(x[-1])
        q, y = np.split(x[:-1], 2)
        F = force(q)
        return np.concatenate(
            [-s * F / mu, -s * constants.along(force, q, y) / mu - slope * s * F / mu**2, 1 + 0 * x[-1:]]
        )

    return constants.smooth(rates, np.concatenate([q0, 0 * q0, 0 * q0[:1]]), FINAL)[d:-1]


def schedule_orders(cell: Cell) -> list[Record]:
    """O7 (3), (4)"""
    many = list(zip(cell.settings, list(SCHEDULES.items()), strict=False))
    return [
        r
        for (beta, k, _), named in (many[:1] if cell.quick else many)
        for r in scheduled(cell, beta, k, *named)
    ]


def claims_of(beta: float, F, w, name: str) -> list[Scheduled]:
    cold, warm, at = (
        -F / (1 + beta),
        (2 * beta * w - F) / (1 + beta),
        f"schedule {name}, beta {beta:g}, ",
    )  # s(0) = 1 in all
    first, middle, last = (share(beta, place) for place in PLACES)
    out = [
        Scheduled(at + "buffer of gradients", True, first, cold, 2),
        Scheduled(at + "buffer of gradients, warm", True, first, warm, 2, v0=w),
        Scheduled(at + "buffer of displacements", False, 0.0, cold, 2),
        Scheduled(at + "rates of the middle of the step", True, middle, cold, 2, theta=0.5),
        Scheduled(at + "rates of the end of the step", True, last, cold, 2, theta=1.0),
        Scheduled(
            at + "buffer of gradients, friction mu",
            True,
            0.0,
            cold,
            1,
            "schedule without its friction",
            first,
        ),
        Scheduled(
            at + "buffer of displacements, friction of the other",
            False,
            first,
            cold,
            1,
            "friction of another buffer",
            0.0,
        ),
        Scheduled(at + "qdot(0) = 0", True, first, 0 * F, 1, "schedule from start velocity 0"),
        Scheduled(at + "steps too long", True, first, cold, None, "eta x (1 + 2^-10)", factor=OFF),
    ]
    for own in PLACES:
        for other in PLACES:
            if own != other:
                note = at + f"rates of the {own}, friction of the {other} of the step"
                out.append(
                    Scheduled(
                        note,
                        True,
                        share(beta, other),
                        cold,
                        1,
                        f"friction of the {other} for the {own} of a step",
                        share(beta, own),
                        theta=PLACES[own],
                    )
                )
    return out


def scheduled(cell: Cell, beta: float, k: float, name: str, schedule) -> list[Record]:
    sizes, q0, w, _ = at_start(cell)
    q0, w, g = q0[:, :STARTS], w[:, :STARTS, 0], gradient(cell.slowed)
    force = lambda x: g(x, EPS) + k * x
    claims, out, d = claims_of(beta, force(q0), w, name), [], len(q0)
    end, Y = (
        run(force, claims, schedule, q0, sizes, beta),
        constants.twice(lambda: difference(force, schedule, q0, beta)),
    )
    fan, (x, error) = solutions(force, [(c, None) for c in claims], schedule, q0, sizes, beta, reference)
    x, error = fan.apart(x[:d]), fan.apart(error)
    many = [
        (c, symbol)
        for c in claims
        if c.stated == 2
        for symbol in (None, *SYMBOLS)
        if c.c or symbol != "c eta sdot/s"
    ]
    fan, felt = solutions(force, many, schedule, q0, sizes, beta, rough)
    at = dict(zip(((c.note, symbol) for c, symbol in many), fan.apart(felt[:d]), strict=True))
    facts = dict(steps=int(steps_of(sizes).max()), about={"beta": beta, "k": k / cell.unit})
    for c, q, model, wrong in zip(claims, end, x, error, strict=True):
        off, size = q - model, np.linalg.norm(q, axis=0)
        if c.stated:
            out.append(judge(cell, off, wrong, size, c.stated, c.note, **facts))
        if c.stated == 2:
            D = {
                symbol: (at[c.note, None] - y) / NUDGE
                for (note, symbol), y in at.items()
                if note == c.note and symbol
            }
            out.append(constants.vanishing(cell, off, wrong, size, 1, D, c.note, **facts))
        if c.right is not None:
            out += constants.judged(
                cell, off, wrong, size, 1, tuple((c.right - c.c) * y for y in Y), c.note, **facts
            )
        if c.fault:
            out.append(judge(cell, off, wrong, size, 2, c.note, fault=c.fault, **facts))
    return out
