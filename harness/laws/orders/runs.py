"""Discrete runs over halved step sizes and the references of their models."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from noether.cases.case import Case
from noether.cases.rules import HEAVY_BALL, Rule
from noether.kernels.programs.numpy_step import step
from noether.kernels.programs.precision import Precision
from noether.laws.cell import LawCell
from noether.laws.orders import units
from noether.mechanics.collocation import march
from noether.mechanics.own_units import narrowed
from noether.mechanics.symbolic import gradient

FINAL = 2.0
EXPONENTS = {"quick": range(5, 11), "full": range(5, 12)}
WIDE = {("O1", ""), ("O2", ""), ("O3", ""), ("O5", "")}
"""Subjects (law, part) that a full run looks at on every core case and at smaller steps."""

SETTINGS = ((0.53, 0.34, 0.4), (0.31, 0.33, 0.36))
"""(beta, k, tau): in general position, so that no statement is another one at these numbers
(tests/test_orders_symbols.py)."""

STARTS = 3
CANDIDATES = 32
SHORT = 96
"""Operations of a gradient whose derivatives sympy takes in a moment: the third of softmax, with 193, takes
25 s (1.14)."""
U = 2.0**-53
FLOAT64 = Precision("float64")


@dataclass(frozen=True)
class Cell(LawCell):
    """One order law on one case; `rule` names the discrete update, `part` one of several subjects of a law;
    step sizes are 2^shift times as large as usual."""

    law: str
    case: Case
    rule: str
    profile: str
    seed: int
    part: str = ""
    shift: int = 0
    precision, backend = "float64", "numpy"

    @property
    def name(self) -> str:
        return "/".join(x for x in (self.law, self.case.name, self.rule, self.part) if x)

    @property
    def quick(self) -> bool:
        return self.profile == "quick"

    @property
    def unit(self) -> float:
        """What a step size, and a time, of this cell is a multiple of."""
        return unit(self)

    @property
    def slowed(self) -> Case:
        """The case whose loss is `unit` times as large: its runs are those of the case with step sizes times
        the unit."""
        return units.slowed(self.case, self.unit)

    @property
    def settings(self) -> tuple:
        """Both, where a quick run can afford it."""
        return SETTINGS[: 1 if self.quick and self.case.dim > 4 else 2]

    @property
    def fewer(self) -> tuple:
        """For what takes longest: one in a quick run."""
        return SETTINGS[: 1 if self.quick else 2]

    def drawn(self, starts: int) -> tuple[np.ndarray, np.ndarray]:
        """q_0 anywhere in the box and the fixed w of a warm start v_0 = eta w, (d, starts) each."""
        rng = self.random()
        w = rng.uniform(0.5, 1, (self.case.dim, starts)) * rng.choice([-1.0, 1.0], (self.case.dim, starts))
        w = w * narrowed(self.case, 1.0)[:, None]
        return self.case.draw(rng, starts), w

    def start(self, starts: int = STARTS) -> tuple[np.ndarray, np.ndarray]:
        """As `drawn`; of CANDIDATES those where |H g|, the second derivative of the flow, is largest.

        Every error here begins with it or with g: where it is small an order is decided by the next term.
        """
        q, w = self.drawn(max(CANDIDATES, starts))
        g = lambda x: gradient(units.slowed(self.case, units.unit(units.largest(self.case))))(x, units.EPS)
        with np.errstate(all="ignore"):
            step = 2.0**-10 * g(q)
            size = np.linalg.norm(g(q + step) - g(q - step), axis=0)
        best = np.argsort(-np.nan_to_num(size, nan=0.0, posinf=0.0), kind="stable")[:starts]
        q, w = q[:, best], w[:, best]
        return q, w * units.warmth(self.case, q, w)


@cache
def unit(cell: Cell) -> float:
    """Of its starts and of its box, the one that is less stiff (units.py), by 2^shift."""
    local = units.ROOM * units.curvature(cell.case, cell.start()[0])
    return 2.0**cell.shift * units.unit(min(units.largest(cell.case), local))


def step_sizes(cell: Cell) -> np.ndarray:
    """From 2^-5 on; gradient descent against flows has no layer to outlast, and its third order needs sizes
    above the rounding."""
    exponents = EXPONENTS["quick" if cell.quick or (cell.law, cell.part) not in WIDE else "full"]
    return 2.0 ** -np.arange(exponents[0] - (cell.law == "O1"), exponents[-1] + 1, dtype=float)


def steps_of(eta: np.ndarray, final: float = FINAL) -> np.ndarray:
    return np.rint(final / eta).astype(int)


def stepping(
    g, q: np.ndarray, v: np.ndarray, eta: np.ndarray, *, beta=0.0, k=0.0, rule: Rule = HEAVY_BALL, metric=None
):
    """(q_n, v_n), n = 0, 1, ...: kernels/programs/numpy_step.py in float64, with all parameters in one array
    (d, lanes).

    metric: G(q) of a rule that has one.
    """
    params = [np.broadcast_to(np.asarray(x, float), eta.shape) for x in (eta, beta, k, 0.0)]
    params += [np.zeros(eta.shape)] if rule.on_metric else []
    q, v, n = [q], [v], 0
    while True:
        yield q[0], v[0]
        known = list(rule.known_numbers(np.stack(params), 1, n)[0])
        n += 1
        here = [*params, *known, *([metric(q[0])] if rule.on_metric else [])]
        q, v = step(q, v, here, lambda at, eps: [g(at[0])], rule, FLOAT64)


class Fan:
    """Lanes (claims, starts, sizes) side by side: q (d, lanes) and eta (lanes,) of q0 (d, starts) and sizes
    (sizes,)."""

    def __init__(self, q0: np.ndarray, sizes: np.ndarray, claims: int):
        self.shape = (claims, q0.shape[1], len(sizes))
        self.q, self.eta = self.starts(q0[:, None]), np.broadcast_to(sizes, self.shape).reshape(-1)

    def starts(self, x) -> np.ndarray:
        """x (d, claims, starts), (d, 1, starts) -> (d, lanes)"""
        return np.broadcast_to(x[..., None], (len(x), *self.shape)).reshape(len(x), -1)

    def each(self, values) -> np.ndarray:
        """One number a claim -> (lanes,)"""
        return np.repeat(np.asarray(values, float), self.shape[1] * self.shape[2])

    def apart(self, y: np.ndarray) -> np.ndarray:
        """(..., lanes) -> (claims, ..., starts, sizes)"""
        return np.moveaxis(y.reshape(*y.shape[:-1], *self.shape), -3, 0)


QUIET = np.errstate(over="ignore", invalid="ignore", divide="ignore")
"""A lane that is done goes on, and may leave where its loss is tame; in one that is not, a NaN is an error
and no order."""


@QUIET
def updates(g, q, v, eta, counts, **how) -> list[np.ndarray]:
    """Each lane for its own count: q_n, v_n and v_{n+1}, (d, lanes) each. how: as `stepping`."""
    ends, before = [np.empty_like(q) for _ in range(3)], np.full(counts.shape, False)
    for n, (at, w) in enumerate(stepping(g, q, v, eta, **how)):
        ends[2][:, before] = w[:, before]
        before = counts == n
        if np.any(before):
            ends[0][:, before], ends[1][:, before] = at[:, before], w[:, before]
        if n > counts.max():
            return ends


def reference(rates, x0: np.ndarray, fastest: np.ndarray, final=FINAL) -> tuple[np.ndarray, np.ndarray]:
    """x(final) and its error (lanes,): the distance of orders 15 and 13, plus the rounding of the steps.

    fastest (lanes,): the rate of the initial layer, resolved by its own steps.  final: a number or (lanes,).
    """
    fine, error = solved(rates, x0, grid(fastest, final))
    return fine[-1], error[-1]


def grid(fastest: np.ndarray, final, steps: int = 16) -> np.ndarray:
    """Times (2 steps + 1, lanes) through the layer and on to `final`."""
    final = np.broadcast_to(final, fastest.shape)
    layer = np.minimum(30 / fastest, final / 2)
    return np.concatenate([np.linspace(0, layer, steps + 1), np.linspace(layer, final, steps + 1)[1:]])


def rough(rates, x0: np.ndarray, fastest: np.ndarray, final=FINAL) -> np.ndarray:
    """x(final) of order 5 on half the times: differences of two such, for a response that one part in ten
    suffices to know."""
    none = np.zeros((0, x0.shape[1]))
    return march(rates, lambda X: X[:0], x0, none, none, grid(fastest, final, 8), 3)[0][-1]


def solved(rates, x0: np.ndarray, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """x at `times` (n, lanes), and its error as in `reference`, (n, lanes)."""
    none = np.zeros((0, x0.shape[1]))
    fine, coarse = (march(rates, lambda X: X[:0], x0, none, none, times, s)[0] for s in (8, 7))
    size = np.linalg.norm(fine, axis=1)
    return fine, np.linalg.norm(fine - coarse, axis=1) + U * len(times) * size


def second_order(g, eta_m, mu, k=0.0):
    """m qddot + mu qdot + g + k q = 0 as rates of (q, qdot); m (lanes,)."""

    def rates(x):
        q, qdot = np.split(x, 2)
        return np.concatenate([qdot, -(mu * qdot + g(q) + k * q) / eta_m])

    return rates
