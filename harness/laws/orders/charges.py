"""The charge of heavy ball against that of its model: O5 (theory.md section 5).

<A q_n + a, v_n/eta> against <A q + a, qdot>: 1;  with (v_n + v_{n+1}) / (2 eta): 2                    (5)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from noether.laws.orders import constants, faults
from noether.laws.orders.claims import NUDGE, Claim, Run, Solution, judged
from noether.laws.orders.runs import Cell, reference, rough, second_order, step_sizes, steps_of, updates
from noether.mechanics.symbolic import gradient, hessian_product
from noether.verdicts.record import Record

CHARGE_EPS, CHARGE_STARTS = 1 / 8, 4
# past the layer by 20 of its times at the largest step, and early enough that the charge is not gone
CHARGE_FINAL = 1.0
EMPTY = 1 / 16  # of its parts: a constant below it has cancelled


def is_pulled_evenly(g, symmetry, q: np.ndarray) -> bool:
    """Whether <g, xi> of a Killing charge is the same everywhere, as it is where it is zero: from rest the
    model is then exact."""
    x = symmetry.matrix @ q + symmetry.shift[:, None]
    pull, size = np.sum(g(q) * x, axis=0), np.sum(np.abs(g(q) * x), axis=0)
    # d products of gradients of some hundred operations: far below 2^13 roundings
    rounded = 2.0**-40 * np.max(size)
    return bool((symmetry.is_translation or symmetry.is_rotation) and np.ptp(pull) <= rounded)


def charge_orders(cell: Cell) -> list[Record]:
    """The records of O5 for the charges of heavy ball."""
    return [r for beta, _, _ in cell.fewer for r in charges(cell, beta)]


def charges(cell: Cell, beta: float) -> list[Record]:
    """J of the run less J of the model, by start: the norm over starts is judged, so that a sign change of
    one decides nothing."""
    steps, mu, out = step_sizes(cell), 1 - beta, []
    g = lambda x: gradient(cell.slowed)(x, CHARGE_EPS)
    start = cell.start(CHARGE_STARTS)[0]
    eta, q0 = np.tile(steps, CHARGE_STARTS), np.repeat(start, len(steps), axis=1)
    counts = steps_of(eta, CHARGE_FINAL)
    run = updates(g, q0, np.zeros_like(q0), eta, counts, beta=beta)
    m, x0 = eta * (1 + beta) / 2, np.concatenate([q0, -g(q0) / (1 + beta)])
    x, error = reference(second_order(g, m, mu), x0, mu / m, CHARGE_FINAL)
    second = lambda: constants.second(cell.slowed, mu, 0.0, start, CHARGE_FINAL, CHARGE_EPS)
    found = Ends(eta, mu, run, (x, error), nudged(g, m, mu, x0), constants.twice(second))
    about = {"beta": beta, "t": CHARGE_FINAL * cell.unit}
    for symmetry in cell.case.symmetries:
        if not is_pulled_evenly(g, symmetry, q0):
            how = dict(
                sequence="limit order fault constant", graded=True, steps=int(counts.max()), about=about
            )
            claims = found.claims(cell, symmetry)
            out += judged(cell, claims, f"beta {beta:g}, ", symmetry=symmetry.name, **how)
    return out


def nudged(g, m, mu: float, x0: np.ndarray) -> dict[str | None, np.ndarray]:
    """Ends of the model, (2 d, lanes), with each of its coefficients NUDGE too large; under None as it is."""
    near, (q0, qdot) = 1 + NUDGE, np.split(x0, 2)
    changes = {
        None: (m, mu, x0),
        "mass": (m * near, mu, x0),
        "friction": (m, mu * near, x0),
        "qdot(0)": (m, mu, np.concatenate([q0, qdot * near])),
    }
    rates = lambda m, mu: second_order(g, m, mu)
    return {name: rough(rates(*of), x, mu / m, CHARGE_FINAL) for name, (*of, x) in changes.items()}


@dataclass(frozen=True, eq=False)
class Ends:
    """What charges are read off, lanes of every start and size.

    run      q_n, v_n and v_{n+1}
    model    (q, qdot) and its error
    changed  as of `nudged`
    limits   Second, `twice` (constants.py)
    """

    eta: np.ndarray
    mu: float
    run: tuple[np.ndarray, np.ndarray, np.ndarray]
    model: tuple[np.ndarray, np.ndarray]
    changed: dict[str | None, np.ndarray]
    limits: tuple[constants.Second, constants.Second]

    def claims(self, cell: Cell, symmetry) -> list[Claim]:
        """(5) of one symmetry."""
        (q, v, ahead), (x, error), A, a = self.run, self.model, symmetry.matrix, symmetry.shift[:, None]
        back, d = lambda y: y.reshape(CHARGE_STARTS, -1), len(q)
        charge = lambda q, qdot: np.sum((A @ q + a) * qdot, axis=0)
        # The charge moves by |A| |qdot| per unit of q and by |xi| per unit of qdot; v/eta has the rounding of
        # q over eta, which the friction forgets after m/mu, that is a few steps: of the order of n steps'
        # worth of q, already counted.
        factor = np.linalg.norm(A, 2) * np.linalg.norm(x[d:], axis=0) + np.linalg.norm(A @ x[:d] + a, axis=0)
        size = back(factor * np.linalg.norm(q, axis=0))
        backward, centred = (Run(back(charge(q, w / self.eta)), size) for w in (v, (v + ahead) / 2))  # (5)
        model = Solution(back(charge(x[:d], x[d:])), back(error * factor))
        J = {name: back(charge(y[:d], y[d:])) for name, y in self.changed.items()}
        D = {name: (J[None] - j) / NUDGE for name, j in J.items() if name}
        (C, parts), (rough_C, _) = (centred_constant(of, A, a) for of in self.limits)
        # Not >=, for a constant that is NaN must be asked for: its record says that nothing is decided.
        late, asked = None, not np.linalg.norm(C) < EMPTY * np.linalg.norm(parts)
        known = constants.known(cell.slowed)
        if known:  # v_n/eta is the velocity eta/2 before
            H, g = (of(cell.slowed) for of in (hessian_product, gradient))
            pulled = lambda q: H(q, CHARGE_EPS, g(q, CHARGE_EPS))
            late = tuple(-charge(of.x, pulled(of.x)) / (2 * self.mu**2) for of in self.limits)
        right, both = (C, rough_C) if known else None, "<A q_n, (v_n + v_n+1)/(2 eta)>"
        return [
            Claim("<A q_n, v_n/eta>", backward, model, 1, faults.NOT_CENTRED, constant=late),
            Claim(both, centred, model, 2, responses=D, constant=right, asked=asked),
        ]


def centred_constant(of: constants.Second, A, a) -> tuple[np.ndarray, np.ndarray]:
    """The constant of the centred charge, (starts,), and the size of its parts: <A Z, X'> + <A X + a, Z' +
    (third derivative of X)/6>.

    The difference (q_n+1 - q_n-1)/(2 eta) is qdot + eta^2 qdddot/6.
    """
    terms = (A @ of.z) * of.dx, (A @ of.x + a) * of.dz, (A @ of.x + a) * of.jerk / 6
    return np.sum(sum(terms), axis=0), np.sum(sum(np.abs(t) for t in terms), axis=0)
