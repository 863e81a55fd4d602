"""Heavy ball against its continuous models: O3 (theory.md section 5).

    v' = beta v - eta F(q),   q' = q + v',   F = g + k q                                                   (1)
O3  against m qddot + mu qdot + F = 0, m = eta (1+beta)/2, mu = 1 - beta: 2 from
    qdot(0) = (2 beta v_0/eta - F(q_0)) / (1+beta); cold, from 0, -F or -F/(1-beta): 1                     (2)
    inside the layer, at all of its first steps: 1 cold, 2 from v_0 = -eta F/mu                            (3)
    against mu qdot = -F: 1;  against the flow of f/mu + eta (1+beta)/(4 mu^3) |F|^2,
    qdot = -F/mu - eta (1+beta)/(2 mu^3) (H + k) F: 2 from v_0 = -eta F/mu, 1 cold                         (4)
"""

from __future__ import annotations

import numpy as np

from noether.laws.orders import constants
from noether.laws.orders.claims import OFF, Claim, judge_claims
from noether.laws.orders.models import FORCE, Term
from noether.laws.orders.options import at_start
from noether.laws.orders.records import both, judge
from noether.laws.orders.runs import (
    Cell,
    reference,
    rough,
    second_order,
    solved,
    step_sizes,
    stepping,
    steps_of,
    updates,
)
from noether.laws.orders.units import EPS
from noether.mechanics.symbolic import gradient, hessian_product
from noether.verdicts.record import Record

LAYER = 32  # steps; beta^32 of the layer is left, 2e-9 at beta .53
LAYER_STEPS = 2.0 ** -np.arange(9.0, 16.0)
"""Any size costs LAYER steps: they must span a time in which the force hardly moves."""


def heavy_ball_orders(cell: Cell) -> list[Record]:
    """O3"""
    return [r for beta, k, _ in cell.settings for r in heavy_ball(cell, beta, k)]


def heavy_ball(cell: Cell, beta: float, k: float) -> list[Record]:
    (eta, q0, w, g), mu, at = at_start(cell), 1 - beta, f"beta {beta:g}, "
    F = g + k * q0[..., None]

    def model(*qdot, mass=eta * (1 + beta) / 2):
        return (
            Term("mass", "mass", mass),
            Term("friction", "friction", mu),
            Term("k", "spring", k),
            FORCE,
            *qdot,
        )

    force, buffer = (
        Term("F in qdot(0)", "qdot", -F / (1 + beta)),
        Term("buffer", "qdot", 2 * beta * w / (1 + beta)),
    )  # (2)
    cold, of = model(force), lambda qdot: model(Term("qdot(0)", "qdot", qdot))
    claims = [
        Claim(at + "cold, qdot(0) = -(g + k q)/(1 + beta)", cold, 2, constant=True),
        Claim(
            at + "warm, qdot(0) = (2 beta w - (g + k q))/(1 + beta)",
            model(force, buffer),
            2,
            v0=w,
            constant=True,
        ),
        Claim(at + "cold, qdot(0) = 0", of(0 * F), 1, "start velocity 0", right=cold, constant=True),
        Claim(at + "cold, qdot(0) = -(g + k q)", of(-F), 1, "start velocity -g", right=cold, constant=True),
        Claim(
            at + "cold, qdot(0) = -(g + k q)/(1 - beta)",
            of(-F / mu),
            1,
            "start velocity -g/(1-beta)",
            right=cold,
            constant=True,
        ),
        Claim(
            at + "cold, mass eta/2",
            model(force, mass=eta / 2),
            1,
            "mass eta/2 for eta(1+beta)/2",
            right=cold,
            constant=True,
        ),
        Claim(at + "cold, steps too long", cold, None, "eta x (1 + 2^-10)", factor=OFF),
    ]
    return judge_claims(cell, claims, q0, beta=beta, k=k)


def sides(cell: Cell, steps: np.ndarray, beta: float, k: float):
    """Lanes (sides, starts, sizes), cold and from v_0 = -eta F/mu: the force F, eta, q_0, v_0, F(q_0) and the
    way back to shapes."""
    g = gradient(cell.slowed)
    q0, _ = cell.start()
    shape = (2, q0.shape[1], len(steps))
    force = lambda x: g(x, EPS) + k * x
    eta = np.broadcast_to(steps, shape).reshape(-1)
    q = np.broadcast_to(q0[:, None, :, None], (len(q0), *shape)).reshape(len(q0), -1)
    F = force(q)
    v = np.where(np.arange(q.shape[1]) < q.shape[1] // 2, 0, -eta * F / (1 - beta))
    return force, eta, q, v, F, lambda y: y.reshape(*y.shape[:-1], *shape)


def layer_orders(cell: Cell) -> list[Record]:
    """O3 (3), in the norm over a fixed number of steps: as good as the largest, and smooth where the place of
    that jumps."""
    out = []
    for beta, k, _ in cell.settings:
        force, eta, q0, v0, F, back = sides(cell, LAYER_STEPS, beta, k)
        d, facts = len(q0), dict(steps=LAYER, eta=LAYER_STEPS, rounded=LAYER, about={"beta": beta})
        rates = second_order(force, eta * (1 + beta) / 2, 1 - beta)
        times = np.arange(LAYER + 1)[:, None] * eta
        x, error = solved(rates, np.concatenate([q0, (2 * beta * v0 / eta - F) / (1 + beta)]), times)
        run = stepping(lambda y, k=k, force=force: force(y) - k * y, q0, v0, eta, beta=beta, k=k)
        q = np.array([next(run)[0] for _ in range(LAYER + 1)])
        off, error, size = (
            back(q - x[:, :d]),
            back(error[-1]) * LAYER**0.5,
            np.linalg.norm(back(q[-1]), axis=0),
        )
        note = f"beta {beta:g}, all of the first {LAYER} steps"
        out += both(
            cell,
            off[:, :, 0],
            error[0],
            size[0],
            1,
            note + ", cold",
            "second order claimed inside the layer",
            2,
            **facts,
        )
        out.append(judge(cell, off[:, :, 1], error[1], size[1], 2, note + ", v_0 = -eta F/mu", **facts))
    return out


def flow_limits(cell: Cell) -> list[Record]:
    """O3 (4)"""
    return [r for beta, k, _ in cell.fewer for r in limits(cell, beta, k)]


def limits(cell: Cell, beta: float, k: float) -> list[Record]:
    sizes = step_sizes(cell)
    force, eta, q0, v0, _, back = sides(cell, sizes, beta, k)
    mu, H = 1 - beta, hessian_product(cell.slowed)
    q = updates(lambda x: force(x) - k * x, q0, v0, eta, steps_of(eta), beta=beta, k=k)[0]
    size, facts = (
        np.linalg.norm(back(q), axis=0),
        dict(steps=int(steps_of(eta).max()), about={"beta": beta, "k": k / cell.unit}),
    )

    def modified(x, term=1.0, lead=1.0, share=1.0):
        F = force(x)
        return -lead * F / mu - term * eta * (1 + share * beta) / (2 * mu**3) * (H(x, EPS, F) + k * F)

    def against(rates):
        x, error = reference(rates, q0, np.full_like(eta, 1 / mu))
        return back(q - x), back(error)

    def response(rates, nudged, by=2.0**-8):
        ends = [rough(f, q0, np.full_like(eta, 1 / mu)) for f in (rates, nudged)]
        return -back(ends[1] - ends[0])[:, 1] / by

    near = 1 + 2.0**-8
    e, error = against(lambda x: -force(x) / mu)
    note, cold, warm = f"beta {beta:g}, mu qdot = -F", 0, 1
    out = both(
        cell, e[:, warm], error[warm], size[warm], 1, note, "second order claimed of the flow", 2, **facts
    )
    start = q0[:, : q0.shape[1] // 2 : len(sizes)]
    limit = constants.twice(lambda: constants.drift(cell.slowed, mu, k, (1 + beta) / 2, start))
    out += constants.judged(cell, e[:, warm], error[warm], size[warm], 1, limit, note, **facts)
    e, error = against(modified)
    note = f"beta {beta:g}, flow of f/mu + eta (1+beta)/(4 mu^3) |F|^2"
    felt = {"1/mu": response(modified, lambda x: modified(x, lead=near)),
        "eta (1+beta)/(4 mu^3)": response(modified, lambda x: modified(x, term=near)),
            "beta": response(modified, lambda x: modified(x, share=near))}  # fmt: skip
    out.append(
        judge(
            cell, e[:, warm], error[warm], size[warm], 2, note + ", v_0 = -eta F/mu", responses=felt, **facts
        )
    )
    out.append(
        constants.vanishing(
            cell, e[:, warm], error[warm], size[warm], 1, felt, note + ", v_0 = -eta F/mu", **facts
        )
    )
    out += both(
        cell,
        e[:, cold],
        error[cold],
        size[cold],
        1,
        note + ", cold",
        "modified loss from a cold start",
        2,
        **facts,
    )
    e, error = against(lambda x: modified(x, 1 / (1 + beta)))
    out.append(
        judge(
            cell,
            e[:, warm],
            error[warm],
            size[warm],
            2,
            note,
            fault="modified loss without 1 + beta",
            **facts,
        )
    )
    return out
