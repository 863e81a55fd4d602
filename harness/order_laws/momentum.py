"""Heavy ball against its continuous models: O3, O5 (theory.md section 5).

    v' = beta v - eta F(q),   q' = q + v',   F = g + k q                                                   (1)
O3  against m qddot + mu qdot + F = 0, m = eta (1+beta)/2, mu = 1 - beta: 2 from
    qdot(0) = (2 beta v_0/eta - F(q_0)) / (1+beta); cold, from 0, -F or -F/(1-beta): 1                     (2)
    inside the layer, at all of its first steps: 1 cold, 2 from v_0 = -eta F/mu                            (3)
    against mu qdot = -F: 1;  against the flow of f/mu + eta (1+beta)/(4 mu^3) |F|^2,
    qdot = -F/mu - eta (1+beta)/(2 mu^3) (H + k) F: 2 from v_0 = -eta F/mu, 1 cold                         (4)
O5  <A q_n, v_n/eta> against <A q, qdot>: 1;  with (v_n + v_{n+1}) / (2 eta): 2                            (5)
"""

from __future__ import annotations

import numpy as np

from harness.order_laws.claims import OFF, Claim, Model, judge_claims
from harness.order_laws.descent import EPS, STARTS
from harness.order_laws.runs import (
    Cell,
    both,
    judge,
    reference,
    second_order,
    solved,
    step_sizes,
    stepping,
    steps_of,
    updates,
)
from harness.symbolic import gradient, hessian_product
from harness.verdicts import Record

BETAS = {"quick": (0.5,), "full": (0.5, 0.75)}
DECAY = 1 / 32
CHARGE_EPS = 1 / 8
LAYER = 32  # steps; beta^32 of the layer is left, 2e-10 at beta 1/2
LAYER_STEPS = 2.0 ** -np.arange(8.0, 15.0)  # any size costs LAYER steps: they must span a time in which the force hardly moves


def heavy_ball_orders(cell: Cell) -> list[Record]:
    """O3"""
    eta, (q0, w), out = step_sizes(cell), cell.start(), []
    F = gradient(cell.case)(q0, EPS) + DECAY * q0
    for beta in BETAS["quick" if cell.quick else "full"]:
        mass, at = eta * (1 + beta) / 2, f"beta {beta}, "

        def model(qdot, m=mass, beta=beta):
            return Model(m, 1 - beta, qdot, spring=DECAY)

        cold, warm = -F / (1 + beta), (2 * beta * w - F) / (1 + beta)  # (2)
        claims = [
            Claim(at + "cold, qdot(0) = -(g + k q)/(1 + beta)", model(cold), 2),
            Claim(at + "warm, qdot(0) = (2 beta w - (g + k q))/(1 + beta)", model(warm), 2, v0=w),
            Claim(at + "cold, qdot(0) = 0", model(0 * F), 1, "start velocity 0"),
            Claim(at + "cold, qdot(0) = -(g + k q)", model(-F), 1, "start velocity -g"),
            Claim(at + "cold, qdot(0) = -(g + k q)/(1 - beta)", model(-F / (1 - beta)), 1, "start velocity -g/(1-beta)"),
            Claim(at + "cold, mass eta/2", model(cold, eta / 2), 1, "mass eta/2 for eta(1+beta)/2"),
            Claim(at + "cold, steps too long", model(cold), None, "eta x (1 + 2^-10)", factor=OFF),
        ]
        out += judge_claims(cell, claims, q0, beta=beta, k=DECAY, eps=EPS)
    return out


def starts(cell: Cell, beta: float, steps: np.ndarray):
    """Two groups of lanes, cold and from v_0 = -eta F/mu: the force F, eta, q_0, v_0 and F(q_0)."""
    g = gradient(cell.case)
    force = lambda x: g(x, EPS) + DECAY * x  # noqa: E731
    eta, q0 = np.tile(steps, 2), np.repeat(cell.start()[0], 2 * len(steps), axis=1)
    F = force(q0)
    return force, eta, q0, np.where(np.arange(len(eta)) < len(steps), 0, -eta * F / (1 - beta)), F


def layer_orders(cell: Cell) -> list[Record]:
    """O3 (3), in the norm over a fixed number of steps: as good as the largest, and smooth where the place of that jumps."""
    beta, d, steps = BETAS["quick"][0], cell.case.dim, LAYER_STEPS
    n, (_, eta, q0, v0, F) = len(steps), starts(cell, beta, steps)
    g = lambda x: gradient(cell.case)(x, EPS)  # noqa: E731
    rates = second_order(g, eta * (1 + beta) / 2, 1 - beta, DECAY)
    x, error = solved(rates, np.concatenate([q0, (2 * beta * v0 / eta - F) / (1 + beta)]), np.arange(LAYER + 1)[:, None] * eta)
    run = stepping(g, q0, v0, eta, beta=beta, k=DECAY)
    q = np.array([next(run)[0] for _ in range(LAYER + 1)])
    e, size = np.linalg.norm(q - x[:, :d], axis=(0, 1)), np.linalg.norm(q[-1], axis=0)
    cold, warm = slice(0, n), slice(n, 2 * n)
    note, facts = f"beta {beta}, all of the first {LAYER} steps", dict(steps=LAYER, eta=steps)
    out = both(cell, e[cold], error[-1, cold] * LAYER**0.5, size[cold], 1, note + ", cold", "second order claimed inside the layer", 2, **facts)
    return [*out, judge(cell, e[warm], error[-1, warm] * LAYER**0.5, size[warm], 2, note + ", v_0 = -eta F/mu", **facts)]


def flow_limits(cell: Cell) -> list[Record]:
    """O3 (4)"""
    beta, n = BETAS["quick"][0], len(step_sizes(cell))
    force, eta, q0, v0, _ = starts(cell, beta, step_sizes(cell))
    mu, H = 1 - beta, hessian_product(cell.case)
    q = updates(lambda x: gradient(cell.case)(x, EPS), q0, v0, eta, steps_of(eta), beta=beta, k=DECAY)[0]
    out, size, steps = [], np.linalg.norm(q, axis=0), int(steps_of(eta).max())
    cold, warm = slice(0, n), slice(n, 2 * n)

    def modified(x, term=1.0):
        F = force(x)
        return -F / mu - term * eta * (1 + beta) / (2 * mu**3) * (H(x, EPS, F) + DECAY * F)

    def against(rates):
        x, error = reference(rates, q0, np.full_like(eta, 1 / mu))
        return np.linalg.norm(q - x, axis=0), error

    e, error = against(lambda x: -force(x) / mu)
    note = f"beta {beta}, mu qdot = -F"
    out += both(cell, e[warm], error[warm], size[warm], 1, note, "second order claimed of the flow", 2, steps=steps)
    e, error = against(modified)
    note = f"beta {beta}, flow of f/mu + eta (1+beta)/(4 mu^3) |F|^2"
    out.append(judge(cell, e[warm], error[warm], size[warm], 2, note + ", v_0 = -eta F/mu", steps=steps))
    out += both(cell, e[cold], error[cold], size[cold], 1, note + ", cold", "modified loss from a cold start", 2, steps=steps)
    e, error = against(lambda x: modified(x, 1 / (1 + beta)))
    out.append(judge(cell, e[warm], error[warm], size[warm], 2, note, control="modified loss without 1 + beta", steps=steps))
    return out


def is_pulled_evenly(g, symmetry, q: np.ndarray) -> bool:
    """Whether <g, xi> of a Killing charge is the same everywhere, as it is where it is zero: from rest the model is then exact."""
    x = symmetry.matrix @ q + symmetry.shift[:, None]
    pull, size = np.sum(g(q) * x, axis=0), np.sum(np.abs(g(q) * x), axis=0)
    rounded = 2.0**-40 * np.max(size)  # d products of gradients of some hundred operations: far below 2^13 roundings
    return bool((symmetry.is_translation or symmetry.is_rotation) and np.ptp(pull) <= rounded)


def charge_orders(cell: Cell) -> list[Record]:
    """O5: the error is the norm over STARTS starts, so that a sign change of one of them decides nothing."""
    steps, d, beta, out = step_sizes(cell), cell.case.dim, BETAS["quick"][0], []
    g = lambda x: gradient(cell.case)(x, CHARGE_EPS)  # noqa: E731
    eta = np.tile(steps, STARTS)
    q0 = np.repeat(cell.start(STARTS)[0], len(steps), axis=1)
    counts = steps_of(eta)
    m, mu = eta * (1 + beta) / 2, 1 - beta
    q, v, ahead = updates(g, q0, np.zeros_like(q0), eta, counts, beta=beta)
    x, error = reference(second_order(g, m, mu, 0.0), np.concatenate([q0, -g(q0) / (1 + beta)]), mu / m)

    def norm(lanes):
        return np.linalg.norm(lanes.reshape(STARTS, -1), axis=0)

    for symmetry in cell.case.symmetries:
        if is_pulled_evenly(g, symmetry, q0):
            continue
        A, a = symmetry.matrix, symmetry.shift[:, None]

        def charge(q, qdot, A=A, a=a):
            return np.sum((A @ q + a) * qdot, axis=0)

        model = charge(x[:d], x[d:])
        backward = norm(charge(q, v / eta) - model)
        centred = norm(charge(q, (v + ahead) / (2 * eta)) - model)  # (5)
        # The charge moves by |A| |qdot| per unit of q and by |xi| per unit of qdot; v/eta has the rounding of q over eta,
        # which the friction forgets after m/mu, that is a few steps: of the order of n steps' worth of q, already counted.
        factor = np.linalg.norm(A, 2) * np.linalg.norm(x[d:], axis=0) + np.linalg.norm(A @ x[:d] + a, axis=0)
        noise, size = norm(error * factor), norm(factor * np.linalg.norm(q, axis=0))
        facts = dict(symmetry=symmetry.name, steps=int(counts.max()))
        out += both(cell, backward, noise, size, 1, "<A q_n, v_n/eta>", "charge not centred", 2, **facts)
        out.append(judge(cell, centred, noise, size, 2, "<A q_n, (v_n + v_n+1)/(2 eta)>", **facts))
    return out
