"""Adam as its stability grows: O15 (theory.md section 5).

    q' = q - eta E m^/(sqrt(s^) + E)                               Adam with step size eta E               (1)
    q' = q - eta m^                                                heavy ball, its bias corrected          (2)
    q' = q - eta m^ (1 - sqrt(s^)/E)                               one term further                        (3)
(1) is of order 1 in 1/E against (2), and of order 2 against (3); against (3) without the correction of its
bias it is of order 0. With E inside the root, E m^/sqrt(s^ + E^2), it is (2) up to E^-2, so of order 1
against (3).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from noether.cases.rules.adam import ADAM
from noether.laws.law import NEAR
from noether.laws.orders import faults
from noether.laws.orders.claims import Claim, Solution, ended, judged
from noether.laws.orders.memories import Walk, walked
from noether.laws.orders.runs import Cell, U
from noether.laws.orders.units import EPS
from noether.mechanics.symbolic import gradient
from noether.verdicts.record import Record

STEPS, ETA = 64, 2.0**-5
SHARE = 2.0 ** -np.arange(3.0, 10.0)
"""The largest component of the gradient at the start, over E."""
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
        return 1.0 if self.terms == 1 else 1 - root / E

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
    E = np.abs(g(q0)).max(axis=0)[:, None] / SHARE
    counts = np.full(len(SHARE), STEPS)
    at = lambda factor: Walk(ADAM, dict(eta=factor * ETA * E, beta=beta, beta2=beta2, stability=E), counts)
    adam, long = map(ended, walked(g, [at(1.0), at(NEAR)], q0))
    end = lambda **how: Sums(**how).end(g, q0, beta, beta2, E)
    known = lambda q: Solution(q, STEPS * U * np.linalg.norm(q, axis=0))
    heavy, further, bare, inside = end(), end(terms=2), end(terms=2, corrected=False), ended(end(inside=True))
    claims = [
        Claim("heavy ball", adam, known(heavy), 1, faults.SECOND_OF_CROSSOVER),
        Claim("one term further", adam, known(further), 2, responses={"sqrt(s)/E": heavy - further}),
        Claim("one term further, bias not corrected", adam, known(bare), None, faults.NO_CORRECTION),
        Claim("E inside the root", inside, known(further), None, faults.INSIDE),
        Claim("steps too long", long, known(further), None, faults.TOO_LONG),
    ]
    note, about = f"beta {beta:g}, beta2 {beta2:g}, ", {"beta": beta, "beta2": beta2}
    how = dict(eta=SHARE, small="max|g|/E", rounded=STEPS, steps=STEPS, about=about)
    return judged(cell, claims, note, sequence="order limit fault constant", graded=True, **how)
