"""Gradient descent against its continuous models: O1, O2 and the drift of a charge, O5 (theory.md section 5).

    q' = q - eta g(q)                                                   (1)
O1  against qdot = -g: 1;  qdot = -(g + (eta/2) H g), the flow of the modified loss f + (eta/4)|g|^2: 2;
    qdot = -(g + (eta/2) H g + eta^2 (H^2 g / 3 + f'''(g, g) / 12)): 3  (2)
O2  against (eta/2) qddot + qdot + g = 0, qdot(0) = -g: 2, never 3      (3)
O5  Q = <q, A q>/2, A symmetric, conserved by the flow of a symmetric loss: Q_n - Q_0 is of order 1, and of
    order 2
    from (eta/2) int <g, A g> dt along the flow                         (4)
"""

from __future__ import annotations

import numpy as np

from noether.laws.orders import constants
from noether.laws.orders.claims import NUDGE, OFF, Claim, judge_claims
from noether.laws.orders.models import FORCE, Term
from noether.laws.orders.options import at_start
from noether.laws.orders.records import both, judge
from noether.laws.orders.runs import FINAL, Cell, reference, rough, step_sizes, steps_of, updates
from noether.laws.orders.units import EPS
from noether.mechanics.symbolic import curvature, gradient
from noether.verdicts.record import Record

DRIFT_STARTS = 4
WHOLE = {"g": 1.0, "eta H g/2": 1.0, "eta^2 H^2 g/3": 1.0, "eta^2 f'''(g, g)/12": 1.0}
"""The terms of (2) and a factor of each."""


def flow_orders(cell: Cell) -> list[Record]:
    """O1"""
    sizes, g, bend = step_sizes(cell), gradient(cell.slowed), curvature(cell.slowed)
    start = cell.start()[0]
    eta, q0 = np.tile(sizes, start.shape[1]), np.repeat(start, len(sizes), axis=1)
    back = lambda y: y.reshape(*y.shape[:-1], -1, len(sizes))

    def field(terms, **factors):
        c = list({**WHOLE, **factors}.values())

        def rates(x):
            force = g(x, EPS)
            out = c[0] * force
            if terms > 1:
                Hg, third = bend(x, EPS, force)
                out = out + c[1] * eta / 2 * Hg
            if terms == 3:
                out = out + eta**2 * (c[2] * bend(x, EPS, Hg)[0] / 3 + c[3] * third / 12)
            return -out  # (2)

        return rates

    def felt(terms):
        """d e / d ln of each coefficient of a model."""
        plain = rough(field(terms), q0, one)
        names = list(WHOLE)[: (1, 2, 4)[terms - 1]]
        return {n: back(plain - rough(field(terms, **{n: 1 + NUDGE}), q0, one)) / NUDGE for n in names}

    one, counts = np.ones_like(eta), np.tile(steps_of(eta), 2)
    ends = updates(
        lambda x: g(x, EPS), np.tile(q0, 2), 0 * np.tile(q0, 2), np.concatenate([eta, eta * OFF]), counts
    )[0]
    q, q_off = np.split(ends, 2, axis=1)
    size, facts = np.linalg.norm(back(q), axis=0), dict(steps=int(counts.max()))
    out, models, notes = (
        [],
        [],
        ("gradient flow", "flow of f + (eta/4)|g|^2", "with the terms of order eta^2"),
    )
    for terms, note in enumerate(notes, start=1):
        x, error = reference(field(terms), q0, one)
        e, e_off, error = back(q - x), back(q_off - x), back(error)
        models.append((e, error, note))
        D = felt(terms) if terms > 1 else None
        out.append(judge(cell, e, error, size, terms, note, responses=D, **facts))
        if D:
            out.append(constants.vanishing(cell, e, error, size, terms - 1, D, note, **facts))
        if terms < 3:
            missing = f"model without its terms of order eta^{terms}"
            out.append(judge(cell, e, error, size, terms + 1, note, fault=missing, **facts))
        if terms > 1:  # the first-order model is itself as far off as these steps
            out.append(judge(cell, e_off, error, size, terms, note, fault="eta x (1 + 2^-10)", **facts))
    for order, C in enumerate(zip(*constants.twice(lambda: leading(cell, start)), strict=True), start=1):
        e, error, note = models[order - 1]
        out += constants.judged(cell, e, error, size, order, C, note, **facts)
    return out


def leading(cell: Cell, start: np.ndarray) -> list[np.ndarray]:
    """e/eta against the flow and e/eta^2 against (2) without its last terms, (d, starts): along X' = -g

    Y' = -H Y - H g/2,   Z' = -H Z - H^2 g/3 - f'''(g, g)/12,   Y(0) = Z(0) = 0.
    """
    g, bend, d = gradient(cell.slowed), curvature(cell.slowed), len(start)

    def rates(x):
        q, y, z = np.split(x, 3)
        force = g(q, EPS)
        Hg, third = bend(q, EPS, force)
        along = lambda w: bend(q, EPS, w)[0]
        return np.concatenate([-force, -along(y) - Hg / 2, -along(z) - along(Hg) / 3 - third / 12])

    x = constants.smooth(rates, np.concatenate([start, 0 * start, 0 * start]), FINAL)
    return [x[d : 2 * d], x[2 * d :]]


def second_order_model(cell: Cell) -> list[Record]:
    """O2"""
    eta, q0, _, g = at_start(cell)

    def model(qdot):
        return (
            Term("mass", "mass", eta / 2),
            Term("friction", "friction", 1.0),
            FORCE,
            Term("qdot(0)", "qdot", qdot),
        )

    right, cold = "qdot(0) = -g", model(-g)
    claims = [
        Claim(
            right, cold, 2, "third order claimed of the second-order model", against=3, constant=True
        ),  # (3)
        Claim("qdot(0) = 0", model(0 * g), 1, "start velocity 0", right=cold, constant=True),
        Claim(right, cold, None, "eta x (1 + 2^-10)", factor=OFF),
    ]
    return judge_claims(cell, claims, q0, beta=0.0, k=0.0)


def charge_drift(cell: Cell) -> list[Record]:
    """O5, gradient descent. The norm over starts: a sign change of one of them decides nothing."""
    steps, d, out = step_sizes(cell), cell.case.dim, []
    g = lambda x: gradient(cell.slowed)(x, 0.0)
    start, shape = cell.start(DRIFT_STARTS)[0], (DRIFT_STARTS, len(steps))
    eta, q0 = np.tile(steps, DRIFT_STARTS), np.repeat(start, len(steps), axis=1)
    counts = steps_of(eta)
    q = updates(g, q0, np.zeros_like(q0), eta, counts)[0]
    symmetries = [s for s in cell.case.symmetries if s.is_symmetric]

    def rates(x):
        force = g(x[:d])
        pulls = [np.sum(force * np.tensordot(s.matrix, force, 1), axis=0) / 2 for s in symmetries]
        return np.concatenate([-force, pulls])

    x, error = reference(
        rates, np.concatenate([q0, np.zeros((len(symmetries), len(eta)))]), np.ones_like(eta)
    )
    for i, symmetry in enumerate(symmetries):
        A = symmetry.matrix
        drift = (np.sum(q * (A @ q) - q0 * (A @ q0), axis=0) / 2).reshape(shape)
        expected = (eta * x[d + i]).reshape(shape)
        # Q moves by |A q| per unit of q; the reference enters only through eta times its integral.
        size = (np.linalg.norm(A @ q, axis=0) * np.linalg.norm(q, axis=0)).reshape(shape)
        noise, facts = (eta * error).reshape(shape), dict(symmetry=symmetry.name, steps=int(counts.max()))
        note = "drift of <q, A q>/2"
        out += both(
            cell, drift, 0 * noise, size, 1, note, "charge taken as conserved to second order", 2, **facts
        )
        integral = tuple(y.reshape(shape)[:, -1] for y in (x[d + i], x[d + i] + error))
        out += constants.judged(cell, drift, 0 * noise, size, 1, integral, note, **facts)
        felt = {"(eta/2) int <g, A g>": -expected}  # (4)
        note = "drift less (eta/2) int <g, A g> dt"
        out.append(judge(cell, drift - expected, noise, size, 2, note, responses=felt, **facts))
        out.append(constants.vanishing(cell, drift - expected, noise, size, 1, felt, note, **facts))
        out.append(
            judge(
                cell,
                drift - expected / 2,
                noise,
                size,
                2,
                "drift less half of it",
                fault="drift at half its rate",
                **facts,
            )
        )
    return out
