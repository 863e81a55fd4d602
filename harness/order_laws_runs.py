"""Discrete runs over halved step sizes, the references of their models, and the record of an order."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from cases.case import Case
from harness import orders
from harness.continuous_records import order_record
from harness.flow_collocation import march
from harness.verdicts import Record

FINAL = 2.0
EXPONENTS = {"quick": range(5, 11), "full": range(5, 12)}
U = 2.0**-53


@dataclass(frozen=True)
class Cell:
    """One order law on one case; `rule` names the discrete update."""

    law: str
    case: Case
    rule: str
    profile: str
    seed: int

    @property
    def name(self) -> str:
        return f"{self.law}/{self.case.name}/{self.rule}"

    @property
    def replay(self) -> str:
        return f"noether verify {self.case.name} --law {self.law} --profile {'quick' if self.profile == 'glance' else self.profile} --seed {self.seed}"

    def start(self, starts: int = 1) -> tuple[np.ndarray, np.ndarray]:
        """q_0 and the fixed w of a warm start v_0 = eta w, (d, starts) each."""
        rng = np.random.default_rng(
            int.from_bytes(hashlib.sha256(f"{self.seed}/{self.name}".encode()).digest()[:8], "big")
        )
        w = rng.uniform(0.5, 1, (self.case.dim, starts)) * rng.choice([-1.0, 1.0], (self.case.dim, starts))
        return self.case.draw(rng, starts), w


def step_sizes(cell: Cell) -> np.ndarray:
    return 2.0 ** -np.array(EXPONENTS["quick" if cell.profile == "quick" else "full"], dtype=float)


def updates(
    g, q: np.ndarray, v: np.ndarray, eta: np.ndarray, counts: np.ndarray, *, beta: float = 0.0, k: float = 0.0
):
    """(1), each lane for its own count: q_n, v_n and v_{n+1}, (d, lanes) each."""
    ends = [np.empty_like(q) for _ in range(3)]
    for n in range(int(counts.max()) + 1):
        ahead = beta * v - eta * (g(q) + k * q)
        done = counts == n
        if np.any(done):
            for end, value in zip(ends, (q, v, ahead), strict=True):
                end[:, done] = value[:, done]
        v = ahead
        q = q + v
    return ends


def reference(rates, x0: np.ndarray, fastest: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """x(FINAL) and its error (lanes,): the distance of orders 15 and 13, plus the rounding of the steps.

    fastest (lanes,): the rate of the initial layer, resolved by its own steps.
    """
    layer = np.minimum(30 / fastest, FINAL / 2)
    times = np.concatenate([np.linspace(0, layer, 17), np.linspace(layer, FINAL, 17)[1:]])
    nothing, none = np.zeros((0, x0.shape[1])), np.zeros((0, x0.shape[1]))
    fine, coarse = (march(rates, lambda X: X[:0], x0, nothing, none, times, s)[0][-1] for s in (8, 7))
    return fine, np.linalg.norm(fine - coarse, axis=0) + U * len(times) * np.linalg.norm(fine, axis=0)


def judge(
    cell: Cell,
    error: np.ndarray,
    reference_error: np.ndarray,
    size: np.ndarray,
    stated: int,
    note: str,
    *,
    control=None,
    symmetry=None,
    steps=0,
) -> Record:
    """noise = reference error + rounding floor u n |q|: n steps each round q once."""
    eta = step_sizes(cell)
    order = orders.decide(error, reference_error + U * FINAL / eta * size)
    data = {"x": [float(x) for x in eta], "y": [float(abs(x)) for x in error], "label": note}
    about = {"eta": [float(eta[0]), float(eta[-1])], "t": FINAL, "statement": note, "p": list(order.orders)}
    return order_record(
        cell, symmetry, order, stated, about, data, control=control, steps=steps, backend="numpy", note=note
    )


def second_order(g, eta_m, mu, k):
    """m qddot + mu qdot + g + k q = 0 as rates of (q, qdot); m (lanes,)."""

    def rates(x):
        q, qdot = np.split(x, 2)
        return np.concatenate([qdot, -(mu * qdot + g(q) + k * q) / eta_m])

    return rates
