"""M1: the map of symmetries and learning rules, measured (theory.md#M1).

One cell of the plan is the whole map, so that its trajectories are shared: rows on one case step together.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from cases import CORE
from harness.seeds import derive
from harness.symmetry_map import judging, measuring, stepping
from harness.symmetry_map.scenes import EXPONENTS, STARTS, scenes, start
from harness.symmetry_map.table import COLUMNS, ROWS, Entry, entry
from harness.verdicts import Record


@dataclass(frozen=True)
class Subject:
    """What the map's cell is about, in the place of one case."""

    name: str


MAP = Subject("map")
CONTROLS = (
    ("sign descent keeps sum q", "translation", "sign", Entry("order 1", "potential")),
    ("Adam keeps |q|^2", "scale", "Adam", Entry("order 1", "potential")),
    ("no source of the rescale charge under heavy ball", "rescale", "heavy ball", Entry("exact", "decay")),
    ("fixed mass keeps U^T U - V^T V to first order", "GL(r)", "fixed mass", Entry("order 1", "massive")),
    ("beta^n J_0 under Nesterov", "rotation", "Nesterov", Entry("exact", "decay")),
    ("second-order energy of the mirror", "time", "entropy mirror", Entry("order 2", "energy")),
)
"""A wrong claim for each row; each must be violated."""
STILL = "no-op rule"
PROFILES = tuple(EXPONENTS)


@dataclass(frozen=True)
class Cell:
    """The whole map."""

    profile: str
    seed: int
    law: str = "M1"
    case: object = MAP
    rule: str = "map"

    @property
    def name(self) -> str:
        return "M1/map"

    @property
    def replay(self) -> str:
        return f"noether verify --law M1 --profile {self.profile} --seed {self.seed}"


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
            found[scene.case.name] = stepping.run(scene.case, [*stepping.STEPPED.values(), still], q0, w, h, counts)
    return found


def run_cell(cell: Cell) -> list[Record]:
    began = time.perf_counter()
    runs, out = trajectories(cell.seed, cell.profile), []
    few = cell.profile == "quick"
    for row in ROWS:
        scene = scenes()[row]
        mine = runs[scene.case.name]
        for column in COLUMNS:
            out.append(one(cell, scene, column, entry(row, column), mine, few=few))
    out.append(judging.summary(cell, out))
    for name, row, column, claim in CONTROLS:
        scene = scenes()[row]
        out.append(one(cell, scene, column, claim, runs[scene.case.name], few=few, control=name))
    scene = scenes()["translation"]
    out.append(one(cell, scene, "still", Entry("exact", "potential"), runs[scene.case.name], few=few, control=STILL))
    out += judging.counts(cell, np.random.default_rng(derive(cell.seed, "M1/counts")))
    for r in out:
        r.seconds = (time.perf_counter() - began) / len(out)
    return out


def one(cell: Cell, scene, column: str, claim: Entry, runs: dict, *, few: bool, control: str | None = None) -> Record:
    run = runs["gradient descent" if column == "gradient flow" else column]
    starts = run.q[0][:, :: len(scene.steps(cell.profile))]
    if claim.charge == "form":
        dual = column in ("entropy mirror", "natural gradient")
        found = measuring.chargeless(scene, starts, float(run.path.min()), dual=dual)
    elif column == "gradient flow":
        found = measuring.flowing(scene, claim, starts)
    else:
        found = measuring.discrete(run, scene, claim, few)
    return judging.judged(cell, scene, column, claim, found, control=control, lanes=len(run.counts), steps=int(run.counts.max()))
