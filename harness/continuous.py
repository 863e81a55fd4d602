"""The laws of continuous time, T1, T2, T3 and T5, on solutions of the equations of motion (theory.md#T1).

A cell is one law on one case: every mass in one batch ("masses"), or the breaking magnitudes from 0 over 1e-12
to 1 ("eps", "kappa").  A lane's verdict compares the charge j = J/m of the state with its prediction S,
at every output time, layer and rest apart, in units of the bound of flow.py (2) plus the rounding of j and S.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from cases.case import BREGMAN, DIAGONAL, EUCLIDEAN, Case, Metric, translation
from harness import flow, orders
from harness.continuous_records import Judged, order_record, record
from harness.symbolic import Mechanics, mechanics, prove
from harness.verdicts import HOLDS, INCONCLUSIVE, VIOLATED, Record

MASSES = {"full": (1.0, 1e-1, 1e-2, 1e-3, 1e-4), "quick": (1.0, 1e-2, 1e-4)}
OVERDAMPED = tuple(2.0**-j for j in range(5, 12))
MAGNITUDES = (0.0, *(10.0**e for e in range(-12, 1)))
SETTINGS = ((0.25, 0.5), (0.0, 0.0))  # (eps, kappa) of the lanes of each mass
DECADES = 10  # that a sweep must resolve: float64 leaves 16, the rounding of 100 steps takes 2, a response of 1e-2 two more
RESOLVED = 10  # a response is resolved when it is this many bounds large: it is then known to 10 %
MOTION = 1e3  # the total variation of j must be this many bounds


@dataclass(frozen=True)
class Cell:
    """A law on a case. `rule` is the learning rule of the equations of motion."""

    law: str
    case: Case
    rule: str
    part: str
    profile: str
    seed: int

    @property
    def name(self) -> str:
        return f"{self.law}/{self.case.name}/{self.rule}/{self.part}"

    @property
    def replay(self) -> str:
        return f"noether verify {self.case.name} --law {self.law} --profile {self.profile} --seed {self.seed}"

    def rng(self) -> np.random.Generator:
        return np.random.default_rng(int.from_bytes(hashlib.sha256(f"{self.seed}/{self.name}".encode()).digest()[:8], "big"))


proven = cache(prove)


def cells(cases, profile: str = "quick", seed: int = 0) -> list[Cell]:
    """Every continuous law on every case that it covers."""
    out = []
    for case in cases:
        law = "T2" if case.metric.kind == BREGMAN else "T1"
        rule = "bregman-lagrangian" if law == "T2" else "lagrangian"
        parts = ["masses", "eps"] + (["kappa"] if case.metric.kind == DIAGONAL else [])
        out += [Cell(law, case, rule, part, profile, seed) for part in parts]
        if any(mechanics(case).parts[i].keys() >= {"generator"} for i in range(len(case.symmetries))) and case.metric.kind != DIAGONAL:
            out.append(Cell("T3", case, rule, "overdamped", profile, seed))
        if case.metric.kind == EUCLIDEAN and case.scale_free and any(s.name == "scale" for s in case.symmetries):
            out.append(Cell("T5", case, "scale-invariant-lagrangian", "masses", profile, seed))
    return out


def run_cell(cell: Cell) -> list[Record]:
    """The records of one cell, controls included."""
    began = time.perf_counter()
    proven(cell.case)
    work = {"masses": masses, "eps": sweep, "kappa": sweep, "overdamped": overdamped}[cell.part]
    records = scale_invariant(cell) if cell.law == "T5" else work(cell)
    for r in records:
        r.seconds = (time.perf_counter() - began) / len(records)
    return records


def solve(cell: Cell, mech: Mechanics, m, eps, kappa) -> flow.Certified:
    """One start for every lane: lanes differ in their parameters only."""
    rng, d = cell.rng(), mech.dim
    m, eps, kappa = (np.asarray(x, dtype=float) for x in (m, eps, kappa))
    parameters = flow.Parameters(m, np.ones_like(m), eps, kappa)
    q = np.repeat(cell.case.draw(rng, 1), len(m), axis=1)
    # Velocities of order 1, in the orthant relative to q: the layer must move, and q + m qdot stay inside.
    w = rng.uniform(0.25, 0.5, (d, 1)) * rng.choice([-1.0, 1.0], (d, 1))
    velocity = w * q if mech.bregman else np.repeat(2 * w, len(m), axis=1)
    times = np.stack([flow.output_times(x) for x in m], axis=1)
    return flow.certified(mech, flow.start(mech, q, velocity, parameters), parameters, times)


def windows(solution: flow.Certified, lane: int) -> dict[str, np.ndarray]:
    """The layer t < 30 m/mu, and the rest where there is one."""
    parameters = solution.run.parameters
    layer = solution.run.times[:, lane] < flow.LAYER * parameters.m[lane] / parameters.mu[lane]
    return {"layer": layer} if np.all(layer) else {"layer": layer, "rest": ~layer}


def judge(solution: flow.Certified, symmetry: int, lane: int, window: np.ndarray, predict, measure=None) -> Judged:
    """|measured - predicted| over a window in units of flow.py (2) plus rounding.

    predict, measure(trajectory) -> (n, lanes); measure is the charge when None.
    """
    measure = measure or (lambda t: t.j[:, symmetry])
    run, fine, coarse = solution.run, solution.fine, solution.coarse

    def apart(a, b):
        return np.max((np.abs(measure(a) - measure(b)) + np.abs(predict(a) - predict(b)))[window, lane])

    weight = run.weights[symmetry][window, lane]
    # Each of n steps rounds z once, each charge is d products and sums: u (n + d + 2) of their sizes.
    rounding = 2.0**-53 * (len(run.times) + run.mechanics.dim + 2) * np.max(weight + run.size[window, symmetry, lane])
    bound = apart(run, fine) + apart(fine, coarse) + rounding
    measured, predicted = measure(run)[window, lane], predict(run)[window, lane]
    worst = int(np.argmax(np.abs(measured - predicted)))
    times = run.times[window, lane]
    return Judged(
        measured=float(measured[worst]), predicted=float(predicted[worst]), bound=float(bound), at=float(times[worst]),
        unit=float(weight[worst]), variation=float(np.sum(np.abs(np.diff(measured)))), response=float(np.max(np.abs(predicted))),
        times=times, j=measured, S=predicted, certified=bool(solution.settled[lane]), state=float(solution.state[lane]), lane=lane,
        method=str(flow.methods(run.parameters)[lane]),
        start=run.x[0, :, lane],
    )


def kinetic_share(solution: flow.Certified, symmetry: int, lane: int) -> float:
    """The integral of |kinetic breaking| over the total variation of j, both from t = 0 to the end."""
    run, where = solution.run, solution.run.mechanics.parts[symmetry]
    names = [where[n] for n in ("generator", "metric") if n in where]
    if not names:
        return 0.0
    size, t = np.abs(np.sum(run.sources[:, names, lane], axis=1)), run.times[:, lane]
    return float(np.trapezoid(size, t) / np.sum(np.abs(np.diff(run.j[:, symmetry, lane]))))


def solutions(cell: Cell, mech: Mechanics, settings) -> tuple[flow.Certified, dict[float, list[int]]]:
    """One batch, and the lanes of each mass: one per setting."""
    chosen = MASSES["quick" if cell.profile == "quick" else "full"]
    m = np.repeat(chosen, len(settings))
    eps, kappa = np.tile(np.array(settings), (len(chosen), 1)).T
    return solve(cell, mech, m, eps, kappa), {x: list(np.flatnonzero(m == x)) for x in chosen}


def masses(cell: Cell) -> list[Record]:
    """T1 or T2 for every mass and symmetry, and the controls, judged at the mass that sees them least."""
    mech = mechanics(cell.case)
    (solution, lanes_of), out = solutions(cell, mech, SETTINGS), []
    for i, symmetry in enumerate(cell.case.symmetries):
        killing = not mech.parts[i].keys() & {"generator", "metric"}
        for m, lanes in lanes_of.items():
            share = max(kinetic_share(solution, i, lane) for lane in lanes)
            for name, window in windows(solution, lanes[0]).items():
                # Without breaking a Killing charge is below e^-30 of its start in the rest: nothing to compare.
                chosen = lanes[:1] if killing and name == "rest" else lanes
                judged = [judge(solution, i, lane, window, lambda t, i=i: t.predicted(i)) for lane in chosen]
                out.append(record(cell, symmetry.name, judged, {"m": m, "mu": 1.0, "window": name, "kinetic_share": share}, MOTION))
        for control, predict in controls(mech, i).items():
            witnesses = [lane for lanes in lanes_of.values() for lane in lanes]
            if "kinetic" in control:  # only a trajectory whose kinetic breaking moves J is a witness for its factor
                witnesses = [lane for lane in witnesses if kinetic_share(solution, i, lane) >= 0.5]
            if control == "breaking term dropped":
                witnesses = [lane for lane in witnesses if solution.run.parameters.eps[lane] > 0]
            out += control_record(cell, symmetry.name, solution, i, [w for w in ([x for x in v if x in witnesses] for v in lanes_of.values()) if w], control, predict)
    return out


def control_record(cell: Cell, symmetry: str, solution: flow.Certified, i: int, groups: list[list[int]], control: str, predict) -> list[Record]:
    """At each mass the window and lane that see the fault best; of the masses the one that sees it least speaks."""
    best = [
        max((judge(solution, i, lane, w, predict) for lane in lanes for w in windows(solution, lane).values()), key=lambda x: x.spent)
        for lanes in groups
    ]
    if not best:
        return []
    weakest = min(best, key=lambda x: x.spent)
    about = {"m": float(solution.run.parameters.m[weakest.lane]), "mu": 1.0, "masses": len(groups)}
    return [record(cell, symmetry, [weakest], about, 0, control=control)]


def controls(mech: Mechanics, i: int) -> dict:
    """Predictions that are wrong by one term, where this symmetry can see it."""
    where = mech.parts[i]
    out = {"friction off by 1e-3": lambda t: t.detuned(i)}
    if "generator" in where:
        kinetic = lambda t: t.part(i, "generator") + t.part(i, "metric")  # noqa: E731
        out["kinetic term dropped"] = lambda t: t.predicted(i) - kinetic(t)
        out["kinetic term doubled"] = lambda t: t.predicted(i) + kinetic(t)
        out["mass of the kinetic term off by 2^-10"] = lambda t: t.predicted(i) + 2.0**-10 * kinetic(t)
    if "metric" in where:
        out["curvature of the metric dropped"] = lambda t: t.predicted(i) - t.part(i, "metric")
    if "breaking" in where:
        out["breaking term dropped"] = lambda t: t.predicted(i) - t.part(i, "breaking")
    return out


def scale_invariant(cell: Cell) -> list[Record]:
    """T5: under T = m |qdot|^2 / (2 |q|^2) the scale charge has no source at all."""

    def entries(q, kappa, xp):
        r = sum(x * x for x in q)
        return [1 / r for _ in q]

    case = replace(cell.case, metric=Metric(DIAGONAL, entries=entries), symmetries=tuple(s for s in cell.case.symmetries if s.name == "scale"))
    mech, out = mechanics(case), []
    solution, lanes_of = solutions(cell, mech, ((0.0, 0.0),))
    wrong = {"curvature of the metric dropped": lambda t: t.memory(0) + t.part(0, "generator"), "friction off by 1e-3": lambda t: t.detuned(0)}
    for m, lanes in lanes_of.items():
        judged = [judge(solution, 0, lane, windows(solution, lane)["layer"], lambda t: t.memory(0)) for lane in lanes]
        out.append(record(cell, "scale", judged, {"m": m, "mu": 1.0, "window": "layer"}, MOTION))
    for control, predict in wrong.items():
        out += control_record(cell, "scale", solution, 0, list(lanes_of.values()), control, predict)
    return out


def sweep(cell: Cell) -> list[Record]:
    """The response of j to the breaking magnitude, predicted and measured, at m = 1.

    measured    j less everything in S but the breaking part;  predicted  the damped integral of that part
    """
    mech, name = mechanics(cell.case), "breaking" if cell.part == "eps" else "deformed"
    magnitudes = np.array(MAGNITUDES)
    fixed = np.full(len(magnitudes), 0.0)
    eps, kappa = (magnitudes, fixed) if cell.part == "eps" else (fixed, magnitudes)
    solution = solve(cell, mech, np.ones(len(magnitudes)), eps, kappa)
    window, out = np.ones(len(solution.run.times), dtype=bool), []
    for i, symmetry in enumerate(cell.case.symmetries):
        if name not in mech.parts[i]:
            continue
        rest = lambda t, i=i: t.j[:, i] - (t.predicted(i) - t.part(i, name))  # noqa: E731
        judged = [judge(solution, i, k, window, lambda t, i=i: t.part(i, name), rest) for k in range(len(magnitudes))]
        out.append(sweep_record(cell, symmetry.name, judged, magnitudes))
        resolved = [x for x in judged if x.response >= RESOLVED * x.bound]
        if resolved:
            smallest = resolved[0].lane
            dropped = judge(solution, i, smallest, window, lambda t: np.zeros_like(t.times), rest)
            about = {cell.part: float(magnitudes[smallest]), "m": 1.0, "mu": 1.0, "window": "all"}
            out.append(record(cell, symmetry.name, [dropped], about, 0, control=f"{name} term dropped"))
    return out


def sweep_record(cell: Cell, symmetry: str, judged: list[Judged], magnitudes: np.ndarray) -> Record:
    resolved = [k for k, x in enumerate(judged) if magnitudes[k] > 0 and x.response >= RESOLVED * x.bound]
    hidden = [f"{magnitudes[k]:.0e}" for k in range(len(judged)) if magnitudes[k] > 0 and k not in resolved]
    decades = float(np.log10(magnitudes[resolved[-1]] / magnitudes[resolved[0]])) if resolved else 0.0
    out = record(cell, symmetry, judged, {"m": 1.0, "mu": 1.0, "window": "all", "decades": decades}, 0)
    if judged[0].predicted != 0 or magnitudes[0] != 0:
        raise AssertionError(f"{cell.name}: the predicted response at zero is {judged[0].predicted}, must be 0")
    if out.verdict == HOLDS and decades < DECADES:
        out.verdict = INCONCLUSIVE
    below = f"; below the detection limit: {', '.join(hidden)}" if hidden else ""
    out.reason = f"{cell.part}: {decades:.0f} decades resolved, {DECADES} needed{below}; {out.reason}"
    peak = [int(np.argmax(np.abs(x.S))) for x in judged]
    out.data = {
        "x": [float(x) for x in magnitudes],
        "y": [float(x.j[k]) for x, k in zip(judged, peak, strict=True)],
        "predicted": [float(x.S[k]) for x, k in zip(judged, peak, strict=True)],
        "bound": [x.bound for x in judged],
        "label": f"response to {cell.part}",
    }
    return out


def overdamped(cell: Cell) -> list[Record]:
    """T3: after the layer J/m of a symmetry is O(m); of a direction that is none it tends to a constant."""
    d = cell.case.dim
    case = replace(cell.case, symmetries=(*cell.case.symmetries, translation((1, *(0,) * (d - 1)), "no-symmetry")))
    mech = mechanics(case)
    zeros = np.zeros(len(OVERDAMPED))
    solution, out = solve(cell, mech, OVERDAMPED, zeros, zeros), []
    run, fine, coarse = (t.j[-1] for t in (solution.run, solution.fine, solution.coarse))
    rounding = 2.0**-53 * (len(solution.run.times) + d + 2) * solution.run.size[-1]
    noise = np.abs(run - fine) + np.abs(fine - coarse) + rounding
    for i, symmetry in enumerate(case.symmetries):
        if not mech.parts[i].keys() & {"generator", "metric"} and symmetry.name != "no-symmetry":
            continue  # a Killing charge is e^{-mu t/m}: no order to measure
        order = orders.decide(run[i], noise[i])
        about = {"t": flow.FINAL, "mu": 1.0, "smallest_m": OVERDAMPED[-1]}
        series = {"x": list(OVERDAMPED), "y": [abs(float(x)) for x in run[i]], "label": "|J|/m after the layer"}
        if symmetry.name != "no-symmetry":
            out.append(order_record(cell, symmetry.name, order, 1, about, series))
        else:
            out.append(order_record(cell, symmetry.name, order, 0, about, series))
            out.append(order_record(cell, symmetry.name, order, 1, about, series, control="a direction that is no symmetry"))
    return out


__all__ = ["HOLDS", "VIOLATED", "Cell", "cells", "run_cell"]
