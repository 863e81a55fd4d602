"""The decay of a Killing charge per step: exact, and in the continuous model (theory.md#O4).

    heavy ball               J_n = beta^n J_0:  rate  -ln beta                                   (1)
    m qddot + mu qdot + g = 0    J(t) = e^{-mu t/m} J(0):  rate  eta mu/m = 2 (1-beta)/(1+beta)  (2)

With x = (1-beta)/(1+beta), -ln beta = 2 artanh x = 2x + 2x^3/3 + ...: (2) is the (1,1) Pade approximant of
(1), wrong by (1-beta)^3/12 + ...; a mass eta/2 has rate 2 (1-beta), wrong by 1-beta, a mass eta 1-beta, by
(1-beta)^2/2.

Both are measured: J over STEPS steps of a kicked launch and over the same time of an ODE solution from the
same start. A prediction is rounded too: 1 +- beta is wrong by u of itself, a quotient of two by 3 u, log beta
by 2 u, x/artanh x by 6.5 u (3 u of x reach it 1.2-fold at beta .1). With the u of rounding the measured rate:
FORMED u of a rate, twice that of a ratio.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from noether.cases.rules import HEAVY_BALL
from noether.kernels.loops.launch import run
from noether.laws.exact import charge, decay_law
from noether.laws.orders import faults
from noether.laws.orders.claims import Claim, Run, Solution, judged
from noether.laws.orders.records import bounded
from noether.laws.orders.runs import FLOAT64, Cell, U, second_order, solved
from noether.mechanics import sweep
from noether.mechanics.symbolic import gradient
from noether.mechanics.trajectory import Trajectory
from noether.verdicts.record import Record

STEPS = 8
GAPS = 2.0 ** -np.arange(2.0, 9.0)  # 1 - beta
NAMED = (0.9, 0.5, 0.1)  # of theory.md
ETA = 1 / 32
FORMED = 4
CANDIDATES = 16


def killing(case) -> list:
    """The symmetries whose charge has no source under heavy ball without decay."""
    return [s for s in case.symmetries if s.is_rotation or s.is_translation]


def launched(cell: Cell, beta: np.ndarray) -> Trajectory:
    """A kicked launch of STEPS steps on the symmetric loss, one beta a lane.

    Of CANDIDATES starts those with the largest charge beside its own terms: the rest cancels what is
    measured.
    """
    n = len(beta)
    fixed = {"eta": ETA * sweep.pace(cell.case), "beta": np.tile(beta, CANDIDATES), "k": 0.0, "eps": 0.0}
    seed = int(cell.random().integers(2**32))
    job = sweep.draw(
        cell.case, HEAVY_BALL, FLOAT64, lanes=n * CANDIDATES, steps=STEPS, seed=seed, overrides=fixed
    )
    symmetry = killing(cell.case)[0]
    xi = symmetry.matrix @ job.q0 + symmetry.shift[:, None]
    share = np.abs(np.sum(xi * job.v0, axis=0)) / np.sum(np.abs(xi * job.v0), axis=0)
    best = np.argsort(-share)[:n]
    job = replace(job, q0=job.q0[:, best], v0=job.v0[:, best], params=job.params[:, :n])
    return Trajectory.launched(cell.case, job, *run(job, "numpy").wide())


def discrete_rate(t: Trajectory, symmetry) -> tuple[np.ndarray, np.ndarray]:
    """-ln(J_n/J_0)/n and its error, from D3's bound on J_n; (STEPS, lanes), n from 1."""
    J, n = charge(t, symmetry), np.arange(1, STEPS + 1)[:, None]
    bound = decay_law(t, symmetry).bound
    return (-np.log(J[1:] / J[0]) / n).astype(float), (bound / np.abs(J[1:]) / n).astype(float)


def model_rate(cell: Cell, t: Trajectory, symmetry, mass: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same of the solution with this mass, per step of eta; its error from the reference's."""
    q0, v0 = (x[0].astype(float) for x in (t.q, t.v))
    eta, beta = (x.astype(float) for x in (t.eta, t.beta))
    rates = second_order(lambda q: gradient(cell.case)(q, 0.0), mass, 1 - beta, 0.0)
    x, error = solved(rates, np.concatenate([q0, v0 / eta]), np.arange(STEPS + 1)[:, None] * eta)
    q, qdot = np.split(x[-1], 2)
    A, a = symmetry.matrix, symmetry.shift[:, None]
    J = [np.sum((A @ q + a) * w, axis=0) for q, w in (np.split(row, 2) for row in x[[0, -1]])]
    moves = np.linalg.norm(A, 2) * np.linalg.norm(qdot, axis=0) + np.linalg.norm(A @ q + a, axis=0)
    # A charge is a sum of d products of a sum of d + 1: 2 d + 2 roundings of its terms; the logarithm's
    # argument is rounded once.
    terms = [
        np.sum((np.abs(A) @ np.abs(q) + np.abs(a)) * np.abs(w), axis=0)
        for q, w in (np.split(row, 2) for row in x[[0, -1]])
    ]
    formed = U * ((2 * len(q) + 2) * (terms[0] / np.abs(J[0]) + terms[1] / np.abs(J[1])) + 2)
    return -np.log(J[1] / J[0]) / STEPS, (error[-1] * moves / np.abs(J[1]) + formed) / STEPS


def charge_decay(cell: Cell) -> list[Record]:
    """The records of O4: how fast a charge decays, and how fast it does in its models."""
    symmetry = killing(cell.case)[0]
    beta = np.concatenate([1 - GAPS, NAMED])
    t = launched(cell, beta)
    eta, facts = t.eta.astype(float), dict(symmetry=symmetry.name, steps=STEPS)
    discrete = discrete_rate(t, symmetry)
    masses = {"eta (1+beta)/2": eta * (1 + beta) / 2, "eta/2": eta / 2, "eta": eta}
    models = {name: model_rate(cell, t, symmetry, mass) for name, mass in masses.items()}
    model, exact = models["eta (1+beta)/2"], (discrete[0][-1], discrete[1][-1])
    how = dict(sequence="order limit constant fault", eta=GAPS, own={"small": "1 - beta"})
    orders = judged(cell, mass_claims(exact, models), **how, **facts)
    return [*rates(cell, beta, discrete, model, facts), *ratios(cell, exact, model, facts), *orders]


def rates(cell: Cell, beta: np.ndarray, discrete: tuple, model: tuple, facts: dict) -> list[Record]:
    """The two rates, each a pair with its error, and wrong ones."""
    exact, pade = tuple(x[-1] for x in discrete), 2 * ((1 - beta) / (1 + beta))
    run, of = "rate of the discrete charge", "rate of the model's charge"
    table = (  # note, measured, predicted, fault
        (f"{run}: -ln beta", discrete, -np.log(beta), None),
        (run, exact, pade, faults.MODEL_EXACT),
        (run, exact, 1 - beta, faults.PLAIN_DECAY),
        (f"{of}: 2 (1-beta)/(1+beta)", model, pade, None),
        (of, model, 2 * (1 - beta), faults.HALF_MASS_DECAY),
    )
    out = []
    for note, (found, error), predicted, fault in table:
        bound, symbol = error + FORMED * U * np.abs(predicted), note.rpartition(": ")[2]
        compared = (found, predicted, bound, found)
        out.append(bounded(cell, *compared, note, symbol=symbol, fault=fault, **facts))
    return out


def ratios(cell: Cell, exact: tuple, model: tuple, facts: dict) -> list[Record]:
    """Of the two rates, x/artanh x at the values of beta that theory.md names."""
    named, out = [x[len(GAPS) :] for x in (*model, *exact)], []
    for b, pade, pade_error, rate, error in zip(NAMED, *named, strict=True):
        ratio, x = pade / rate, (1 - b) / (1 + b)
        bound = ratio * (pade_error / pade + error / rate + 2 * FORMED * U)
        compared, about = (
            ([ratio], [x / np.arctanh(x)], [bound], [1 - ratio]),
            {"beta": b, "ratio": float(ratio)},
        )
        note = f"model over exact rate at beta {b}"
        out.append(bounded(cell, *compared, note, symbol="1 - ratio", about=about, **facts))
    return out


def mass_claims(exact: tuple, models: dict[str, tuple]) -> list[Claim]:
    """The rates of models of several masses leave the exact one by a power of 1 - beta."""

    def claim(mass: str, order: int, leading: float, fault=None) -> Claim:
        rate, error, own, own_error = (x[None, : len(GAPS)] for x in (*exact, *models[mass]))
        run, model = Run(rate, 0 * rate[0]), Solution(own, (own_error + error + U * rate)[0])
        note, constant = f"rate of the model of mass {mass} less the exact one", (np.array([leading]),) * 2
        return Claim(note, run, model, order, fault, under=3, constant=constant)

    return [
        claim("eta (1+beta)/2", 3, 1 / 12),
        claim("eta/2", 1, -1.0, faults.MODEL_HALF_MASS),
        claim("eta", 2, 1 / 2, faults.MODEL_FULL_MASS),
    ]
