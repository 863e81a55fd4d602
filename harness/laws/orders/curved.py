"""Updates and models on a curved metric, every pair of them: O8 (theory.md section 5).

    mirror descent       grad h(q') = grad h(q) - eta g        (eta/2) d/dt(G qdot) + G qdot + g = 0    (1)
    natural gradient     q' = q - eta G^{-1} g                 (eta/2) qddot + qdot + G^{-1} g = 0      (2)
    geodesic step        q' = exp_q(-eta G^{-1} g)             (eta/2) D qdot/dt + qdot + G^{-1} g = 0  (3)

(3)'s model is Euler-Lagrange of T = (eta/4) <qdot, G qdot>, mu = 1. All are

    qddot = -(qdot + G^{-1} g)/m - G^{-1} (a Gdot qdot - b dT),                                         (4)
    Gdot = (qdot.d) G,  dT_i = <qdot, d_i G qdot>/2,

(a, b) = (1, 0), (0, 0), (1, 1), m = eta/2, from qdot(0) = -G^{-1} g: a pair is of order 2, a crossed one of
order 1. A metric is diagonal throughout, given by its d entries; the Bregman Lagrangian is in bregman.py,
heavy ball in curved_momentum.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from noether.cases.case import BREGMAN
from noether.cases.rules import NATURAL_GRADIENT
from noether.kernels.programs.numpy_step import step
from noether.laws.law import NEAR
from noether.laws.orders import constants, faults
from noether.laws.orders.bregman import bregman_claims
from noether.laws.orders.claims import NUDGE, Claim, Run, Solution, ended, judged
from noether.laws.orders.runs import FINAL, FLOAT64, QUIET, Cell, Fan, reference, rough, step_sizes, steps_of
from noether.laws.orders.units import EPS, KAPPA
from noether.mechanics.symbolic import gradient
from noether.mechanics.symbolic_metric import Curved, curved
from noether.verdicts.figures import Heatmap
from noether.verdicts.record import ORDER, Record

CURVED_STARTS = 2
# from natural gradient's guess, wrong by eta^2, errors square: eta^16 is 2^-80 for the largest eta
NEWTON = 3


def mirror_step(metric: Curved, q, eta, g):
    """(1), solved for q' by Newton; the derivative of grad h is G."""
    target, moved = metric.mirror(q, KAPPA) - eta * g, natural_step(metric, q, eta, g)
    for _ in range(NEWTON):
        moved = moved - (metric.mirror(moved, KAPPA) - target) / metric.entries(moved, KAPPA)
    return moved


def natural_step(metric: Curved, q, eta, g):
    """(2), that of kernels/programs/numpy_step.py."""
    return step(
        [q],
        [0 * q],
        [eta, 0.0, 0.0, 0.0, KAPPA, metric.entries(q, KAPPA)],
        lambda at, eps: [g],
        NATURAL_GRADIENT,
        FLOAT64,
    )[0][0]


def geodesic_step(metric: Curved, q, eta, g):
    """(3): the geodesic over unit time by one Runge-Kutta step of order 4: eta^5 a step, two orders below
    what is measured."""

    w = -eta * g / metric.entries(q, KAPPA)
    a = metric.geodesic(q, w, KAPPA)
    b = metric.geodesic(q + w / 2, w + a / 2, KAPPA)
    c = metric.geodesic(q + w / 2 + a / 4, w + b / 2, KAPPA)
    return q + w + (a + b + c) / 6  # the fourth slope moves w alone


STEPS = ((mirror_step, (1.0, 0.0)), (natural_step, (0.0, 0.0)), (geodesic_step, (1.0, 1.0)))
UPDATES: dict[str, tuple[Callable, tuple[float, float]]] = dict(zip(faults.UPDATES, STEPS, strict=True))
"""The step, and (a, b) of its model."""


def updates_of(case) -> dict:
    """Without mirror descent where the metric is no Hessian."""
    return {k: u for k, u in UPDATES.items() if k != "mirror descent" or curved(case).mirror}


@QUIET
def walked(metric: Curved, g: Callable, steps: list, fan: Fan) -> np.ndarray:
    """q at the end of each (step, factor of eta), (d, lanes); one gradient for all."""
    counts, q, end = steps_of(fan.eta), fan.q, np.empty_like(fan.q)
    n = len(counts) // len(steps)
    for k in range(int(counts.max()) + 1):
        end[:, counts == k] = q[:, counts == k]
        force = g(q)
        parts = zip(range(0, q.shape[1], n), steps, strict=True)
        q = np.concatenate(
            [
                f(metric, q[:, i : i + n], factor * fan.eta[i : i + n], force[:, i : i + n])
                for i, (f, factor) in parts
            ],
            axis=1,
        )
    return end


def model(metric: Curved, g: Callable, m, mu, a, b):
    """(4) as rates of (q, qdot), the friction mu G; all (lanes,)."""

    def rates(x):
        q, w = np.split(x, 2)
        G = metric.entries(q, KAPPA)
        pull, turn = np.split(metric.bend(q, w, KAPPA), 2)
        return np.concatenate([w, -(mu * w + g(q) / G) / m - (a * turn * w - b * pull) / G])

    return rates


PERTURBED = ("mass", "friction", "force", "qdot(0)", "Gdot qdot", "dT")
"""The symbols of (4): m, mu, g, the start velocity, a and b."""


@dataclass(frozen=True, eq=False)
class OnMetric:
    """a and b of (4) and qdot(0), (d, starts)."""

    a: float
    b: float
    qdot: np.ndarray

    @property
    def symbols(self) -> tuple:
        """Those of (4) with a and b that are not 0, None before them for the model itself."""
        return (None, *PERTURBED[:4], *(["Gdot qdot"] if self.a else []), *(["dT"] if self.b else []))


def solved_models(
    metric: Curved, g: Callable, q0, sizes, share: float, mu: float, models: list[OnMetric]
) -> list[tuple[Solution, dict[str, np.ndarray]]]:
    """(4) with m = share eta, and {symbol: d q / d ln symbol}, (d, starts, sizes), of each model."""
    near, d = 1 + NUDGE, len(q0)

    def march(many: list, by):
        """many: (model, symbol or None)"""
        fan = Fan(q0, sizes, len(many))
        factor = lambda name: fan.each([near if name == symbol else 1.0 for _, symbol in many])
        a, b = (fan.each([getattr(of, x) for of, _ in many]) for x in ("a", "b"))
        m, c, phi = (factor(name) for name in PERTURBED[:3])
        turn, bend = a * factor("Gdot qdot"), b * factor("dT")
        rates = model(metric, lambda x: phi * g(x), share * fan.eta * m, mu * c, turn, bend)
        qdot = fan.starts(np.stack([of.qdot for of, _ in many], axis=1)) * factor("qdot(0)")
        return fan, by(rates, np.concatenate([fan.q, qdot]), mu / (share * fan.eta))

    fan, (x, error) = march([(of, None) for of in models], reference)
    solutions = [Solution(q, e) for q, e in zip(fan.apart(x[:d]), fan.apart(error), strict=True)]
    many = [(of, symbol) for of in models for symbol in of.symbols]
    fan, x = march(many, rough)
    at = dict(zip(many, fan.apart(x[:d]), strict=True))
    response = lambda of, symbol: (at[of, symbol] - at[of, None]) / NUDGE
    D = [{symbol: response(of, symbol) for symbol in of.symbols if symbol} for of in models]
    return list(zip(solutions, D, strict=True))


def pairs(cell: Cell) -> list[Record]:
    """O8: every update against every model."""
    metric, sizes, (q0, _) = curved(cell.case), step_sizes(cell), cell.start(CURVED_STARTS)
    g = lambda x: gradient(cell.slowed)(x, EPS)
    updates, start = updates_of(cell.case), -g(q0) / metric.entries(q0, KAPPA)
    steps = [*((f, 1.0) for f, _ in updates.values()), (natural_step, NEAR)]
    fan = Fan(q0, sizes, len(steps))
    *ends, long = (ended(q) for q in fan.apart(walked(metric, g, steps, fan)))
    runs = dict(zip(updates, ends, strict=True))
    models = [OnMetric(a, b, start) for _, (a, b) in updates.values()]
    found = dict(zip(updates, solved_models(metric, g, q0, sizes, 0.5, 1.0, models), strict=True))
    first = lambda: dict(zip(updates, on_metric(metric, g, q0, 0.5, 1.0, models), strict=True))
    how, Y = (
        dict(sequence="order limit constant fault", steps=int(steps_of(sizes).max())),
        constants.twice(first),
    )
    claims = [pair(update, of, run, *found[of], Y) for update, run in runs.items() for of in updates]
    out = judged(cell, claims, **how)
    mapped(cell, [r for r in out if r.kind == ORDER and not r.fault], list(updates))
    natural = found["natural gradient"][0]
    more = [Claim("natural gradient, steps too long", long, natural, None, faults.TOO_LONG)]
    if cell.case.metric.kind == BREGMAN:
        more += bregman_claims(cell, metric, g, q0, runs)
    return out + judged(cell, more, **how)


def pair(update: str, of: str, run: Run, model: Solution, D: dict, Y: tuple) -> Claim:
    """The end of one update against the model of another, or of its own."""
    note = f"{update} against the model of {of}"
    if update == of:
        return Claim(note, run, model, 2, responses={name: -d for name, d in D.items()})
    constant = tuple(y[update] - y[of] for y in Y)
    return Claim(note, run, model, 1, faults.OTHER_MODEL[update, of], constant=constant)


def on_metric(
    metric: Curved, g: Callable, q0, M: float, mu: float, models: list[OnMetric], final=FINAL
) -> list[np.ndarray]:
    """Y of (1) of constants.py for (4), m = eta M: with V = G^{-1} g, V' its derivative and B = G^{-1} (a
    Gdot w - b dT) of w = V/mu,

    X' = -V/mu,   Y' = -V' Y/mu - M/mu (V'V/mu^2 + B),   Y(0) = M/mu (qdot(0) + V/mu); one for each model.
    """
    n, d = q0.shape[1], len(q0)
    a, b = (np.repeat([float(getattr(of, x)) for of in models], n) for x in ("a", "b"))
    V = lambda x: g(x) / metric.entries(x, KAPPA)

    def rates(x):
        q, y = np.split(x, 2)
        w, G = V(q) / mu, metric.entries(q, KAPPA)
        pull, turn = np.split(metric.bend(q, w, KAPPA), 2)
        bent = constants.along(V, q, w) / mu + (a * turn * w - b * pull) / G
        return np.concatenate([-w, -constants.along(V, q, y) / mu - M / mu * bent])

    y0 = np.concatenate([M / mu * (of.qdot + V(q0) / mu) for of in models], axis=1)
    x = constants.smooth(rates, np.concatenate([np.tile(q0, len(models)), y0]), final)
    return np.split(x[d:], len(models), axis=1)


def mapped(cell: Cell, records: list[Record], names: list[str]) -> None:
    """The last record carries all orders as a heat map: updates down, models across; records come row by
    row."""
    flat = [
        {
            "value": r.measured,
            "label": "" if r.measured is None else f"order {round(r.measured)}",
            "evidence": r.reason,
        }
        for r in records
    ]
    rows = [flat[i : i + len(names)] for i in range(0, len(flat), len(names))]
    caption = (
        f"On the metric of {cell.case.name}: each update is of order 2 in its own model and of order 1 in "
        "every other."
    )
    records[-1].data = Heatmap(
        rows=names, columns=[f"model of {n}" for n in names], cells=rows, caption=caption
    ).as_dict()
