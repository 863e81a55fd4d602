"""Adam against its two limits: O10, O11 (theory.md section 5).

    m' = beta m + (1 - beta) g,   s' = beta2 s + (1 - beta2) g^2,
    q' = q - eta m^/(sqrt(s^) + E),   m^ = m'/(1 - beta^n),   s^ = s'/(1 - beta2^n)                        (1)
O10 (1 - beta)/eta and (1 - beta2)/eta stay: the memories span a time
    qdot = -m^/(sqrt(s^) + E),   mdot = a1 (g - m),   sdot = a2 (g^2 - s),   a = -ln(beta)/eta,
    m^ = m/(1 - e^{-a1 t}),   s^ = s/(1 - e^{-a2 t}),   m = s = 0 at t = 0                                 (2)
    from q_0 at n eta: 1, and there (1 - beta)/eta does for a
    from q_0 + (eta/2) g/(|g| + E) at (n + 1/2) eta: 2                                                     (3)
    AdamW, q' = (1 - eta k) q - ...: qdot = -(m^/(sqrt(s^) + E) + k q) (1 + eta k/2)                       (4)
O11 beta and beta2 stay: the memories span steps, and as eta goes to 0 no time at all
    qdot = w,   w = -g/(|g| + E): 1                                                                        (5)
    qdot = w + eta (H w) (b1 (|g| + E) - b2 |g| + E/2)/(|g| + E)^2,   b = beta/(1 - beta): 2               (6)

(3): a memory is a sum over steps, the integral of (2) by the midpoint rule at the middle of the next step,
and there q moves by the midpoint rule too. (4): q is taken at the start of the step, half a step earlier.
(6): m^ is g as it was b1 steps ago, and s^ its square of b2 steps ago. Without the corrections of bias (1) is
of order 0 against (2), and of order 1 against (6).
"""

from __future__ import annotations

import numpy as np

from noether.cases.rule import Rule
from noether.cases.rules.adam import ADAM
from noether.cases.rules.adamw import ADAMW
from noether.laws.law import NEAR
from noether.laws.orders import faults
from noether.laws.orders.claims import Claim
from noether.laws.orders.memories import COUNTS, LONG_AGO, STABLE, Walk, calm, walked, whole
from noether.laws.orders.parametric import Grid, Kind, Model, judge_models, shaped
from noether.laws.orders.runs import STARTS, Cell
from noether.laws.orders.units import EPS
from noether.mechanics.symbolic import gradient, hessian_product
from noether.verdicts.claims import beyond
from noether.verdicts.record import Record

HORIZONS = ((1.31, 0.72), (0.83, 1.9))
"""1 - beta and 1 - beta2 times the number of steps."""
DECAY = 0.34
"""k times the whole time."""
CHANGES = "on every flow a component of the gradient changes its sign, where g/(|g| + E) has a kink"
MEMORIES = ((0.37, 0.72), (0.29, 0.66))
"""beta, beta2 of a step."""


def pulled(g, E):
    """w of (6), less its sign."""
    return g / (np.abs(g) + E)


def start_of_memories(g, c, q0):
    """(3): q, m and s, and t = 0."""
    move = pulled((g(q0) + c.coupled * q0) / c.unit, c.E) + c.k * q0
    return np.concatenate([q0 + c.start * move, 0 * q0, 0 * q0, 0 * q0[:1]])


def rates_of_memories(g, c):
    """(2) and (4) as rates of (q, m, s, t), g and m in units of the largest component of the gradient at the
    start; early is eta/2 in (4), and g + coupled q the force of a decay that is coupled.

    While s is 0, before the first stage is known, m^ is g.
    """

    def rates(x):
        d = len(x) // 3
        q, m, s, t = x[:d], x[d : 2 * d], x[2 * d : -1], x[-1]
        a1, a2, E, power, unit = shaped(x, c.a1, c.a2, c.E, c.power, c.unit)
        k, early, coupled = shaped(x, c.k, c.early, c.coupled)
        G = (g(q) + coupled * q) / unit
        first, second = (-np.expm1(-a * t) for a in (a1, a2))
        first, second = (np.where(s > 0, y / w, z) for y, w, z in ((m, first, G), (s, second, G * G)))
        move = (first / (second**power + E) + k * q) * (1 + early * k)
        return np.concatenate([-move, a1 * (G - m), a2 * (G * G - s), 1 + 0 * t[None]])

    return rates


REMEMBERING = Kind(start_of_memories, rates_of_memories, lambda c: c.t[0])


def kind_without_memory(H) -> Kind:
    """(6), and (5) where eta is 0; H is the product with the Hessian."""

    def rates(g, c):
        def slope(q):
            eta, E, b1, b2, lead, unit = shaped(q, c.eta, c.E, c.b1, c.b2, c.w, c.unit)
            G = g(q) / unit
            w, size = -pulled(G, E), np.abs(G)
            return lead * w + eta * H(q, w) / unit * (b1 * (size + E) - b2 * size + E / 2) / (size + E) ** 2

        return slope

    return Kind(lambda g, c, q0: q0, rates, lambda c: c.t[0])


class Place:
    """What the two limits share: starts, stability, step sizes, each of which takes so many steps."""

    def __init__(self, cell: Cell, counts: np.ndarray):
        self.T = whole(cell)
        self.starts = calm(cell, self.T)
        self.q0, self.unit = self.starts.q, self.starts.largest
        g, H = gradient(cell.case), hessian_product(cell.case)
        self.g = lambda q: g(q, EPS)
        self.bent = lambda q, w: H(q, EPS, w)
        self.counts, self.share = counts, 1 / counts
        self.eta = self.T * self.share
        self.grid = Grid(self.g, self.q0, self.eta)
        self.fields = dict(E=STABLE, unit=self.unit, t=self.T)
        self.memory = dict(power=0.5, start=0.0, k=0.0, early=0.0, coupled=0.0)

    def walks(self, beta, beta2, rule: Rule | None = None, k: float = 0.0) -> list[np.ndarray]:
        """Where (1) ends: itself, with steps that are too long, and without the corrections of bias."""
        shared = dict(beta=beta, beta2=beta2, k=k, stability=STABLE * self.unit)
        lane = lambda factor, begun: Walk(
            rule or ADAM, shared | dict(eta=factor * self.eta), self.counts, begun=begun
        )
        return walked(self.g, [lane(1.0, 0), lane(NEAR, 0), lane(1.0, LONG_AGO)], self.q0)


def horizon_orders(cell: Cell) -> list[Record]:
    """The records of O10."""
    at, of = Place(cell, COUNTS), decayed if cell.rule == ADAMW.name else horizons
    if not at.starts.bends:
        return []  # (1) and (2) go straight
    return [r for c1, c2 in HORIZONS[: len(cell.fewer)] for r in of(cell, at, c1, c2)]


def horizons(cell: Cell, at: Place, c1: float, c2: float) -> list[Record]:
    beta, beta2 = (1 - c * at.share for c in (c1, c2))
    run, long, bare = at.walks(beta, beta2)
    a1, a2, half = -np.log(beta) / at.eta, -np.log(beta2) / at.eta, at.eta / 2
    right = Model(
        REMEMBERING,
        at.fields | at.memory | dict(a1=a1, a2=a2, start=half, t=at.T + half),
        ("a1", "a2", "E", "start", "t"),
    )
    plain = right.changed(a1=c1 / at.T, a2=c2 / at.T, start=0.0, t=at.T)
    flow = Model(kind_without_memory(at.bent), at.fields | dict(eta=0.0, b1=0.0, b2=0.0, w=1.0))
    claims = [
        Claim("from q_0 at n eta", run, plain, 1, faults.SECOND_OF_MEMORIES),
        Claim("at (n + 1/2) eta, from half a step before", run, right, 2, faults.THIRD_OF_MEMORIES, under=3),
        Claim("a = (1 - beta)/eta", run, right.changed(a1=c1 / at.T, a2=c2 / at.T), 1, faults.RATES),
        Claim("at (n + 1/2) eta, from q_0", run, right.changed(start=0.0), 1, faults.FROM_Q0),
        Claim("without the corrections of bias", bare, right, None, faults.NO_CORRECTION, under=1),
        Claim("without the root", run, right.changed(power=1.0), None, faults.NO_ROOT, under=1),
        Claim("a2 off by 2 %", run, right.changed(a2=1.02 * a2), None, faults.OTHER_MEMORY),
        Claim("the limit of memories of steps", run, flow, None, faults.NO_MEMORY, under=1),
        Claim("steps too long", long, right, None, faults.TOO_LONG),
    ]
    return finished(cell, at, claims, *told(c1, c2))


def decayed(cell: Cell, at: Place, c1: float, c2: float) -> list[Record]:
    """(4)."""
    beta, beta2, k = 1 - c1 * at.share, 1 - c2 * at.share, DECAY / at.T
    run, long, _ = at.walks(beta, beta2, ADAMW, k)
    a1, a2, half = -np.log(beta) / at.eta, -np.log(beta2) / at.eta, at.eta / 2
    right = Model(
        REMEMBERING,
        at.fields | at.memory | dict(a1=a1, a2=a2, k=k, start=half, early=half, t=at.T + half),
        ("a1", "a2", "E", "k", "start", "early", "t"),
    )
    plain = right.changed(start=0.0, early=0.0, t=at.T)
    claims = [
        Claim("from q_0 at n eta", run, plain, 1, faults.SECOND_OF_MEMORIES),
        Claim("at (n + 1/2) eta, from half a step before", run, right, 2),
        Claim("decay without eta k/2", run, right.changed(early=0.0), 1, faults.NO_EARLY_DECAY),
        Claim("decay coupled", run, right.changed(k=0.0, coupled=k), None, faults.DECAY_COUPLED, under=1),
        Claim("steps too long", long, right, None, faults.TOO_LONG),
    ]
    return finished(cell, at, claims, *told(c1, c2))


def told(c1: float, c2: float) -> tuple[str, dict]:
    """How records tell memories of a time."""
    note = f"1 - beta {c1:g} eta/T, 1 - beta2 {c2:g} eta/T, "
    return note, {"(1 - beta) T/eta": c1, "(1 - beta2) T/eta": c2}


def step_orders(cell: Cell) -> list[Record]:
    """The records of O11."""
    at = Place(cell, 2 * COUNTS)
    if at.starts.smallest <= 0:
        return [beyond(cell, CHANGES, backend="numpy", lanes=STARTS)]
    if not at.starts.bends:
        return []
    return [r for beta, beta2 in MEMORIES[: len(cell.fewer)] for r in of_steps(cell, at, beta, beta2)]


def of_steps(cell: Cell, at: Place, beta: float, beta2: float) -> list[Record]:
    run, long, bare = at.walks(beta, beta2)
    b1, b2 = beta / (1 - beta), beta2 / (1 - beta2)
    names = ("b1", "b2", "E", "w", "t")
    right = Model(kind_without_memory(at.bent), at.fields | dict(eta=at.eta, b1=b1, b2=b2, w=1.0), names)
    plain, second = right.changed(eta=0.0), right.changed(b2=b1)
    a1, a2 = (c / (4 * at.T) for c in HORIZONS[0])
    memory = Model(REMEMBERING, at.fields | at.memory | dict(a1=a1, a2=a2))
    claims = [
        Claim("no memory", run, plain, 1, faults.SECOND_OF_STEPS),
        Claim("memories of b1 and b2 steps", run, right, 2, faults.THIRD_OF_STEPS, under=3),
        Claim("s as young as m", run, second, 1, faults.EQUAL_MEMORIES),
        Claim("without the corrections of bias", bare, right.changed(), 1, faults.NO_CORRECTION),
        Claim("the limit of memories of a time", run, memory, None, faults.LONG_MEMORY, under=1),
        Claim("steps too long", long, right, None, faults.TOO_LONG),
    ]
    return finished(cell, at, claims, f"beta {beta:g}, beta2 {beta2:g}, ", {"beta": beta, "beta2": beta2})


def finished(cell: Cell, at: Place, claims: list[Claim], note: str, about: dict) -> list[Record]:
    about = about | {"T": at.T}
    return judge_models(
        cell, at.grid, claims, note, small="eta/T", eta=at.share, counts=at.counts, about=about
    )
