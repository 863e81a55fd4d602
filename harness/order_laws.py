"""The orders of discrete updates against their continuous models: O1, O2, O3, O5 (theory.md section 5).

    v' = beta v - eta (g(q) + k q),   q' = q + v'                                                          (1)
O1  gradient descent against qdot = -g: 1;  qdot = -(g + (eta/2) H g): 2;
    qdot = -(g + (eta/2) H g + eta^2 (H^2 g / 3 + f'''(g, g) / 12)): 3                                     (2)
O2  gradient descent against (eta/2) qddot + qdot + g = 0, qdot(0) = -g: 2, never 3                        (3)
O3  heavy ball against m qddot + mu qdot + g + k q = 0, m = eta (1+beta)/2, mu = 1 - beta: 2 from
    qdot(0) = (2 beta v_0/eta - (g + k q_0)) / (1+beta); cold, from 0, -g - k q or (-g - k q)/(1-beta): 1  (4)
O5  <A q_n, v_n/eta> against <A q, qdot>: 1;  with (v_n + v_{n+1}) / (2 eta): 2                            (5)

Each at one fixed time past the layer, eta = 2^-j one lane each; the updates (1) are a plain numpy loop.
References are Radau IIA collocations of order 15, known to within their distance from order 13.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cache

import numpy as np

from cases.case import BREGMAN, EUCLIDEAN
from harness.continuous_records import undecided
from harness.order_laws_runs import FINAL, Cell, judge, reference, second_order, step_sizes, updates
from harness.symbolic import curvature, gradient, prove
from harness.verdicts import Record

BETAS = {"quick": (0.5,), "full": (0.5, 0.75)}
EPS, DECAY = 1 / 16, 1 / 32  # small enough that no start of a scale-invariant case reaches q = 0 before FINAL
CHARGE_EPS, STARTS = 1 / 8, 4
OFF = 1 + 2.0**-10
# f''' of a quotient of eight or a sum of twelve exponentials takes sympy 3 s and 5 s (1.14): two cases witness O1.
THIRD = {"quick": 4, "full": 8}


proven = cache(prove)


def cells(cases, profile: str = "quick", seed: int = 0, backend: str = "numpy") -> list[Cell]:
    out = []
    for case in cases if profile != "glance" else ():
        if case.metric.kind == BREGMAN:
            continue  # these models are Euclidean; the mirror pair is theory.md#O8
        polynomial = case.dim <= THIRD["quick"] or not case.scale_free and case.dim == THIRD["full"]
        if polynomial:
            out.append(Cell("O1", case, "gradient-descent", profile, seed))
        if case.metric.kind == EUCLIDEAN:
            out.append(Cell("O2", case, "gradient-descent", profile, seed))
            out.append(Cell("O3", case, "heavy-ball", profile, seed))
            out.append(Cell("O5", case, "heavy-ball", profile, seed))
    return out


def run_cell(cell: Cell) -> list[Record]:
    began = time.perf_counter()
    proven(cell.case)
    work = {
        "O1": flow_orders,
        "O2": second_order_model,
        "O3": heavy_ball_orders,
        "O5": charge_orders,
    }[cell.law]
    try:
        out = work(cell)
    except FloatingPointError as error:
        out = [undecided(cell, str(error), backend="numpy")]
    for r in out:
        r.seconds = (time.perf_counter() - began) / len(out)
    return out


def flow_orders(cell: Cell) -> list[Record]:
    """O1"""
    eta, g, bend = step_sizes(cell), gradient(cell.case), curvature(cell.case)
    q0 = np.repeat(cell.start()[0], len(eta), axis=1)
    counts = np.rint(FINAL / eta).astype(int)

    def field(terms):
        def rates(x):
            force = g(x, EPS)
            out = force
            if terms > 1:
                Hg, third = bend(x, EPS, force)
                out = out + eta / 2 * Hg
            if terms == 3:
                out = out + eta**2 * (bend(x, EPS, Hg)[0] / 3 + third / 12)
            return -out  # (2)

        return rates

    q = updates(lambda x: g(x, EPS), q0, np.zeros_like(q0), eta, counts)[0]
    q_off = updates(lambda x: g(x, EPS), q0, np.zeros_like(q0), eta * OFF, counts)[0]
    out, notes = [], ("gradient flow", "with (eta/2) H g", "with the terms of order eta^2")
    for terms, note in enumerate(notes, start=1):
        x, error = reference(field(terms), q0, np.ones_like(eta))
        size = np.linalg.norm(q, axis=0)
        e, e_off = (np.linalg.norm(a - x, axis=0) for a in (q, q_off))
        out.append(judge(cell, e, error, size, terms, note, steps=int(counts.max())))
        if terms < 3:
            out.append(
                judge(
                    cell,
                    e,
                    error,
                    size,
                    terms + 1,
                    note,
                    control=f"model without its terms of order eta^{terms}",
                )
            )
        if terms > 1:  # the first-order model is itself as far off as these steps
            out.append(judge(cell, e_off, error, size, terms, note, control="eta x (1 + 2^-10)"))
    return out


@dataclass(frozen=True)
class Claim:
    """A discrete run against a model: v_0 = eta v0, steps of factor * eta; model mass and qdot(0), (d, 1) or (lanes,).

    stated    its order, None when only the control is a record
    control   the fault's name: the same comparison judged against the order `against`
    """

    note: str
    qdot: np.ndarray
    mass: np.ndarray
    stated: int | None
    control: str | None = None
    against: int = 2
    v0: np.ndarray | float = 0.0
    factor: float = 1.0


def judge_claims(
    cell: Cell, claims: list[Claim], q0: np.ndarray, *, beta: float, mu: float, k: float
) -> list[Record]:
    """All claims in one batch of lanes, for the updates and for the references."""
    eta, d = step_sizes(cell), cell.case.dim
    g = lambda x: gradient(cell.case)(x, EPS)  # noqa: E731
    lanes = len(eta)
    every = np.tile(eta, len(claims))
    q = np.repeat(q0, lanes * len(claims), axis=1)
    v = np.concatenate([np.zeros((d, lanes)) + eta * c.v0 for c in claims], axis=1)
    factor = np.repeat([c.factor for c in claims], lanes)
    counts = np.rint(FINAL / every).astype(int)
    end = updates(g, q, v, every * factor, counts, beta=beta, k=k)[0]
    qdot = np.concatenate([np.repeat(c.qdot, lanes, axis=1) for c in claims], axis=1)
    m = np.concatenate([c.mass for c in claims])
    x, error = reference(second_order(g, m, mu, k), np.concatenate([q, qdot]), mu / m)
    size, e = np.linalg.norm(end, axis=0), np.linalg.norm(end - x[:d], axis=0)
    out = []
    for i, claim in enumerate(claims):
        mine = slice(i * lanes, (i + 1) * lanes)
        if claim.stated:
            out.append(
                judge(
                    cell, e[mine], error[mine], size[mine], claim.stated, claim.note, steps=int(counts.max())
                )
            )
        if claim.control:
            out.append(
                judge(
                    cell, e[mine], error[mine], size[mine], claim.against, claim.note, control=claim.control
                )
            )
    return out


def second_order_model(cell: Cell) -> list[Record]:
    """O2"""
    eta, (q0, _) = step_sizes(cell), cell.start()
    g = gradient(cell.case)(q0, EPS)
    claims = [
        Claim(
            "qdot(0) = -g", -g, eta / 2, 2, "third order claimed of the second-order model", against=3
        ),  # (3)
        Claim("qdot(0) = 0", 0 * g, eta / 2, 1, "start velocity 0"),
        Claim("qdot(0) = -g", -g, eta / 2, None, "eta x (1 + 2^-10)", factor=OFF),
    ]
    return judge_claims(cell, claims, q0, beta=0.0, mu=1.0, k=0.0)


def heavy_ball_orders(cell: Cell) -> list[Record]:
    """O3"""
    eta, (q0, w), out = step_sizes(cell), cell.start(), []
    force = gradient(cell.case)(q0, EPS) + DECAY * q0
    for beta in BETAS["quick" if cell.profile == "quick" else "full"]:
        m, at = eta * (1 + beta) / 2, f"beta {beta}, "
        claims = [
            Claim(at + "cold, qdot(0) = -(g + k q)/(1 + beta)", -force / (1 + beta), m, 2),  # (4)
            Claim(
                at + "warm, qdot(0) = (2 beta w - (g + k q))/(1 + beta)",
                (2 * beta * w - force) / (1 + beta),
                m,
                2,
                v0=w,
            ),
            Claim(at + "cold, qdot(0) = 0", 0 * force, m, 1, "start velocity 0"),
            Claim(at + "cold, qdot(0) = -(g + k q)", -force, m, 1, "start velocity -g"),
            Claim(
                at + "cold, qdot(0) = -(g + k q)/(1 - beta)",
                -force / (1 - beta),
                m,
                1,
                "start velocity -g/(1-beta)",
            ),
            Claim(at + "cold, mass eta/2", -force / (1 + beta), eta / 2, 1, "mass eta/2 for eta(1+beta)/2"),
            Claim(at + "cold, steps too long", -force / (1 + beta), m, None, "eta x (1 + 2^-10)", factor=OFF),
        ]
        out += judge_claims(cell, claims, q0, beta=beta, mu=1 - beta, k=DECAY)
    return out


def charge_orders(cell: Cell) -> list[Record]:
    """O5: the error is the norm over STARTS starts, so that a sign change of one of them decides nothing."""
    steps, d, beta, out = step_sizes(cell), cell.case.dim, BETAS["quick"][0], []
    g = lambda x: gradient(cell.case)(x, CHARGE_EPS)  # noqa: E731
    eta = np.tile(steps, STARTS)
    q0 = np.repeat(cell.start(STARTS)[0], len(steps), axis=1)
    counts = np.rint(FINAL / eta).astype(int)
    m, mu = eta * (1 + beta) / 2, 1 - beta
    q, v, ahead = updates(g, q0, np.zeros_like(q0), eta, counts, beta=beta)
    x, error = reference(second_order(g, m, mu, 0.0), np.concatenate([q0, -g(q0) / (1 + beta)]), mu / m)

    def norm(lanes):
        return np.linalg.norm(lanes.reshape(STARTS, -1), axis=0)

    for symmetry in cell.case.symmetries:
        A, a = symmetry.matrix, symmetry.shift[:, None]

        def charge(q, qdot, A=A, a=a):
            return np.sum((A @ q + a) * qdot, axis=0)

        model = charge(x[:d], x[d:])
        backward, centred = (
            norm(charge(q, v / eta) - model),
            norm(charge(q, (v + ahead) / (2 * eta)) - model),
        )  # (5)
        # The charge moves by |A| |qdot| per unit of q and by |xi| per unit of qdot; v/eta has the rounding of q over eta,
        # which the friction forgets after m/mu, that is a few steps: of the order of n steps' worth of q, already counted.
        factor = np.linalg.norm(A, 2) * np.linalg.norm(x[d:], axis=0) + np.linalg.norm(A @ x[:d] + a, axis=0)
        noise, size, note = norm(error * factor), norm(factor * np.linalg.norm(q, axis=0)), "<A q_n, v_n/eta>"
        out.append(
            judge(cell, backward, noise, size, 1, note, symmetry=symmetry.name, steps=int(counts.max()))
        )
        out.append(
            judge(cell, backward, noise, size, 2, note, symmetry=symmetry.name, control="charge not centred")
        )
        out.append(
            judge(
                cell,
                centred,
                noise,
                size,
                2,
                "<A q_n, (v_n + v_n+1)/(2 eta)>",
                symmetry=symmetry.name,
                steps=int(counts.max()),
            )
        )
    return out
