"""The laws of continuous time, T1 to T5, on solutions of the equations of motion (theory.md#T1).

A cell is one law on one case: every mass in one batch ("masses"), or the breaking magnitudes from 0 over
1e-12 to 1 ("eps", "kappa").  A lane's verdict compares the charge j = J/m of the state with its prediction S,
at every output time, layer and rest apart, in units of the bound of flow.py (2) plus the rounding of j and S.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

from noether.cases.case import BREGMAN, DIAGONAL, Case, Metric
from noether.kernels.programs.trace import gradient
from noether.laws.continuous.comparison import Cell, judge, kinetic_share, solve, terms_of, windows
from noether.laws.continuous.derivation import derivation
from noether.laws.continuous.energy import energies
from noether.laws.continuous.overdamped import overdamped
from noether.laws.continuous.settings import FREE, GLANCE, MASSES, SETTINGS, spread
from noether.laws.continuous.sweep import sweep
from noether.mechanics import flow
from noether.mechanics.kinks import Kinked
from noether.mechanics.symbolic import proven
from noether.mechanics.symbolic_mechanics import MU_OFF, Mechanics, mechanics
from noether.verdicts.claims import beyond, record, undecided
from noether.verdicts.judgement import most_spent
from noether.verdicts.record import Record

RULES = {"T1": "lagrangian", "T2": "bregman-lagrangian"}
TURNS = 3
MOTION = 1e3  # the total variation of j must be this many bounds


def cells(cases, profile: str = "quick", seed: int = 0, backend: str = "scipy") -> list[Cell]:
    """T1 or T2 on every case, with T4 on the trajectories of T1's masses; T3 and T5 in quick on the shortest
    gradients.

    A glance is at one case in TURNS, by the seed: what derives and compiles thirty equations of motion is
    most of it.
    """
    if profile == "glance":
        cases = cases[seed % TURNS :: TURNS]
    out, swept = [], cases if profile != "quick" else sorted(cases, key=lambda c: len(gradient(c).ops))[:2]
    for case in cases:
        law = "T2" if case.metric.kind == BREGMAN else "T1"
        parts = ["masses", "eps"] + (["kappa"] if case.metric.kind == DIAGONAL else [])
        for part in parts[:1] if profile == "glance" else [p for p in parts if p != "eps" or case in swept]:
            out.append(
                Cell(
                    law,
                    case,
                    RULES[law],
                    part,
                    profile,
                    seed,
                    ("T4",) if law == "T1" and part == "masses" else (),
                )
            )
    if profile == "glance":
        return out
    ordered = sorted(cases, key=lambda c: len(gradient(c).ops)) if profile == "quick" else cases
    chosen = [c for c in ordered if c.metric.kind != DIAGONAL and any(twists(c, s) for s in c.symmetries)]
    for case in chosen[:1] if profile == "quick" else chosen:
        out.append(
            Cell(
                "T3", case, RULES["T2" if case.metric.kind == BREGMAN else "T1"], "overdamped", profile, seed
            )
        )
    chosen = [
        c
        for c in ordered
        if c.metric.kind != BREGMAN and c.scale_free and any(s.name == "scale" for s in c.symmetries)
    ]
    return out + [
        Cell("T5", c, "scale-invariant-lagrangian", "masses", profile, seed)
        for c in (chosen[:1] if profile == "quick" else chosen)
    ]


def twists(case, symmetry) -> bool:
    """Whether the generator's derivative breaks the kinetic energy: (4a) or the first term of (8) of
    theorem.py is not zero.

    Read off the matrix: to ask `mechanics` of every case would compile all of them before the first cell
    runs.
    """
    A = symmetry.matrix
    return bool(A.any() if case.metric.kind == BREGMAN else (A + A.T).any())


def run_cell(cell: Cell) -> list[Record]:
    """The records of one cell, faults included."""
    proven(cell.case)
    work = {"masses": masses, "eps": sweep, "kappa": sweep, "overdamped": overdamped}[cell.part]
    case = scale_invariant_case(cell.case) if cell.law == "T5" else cell.case
    derived = derivation(cell, case) if cell.part == "masses" else []  # also where no solution is to be had
    try:
        records = scale_invariant(cell) if cell.law == "T5" else work(cell)
    except FloatingPointError as error:
        records = [
            undecided(replace(cell, law=k), str(error), backend="scipy") for k in (cell.law, *cell.also)
        ]
    except Kinked as error:
        records = [beyond(replace(cell, law=k), str(error), backend="scipy") for k in (cell.law, *cell.also)]
    records = derived + records
    return records


def solutions(cell: Cell, mech: Mechanics, settings) -> tuple[flow.Certified, dict[float, list[int]]]:
    """One batch, and the lanes of each mass: one per setting."""
    chosen = MASSES.get(cell.profile, MASSES["full"])
    parameters = spread(chosen, settings)
    few = GLANCE if cell.profile == "glance" else {}
    return solve(cell, mech, parameters, **few), {x: list(np.flatnonzero(parameters.m == x)) for x in chosen}


def masses(cell: Cell) -> list[Record]:
    """T1 or T2 for every mass and symmetry, and the faults, judged at the mass that sees them least."""
    mech = mechanics(cell.case)
    (solution, lanes_of), out = solutions(cell, mech, SETTINGS), []
    for i, symmetry in enumerate(cell.case.symmetries):
        for m, lanes in lanes_of.items():
            out += [
                balance(cell, solution, i, name, window, lanes, m)
                for name, window in windows(solution, lanes[0]).items()
            ]
        for fault, predict in faults(mech, i).items():
            groups = [
                [lane for lane in lanes if shows(fault, solution.run.parameters, lane)]
                for lanes in lanes_of.values()
            ]
            out += fault_record(cell, symmetry.name, solution, i, [g for g in groups if g], fault, predict)
    return [*out, *energies(cell, solution, lanes_of, MOTION)] if "T4" in cell.also else out


def balance(
    cell: Cell, solution: flow.Certified, i: int, name: str, window: np.ndarray, lanes: list[int], m: float
) -> Record:
    """The charge of one symmetry at one mass in one window; outside where nothing drives it there."""
    symmetry, parameters = cell.case.symmetries[i].name, solution.run.parameters
    # Without breaking or decay a Killing charge is below e^-30 of its start in the rest: nothing to compare.
    chosen = [lane for lane in lanes if name == "layer" or driven(solution, i, lane, window)]
    if not chosen:
        about = {"m": m, "window": name}
        return beyond(
            cell,
            "no source in the reference: below e^-25 of its start there is no charge to compare",
            backend="scipy",
            symmetry=symmetry,
            parameters=about,
        )
    judged = [
        judge(solution, i, lane, window, lambda t: t.predicted(i), terms=terms_of(i)) for lane in chosen
    ]
    share = max(kinetic_share(solution, i, lane) for lane in lanes)
    out = record(cell, symmetry, judged, {"m": m, "window": name, "kinetic_share": share}, MOTION)
    out.parameters |= parameters.about(out.worst["lane"])
    return out


def driven(solution: flow.Certified, symmetry: int, lane: int, window: np.ndarray) -> bool:
    """Whether a source keeps the charge of the reference, the fine collocation, above e^-25 of its start."""
    predicted = solution.fine.predicted(symmetry)[window, lane]
    return bool(np.max(np.abs(predicted)) > np.exp(-25) * abs(solution.fine.j[0, symmetry, lane]))


def shows(fault: str, parameters: flow.Parameters, lane: int) -> bool:
    """Whether a lane has what the fault is wrong about."""
    needed = {
        "breaking term dropped": parameters.eps,
        "decay term dropped": parameters.k,
        "k off by 1 %": parameters.k,
    }
    return fault not in needed or bool(needed[fault][lane] > 0)


def fault_record(
    cell: Cell,
    symmetry: str,
    solution: flow.Certified,
    i: int,
    groups: list[list[int]],
    fault: str,
    predict,
) -> list[Record]:
    """At each mass the window and lane that see the fault best; of the masses the one that sees it least
    speaks."""
    best = [
        most_spent(
            [judge(solution, i, lane, w, predict) for lane in lanes for w in windows(solution, lane).values()]
        )
        for lanes in groups
    ]
    if not best:
        return []
    weakest = min(best, key=lambda x: x.spent)
    about = {**solution.run.parameters.about(weakest.lane), "masses": len(groups)}
    return [record(cell, symmetry, [weakest], about, 0, fault=fault)]


def faults(mech: Mechanics, i: int) -> dict:
    """Predictions that are wrong by one term, where this symmetry can see it."""
    where = mech.parts[i]
    out = {"friction off by 1e-3": lambda t: t.detuned(i)}
    if "generator" in where:
        kinetic = lambda t: t.part(i, "generator") + t.part(i, "metric")
        out["dropped kinetic term"] = lambda t: t.predicted(i) - kinetic(t)
        out["doubled kinetic term"] = lambda t: t.predicted(i) + kinetic(t)
        out["mass of the kinetic term off by 2^-10"] = lambda t: t.predicted(i) + 2.0**-10 * kinetic(t)
    if "metric" in where:
        out["curvature of the metric dropped"] = lambda t: t.predicted(i) - t.part(i, "metric")
    if "breaking" in where:
        out["breaking term dropped"] = lambda t: t.predicted(i) - t.part(i, "breaking")
    if "decay" in where:
        out["decay term dropped"] = lambda t: t.predicted(i) - t.part(i, "decay")
        out["k off by 1 %"] = lambda t: t.predicted(i) + 0.01 * t.part(i, "decay")
    return out


@cache
def scale_invariant_case(case: Case) -> Case:
    """The same loss with T = m |qdot|^2 / (2 |q|^2), and its scale symmetry alone."""

    def entries(q, kappa, xp):
        r = sum(x * x for x in q)
        return [1 / r for _ in q]

    return replace(
        case,
        metric=Metric(DIAGONAL, entries=entries),
        symmetries=tuple(s for s in case.symmetries if s.name == "scale"),
    )


def scale_invariant(cell: Cell) -> list[Record]:
    """T5: under a scale-invariant kinetic energy the scale charge has no source at all."""
    mech, out = mechanics(scale_invariant_case(cell.case)), []
    solution, lanes_of = solutions(cell, mech, FREE)
    wrong = {
        "curvature of the metric dropped": lambda t: t.memory(0) + t.part(0, "generator"),
        "friction off by 1e-3": lambda t: t.detuned(0),
    }
    for lanes in lanes_of.values():
        for name, window in windows(solution, lanes[0]).items():
            about = {**solution.run.parameters.about(lanes[0]), "window": name}
            if name == "layer":
                judged = [
                    judge(solution, 0, lane, window, lambda t: t.memory(0), terms=remembered)
                    for lane in lanes
                ]
                out.append(record(cell, "scale", judged, about, MOTION))
            else:
                told = "without a source e^-30 of its start is left of the charge here: nothing to compare"
                out.append(beyond(cell, told, backend="scipy", symmetry="scale", parameters=about))
    for fault, predict in wrong.items():
        out += fault_record(cell, "scale", solution, 0, list(lanes_of.values()), fault, predict)
    return out


def remembered(t: flow.Trajectory) -> dict[str, np.ndarray]:
    """What T5's prediction is made of, as judge's `terms`."""
    changed = t.detuned(0) - t.memory(0) - t.part(0, "generator") - t.part(0, "metric")
    return {
        "prediction": t.memory(0),
        "friction": changed / float(MU_OFF),
        "metric term": t.part(0, "metric"),
    }
