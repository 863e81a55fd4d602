"""T1 and T2 on thousands of random starts, masses and magnitudes, integrated in batches (theory.md#V1).

Every lane in units of flow.py (2), with heyoka three times: as it steps, with a step that ends at every
output time, and with short steps. The worst lane and a random sample are integrated in 113 bits, and their
bounds held against that.
"""

from __future__ import annotations

import time

import numpy as np

from noether.laws.continuous.comparison import bounds
from noether.laws.reference.cell import Cell, Claim, record
from noether.laws.reference.faults import FRICTION
from noether.laws.reference.integrator import Engine, engine
from noether.laws.reference.truth import truth
from noether.mechanics import flow
from noether.mechanics.own_units import narrowed
from noether.mechanics.symbolic_mechanics import Mechanics, mechanics
from noether.verdicts.judgement import most_spent
from noether.verdicts.record import Record

LANES = {"quick": 256, "full": 2048, "stress": 16_384}
SAMPLE = 4
SCIPY, ALONE = 512, 8  # lanes that SciPy integrates to compare the speed: in one system, one by one
LIGHTEST, SHORT = 0.25, 1 / 8  # mass; longest step of the third run, a half of what the first takes


def drawn(cell: Cell, mech: Mechanics, lanes: int):
    """x_0 (2d, lanes) and parameters: masses LIGHTEST to 1, frictions about 1, magnitudes below 1/2, 1 and
    .3; velocities as in T1."""
    rng, d = np.random.default_rng(cell.inner.random().integers(2**63)), mech.dim
    m, eps, kappa = rng.uniform(LIGHTEST, 1, lanes), rng.uniform(0, 0.5, lanes), rng.uniform(0, 1, lanes)
    parameters = flow.Parameters(m, rng.uniform(0.6, 1.5, lanes), eps, kappa, rng.uniform(0, 0.3, lanes))
    q = cell.case.draw(rng, lanes)
    w = rng.uniform(0.25, 0.5, (d, lanes)) * rng.choice([-1.0, 1.0], (d, lanes))
    speed = w * q if mech.bregman else 2 * w * narrowed(cell.case, 1.0)[:, None]
    return flow.start(mech, q, speed, parameters), parameters, rng


def starts(cell: Cell) -> list[Record]:
    mech, taylor = mechanics(cell.case), engine(cell.case)
    lanes = LANES.get(cell.inner.profile, LANES["full"])
    x0, parameters, rng = drawn(cell, mech, lanes)
    times = flow.output_times(1.0)
    run, seconds = taylor.batch(x0, parameters, times)
    fine, _ = taylor.batch(x0, parameters, times, stops=True)
    coarse, _ = taylor.batch(x0, parameters, times, longest=SHORT)
    solution = flow.Certified(run, fine, coarse, run)
    speed = {
        "us": round(1e6 * seconds / lanes, 2),
        "compile_s": round(taylor.compiled[53, run_width(taylor)], 3),
        **against_scipy(mech, x0, parameters, times, seconds / lanes),
    }
    every = range(len(cell.case.symmetries))
    return [r for i in every for r in of_symmetry(cell, solution, i, rng, speed)]


def of_symmetry(cell: Cell, solution: flow.Certified, i: int, rng, speed: dict) -> list[Record]:
    """Every lane against the theorem, some against the truth, and the fault."""
    times = solution.run.times[:, 0]
    name, window, lanes = cell.case.symmetries[i].name, np.ones(len(times), bool), solution.run.x.shape[2]
    claims = balances(solution, i, window, lambda t: t.predicted(i))
    sample = sorted({most_spent(claims).lane, *map(int, rng.choice(lanes, SAMPLE, replace=False))})
    again = [replayed(cell, solution, i, lane, claims[lane]) for lane in sample]
    wrong = most_spent(balances(solution, i, window, lambda t: with_another_friction(t, i)))
    size, about = {"lanes": lanes, "steps": len(times)}, {"symmetry": name}
    return [
        record(cell, "j - S on random starts", claims, speed, **about, **size),
        record(cell, "a lane of the batch", again, speed, **about),
        record(cell, "j - S", [wrong], {}, **about, fault=FRICTION.name),
    ]


def with_another_friction(t: flow.Trajectory, i: int) -> np.ndarray:
    """What the theorem predicts where the start is forgotten at the rate of another friction."""
    m, mu = t.parameters.m, t.parameters.mu
    return t.predicted(i) - t.memory(i) * -np.expm1(-FRICTION.changed["friction"] * mu / m * t.times)


def run_width(taylor: Engine) -> int:
    return next(batch for bits, batch in taylor.compiled if batch)


def balances(solution: flow.Certified, i: int, window: np.ndarray, predict) -> list[Claim]:
    """|j - S| of every lane, in units of flow.py (2): the theorem says that it is zero, so nothing else has
    to be known."""
    run, bound = solution.run, bounds(solution, i, window, predict, lambda t: t.j[:, i])
    off, moved = np.abs(run.j[:, i] - predict(run)), np.sum(np.abs(np.diff(run.j[:, i], axis=0)), axis=0)
    at = lambda lane, k: dict(at=float(run.times[k, lane]), lane=lane, start=run.x[0, :, lane])
    return [
        Claim(float(off[k, lane]), float(bound[lane]), known=0.0, moved=float(moved[lane]), **at(lane, k))
        for lane, k in enumerate(map(int, np.argmax(off, axis=0)))
    ]


def replayed(cell: Cell, solution: flow.Certified, i: int, lane: int, claim: Claim) -> Claim:
    """|j - j*| + |S - S*| of one lane in the units of its bound."""
    run, start = solution.run, solution.run.x[0, :, lane]
    known = truth(cell.case, start, [p[lane] for p in run.parameters.values], run.times[:, lane], 113)
    off = known.off(i, run.j[:, i, lane], run.predicted(i)[:, lane])
    worst, unsure = int(np.argmax(off)), max(float(x) for x in known.unsure(i))
    at = float(run.times[worst, lane])
    return Claim(float(off[worst]), claim.bound, at, unsure, claim.moved, lane, start)


def against_scipy(mech: Mechanics, x0, parameters: flow.Parameters, times: np.ndarray, each: float) -> dict:
    """How many times longer SciPy takes a trajectory at T1's tolerance: many in one system of DOP853, one by
    one with LSODA."""
    out = {}
    for name, solve, count in (
        ("dop853", flow.by_dop853, min(SCIPY, x0.shape[1])),
        ("lsoda", flow.by_lsoda, ALONE),
    ):
        chosen = parameters.of(slice(count))
        mech.complete  # noqa: B018
        began = time.process_time()
        solve(mech, x0[:, :count], chosen, np.repeat(times[:, None], count, axis=1), flow.TIGHT)
        out[f"{name}_us"] = round(1e6 * (time.process_time() - began) / count, 1)
        out[f"{name}_over_heyoka"] = round(out[f"{name}_us"] / (1e6 * each), 1)
    return out
