"""The laws of continuous time, T1 to T5, on solutions of the equations of motion (theory.md#T1).

A cell is one law on one case: every mass in one batch ("masses"), or the breaking magnitudes from 0 over
1e-12 to 1 ("eps", "kappa").  A lane's verdict compares the charge j = J/m of the state with its prediction S,
at every output time, layer and rest apart, in units of the bound of flow.py (2) plus the rounding of j and S.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np

from noether.cases.case import BREGMAN, DIAGONAL, Case, Metric
from noether.kernels.programs.trace import gradient
from noether.laws.continuous import faults
from noether.laws.continuous.comparison import (
    Cell,
    fault_record,
    judge,
    kinetic_share,
    solve,
    terms_of,
    windows,
)
from noether.laws.continuous.derivation import derivation
from noether.laws.continuous.energy import energies
from noether.laws.continuous.overdamped import overdamped
from noether.laws.continuous.settings import FREE, GLANCE, MASSES, SETTINGS, spread
from noether.laws.continuous.sweep import sweep
from noether.laws.law import WrongStatement
from noether.mechanics import flow
from noether.mechanics.kinks import Kinked
from noether.mechanics.symbolic_mechanics import MU_OFF, Mechanics, mechanics
from noether.mechanics.symmetry_proof import proven
from noether.verdicts.claims import beyond, record, undecided
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
    ordered = sorted(cases, key=lambda c: gradient(c).length) if profile == "quick" else cases
    swept, out = ordered[: 2 if profile == "quick" else None], []
    for case in cases:
        law, also = ("T2", ()) if case.metric.kind == BREGMAN else ("T1", ("T4",))
        there = {"masses": True, "eps": case in swept, "kappa": case.metric.kind == DIAGONAL}
        parts = [part for part in there if there[part]]
        for part in parts[:1] if profile == "glance" else parts:
            out.append(Cell(law, case, RULES[law], part, profile, seed, also if part == "masses" else ()))
    if profile == "glance":
        return out
    few = slice(1 if profile == "quick" else None)
    turned = [c for c in ordered if c.metric.kind != DIAGONAL and any(twists(c, s) for s in c.symmetries)]
    for case in turned[few]:
        rule = RULES["T2" if case.metric.kind == BREGMAN else "T1"]
        out.append(Cell("T3", case, rule, "overdamped", profile, seed))
    free = [c for c in ordered if c.metric.kind != BREGMAN and c.scale_free]
    scaled = [c for c in free if any(s.name == "scale" for s in c.symmetries)]
    return out + [Cell("T5", c, "scale-invariant-lagrangian", "masses", profile, seed) for c in scaled[few]]


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
    laws = [replace(cell, law=law) for law in (cell.law, *cell.also)]
    try:
        records = scale_invariant(cell) if cell.law == "T5" else work(cell)
    except FloatingPointError as error:
        records = [undecided(of, str(error), backend="scipy") for of in laws]
    except Kinked as error:
        records = [beyond(of, str(error), backend="scipy") for of in laws]
    return derived + records


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
        for fault, predict in wrong_predictions(mech, i).items():
            groups = [shown(fault, solution.run.parameters, lanes) for lanes in lanes_of.values()]
            groups = [lanes for lanes in groups if lanes]
            if groups:
                of = lambda lane, window, i=i, predict=predict: judge(solution, i, lane, window, predict)
                out.append(fault_record(cell, symmetry.name, solution, groups, fault, of))
    return [*out, *energies(cell, solution, lanes_of, MOTION)] if "T4" in cell.also else out


def balance(
    cell: Cell, solution: flow.Certified, i: int, name: str, window: np.ndarray, lanes: list[int], m: float
) -> Record:
    """The charge of one symmetry at one mass in one window; outside where nothing drives it there."""
    symmetry, parameters = cell.case.symmetries[i].name, solution.run.parameters
    # Without breaking or decay a Killing charge is below e^-30 of its start in the rest: nothing to compare.
    chosen = [lane for lane in lanes if name == "layer" or driven(solution, i, lane, window)]
    if not chosen:
        told = "no source in the reference: below e^-25 of its start there is no charge to compare"
        about = {"m": m, "window": name}
        return beyond(cell, told, backend="scipy", symmetry=symmetry, parameters=about)
    terms, predicted = terms_of(i), lambda t: t.predicted(i)
    judged = [judge(solution, i, lane, window, predicted, terms=terms) for lane in chosen]
    share = max(kinetic_share(solution, i, lane) for lane in lanes)
    out = record(cell, symmetry, judged, {"m": m, "window": name, "kinetic_share": share}, MOTION)
    out.parameters |= parameters.about(out.worst["lane"])
    return out


def driven(solution: flow.Certified, symmetry: int, lane: int, window: np.ndarray) -> bool:
    """Whether a source keeps the charge of the reference, the fine collocation, above e^-25 of its start."""
    predicted = solution.fine.predicted(symmetry)[window, lane]
    return bool(np.max(np.abs(predicted)) > np.exp(-25) * abs(solution.fine.j[0, symmetry, lane]))


def shown(fault: WrongStatement, parameters: flow.Parameters, lanes: list[int]) -> list[int]:
    """Those of the lanes that have what the fault is wrong about."""
    needed = {
        faults.DROPPED["breaking"]: parameters.eps,
        faults.DROPPED["decay"]: parameters.k,
        faults.DECAY: parameters.k,
    }
    return [lane for lane in lanes if needed[fault][lane] > 0] if fault in needed else lanes


def wrong_predictions(mech: Mechanics, i: int) -> dict[WrongStatement, Callable]:
    """Predictions that are wrong by one term, where this symmetry can see it."""
    where, part = mech.parts[i], lambda t, name: t.part(i, name)
    kinetic = lambda t: part(t, "generator") + part(t, "metric")
    table = (  # fault, the part without which the symmetry cannot see it, what is added to the prediction
        (faults.KINETIC_DROPPED, "generator", lambda t: -kinetic(t)),
        (faults.KINETIC_DOUBLED, "generator", kinetic),
        (faults.KINETIC_MASS, "generator", lambda t: 2.0**-10 * kinetic(t)),
        (faults.NO_CURVATURE, "metric", lambda t: -part(t, "metric")),
        (faults.DROPPED["breaking"], "breaking", lambda t: -part(t, "breaking")),
        (faults.DROPPED["decay"], "decay", lambda t: -part(t, "decay")),
        (faults.DECAY, "decay", lambda t: 0.01 * part(t, "decay")),
    )
    out = {faults.FRICTION: lambda t: t.detuned(i)}
    for fault, name, added in table:
        if name in where:
            out[fault] = lambda t, added=added: t.predicted(i) + added(t)
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
    right = lambda t: t.memory(0)
    for lanes in lanes_of.values():
        for name, window in windows(solution, lanes[0]).items():
            about = {**solution.run.parameters.about(lanes[0]), "window": name}
            if name == "layer":
                judged = [judge(solution, 0, lane, window, right, terms=remembered) for lane in lanes]
                out.append(record(cell, "scale", judged, about, MOTION))
            else:
                told = "without a source e^-30 of its start is left of the charge here: nothing to compare"
                out.append(beyond(cell, told, backend="scipy", symmetry="scale", parameters=about))
    wrong = {
        faults.NO_CURVATURE: lambda t: t.memory(0) + t.part(0, "generator"),
        faults.FRICTION: lambda t: t.detuned(0),
    }
    for fault, predict in wrong.items():
        of = lambda lane, window, predict=predict: judge(solution, 0, lane, window, predict)
        out.append(fault_record(cell, "scale", solution, list(lanes_of.values()), fault, of))
    return out


def remembered(t: flow.Trajectory) -> dict[str, np.ndarray]:
    """What T5's prediction is made of, as judge's `terms`."""
    changed = t.detuned(0) - t.memory(0) - t.part(0, "generator") - t.part(0, "metric")
    return {
        "prediction": t.memory(0),
        "friction": changed / float(MU_OFF),
        "metric term": t.part(0, "metric"),
    }
