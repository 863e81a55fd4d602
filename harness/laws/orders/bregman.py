"""The Bregman Lagrangian as a model of mirror descent, and mirror descent on the simplex: O8 (theory.md
section 5).

    mu = 1, m = eta/2:    d/dt grad h(q + m qdot) = -g  (1)

is of order 2 for mirror descent and 1 for every other update on the metric hess h. It keeps <grad h(q + m
qdot), n> exactly for a translation n of the loss; with another friction it does not, and grad h(q) without m
qdot is not kept either.

    exponentiated gradient   q' = q e^{-eta g} / Z, Z = sum q e^{-eta g}  (2)

moves log q by -eta g up to a multiple of 1, which no q can see: with y = qdot/q, <q, y> = 0,
    (eta/2) ydot + y + g = lambda 1,   lambda = <q, g> - (eta/2) <q, y^2>,   y(0) = <q, g> - g  (3)

order 2; with lambda = <q, g> the model leaves the simplex and is of order 1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from noether.cases.case import BREGMAN, Metric
from noether.laws.orders import constants, units
from noether.laws.orders.claims import NUDGE, OFF
from noether.laws.orders.records import bounded, judge
from noether.laws.orders.runs import (
    CANDIDATES,
    FINAL,
    QUIET,
    Cell,
    Fan,
    U,
    reference,
    rough,
    solved,
    step_sizes,
    steps_of,
)
from noether.laws.orders.units import EPS, KAPPA
from noether.mechanics.symbolic import gradient
from noether.mechanics.symbolic_metric import Curved, curved
from noether.verdicts.record import Record

SIMPLEX_STARTS = 2
MASSES = 2.0 ** -np.arange(1.0, 6.0)


def bregman_rates(metric: Curved, g: Callable, m, mu=1.0):
    """(5) as rates of (q, qdot): with Q = q + m qdot, G(Q) Qdot = (1-mu)/m (grad h(Q) - grad h(q)) - g
    (theory.md#T2)."""

    def rates(x):
        q, w = np.split(x, 2)
        Q = q + m * w
        left = (1 - mu) / m * (metric.mirror(Q, KAPPA) - metric.mirror(q, KAPPA)) if mu != 1 else 0.0
        return np.concatenate([w, ((left - g(q)) / metric.entries(Q, KAPPA) - w) / m])

    return rates


def bregman_pairs(
    cell: Cell, metric: Curved, g: Callable, q0: np.ndarray, ends: dict[str, np.ndarray]
) -> list[Record]:
    """(1) against the end of every update, (d, starts, sizes)."""
    sizes, out, near = step_sizes(cell), [], 1 + NUDGE
    fan, w0 = Fan(q0, sizes, 1), -g(q0) / metric.entries(q0, KAPPA)
    start = lambda by=1.0: np.concatenate([fan.q, by * fan.starts(w0[:, None])])
    plain = bregman_rates(metric, g, fan.eta / 2)
    changes = {None: (plain, start()), "mass": (bregman_rates(metric, g, near * fan.eta / 2), start()),
        "friction": (bregman_rates(metric, g, fan.eta / 2, near), start()),
               "force": (bregman_rates(metric, lambda x: near * g(x), fan.eta / 2), start()),
               "qdot(0)": (plain, start(near))}  # fmt: skip
    felt = {name: fan.apart(rough(*of, 2 / fan.eta)[: len(q0)])[0] for name, of in changes.items()}
    D = {name: (felt[None] - x) / NUDGE for name, x in felt.items() if name}
    x, error = reference(*changes[None], 2 / fan.eta)
    x, error = fan.apart(x[: len(q0)])[0], fan.apart(error)[0]
    facts = dict(steps=int(steps_of(sizes).max()))
    for update, q in ends.items():
        size, note, stated = (
            np.linalg.norm(q, axis=0),
            f"{update} against the Bregman Lagrangian",
            2 if update == "mirror descent" else 1,
        )
        out.append(judge(cell, q - x, error, size, stated, note, **facts))
        if stated == 1:
            out.append(
                judge(cell, q - x, error, size, 2, note, fault=f"Bregman Lagrangian for {update}", **facts)
            )
        else:
            out.append(constants.vanishing(cell, q - x, error, size, 1, D, note, **facts))
    return out


def exponential(q, xp):
    """h = sum e^q: a mirror map on all of R, for a loss with a translation."""
    return sum(xp.exp(x) for x in q)


def lasting(cell: Cell, Q: np.ndarray) -> float:
    """How much slower a case must be for (1) to have a solution from Q (d, n) until FINAL, a power of two.

    e^Q falls as fast as g pulls and ends at 0; half of it is left where |g| stays below its largest on the
    box.
    """
    pull = np.abs(gradient(cell.slowed)(cell.case.draw(np.random.default_rng(0), CANDIDATES), 0.0)).max()
    room = np.exp(Q).min() / (2 * FINAL * pull) if pull else 1.0
    return min(1.0, float(2.0 ** np.floor(np.log2(room))))


def conserved(cell: Cell) -> list[Record]:
    """(1) in q and qdot, in which no linear combination of the state is what is kept; the loss is the
    symmetric one."""
    (q0, w), m = cell.start(1), MASSES
    case = replace(
        units.slowed(cell.case, cell.unit * lasting(cell, q0 + m * w)),
        metric=Metric(BREGMAN, potential=exponential),
    )
    metric, g, d = curved(case), (lambda x: gradient(case)(x, 0.0)), case.dim
    times = np.linspace(0, FINAL, 33)[:, None] * np.ones_like(m)
    symmetry = next(s for s in case.symmetries if s.is_translation)
    n, out = symmetry.shift[:, None], []
    for mu, readings in (
        (1.0, {1.0: None, 0.0: "grad h without m qdot"}),
        (1 - 2.0**-10, {1.0: "friction off by 2^-10"}),
    ):
        x, error = solved(
            bregman_rates(metric, g, m, mu), np.repeat(np.concatenate([q0, w]), len(m), axis=1), times
        )
        motion = np.sum(np.abs(np.diff(metric.mirror(x[:, :d].swapaxes(0, 1), KAPPA), axis=1)), axis=(0, 1))
        for share, fault in readings.items():
            Q = x[:, :d].swapaxes(0, 1) + share * m * x[:, d:].swapaxes(0, 1)
            terms = n[:, None] * metric.mirror(Q, KAPPA)
            charge = np.sum(terms, axis=0)
            # grad h(Q) moves by G per unit of Q; each of its d terms is an exponential, wrong by 3 u of
            # itself.
            slope = np.linalg.norm(np.abs(n[:, None]) * metric.entries(Q, KAPPA), axis=0)
            parts = np.sum(np.abs(terms), axis=0)
            bound = (1 + m) * (slope * error + slope[0] * error[0]) + (d + 4) * U * (parts + parts[0])
            note = f"<grad h(q + m qdot), n>, mu = {mu:g}" if share else "<grad h(q), n>"
            facts = dict(
                symmetry=symmetry.name,
                fault=fault,
                steps=len(times) - 1,
                about={"m": [float(x) for x in m]},
            )
            out.append(
                bounded(
                    cell, charge[1:], charge[0], bound[1:], motion, note, symbol="grad h(q + m qdot)", **facts
                )
            )
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
    """(2) against (3); a case of the whole orthant is taken where it meets the simplex, and is as stiff as it
    is there."""
    cell = replace(cell, case=replace(cell.case, metric=replace(cell.case.metric, simplex=True)))
    sizes, q0, out = step_sizes(cell), cell.start(SIMPLEX_STARTS)[0], []
    g, d = (lambda x: gradient(cell.slowed)(x, EPS)), len(q0)
    claims = [  # note, factor of eta, of <q, y^2>, of y(0), of the mass, of g, stated, fault
        ("exponentiated gradient", 1.0, 1.0, 1.0, 1.0, 1.0, 2, None),
        (
            "exponentiated gradient, lambda = <q, g>",
            1.0,
            0.0,
            1.0,
            1.0,
            1.0,
            1,
            "multiplier without its kinetic term",
        ),
        ("exponentiated gradient, y(0) = 0", 1.0, 1.0, 0.0, 1.0, 1.0, 1, "start velocity 0"),
        ("exponentiated gradient, steps too long", OFF, 1.0, 1.0, 1.0, 1.0, None, "eta x (1 + 2^-10)"),
    ]

    def models(rows, by):
        """by: `reference` or `rough`; every (factor of <q, y^2>, of y(0), of the mass, of g) one after
        another."""
        fan = Fan(q0, sizes, len(rows))
        kinetic, start, mass, pull = (fan.each(x) for x in zip(*rows, strict=True))
        force = lambda q: pull * g(q)

        def rates(x):
            q, y = np.split(x, 2)
            F = force(q)
            multiplier = np.sum(q * F, axis=0) - kinetic * fan.eta / 2 * np.sum(q * y * y, axis=0)
            return np.concatenate([q * y, (multiplier - y - F) * 2 / (mass * fan.eta)])  # (3)

        plain = g(fan.q)
        y0 = start * (np.sum(fan.q * plain, axis=0) - plain)
        return fan, by(rates, np.concatenate([fan.q, y0]), 2 / fan.eta)

    fan, (x, error) = models([c[2:6] for c in claims], reference)
    x, error = fan.apart(x[:d]), fan.apart(error)
    end = fan.apart(reweighted(g, fan.q, fan.each([c[1] for c in claims]) * fan.eta, steps_of(fan.eta)))
    names = ("(eta/2) <q, y^2>", "y(0)", "mass", "force")
    near, felt = models([[1.0] * 4, *(np.where(np.arange(4) == i, 1 + NUDGE, 1.0) for i in range(4))], rough)
    felt = near.apart(felt[:d])
    D = {name: (felt[0] - felt[i]) / NUDGE for i, name in enumerate(names, start=1)}
    facts = dict(steps=int(steps_of(sizes).max()))
    for i, (note, *_, stated, fault) in enumerate(claims):
        off, size = end[i] - x[i], np.linalg.norm(end[i], axis=0)
        if stated:
            out.append(judge(cell, off, error[i], size, stated, note, **facts))
        if stated == 2:
            out.append(constants.vanishing(cell, off, error[i], size, 1, D, note, **facts))
        if fault:
            out.append(judge(cell, off, error[i], size, 2, note, fault=fault, **facts))
    return out
