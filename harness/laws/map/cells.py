"""M1: the map of symmetries and learning rules, measured (theory.md#M1).

One cell of the plan is the whole map, so that its trajectories are shared: rows on one case step together.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from noether.cases import CORE
from noether.laws.cell import LawCell, Subject
from noether.laws.map import judging, measuring, sources, stepping
from noether.laws.map.scenes import EXPONENTS, STARTS, scenes, start
from noether.laws.map.table import COLUMNS, ROWS, Entry, entry
from noether.system.seeds import derive
from noether.verdicts.record import Record

MAP = Subject("map")
FAULTS = (
    ("sign descent keeps sum q", "translation", "sign", Entry("order 1", "potential")),
    ("Adam keeps |q|^2", "scale", "Adam", Entry("order 1", "potential")),
    ("no source of the rescale charge under heavy ball", "rescale", "heavy ball", Entry("exact", "decay")),
    ("fixed mass keeps U^T U - V^T V to first order", "GL(r)", "fixed mass", Entry("order 1", "massive")),
    ("beta^n J_0 under Nesterov", "rotation", "Nesterov", Entry("exact", "decay")),
    ("second-order energy of the mirror", "time", "entropy mirror", Entry("order 2", "energy")),
)
"""A wrong claim for each row; each must be violated."""
SOURCES = (
    ("J dropped from the rescale charge", "rescale", "heavy ball", {"of_charge": {"momentum": 0.0}}),
    (
        "J with the other sign in the rescale charge",
        "rescale",
        "heavy ball",
        {"of_charge": {"momentum": -1.0}},
    ),
    (
        "mass eta/2 in the source of U^T U - V^T V",
        "GL(r)",
        "heavy ball",
        {"of_source": {"mass": 1 / (1 + stepping.BETA)}},
    ),
    ("friction off by 1 %", "time", "heavy ball", {"of_charge": {"friction": 1.01}}),
    ("mass off by 1 % in the energy", "time", "Nesterov", {"of_charge": {"mass": 1.01}}),
    ("another memory of RMSProp", "scale", "RMSProp", {"of_source": {"rms": 1.01 * stepping.RMS}}),
    ("RMSProp without its epsilon", "rescale", "RMSProp", {"of_source": {"epsilon": 0.0}}),
    ("Adam without bias correction", "scale", "Adam", {"of_source": {"unbiased": False}}),
    ("another second memory of Adam", "rotation", "Adam", {"of_source": {"second": 1.01 * stepping.SECOND}}),
)
"""A wrong charge or a wrong source for each kind of drift; each must be violated."""
STILL = "no-op rule"
PROFILES = tuple(EXPONENTS)


@dataclass(frozen=True)
class Cell(LawCell):
    """The whole map."""

    profile: str
    seed: int
    law: str = "M1"
    case: object = MAP
    rule: str = "map"
    precision, backend = "float64", "numpy"

    @property
    def name(self) -> str:
        return "M1/map"

    words = ""


def cells(cases, profile: str = "quick", seed: int = 0, backend: str = "numpy") -> list[Cell]:
    """The map needs all of its cases: a choice of some leaves it out."""
    return [Cell(profile, seed)] if profile != "glance" and set(CORE) <= set(cases) else []


def trajectories(seed: int, profile: str) -> dict[str, dict]:
    """{case: {column: Run}}, starts and step sizes as lanes, step sizes running fastest."""
    still = stepping.Column("still", plain=stepping.still)
    found = {}
    for scene in scenes().values():
        if scene.case.name not in found:
            q0, w = start(scene, seed)
            sizes = scene.steps(profile)
            h = np.tile(sizes, STARTS)
            q0, w = (np.repeat(x, len(sizes), axis=1) for x in (q0, w))
            counts = np.rint(scene.final / h).astype(int)
            found[scene.case.name] = stepping.run(
                scene.case, [*stepping.STEPPED.values(), still], q0, w, h, counts
            )
    return found


def run_cell(cell: Cell) -> list[Record]:
    runs, out = trajectories(cell.seed, cell.profile), []
    few = cell.profile == "quick"
    for row in ROWS:
        scene = scenes()[row]
        mine = runs[scene.case.name]
        for column in COLUMNS:
            out.append(one(cell, scene, column, entry(row, column), mine, few=few))
    out.append(judging.summary(cell, out))
    out += driven(cell, runs, few)
    for name, row, column, claim in FAULTS:
        scene = scenes()[row]
        out.append(one(cell, scene, column, claim, runs[scene.case.name], few=few, fault=name))
    scene = scenes()["translation"]
    out.append(
        one(cell, scene, "still", Entry("exact", "potential"), runs[scene.case.name], few=few, fault=STILL)
    )
    out += judging.counts(cell, np.random.default_rng(derive(cell.seed, "M1/counts")))
    return out


def driven(cell: Cell, runs: dict, few: bool) -> list[Record]:
    """Each drift of an order against its sources, and each wrong source; few: one start a step size."""

    @cache
    def steps(row, column):
        run = runs[scenes()[row].case.name][column]
        return sources.wide(run.part(measuring.rotating(len(run.counts) // STARTS)) if few else run)

    def judged(row, column, **what):
        return judging.sourced(cell, scenes()[row], column, entry(row, column), steps(row, column), **what)

    found = [
        judged(row, column) for row in ROWS for column in COLUMNS[1:] if entry(row, column).order is not None
    ]
    return found + [judged(row, column, fault=name, **wrong) for name, row, column, wrong in SOURCES]


def one(
    cell: Cell, scene, column: str, claim: Entry, runs: dict, *, few: bool, fault: str | None = None
) -> Record:
    run = runs["gradient descent" if column == "gradient flow" else column]
    starts = run.q[0][:, :: len(scene.steps(cell.profile))]
    if claim.charge == "form":
        dual = column in ("entropy mirror", "natural gradient")
        found = measuring.chargeless(scene, starts, float(run.path.min()), dual=dual)
    elif column == "gradient flow":
        found = measuring.flowing(scene, claim, starts)
    else:
        found = measuring.discrete(run, scene, claim, few)
    return judging.judged(
        cell, scene, column, claim, found, fault=fault, lanes=len(run.counts), steps=int(run.counts.max())
    )
