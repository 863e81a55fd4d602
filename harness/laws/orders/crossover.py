"""Adam as its stability grows: O15 (theory.md section 5).

    q' = q - eta E m^/(sqrt(s^) + E)                               Adam with step size eta E               (1)
    q' = q - eta m^                                                heavy ball, its bias corrected          (2)
    q' = q - eta m^ (1 - sqrt(s^)/E)                               one term further                        (3)
(1) is of order 1 in 1/E against (2), and of order 2 against (3); against (3) without the correction of its
bias it is of order 0. With E inside the root, E m^/sqrt(s^ + E^2), it is (2) up to E^-2, so of order 1
against (3).

E is large against sqrt(s^) all along a run: it is measured in the largest component of the gradient on (2).
Where a loss falls faster and faster, the ends are no series in 1/E even so: a step that is a little shorter
ends elsewhere. That is told without a run of (1). By construction (3) is of order 1 against (2), and with
the term s^/E^2 of order 2 against (3): where these are not seen, E is not large.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from noether.cases.rules.adam import ADAM
from noether.laws.law import NEAR
from noether.laws.orders import faults
from noether.laws.orders.claims import Claim, Solution, ended, judged
from noether.laws.orders.memories import Walk, walked
from noether.laws.orders.power import norm
from noether.laws.orders.runs import QUIET, Cell, U
from noether.laws.orders.units import EPS
from noether.mechanics.symbolic import gradient
from noether.verdicts.claims import beyond, verdict_of
from noether.verdicts.orders import decide
from noether.verdicts.record import HOLDS, Record

STEPS, ETA = 64, 2.0**-5
SHARE = 2.0 ** -np.arange(3.0, 10.0)
"""The largest component of the gradient on (2), over E."""
MEMORIES = ((0.53, 0.81), (0.37, 0.72))
"""beta, beta2."""


@dataclass(frozen=True)
class Sums:
    """(2), (3) and their near misses: how many terms of 1/(1 + sqrt(s^)/E), whether bias is corrected, and
    whether E is inside the root."""

    terms: int = 1
    corrected: bool = True
    inside: bool = False

    def factor(self, root, E):
        """What E m^ is multiplied with, for the root of s^."""
        if self.inside:
            return E / np.sqrt(root * root + E * E)
        return sum((-root / E) ** n for n in range(self.terms))

    @QUIET
    def end(self, g, q0: np.ndarray, beta: float, beta2: float, E: np.ndarray) -> np.ndarray:
        """q after STEPS, (d, starts, sizes)."""
        q = np.broadcast_to(q0[..., None], (*q0.shape, E.shape[-1]))
        m = s = 0 * q
        for n in range(1, STEPS + 1):
            G = g(q)
            m, s = beta * m + (1 - beta) * G, beta2 * s + (1 - beta2) * G * G
            one, two = (1 - beta**n, 1 - beta2**n) if self.corrected else (1.0, 1.0)
            q = q - ETA * m / one * self.factor(np.sqrt(s / two), E)
        return q


def crossover_orders(cell: Cell) -> list[Record]:
    """The records of O15."""
    return [r for beta, beta2 in MEMORIES[: len(cell.fewer)] for r in crossover(cell, beta, beta2)]


def crossover(cell: Cell, beta: float, beta2: float) -> list[Record]:
    (q0, _), of = cell.start(), gradient(cell.slowed)
    g = lambda x: of(x, EPS)
    steepest = steepest_on(g, q0, beta, beta2)
    if not np.all(steepest > 0):
        return []
    E = steepest[:, None] / SHARE
    counts = np.full(len(SHARE), STEPS)
    at = lambda factor: Walk(ADAM, dict(eta=factor * ETA * E, beta=beta, beta2=beta2, stability=E), counts)
    end = lambda **how: Sums(**how).end(g, q0, beta, beta2, E)
    heavy, further, bare, inside = end(), end(terms=2), end(terms=2, corrected=False), ended(end(inside=True))
    known = lambda q: Solution(q, STEPS * U * np.linalg.norm(q, axis=0))
    note, about = f"beta {beta:g}, beta2 {beta2:g}, ", {"beta": beta, "beta2": beta2}
    if told := no_series([heavy, further, end(terms=3)]):
        return [beyond(cell, note + told, backend="numpy", parameters=about)]
    adam, long = map(ended, walked(g, [at(1.0), at(NEAR)], q0))
    claims = [
        Claim("heavy ball", adam, known(heavy), 1, faults.SECOND_OF_CROSSOVER),
        Claim("one term further", adam, known(further), 2, responses={"sqrt(s)/E": heavy - further}),
        Claim("one term further, bias not corrected", adam, known(bare), None, faults.NO_CORRECTION),
        Claim("E inside the root", inside, known(further), None, faults.INSIDE),
        Claim("steps too long", long, known(further), None, faults.TOO_LONG),
    ]
    how = dict(eta=SHARE, small="max|g|/E", rounded=STEPS, steps=STEPS, about=about)
    return judged(cell, claims, note, sequence="order limit fault constant", graded=True, **how)


def steepest_on(g, q0: np.ndarray, beta: float, beta2: float) -> np.ndarray:
    """The largest component of the gradient on all steps of (2), (starts,). Raises FloatingPointError where
    they come to what is no number."""
    seen = [np.zeros((q0.shape[1], 1))]

    def looked(q):
        G = g(q)
        seen.append(np.abs(G).max(axis=0))
        return G

    end = Sums().end(looked, q0, beta, beta2, np.ones((q0.shape[1], 1)))
    if not all(np.isfinite(x).all() for x in (end, *seen)):
        raise FloatingPointError("heavy ball itself comes to what is no number")
    return np.max(seen, axis=0)[:, 0]


def no_series(ends: list[np.ndarray]) -> str:
    """Why the ends of (2), (3) and of one term more are no series in 1/E, "" where they are, or where their
    distances are lost in rounding, as those of the claims are."""
    for order, (fewer, more) in enumerate(pairwise(ends), start=1):
        error = norm(fewer - more)
        found = decide(error, STEPS * U * (norm(fewer) + norm(more)))
        rounding = np.all(np.isfinite(error)) and not found.orders
        if not rounding and verdict_of(found, order) != HOLDS:
            return f"E is not large: its term of order {order} is not seen as one ({found.reason})"
    return ""
