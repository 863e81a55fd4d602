"""Adagrad and RMSprop against their equation: O12 (theory.md section 5).

    Adagrad   s' = s + g^2,                         q' = q - eta g/(sqrt(s') + E)                          (1)
    RMSprop   s' = beta2 s + (1 - beta2) g^2,       q' = q - eta g/(sqrt(s') + E)                          (2)
Adagrad's s grows with the number of steps and not with their size: a step takes the time h = eta^2, and s is
S/h. RMSprop's is S, and h = eta. With a = 1, l = 0, e = eta E, and a = -ln(beta2)/eta, l = 1, e = E,
    qdot = -D g,   Sdot = a (g^2 - l S),   D = 1/(sqrt(S) + e)                                             (3)
from S_0, in the root of h
    from q_0 at t: 2;  with g + (h/2) H D g for g, from q_0 + (h/2) D g at t + h/2: 4                      (4)
from s_0 = 0 and E = 0, at t + h/2, with g + (h/2) H D g for g, where S(h/2) = a (h/2) g_0^2
    from q(h/2) = q_0 - sqrt(2 h/a) sign g_0, as from q_0 and S = 0 at time 0: 1                           (5)
    from q(h/2) = q_0 - (zeta(1/2) + sqrt 2) sqrt(h/a) sign g_0: 2                                         (6)

(4): S is a sum over steps, the integral of (3) by the midpoint rule at the middle of the next step. g is
taken at the start of the step, which is half a step earlier: g - (h/2) H qdot. (5), (6): while g hardly
moves, q moves by sqrt(h/a) sum k^(-1/2) = sqrt(h/a) (2 sqrt n + zeta(1/2) + ...), and (3) by the first of
these.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from noether.cases.rules.adagrad import ADAGRAD
from noether.cases.rules.rmsprop import RMSPROP
from noether.laws.law import NEAR
from noether.laws.orders import faults
from noether.laws.orders.claims import Claim
from noether.laws.orders.memories import STABLE, Starts, Walk, calm, walked, whole
from noether.laws.orders.parametric import Grid, Kind, Model, judge_models, shaped
from noether.laws.orders.runs import STARTS, Cell
from noether.laws.orders.units import EPS
from noether.mechanics.symbolic import gradient, hessian_product
from noether.verdicts.claims import beyond
from noether.verdicts.record import INCONCLUSIVE, Record

COUNTS = 2 * 4 ** np.arange(8)
"""How many steps each h takes: the root of h is halved. A full run leaves the last one out, a quick run
the last two."""
ZETA = -1.4603545088095868
"""zeta(1/2): the sum of k^(-1/2) to n, less 2 sqrt n, as n goes to infinity."""
WARM = 0.41
"""S_0, of a T times the square of the largest component of the gradient at the start."""
HORIZON = 0.72
"""RMSprop's 1 - beta2 times the number of steps."""
NONE = 2.0**-60
"""E from s = 0, of the largest component of the gradient: no parameter that the loss does not know is 0/0."""
STEEP = 1 / 16
FLAT = (
    f"a component of the gradient falls below {STEEP:g} of the largest: from s = 0 it has a layer of its own"
)


def kind(H, clock: Callable, final: Callable) -> Kind:
    """(3) in a clock u, of which the state keeps the count, with clock(u) = dt/du; g and the root of S in
    units of the largest component of the gradient at the start."""

    def rates(g, c):
        def slope(x):
            d = len(x) // 2
            q, S, pace = x[:d], x[d:-1], clock(x[-1])
            e, h, a, kept, unit = shaped(x, c.e, c.h, c.a, c.kept, c.unit)
            G, D = g(q) / unit, 1 / (np.sqrt(S) + e)
            bent = G + h / 2 * H(q, D * G) / unit
            return np.concatenate([-pace * D * bent, pace * a * (G * G - kept * S), 1 + 0 * pace[None]])

        return slope

    return Kind(lambda g, c, q0: np.concatenate([q0 + c.start, c.S0, c.begin[:1]]), rates, final)


class Place:
    """The whole time T, how many steps each h takes, and where models are solved.

    share  of the whole time of adaptive rules (memories.py), by about which q moves: RMSprop's T, and the
           root of Adagrad's
    """

    def __init__(self, cell: Cell, starts: Starts, share: float, more: int):
        g, H = gradient(cell.case), hessian_product(cell.case)
        self.summed, self.counts = cell.rule == ADAGRAD.name, COUNTS[: (6 if cell.quick else 7) + more]
        self.T = (share * whole(cell)) ** 2 if self.summed else share * whole(cell)
        self.h, self.unit = self.T / self.counts, starts.largest
        self.beta2 = 1 - HORIZON / self.counts
        self.a = 1.0 if self.summed else -np.log(self.beta2) / self.h
        self.grid = Grid(lambda q: g(q, EPS), starts.q, np.sqrt(self.h / self.T))
        self.bent = lambda q, w: H(q, EPS, w)
        self.g0 = self.grid.g(starts.q)[..., None] / self.unit

    def walk(self, factor: float, E: float, S0: float) -> Walk:
        """(1) or (2) by steps of factor * eta."""
        lr, start = (np.sqrt(self.h), S0 / self.h) if self.summed else (self.h, S0)
        parameters = dict(eta=factor * lr, stability=E * self.unit)
        if not self.summed:
            parameters["beta2"] = self.beta2
        rule = ADAGRAD if self.summed else RMSPROP
        return Walk(rule, parameters, self.counts, dict(s=start * self.unit**2))

    def fields(self, E: float) -> dict:
        """What all models share: (3) at t + h/2, with the gradient at the start of a step."""
        e = E * np.sqrt(self.h) if self.summed else E
        return dict(e=e, h=self.h, a=self.a, kept=1.0 - self.summed, unit=self.unit, t=self.T + self.h / 2)

    def judged(self, cell: Cell, claims: list[Claim], note: str) -> list[Record]:
        """The records of a table."""
        how = dict(small="sqrt(h/T)", eta=self.grid.sizes, counts=self.counts, about={"T": self.T})
        return judge_models(cell, self.grid, claims, note, **how)


def squares_orders(cell: Cell) -> list[Record]:
    """The records of O12; where one is not decided, with one step size more."""
    starts = calm(cell, whole(cell))
    if not starts.bends:
        return []
    found = measured(cell, starts, 0)
    if any(r.verdict == INCONCLUSIVE for r in found if not r.fault):
        return measured(cell, starts, 1)
    return found


def measured(cell: Cell, starts: Starts, more: int) -> list[Record]:
    at, near = (Place(cell, starts, share, more) for share in (1 / 4, 1 / 16))
    S0 = WARM * (at.T if at.summed else 1.0)
    walks = [at.walk(1.0, STABLE, S0), at.walk(NEAR, STABLE, S0), near.walk(1.0, NONE, 0.0)]
    run, long, first = walked(at.grid.g, walks, starts.q)
    out = warm(cell, at, S0, run, long)
    if starts.smallest <= STEEP:
        return [*out, beyond(cell, FLAT, backend="numpy", lanes=STARTS)]
    return out + cold(cell, near, first)


def warm(cell: Cell, at: Place, S0: float, run: np.ndarray, long: np.ndarray) -> list[Record]:
    """(4)."""
    fields = at.fields(STABLE)
    before = at.h / 2 * at.g0 / (S0**0.5 + fields["e"])
    right = Model(
        kind(at.bent, lambda u: 1 + 0 * u, lambda c: c.t[0]),
        fields | dict(S0=S0, begin=0.0, start=before),
        ("S0", "a", "h", "e", "start", "t"),
    )
    plain = right.changed(h=0.0, start=0.0, t=at.T)
    claims = [
        Claim("from q_0 at n h", run, plain, 2, faults.FOURTH_OF_SQUARES, under=4),
        Claim("at (n + 1/2) h, from half a step before", run, right, 4),
        Claim("g where the step begins", run, right.changed(h=0.0), 2, faults.NO_EULER, under=4),
        Claim("a off by 2 %", run, right.changed(a=1.02 * at.a), None, faults.OTHER_SQUARES),
        Claim("steps too long", long, right, None, faults.TOO_LONG),
    ]
    if at.summed:  # E is beside a root that grows
        claims.append(Claim("E = 0", run, right.changed(e=0.0), 1, faults.NO_STABILITY))
    return at.judged(cell, claims, "from S_0, ")


def cold(cell: Cell, at: Place, run: np.ndarray) -> list[Record]:
    """(5) and (6), in the logarithm of time, in which they are smooth."""
    toward = np.sqrt(at.h / at.a) * np.sign(at.g0)
    start = dict(begin=np.log(at.h / 2), S0=-np.expm1(-at.a * at.h / 2) * at.g0**2)
    if at.summed:
        start["S0"] = at.h / 2 * at.g0**2
    right = Model(
        kind(at.bent, np.exp, lambda c: np.log(c.t[0]) - c.begin[0]),
        at.fields(NONE) | start | dict(start=-(ZETA + 2**0.5) * toward),
        ("S0", "start", "t"),
    )
    claims = [
        Claim("from q_0", run, right.changed(start=-(2**0.5) * toward), 1, faults.NO_ZETA),
        Claim("from q_0 - zeta(1/2) sqrt(h/a) sign g_0", run, right, 2),
    ]
    return at.judged(cell, claims, "from s = 0, ")
