"""Updates and models on a curved metric, every pair of them: O8 (theory.md section 5).

    mirror descent       grad h(q') = grad h(q) - eta g        (eta/2) d/dt(G qdot) + G qdot + g = 0       (1)
    natural gradient     q' = q - eta G^{-1} g                 (eta/2) qddot + qdot + G^{-1} g = 0         (2)
    geodesic step        q' = exp_q(-eta G^{-1} g)             (eta/2) D qdot/dt + qdot + G^{-1} g = 0     (3)

(3)'s model is Euler-Lagrange of T = (eta/4) <qdot, G qdot>, mu = 1. All are
    qddot = -(qdot + G^{-1} g)/m - G^{-1} (a Gdot qdot - b dT),   Gdot = (qdot.d) G,  dT_i = <qdot, d_i G qdot>/2,   (4)
(a, b) = (1, 0), (0, 0), (1, 1), m = eta/2, from qdot(0) = -G^{-1} g: a pair is of order 2, a crossed one of order 1.
A metric is diagonal throughout, given by its d entries; the Bregman Lagrangian is in bregman.py, heavy ball in curved_momentum.py.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from cases.case import BREGMAN
from harness.order_laws.bregman import KAPPA, bregman_pairs
from harness.order_laws.claims import OFF
from harness.order_laws.descent import EPS
from harness.order_laws.runs import FLOAT64, QUIET, Cell, judge, reference, step_sizes, steps_of
from harness.symbolic import gradient
from harness.symbolic_metric import Curved, curved
from harness.verdicts import Record
from kernels.rules import NATURAL_GRADIENT
from kernels.step import step

NEWTON = 3  # from natural gradient's guess, wrong by eta^2, errors square: eta^16 is 2^-80 for the largest eta


def mirror_step(metric: Curved, q, eta, g):
    """(1), solved for q' by Newton; the derivative of grad h is G."""
    target, moved = metric.mirror(q, KAPPA) - eta * g, natural_step(metric, q, eta, g)
    for _ in range(NEWTON):
        moved = moved - (metric.mirror(moved, KAPPA) - target) / metric.entries(moved, KAPPA)
    return moved


def natural_step(metric: Curved, q, eta, g):
    """(2), that of kernels/step.py."""
    return step([q], [0 * q], [eta, 0.0, 0.0, 0.0, metric.entries(q, KAPPA)], lambda at, eps: [g], NATURAL_GRADIENT, FLOAT64)[0][0]


def geodesic_step(metric: Curved, q, eta, g):
    """(3): the geodesic over unit time by one Runge-Kutta step of order 4: eta^5 a step, two orders below what is measured."""

    w = -eta * g / metric.entries(q, KAPPA)
    a = metric.geodesic(q, w, KAPPA)
    b = metric.geodesic(q + w / 2, w + a / 2, KAPPA)
    c = metric.geodesic(q + w / 2 + a / 4, w + b / 2, KAPPA)
    return q + w + (a + b + c) / 6  # the fourth slope moves w alone


UPDATES: dict[str, tuple[Callable, tuple[float, float]]] = {
    "mirror descent": (mirror_step, (1.0, 0.0)),
    "natural gradient": (natural_step, (0.0, 0.0)),
    "geodesic step": (geodesic_step, (1.0, 1.0)),
}
"""The step, and (a, b) of its model."""


def updates_of(case) -> dict:
    """Without mirror descent where the metric is no Hessian."""
    return {k: u for k, u in UPDATES.items() if k != "mirror descent" or curved(case).mirror}


@QUIET
def walked(metric: Curved, g: Callable, steps: list, q0, eta) -> np.ndarray:
    """q at the end of each (step, factor of eta), (d, steps x lanes); one gradient for all."""
    n, counts = len(eta), np.tile(steps_of(eta), len(steps))
    q, end = np.repeat(q0, n * len(steps), axis=1), np.empty((len(q0), n * len(steps)))
    for k in range(int(counts.max()) + 1):
        end[:, counts == k] = q[:, counts == k]
        force = g(q)
        parts = zip(range(0, q.shape[1], n), steps, strict=True)
        q = np.concatenate([f(metric, q[:, i : i + n], factor * eta, force[:, i : i + n]) for i, (f, factor) in parts], axis=1)
    return end


def model(metric: Curved, g: Callable, m, mu, a, b):
    """(4) as rates of (q, qdot), the friction mu G; all (lanes,)."""

    def rates(x):
        q, w = np.split(x, 2)
        G = metric.entries(q, KAPPA)
        pull, turn = np.split(metric.bend(q, w, KAPPA), 2)
        return np.concatenate([w, -(mu * w + g(q) / G) / m - (a * turn * w - b * pull) / G])

    return rates


def pairs(cell: Cell) -> list[Record]:
    """O8: every update against every model."""
    metric, eta, (q0, _), out = curved(cell.case), step_sizes(cell), cell.start(), []
    g = lambda x: gradient(cell.case)(x, EPS)  # noqa: E731
    updates, n = updates_of(cell.case), len(step_sizes(cell))
    end = walked(metric, g, [*((f, 1.0) for f, _ in updates.values()), (natural_step, OFF)], q0, eta)
    a, b = (np.repeat([ab[i] for _, ab in updates.values()], n) for i in (0, 1))
    every = np.tile(eta, len(updates))
    start = np.concatenate([q0, -g(q0) / metric.entries(q0, KAPPA)])
    x, error = reference(model(metric, g, every / 2, 1.0, a, b), np.repeat(start, len(every), axis=1), 2 / every)
    lanes = {name: slice(i * n, (i + 1) * n) for i, name in enumerate(updates)}
    d, steps = len(q0), int(steps_of(eta).max())

    def compared(q, of, stated, note, control=None):
        e, size = np.linalg.norm(q - x[:d, lanes[of]], axis=0), np.linalg.norm(q, axis=0)
        out.append(judge(cell, e, error[lanes[of]], size, stated, note, control=control, steps=steps))

    for update, mine in lanes.items():
        for of in lanes:
            note = f"{update} against the model of {of}"
            compared(end[:, mine], of, 2 if of == update else 1, note)
            if of != update:
                compared(end[:, mine], of, 2, note, f"model of {of} for {update}")
    compared(end[:, -n:], "natural gradient", 2, "natural gradient, steps too long", "eta x (1 + 2^-10)")
    mapped(cell, [r for r in out if not r.control], list(updates))
    return out + (bregman_pairs(cell, metric, g, q0, {u: end[:, mine] for u, mine in lanes.items()}) if cell.case.metric.kind == BREGMAN else [])


def mapped(cell: Cell, records: list[Record], names: list[str]) -> None:
    """The last record carries all orders as a heat map: updates down, models across; records come row by row."""
    flat = [{"value": r.measured, "label": "" if r.measured is None else f"order {round(r.measured)}", "evidence": r.reason} for r in records]
    rows = [flat[i : i + len(names)] for i in range(0, len(flat), len(names))]
    caption = f"On the metric of {cell.case.name}: each update is of order 2 in its own model and of order 1 in every other."
    records[-1].data = {"plot": "heatmap", "rows": names, "columns": [f"model of {n}" for n in names], "cells": rows, "caption": caption}
