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
from dataclasses import astuple, dataclass, replace

import numpy as np

from noether.cases.case import BREGMAN, Metric
from noether.laws.law import NEAR
from noether.laws.orders import faults, units
from noether.laws.orders.claims import NUDGE, Claim, Run, Solution, ended, judged
from noether.laws.orders.records import bounded
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


def bregman_claims(
    cell: Cell, metric: Curved, g: Callable, q0: np.ndarray, runs: dict[str, Run]
) -> list[Claim]:
    """(1) against the end of every update."""
    near, w0 = 1 + NUDGE, -g(q0) / metric.entries(q0, KAPPA)
    fan = Fan(q0, step_sizes(cell), 1)

    def end(by, m=1.0, mu=1.0, force=1.0, start=1.0):
        rates = bregman_rates(metric, lambda x: force * g(x), m * fan.eta / 2, mu)
        return by(rates, np.concatenate([fan.q, start * fan.starts(w0[:, None])]), 2 / fan.eta)

    q = lambda x: fan.apart(x[: len(q0)])[0]
    names = {"mass": "m", "friction": "mu", "force": "force", "qdot(0)": "start"}
    plain = q(end(rough))
    D = {name: (plain - q(end(rough, **{key: near}))) / NUDGE for name, key in names.items()}
    x, error = end(reference)
    model, out = Solution(q(x), fan.apart(error)[0]), []
    for update, run in runs.items():
        note, own = f"{update} against the Bregman Lagrangian", update not in faults.BREGMAN
        order, fault, felt = (2, None, D) if own else (1, faults.BREGMAN[update], {})
        out.append(Claim(note, run, model, order, fault, responses=felt))
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
    slow = units.slowed(cell.case, cell.unit * lasting(cell, q0 + m * w))
    case = replace(slow, metric=Metric(BREGMAN, potential=exponential))
    metric, symmetry = curved(case), next(s for s in case.symmetries if s.is_translation)
    times = np.linspace(0, FINAL, 33)[:, None] * np.ones_like(m)
    x0 = np.repeat(np.concatenate([q0, w]), len(m), axis=1)
    facts = dict(symmetry=symmetry.name, steps=len(times) - 1, about={"m": [float(x) for x in m]})
    table = (  # friction, share of m qdot in what is kept, fault
        (1.0, 1.0, None),
        (1.0, 0.0, faults.NOT_AHEAD),
        (1 - 2.0**-10, 1.0, faults.OTHER_FRICTION),
    )
    rates = {mu: bregman_rates(metric, lambda x: gradient(case)(x, 0.0), m, mu) for mu, *_ in table}
    solutions = {mu: solved(of, x0, times) for mu, of in rates.items()}
    out = []
    for mu, share, fault in table:
        compared = kept(metric, symmetry.shift[:, None], *solutions[mu], share)
        note = f"<grad h(q + m qdot), n>, mu = {mu:g}" if share else "<grad h(q), n>"
        out.append(bounded(cell, *compared, note, symbol="grad h(q + m qdot)", fault=fault, **facts))
    return out


def kept(metric: Curved, n: np.ndarray, x: np.ndarray, error: np.ndarray, share: float) -> tuple:
    """<grad h(q + share m qdot), n> at each time but the first, what it was at first, the bound on their
    distance, and how far grad h(q) moved."""
    d, m = len(n), MASSES
    q, qdot = np.split(x.swapaxes(0, 1), 2)
    motion = np.sum(np.abs(np.diff(metric.mirror(q, KAPPA), axis=1)), axis=(0, 1))
    Q = q + share * m * qdot
    terms = n[:, None] * metric.mirror(Q, KAPPA)
    charge, parts = np.sum(terms, axis=0), np.sum(np.abs(terms), axis=0)
    # grad h(Q) moves by G per unit of Q; each of its d terms is an exponential, wrong by 3 u of itself.
    slope = np.linalg.norm(np.abs(n[:, None]) * metric.entries(Q, KAPPA), axis=0)
    bound = (1 + m) * (slope * error + slope[0] * error[0]) + (d + 4) * U * (parts + parts[0])
    return charge[1:], charge[0], bound[1:], motion


@QUIET
def reweighted(g, q: np.ndarray, eta: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """(2), each lane for its own count."""
    end = np.empty_like(q)
    for k in range(int(counts.max()) + 1):
        end[:, counts == k] = q[:, counts == k]
        q = q * np.exp(-eta * g(q))
        q = q / np.sum(q, axis=0)
    return end


@dataclass(frozen=True)
class OnSimplex:
    """(3) with factors of <q, y^2>, of y(0), of the mass and of g."""

    kinetic: float = 1.0
    start: float = 1.0
    mass: float = 1.0
    force: float = 1.0


TERMS = {"(eta/2) <q, y^2>": "kinetic", "y(0)": "start", "mass": "mass", "force": "force"}


def simplex(cell: Cell) -> list[Record]:
    """(2) against (3); a case of the whole orthant is taken where it meets the simplex, and is as stiff as it
    is there."""
    cell = replace(cell, case=replace(cell.case, metric=replace(cell.case.metric, simplex=True)))
    sizes, q0 = step_sizes(cell), cell.start(SIMPLEX_STARTS)[0]
    g, right, note = lambda x: gradient(cell.slowed)(x, EPS), OnSimplex(), "exponentiated gradient"
    no_kinetic, no_start = OnSimplex(kinetic=0.0), OnSimplex(start=0.0)
    claims = [  # a run is the factor of its steps
        Claim(note, 1.0, right, 2),
        Claim(note + ", lambda = <q, g>", 1.0, no_kinetic, 1, faults.NO_KINETIC_MULTIPLIER),
        Claim(note + ", y(0) = 0", 1.0, no_start, 1, faults.START_ZERO),
        Claim(note + ", steps too long", NEAR, right, None, faults.TOO_LONG),
    ]
    fan, (x, error) = on_simplex(g, q0, sizes, [c.model for c in claims], reference)
    steps = fan.each([c.run for c in claims]) * fan.eta
    ends = fan.apart(reweighted(g, fan.q, steps, steps_of(fan.eta)))
    changed = [right, *(OnSimplex(**{key: 1 + NUDGE}) for key in TERMS.values())]
    lanes, felt = on_simplex(g, q0, sizes, changed, rough)
    plain, *felt = lanes.apart(felt[: len(q0)])
    D, out = {name: (plain - q) / NUDGE for name, q in zip(TERMS, felt, strict=True)}, []
    for c, q, *of in zip(claims, ends, fan.apart(x[: len(q0)]), fan.apart(error), strict=True):
        out.append(replace(c, run=ended(q), model=Solution(*of), responses=D if c.order == 2 else {}))
    return judged(cell, out, steps=int(steps_of(sizes).max()))


def on_simplex(g: Callable, q0, sizes, models: list[OnSimplex], by: Callable) -> tuple:
    """Many models side by side, by `reference` or `rough`; q is the first d rows."""
    fan = Fan(q0, sizes, len(models))
    kinetic, start, mass, pull = (fan.each(x) for x in zip(*map(astuple, models), strict=True))

    def rates(x):
        q, y = np.split(x, 2)
        F = pull * g(q)
        multiplier = np.sum(q * F, axis=0) - kinetic * fan.eta / 2 * np.sum(q * y * y, axis=0)
        return np.concatenate([q * y, (multiplier - y - F) * 2 / (mass * fan.eta)])  # (3)

    plain = g(fan.q)
    y0 = start * (np.sum(fan.q * plain, axis=0) - plain)
    return fan, by(rates, np.concatenate([fan.q, y0]), 2 / fan.eta)
