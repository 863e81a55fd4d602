"""The Bregman Lagrangian as a model of mirror descent, and mirror descent on the simplex: O8 (theory.md section 5).

    mu = 1, m = eta/2:    d/dt grad h(q + m qdot) = -g                                                     (1)

is of order 2 for mirror descent and 1 for every other update on the metric hess h. It keeps <grad h(q + m qdot), n>
exactly for a translation n of the loss; with another friction it does not, and grad h(q) without m qdot is not kept either.

    exponentiated gradient   q' = q e^{-eta g} / Z, Z = sum q e^{-eta g}                                   (2)

moves log q by -eta g up to a multiple of 1, which no q can see: with y = qdot/q, <q, y> = 0,
    (eta/2) ydot + y + g = lambda 1,   lambda = <q, g> - (eta/2) <q, y^2>,   y(0) = <q, g> - g             (3)

order 2; with lambda = <q, g> the model leaves the simplex and is of order 1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from cases.case import BREGMAN, Metric
from harness.order_laws.claims import OFF
from harness.order_laws.descent import EPS
from harness.order_laws.runs import (
    FINAL,
    QUIET,
    Cell,
    U,
    bounded,
    judge,
    judged_claims,
    reference,
    solved,
    step_sizes,
    steps_of,
)
from harness.symbolic import gradient
from harness.symbolic_metric import Curved, curved
from harness.verdicts import Record

KAPPA = 1.0
MASSES = 2.0 ** -np.arange(1.0, 6.0)


def bregman_rates(metric: Curved, g: Callable, m, mu=1.0):
    """(5) as rates of (q, qdot): with Q = q + m qdot, G(Q) Qdot = (1-mu)/m (grad h(Q) - grad h(q)) - g (theory.md#T2)."""

    def rates(x):
        q, w = np.split(x, 2)
        Q = q + m * w
        left = (1 - mu) / m * (metric.mirror(Q, KAPPA) - metric.mirror(q, KAPPA)) if mu != 1 else 0.0
        return np.concatenate([w, ((left - g(q)) / metric.entries(Q, KAPPA) - w) / m])

    return rates


def bregman_pairs(cell: Cell, metric: Curved, g: Callable, q0: np.ndarray, ends: dict[str, np.ndarray]) -> list[Record]:
    """(1) against the end of every update."""
    eta, out = step_sizes(cell), []
    start = np.concatenate([q0, -g(q0) / metric.entries(q0, KAPPA)])
    x, error = reference(bregman_rates(metric, g, eta / 2), np.repeat(start, len(eta), axis=1), 2 / eta)
    for update, q in ends.items():
        e, size = np.linalg.norm(q - x[: len(q0)], axis=0), np.linalg.norm(q, axis=0)
        note, stated = f"{update} against the Bregman Lagrangian", 2 if update == "mirror descent" else 1
        facts = dict(steps=int(steps_of(eta).max()))
        out.append(judge(cell, e, error, size, stated, note, **facts))
        if stated == 1:
            out.append(judge(cell, e, error, size, 2, note, control=f"Bregman Lagrangian for {update}", **facts))
    return out


def exponential(q, xp):
    """h = sum e^q: a mirror map on all of R, for a loss with a translation."""
    return sum(xp.exp(x) for x in q)


def conserved(cell: Cell) -> list[Record]:
    """(1) in q and qdot, in which no linear combination of the state is what is kept; the loss is the symmetric one."""
    case = replace(cell.case, metric=Metric(BREGMAN, potential=exponential))
    metric, g, m = curved(case), (lambda x: gradient(case)(x, 0.0)), MASSES
    (q0, w), d = cell.start(), case.dim
    times = np.linspace(0, FINAL, 33)[:, None] * np.ones_like(m)
    symmetry = next(s for s in case.symmetries if s.is_translation)
    n, out = symmetry.shift[:, None], []
    for mu, readings in ((1.0, {1.0: None, 0.0: "grad h without m qdot"}), (1 - 2.0**-10, {1.0: "friction off by 2^-10"})):
        x, error = solved(bregman_rates(metric, g, m, mu), np.repeat(np.concatenate([q0, w]), len(m), axis=1), times)
        motion = np.sum(np.abs(np.diff(metric.mirror(x[:, :d].swapaxes(0, 1), KAPPA), axis=1)), axis=(0, 1))
        for share, control in readings.items():
            Q = x[:, :d].swapaxes(0, 1) + share * m * x[:, d:].swapaxes(0, 1)
            terms = n[:, None] * metric.mirror(Q, KAPPA)
            charge = np.sum(terms, axis=0)
            # grad h(Q) moves by G per unit of Q; each of its d terms is an exponential, wrong by 3 u of itself.
            slope = np.linalg.norm(np.abs(n[:, None]) * metric.entries(Q, KAPPA), axis=0)
            bound = (1 + m) * (slope * error + slope[0] * error[0]) + (d + 4) * U * np.sum(np.abs(terms), axis=0)
            note = f"<grad h(q + m qdot), n>, mu = {mu:g}" if share else "<grad h(q), n>"
            facts = dict(symmetry=symmetry.name, control=control, steps=len(times) - 1, about={"m": [float(x) for x in m]})
            out.append(bounded(cell, charge[1:], charge[0], bound[1:], motion, note, **facts))
    return out


@QUIET
def reweighted(g, q: np.ndarray, eta: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """(2), each lane for its own count."""
    end = np.empty_like(q)
    for k in range(int(counts.max()) + 1):
        end[:, counts == k] = q[:, counts == k]
        q = q * np.exp(-eta * g(q))
        q = q / np.sum(q, axis=0)
    return end


def simplex(cell: Cell) -> list[Record]:
    """(2) against (3), from the start on the simplex above cell's."""
    eta, (q0, _) = step_sizes(cell), cell.start()
    g, q0, d = (lambda x: gradient(cell.case)(x, EPS)), q0 / np.sum(q0), len(q0)
    claims = [  # note, factor of eta, whether lambda is whole, y(0), stated, control
        ("exponentiated gradient", 1.0, 1.0, 1.0, 2, None),
        ("exponentiated gradient, lambda = <q, g>", 1.0, 0.0, 1.0, 1, "multiplier without its kinetic term"),
        ("exponentiated gradient, y(0) = 0", 1.0, 1.0, 0.0, 1, "start velocity 0"),
        ("exponentiated gradient, steps too long", OFF, 1.0, 1.0, None, "eta x (1 + 2^-10)"),
    ]
    n, each = len(eta), lambda i: np.repeat([float(c[i]) for c in claims], len(eta))
    every, counts, q = np.tile(eta, len(claims)), np.tile(steps_of(eta), len(claims)), np.repeat(q0, n * len(claims), axis=1)
    start = np.concatenate([q, each(3) * (np.sum(q * g(q), axis=0) - g(q))])
    end = reweighted(g, q, each(1) * every, counts)
    whole = each(2)

    def rates(x):
        q, y = np.split(x, 2)
        force = g(q)
        multiplier = np.sum(q * force, axis=0) - whole * every / 2 * np.sum(q * y * y, axis=0)
        return np.concatenate([q * y, (multiplier - y - force) * 2 / every])  # (3)

    x, error = reference(rates, start, 2 / every)
    e, size = np.linalg.norm(end - x[:d], axis=0), np.linalg.norm(end, axis=0)
    return judged_claims(cell, claims, e, error, size, steps=int(counts.max()))
