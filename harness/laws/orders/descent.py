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

from noether.cases.rules import HEAVY_BALL
from noether.laws.law import NEAR
from noether.laws.orders import constants, faults
from noether.laws.orders.claims import NUDGE, Claim, Run, Solution, ended, judged
from noether.laws.orders.massive import at_start, judge_claims, kinds
from noether.laws.orders.models import massive
from noether.laws.orders.runs import FINAL, Cell, reference, rough, step_sizes, steps_of, updates
from noether.laws.orders.units import EPS
from noether.mechanics.symbolic import curvature, gradient
from noether.verdicts.record import Record

DRIFT_STARTS = 4
WHOLE = {"g": 1.0, "eta H g/2": 1.0, "eta^2 H^2 g/3": 1.0, "eta^2 f'''(g, g)/12": 1.0}
"""The terms of (2) and a factor of each."""


def flow_orders(cell: Cell) -> list[Record]:
    """The records of O1, in which gradient descent is held against flows."""
    sizes, g, bend = step_sizes(cell), gradient(cell.slowed), curvature(cell.slowed)
    start = cell.start()[0]
    eta, q0 = np.tile(sizes, start.shape[1]), np.repeat(start, len(sizes), axis=1)
    back, one = lambda y: y.reshape(*y.shape[:-1], -1, len(sizes)), np.ones_like(eta)

    def model(terms):
        """Of (2) with its first terms."""
        x, error = reference(flow(g, bend, eta, terms), q0, one)
        return Solution(back(x), back(error))

    def felt(terms):
        """d e / d ln of each coefficient of a model."""
        plain = rough(flow(g, bend, eta, terms), q0, one)
        changed = lambda name: rough(flow(g, bend, eta, terms, {name: 1 + NUDGE}), q0, one)
        return {name: back(plain - changed(name)) / NUDGE for name in list(WHOLE)[: (1, 2, 4)[terms - 1]]}

    counts, twice = np.tile(steps_of(eta), 2), np.tile(q0, 2)
    ends = updates(lambda x: g(x, EPS), twice, 0 * twice, np.concatenate([eta, eta * NEAR]), counts)[0]
    q, q_off = np.split(ends, 2, axis=1)
    run = ended(back(q))
    long = Run(back(q_off), run.size)
    first, second = zip(*constants.twice(lambda: leading(cell, start)), strict=True)
    (plain, bent, whole), dropped = (model(terms) for terms in (1, 2, 3)), faults.WITHOUT_TERMS
    notes = ("gradient flow", "flow of f + (eta/4)|g|^2", "with the terms of order eta^2")
    claims = [  # the first model is itself as far off as steps that are too long
        Claim(notes[0], run, plain, 1, dropped[1], constant=first),
        Claim(notes[1], run, bent, 2, dropped[2], under=3, constant=second, responses=felt(2)),
        Claim(notes[1], long, bent, None, faults.TOO_LONG),
        Claim(notes[2], run, whole, 3, responses=felt(3)),
        Claim(notes[2], long, whole, None, faults.TOO_LONG, under=3),
    ]
    return judged(cell, claims, sequence="order limit fault | constant", graded=True, steps=int(counts.max()))


def flow(g, bend, eta, terms: int, factors: dict[str, float] = WHOLE):
    """(2) with its terms up to an order, each times its factor."""
    c = list((WHOLE | factors).values())

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
    """The records of O2, in which gradient descent is held against the model (3) with a mass."""
    eta, q0, w, g = at_start(cell)

    def model(qdot):
        return massive(mass={"mass": eta / 2}, friction={"friction": 1.0}, qdot={"qdot(0)": qdot})

    (run, _, long), right = kinds(HEAVY_BALL, w), model(-g)
    claims = [
        Claim("qdot(0) = -g", run, right, 2, faults.THIRD_ORDER, under=3, right=right),  # (3)
        Claim("qdot(0) = 0", run, model(0 * g), 1, faults.START_ZERO, right=right),
        Claim("qdot(0) = -g", long, right, None, faults.TOO_LONG),
    ]
    return judge_claims(cell, claims, q0, beta=0.0, k=0.0)


def charge_drift(cell: Cell) -> list[Record]:
    """O5, gradient descent. The norm over starts: a sign change of one of them decides nothing."""
    steps, d, out = step_sizes(cell), cell.case.dim, []
    g = lambda x: gradient(cell.slowed)(x, 0.0)
    start, back = cell.start(DRIFT_STARTS)[0], lambda y: y.reshape(DRIFT_STARTS, len(steps))
    eta, q0 = np.tile(steps, DRIFT_STARTS), np.repeat(start, len(steps), axis=1)
    counts = steps_of(eta)
    q = updates(g, q0, np.zeros_like(q0), eta, counts)[0]
    symmetries = [s for s in cell.case.symmetries if s.is_symmetric]

    def rates(x):
        force = g(x[:d])
        pulls = [np.sum(force * np.tensordot(s.matrix, force, 1), axis=0) / 2 for s in symmetries]
        return np.concatenate([-force, pulls])

    x0 = np.concatenate([q0, np.zeros((len(symmetries), len(eta)))])
    x, error = reference(rates, x0, np.ones_like(eta))
    for symmetry, pulled in zip(symmetries, x[d:], strict=True):
        A = symmetry.matrix
        # Q moves by |A q| per unit of q; the reference enters only through eta times its integral.
        size = back(np.linalg.norm(A @ q, axis=0) * np.linalg.norm(q, axis=0))
        run, noise = Run(back(np.sum(q * (A @ q) - q0 * (A @ q0), axis=0) / 2), size), back(eta * error)
        expected, integral = back(eta * pulled), tuple(back(y)[:, -1] for y in (pulled, pulled + error))
        still, whole, half = (
            Solution(x * expected, e) for x, e in ((0, 0 * noise), (1, noise), (1 / 2, noise))
        )
        felt = {"(eta/2) int <g, A g>": -expected}  # (4)
        claims = [
            Claim("drift of <q, A q>/2", run, still, 1, faults.CONSERVED, constant=integral),
            Claim("drift less (eta/2) int <g, A g> dt", run, whole, 2, responses=felt),
            Claim("drift less half of it", run, half, None, faults.HALF_DRIFT),
        ]
        facts = dict(symmetry=symmetry.name, steps=int(counts.max()))
        out += judged(cell, claims, graded=True, **facts)
    return out
