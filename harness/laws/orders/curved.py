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

import numpy as np

from noether.cases.case import BREGMAN
from noether.cases.rules import NATURAL_GRADIENT
from noether.kernels.programs.numpy_step import step
from noether.laws.orders import constants
from noether.laws.orders.bregman import bregman_pairs
from noether.laws.orders.claims import NUDGE, OFF
from noether.laws.orders.records import judge
from noether.laws.orders.runs import FINAL, FLOAT64, QUIET, Cell, Fan, reference, rough, step_sizes, steps_of
from noether.laws.orders.units import EPS, KAPPA
from noether.mechanics.symbolic import gradient
from noether.mechanics.symbolic_metric import Curved, curved
from noether.verdicts.figures import Heatmap
from noether.verdicts.record import ORDER, Record

CURVED_STARTS = 2
NEWTON = (
    3  # from natural gradient's guess, wrong by eta^2, errors square: eta^16 is 2^-80 for the largest eta
)


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
        [eta, 0.0, 0.0, 0.0, metric.entries(q, KAPPA)],
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


def symbols(a: float, b: float) -> tuple:
    """Those of (4) with a and b that are not 0, None before them for the model itself."""
    return (None, *PERTURBED[:4], *(["Gdot qdot"] if a else []), *(["dT"] if b else []))


def solved_models(
    metric: Curved, g: Callable, q0, sizes, share: float, mu: float, claims: list
) -> list[tuple]:
    """(q (d, starts, sizes), its error, {symbol: d q / d ln symbol}) of (4) with m = share eta, one for each
    (a, b, qdot(0))."""
    near = 1 + NUDGE

    def march(many: list, by):
        """many: (claim, symbol or None)"""
        fan = Fan(q0, sizes, len(many))
        factor = lambda name: fan.each([near if name == symbol else 1.0 for _, symbol in many])
        a, b = (
            fan.each([claims[i][j] for i, _ in many]) * factor(name)
            for j, name in ((0, "Gdot qdot"), (1, "dT"))
        )
        m, c, phi = (factor(name) for name in PERTURBED[:3])
        rates = model(metric, lambda x: phi * g(x), share * fan.eta * m, mu * c, a, b)
        qdot = fan.starts(np.stack([claims[i][2] for i, _ in many], axis=1)) * factor("qdot(0)")
        x = by(rates, np.concatenate([fan.q, qdot]), mu / (share * fan.eta))
        return fan, x

    plain = [(i, None) for i in range(len(claims))]
    fan, (x, error) = march(plain, reference)
    q, error = fan.apart(x[: len(q0)]), fan.apart(error)
    many = [(i, symbol) for i in range(len(claims)) for symbol in symbols(*claims[i][:2])]
    fan, x = march(many, rough)
    at = dict(zip(many, fan.apart(x[: len(q0)]), strict=True))
    D = [
        {symbol: (at[i, symbol] - at[i, None]) / NUDGE for j, symbol in many if j == i and symbol}
        for i in range(len(claims))
    ]
    return list(zip(q, error, D, strict=True))


def pairs(cell: Cell) -> list[Record]:
    """O8: every update against every model."""
    metric, sizes, (q0, _), out = curved(cell.case), step_sizes(cell), cell.start(CURVED_STARTS), []
    g = lambda x: gradient(cell.slowed)(x, EPS)
    updates, start = updates_of(cell.case), -gradient(cell.slowed)(q0, EPS) / metric.entries(q0, KAPPA)
    steps = [*((f, 1.0) for f, _ in updates.values()), (natural_step, OFF)]
    fan = Fan(q0, sizes, len(steps))
    end = fan.apart(walked(metric, g, steps, fan))
    models = [(a, b, start) for _, (a, b) in updates.values()]
    found = dict(zip(updates, solved_models(metric, g, q0, sizes, 0.5, 1.0, models), strict=True))
    Y = dict(
        zip(
            updates,
            zip(*constants.twice(lambda: on_metric(metric, g, q0, 0.5, 1.0, models)), strict=True),
            strict=True,
        )
    )
    facts = dict(steps=int(steps_of(sizes).max()))

    def compared(q, update, of, stated, note, fault=None):
        x, error, D = found[of]
        off, size, D = q - x, np.linalg.norm(q, axis=0), {name: -d for name, d in D.items()}
        right = stated == 2 and not fault
        out.append(judge(cell, off, error, size, stated, note, fault=fault, **facts))
        if right:
            out.append(constants.vanishing(cell, off, error, size, 1, D, note, **facts))
        elif stated == 1:
            out.extend(
                constants.judged(
                    cell, off, error, size, 1, tuple(np.subtract(Y[update], Y[of])), note, **facts
                )
            )

    for update, q in zip(updates, end[:-1], strict=True):
        for of in updates:
            note = f"{update} against the model of {of}"
            compared(q, update, of, 2 if of == update else 1, note)
            if of != update:
                compared(q, update, of, 2, note, f"model of {of} for {update}")
    compared(
        end[-1],
        "natural gradient",
        "natural gradient",
        2,
        "natural gradient, steps too long",
        "eta x (1 + 2^-10)",
    )
    mapped(cell, [r for r in out if r.kind == ORDER and not r.fault], list(updates))
    ends = dict(zip(updates, end[:-1], strict=True))
    return out + (bregman_pairs(cell, metric, g, q0, ends) if cell.case.metric.kind == BREGMAN else [])


def on_metric(
    metric: Curved, g: Callable, q0, M: float, mu: float, claims: list, final=FINAL
) -> list[np.ndarray]:
    """Y of (1) of constants.py for (4), m = eta M: with V = G^{-1} g, V' its derivative and B = G^{-1} (a
    Gdot w - b dT) of w = V/mu,

    X' = -V/mu,   Y' = -V' Y/mu - M/mu (V'V/mu^2 + B),   Y(0) = M/mu (qdot(0) + V/mu); one for each (a, b,
                                                         qdot(0)).
    """
    n, d = q0.shape[1], len(q0)
    a, b = (np.repeat([float(c[i]) for c in claims], n) for i in (0, 1))
    V = lambda x: g(x) / metric.entries(x, KAPPA)

    def rates(x):
        q, y = np.split(x, 2)
        w, G = V(q) / mu, metric.entries(q, KAPPA)
        pull, turn = np.split(metric.bend(q, w, KAPPA), 2)
        return np.concatenate(
            [
                -w,
                -constants.along(V, q, y) / mu
                - M / mu * (constants.along(V, q, w) / mu + (a * turn * w - b * pull) / G),
            ]
        )

    y0 = np.concatenate([M / mu * (c[2] + V(q0) / mu) for c in claims], axis=1)
    x = constants.smooth(rates, np.concatenate([np.tile(q0, len(claims)), y0]), final)
    return np.split(x[d:], len(claims), axis=1)


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
