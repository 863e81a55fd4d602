"""S1: the equation of the squared norm, along flow trajectories of scale-invariant losses (theory.md#S1).

    m R'' + mu R' = -2k R + 2m |qdot|^2,   R = |q|^2      (1)
    [m R' + mu R]_0^t = int_0^t (-2k R + 2m |qdot|^2) dt  (2)
    Eq. 16:  |qdot|^2 -> |ghat|^2/(mu^2 R) = |g|^2/mu^2   (3)

(2) is (1) without a second derivative: its left side is a function of the state, its right side two integrals
carried beside it. SciPy's DOP853 is judged; |left - right| is bounded by its distance from a collocation of
order 15 and by that one's from order 13, both sides, plus the rounding of one evaluation. (3) is off by the
terms of order m, past the initial layer and where k^2 R is small beside |g|^2.
"""

from __future__ import annotations

from itertools import product

import numpy as np

from noether.laws.normalisation import faults
from noether.laws.normalisation.cell import Cell, U, limit, order
from noether.laws.orders.runs import second_order
from noether.mechanics.collocation import march
from noether.mechanics.flow import dop853
from noether.mechanics.symbolic import gradient
from noether.system.seeds import derive
from noether.verdicts import judgement
from noether.verdicts.claims import facts, hexed
from noether.verdicts.figures import Lines
from noether.verdicts.powers import STEP, powers_of
from noether.verdicts.record import Record

FINAL = 1.0
BREAKING = 1 / 16  # of the fault that is not scale invariant
STEPS = 20_000  # of DOP853, which needs some hundred: beyond it the loss is too steep for its unit of time
MOTION = 1e3  # bounds that m R' + mu R must move
FINE, COARSE = 8, 7  # stages: orders 15 and 13
TIGHT = 1e-13
BETA = 0.61  # of (3)
DECAY = 0.25  # k of the fault of (3)
IN_LAYER, AFTER = 9, 7  # times of (3)
MASSES, FRICTIONS, DECAYS = (0.071, 0.43), (1.3, 0.57), (0.033, 0.26)


def square(x: np.ndarray) -> np.ndarray:
    """Over components, the last but one axis."""
    return np.sum(x * x, axis=-2)


def solved(case, eps, x0, m, mu, k, times) -> list[np.ndarray]:
    """(q, qdot, int |qdot|^2, int R) at the times, (n, 2d + 2, lanes), by DOP853 and the two collocations."""
    d, lanes = case.dim, x0.shape[1]
    rates = second_order(lambda q: gradient(case)(q, eps), m, mu, k)
    sources = lambda x: np.stack([np.sum(x[d:] ** 2, axis=0), np.sum(x[:d] ** 2, axis=0)])

    def whole(t, y):
        x = y.reshape(-1, lanes)[: 2 * d]
        return np.concatenate([rates(x), sources(x)]).ravel()

    nothing, grid = np.zeros((2, lanes)), np.repeat(times[:, None], lanes, axis=1)
    begun = np.concatenate([x0, nothing]).ravel()
    out = [dop853(whole, begun, times, TIGHT, TIGHT / 10, STEPS).reshape(len(times), -1, lanes)]
    for stages in (FINE, COARSE):
        parts = march(rates, sources, x0, nothing, nothing, grid, stages)
        out.append(np.concatenate(parts, axis=1))
    return out


def sides(x: np.ndarray, d: int, m, mu, k, kinetic=2.0) -> tuple[np.ndarray, np.ndarray]:
    """Left and right of (2), (n, lanes)."""
    q, v, work, norm = x[:, :d], x[:, d : 2 * d], x[:, 2 * d], x[:, 2 * d + 1]
    left = m * 2 * np.sum(q * v, axis=1) + mu * square(q)
    return left - left[0], -2 * k * norm + kinetic * m * work


def flow(cell: Cell) -> list[Record]:
    """(2) over friction, mass and decay, a start each; the unbroken and the broken loss."""
    case = cell.case
    m, mu, k = np.array(list(product(MASSES, FRICTIONS, DECAYS))).T
    rng = np.random.default_rng(derive(cell.seed, cell.name))
    q0 = case.draw(rng, len(m))
    x0 = np.concatenate([q0, rng.uniform(-1, 1, q0.shape)])
    times = np.linspace(0, FINAL / 2, 5) if cell.quick else np.linspace(0, 2 * FINAL, 17)
    both = [np.tile(x, 2) for x in (m, mu, k)]
    eps = np.repeat([0.0, BREAKING], len(m))
    runs = solved(case, eps, np.tile(x0, 2), *both, times)
    unbroken, broken = ([x[..., eps == e] for x in runs] for e in (0.0, BREAKING))
    law = {"m": m, "mu": mu, "k": k, "kinetic": 2.0}
    right = balanced(cell, unbroken, law, (m, mu, k), times, None)
    right.powers = noticed(unbroken, (m, mu, k), case.dim)
    out = [right]
    for fault in faults.BALANCE:
        wrong = {name: x * fault.changed.get(name, 1.0) for name, x in law.items()}
        out.append(balanced(cell, unbroken, wrong, (m, mu, k), times, fault.name))
    return [*out, balanced(cell, broken, law, (m, mu, k), times, faults.NOT_INVARIANT.name)]


def known_to(runs, true: tuple, d: int) -> np.ndarray:
    """Bound on |left - right| of (2) for the right m, mu, k; (n, lanes)."""
    of = [sides(x, d, *true) for x in runs]
    bound = sum(abs(a - b) for i, j in ((0, 1), (1, 2)) for a, b in zip(of[i], of[j], strict=True))
    q, v = runs[0][:, :d], runs[0][:, d : 2 * d]
    return bound + (d + 4) * U * (
        2 * true[0] * abs(np.sum(q * v, axis=1)) + true[1] * (square(q) + square(q[:1]))
    )


def noticed(runs, true: tuple, d: int) -> dict[str, float]:
    """Powers of (2): of m, mu, k and the 2 of its kinetic term."""
    off = lambda *law: np.subtract(*sides(runs[0], d, *law))
    plain, moved = off(*true), {}
    for i, name in enumerate(("m", "mu", "k")):
        moved[name] = -(off(*(x * (1 + STEP) if i == j else x for j, x in enumerate(true))) - plain) / STEP
    moved["kinetic term"] = -(off(*true, 2 * (1 + STEP)) - plain) / STEP
    return powers_of(
        plain[1:],
        known_to(runs, true, d)[1:],
        {"prediction": sides(runs[0], d, *true)[1][1:], **{x: t[1:] for x, t in moved.items()}},
    )


def balanced(cell, runs, law: dict, true: tuple, times, fault: str | None) -> Record:
    """The worst lane and time; the bound is that of the right law, which a wrong one cannot widen."""
    d = cell.case.dim
    left, right = sides(runs[0], d, **law)
    bound = known_to(runs, true, d)
    worst = judgement.worst(left[1:], right[1:], bound[1:])
    n, lane = worst.at
    moved = np.sum(abs(np.diff(left, axis=0)), axis=0) / bound.max(axis=0)
    reason = (
        f"[m R' + mu R] is {worst.measured:.9g}, the integral {worst.predicted:.9g} within "
        f"{worst.bound:.1g} at t = {times[n + 1]:.3g}; it moves by at least {moved.min():.1g} bounds"
    )
    start = runs[0][0, :, lane]
    return judgement.rounding(
        worst,
        reason,
        enough=moved.min() > MOTION,
        **facts(cell, backend=cell.backend, fault=fault),
        lanes=len(true[0]),
        steps=len(times) - 1,
        parameters={x: [float(v.min()), float(v.max())] for x, v in zip(("m", "mu", "k"), true, strict=True)},
        place={
            "lane": lane,
            "step": n + 1,
            "component": None,
            "q": hexed(start[:d]),
            "v": hexed(start[d : 2 * d]),
        },
        figure=Lines(
            x=times,
            series={
                "m R' + mu R, moved": left[:, lane],
                "integral of -2k R + 2m |qdot|^2": right[:, lane],
            },
            xlabel="time",
            ylabel="m R' + mu R",
            xscale="linear",
            yscale="linear",
            caption="The squared norm moves by its decay and by the kinetic energy alone, whatever the loss.",
        ),
    )


def approximation(cell: Cell) -> list[Record]:
    """(3) at FINAL, past the layer, without decay: relative error of order 1 in m = eta (1+beta)/2."""
    eta, mu, d = 2.0 ** -np.arange(8, 14.0), 1 - BETA, cell.case.dim
    m, g = eta * (1 + BETA) / 2, lambda q: gradient(cell.case)(q, 0.0)
    rng = np.random.default_rng(derive(cell.seed, cell.name))
    q0 = np.repeat(cell.case.draw(rng, 1), len(eta), axis=1)
    note, steps = "relative error of the source of Eq. 16", IN_LAYER + AFTER - 2
    about = lambda k: {"m": [float(m[0]), float(m[-1])], "mu": mu, "k": k, "t": FINAL}

    def off(ends, friction=mu):
        fine, coarse = (
            np.sum(g(x[:d]) ** 2, axis=0) / friction**2 / np.sum(x[d:] ** 2, axis=0) - 1 for x in ends
        )
        return fine, abs(fine - coarse) + 64 * U  # some twenty operations on each side

    def judge(ends, k, friction=mu, fault=None):
        return order(cell, *off(ends, friction), 1, about(k), note, x=m, xlabel="m", steps=steps, fault=fault)

    free, decaying = (ends_of(g, q0, m, mu, k) for k in (0.0, DECAY))
    moved = {"|ghat|^2": np.ones(1), "mu": np.full(1, -2.0), "R": np.full(1, -1.0)}
    fine, noise = off(free)
    return [
        judge(free, 0.0),
        limit(cell, fine[None], noise, moved, about(0.0), note, steps=steps),
        judge(free, 0.0, np.sqrt(mu), faults.EQ_16_FRICTION.name),
        judge(decaying, DECAY, fault=faults.EQ_16_DECAYING.name),
    ]


def ends_of(g, q0, m, mu: float, k: float) -> list[np.ndarray]:
    """(q, qdot) at FINAL by the two collocations, (2d, masses) each."""
    x0 = np.concatenate([q0, -(g(q0) + k * q0) / (1 + BETA)])
    layer = np.minimum(30 * m / mu, FINAL / 2)
    times = np.concatenate([np.linspace(0, layer, IN_LAYER), np.linspace(layer, FINAL, AFTER)[1:]])
    rates, nothing = second_order(g, m, mu, k), np.zeros((0, q0.shape[1]))
    return [march(rates, lambda X: X[:0], x0, nothing, nothing, times, s)[0][-1] for s in (FINE, COARSE)]
