"""The charge of heavy ball against that of its model: O5 (theory.md section 5).

<A q_n + a, v_n/eta> against <A q + a, qdot>: 1;  with (v_n + v_{n+1}) / (2 eta): 2                    (5)
"""

from __future__ import annotations

import numpy as np

from noether.laws.orders import constants
from noether.laws.orders.claims import NUDGE
from noether.laws.orders.records import both, judge
from noether.laws.orders.runs import Cell, reference, rough, second_order, step_sizes, steps_of, updates
from noether.mechanics.symbolic import gradient, hessian_product
from noether.verdicts.record import Record

CHARGE_EPS, CHARGE_STARTS = 1 / 8, 4
CHARGE_FINAL = (
    1.0  # past the layer by 20 of its times at the largest step, and early enough that the charge is not gone
)


def is_pulled_evenly(g, symmetry, q: np.ndarray) -> bool:
    """Whether <g, xi> of a Killing charge is the same everywhere, as it is where it is zero: from rest the
    model is then exact."""
    x = symmetry.matrix @ q + symmetry.shift[:, None]
    pull, size = np.sum(g(q) * x, axis=0), np.sum(np.abs(g(q) * x), axis=0)
    rounded = 2.0**-40 * np.max(
        size
    )  # d products of gradients of some hundred operations: far below 2^13 roundings
    return bool((symmetry.is_translation or symmetry.is_rotation) and np.ptp(pull) <= rounded)


def charge_orders(cell: Cell) -> list[Record]:
    """O5"""
    return [r for beta, _, _ in cell.fewer for r in charges(cell, beta)]


def charges(cell: Cell, beta: float) -> list[Record]:
    """J of the run less J of the model, by start: the norm over starts is judged, so that a sign change of
    one decides nothing."""
    steps, d, mu, out = step_sizes(cell), cell.case.dim, 1 - beta, []
    g = lambda x: gradient(cell.slowed)(x, CHARGE_EPS)
    start = cell.start(CHARGE_STARTS)[0]
    shape, counts = (CHARGE_STARTS, len(steps)), steps_of(np.tile(steps, CHARGE_STARTS), CHARGE_FINAL)
    eta, q0 = np.tile(steps, CHARGE_STARTS), np.repeat(start, len(steps), axis=1)
    q, v, ahead = updates(g, q0, np.zeros_like(q0), eta, counts, beta=beta)
    m, x0, near = eta * (1 + beta) / 2, np.concatenate([q0, -g(q0) / (1 + beta)]), 1 + NUDGE
    x, error = reference(second_order(g, m, mu), x0, mu / m, CHARGE_FINAL)
    kicked = np.concatenate([q0, x0[d:] * near])
    changes = {
        None: (m, mu, x0),
        "mass": (m * near, mu, x0),
        "friction": (m, mu * near, x0),
        "qdot(0)": (m, mu, kicked),
    }
    felt = {
        name: rough(second_order(g, *of[:2]), of[2], mu / m, CHARGE_FINAL) for name, of in changes.items()
    }
    known = constants.known(cell.slowed)
    second = lambda: constants.second(cell.slowed, mu, 0.0, start, CHARGE_FINAL, CHARGE_EPS)
    next_order = constants.twice(second)
    for symmetry in cell.case.symmetries:
        if is_pulled_evenly(g, symmetry, q0):
            continue
        A, a = symmetry.matrix, symmetry.shift[:, None]

        def charge(q, qdot, A=A, a=a):
            return np.sum((A @ q + a) * qdot, axis=0)

        model = charge(x[:d], x[d:])
        backward, centred = ((charge(q, w / eta) - model).reshape(shape) for w in (v, (v + ahead) / 2))  # (5)
        # The charge moves by |A| |qdot| per unit of q and by |xi| per unit of qdot; v/eta has the rounding of
        # q over eta, which the friction forgets after m/mu, that is a few steps: of the order of n steps'
        # worth of q, already counted.
        factor = np.linalg.norm(A, 2) * np.linalg.norm(x[d:], axis=0) + np.linalg.norm(A @ x[:d] + a, axis=0)
        noise, size = (error * factor).reshape(shape), (factor * np.linalg.norm(q, axis=0)).reshape(shape)
        J = {name: charge(y[:d], y[d:]).reshape(shape) for name, y in felt.items()}
        D = {name: (J[None] - j) / NUDGE for name, j in J.items() if name}
        about = {"beta": beta, "t": CHARGE_FINAL * cell.unit}
        facts, at = dict(symmetry=symmetry.name, steps=int(counts.max()), about=about), f"beta {beta:g}, "
        note = at + "<A q_n, v_n/eta>"
        out += both(cell, backward, noise, size, 1, note, "charge not centred", 2, **facts)
        if known:  # v_n/eta is the velocity eta/2 before
            H = hessian_product(cell.slowed)
            late = tuple(-charge(n.x, H(n.x, CHARGE_EPS, g(n.x))) / (2 * mu**2) for n in next_order)
            out += constants.judged(cell, backward, noise, size, 1, late, note, **facts)
        note = at + "<A q_n, (v_n + v_n+1)/(2 eta)>"
        out.append(constants.vanishing(cell, centred, noise, size, 1, D, note, **facts))
        (C, parts), (rough_C, _) = (centred_constant(n, A, a) for n in next_order)
        if np.linalg.norm(C) < EMPTY * np.linalg.norm(parts):
            continue  # its order is that of the next term: nothing is stated of it
        out.append(judge(cell, centred, noise, size, 2, note, responses=D, **facts))
        if known:
            out += constants.judged(cell, centred, noise, size, 2, (C, rough_C), note, **facts)
    return out


EMPTY = 1 / 16


def centred_constant(of: constants.Second, A, a) -> tuple[np.ndarray, np.ndarray]:
    """The constant of the centred charge, (starts,), and the size of its parts: <A Z, X'> + <A X + a, Z' +
    (third derivative of X)/6>.

    The difference (q_n+1 - q_n-1)/(2 eta) is qdot + eta^2 qdddot/6.
    """
    terms = (A @ of.z) * of.dx, (A @ of.x + a) * of.dz, (A @ of.x + a) * of.jerk / 6
    return np.sum(sum(terms), axis=0), np.sum(sum(np.abs(t) for t in terms), axis=0)
