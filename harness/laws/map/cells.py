"""M1: the map of symmetries and learning rules, measured (theory.md#M1).

One cell of the plan is the whole map, so that its trajectories are shared: rows on one case step together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from noether.cases import CORE
from noether.laws.cell import LawCell, Subject
from noether.laws.map import discrete, faults, judging, measuring, sources, stepping
from noether.laws.map.scenes import MOST_SIZES, SIZES, STARTS, Scene, scenes, start
from noether.laws.map.stepping import Run
from noether.laws.map.table import COLUMNS, CONTINUOUS, DISCRETE, Entry, entry
from noether.system.seeds import derive
from noether.verdicts.record import Record

MAP = Subject("map")
PROFILES = tuple(SIZES)


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


def stepped(scene: Scene, seed: int, columns: Iterable[stepping.Column], count: int) -> dict[str, Run]:
    """{column: Run} with so many step sizes, starts and step sizes as lanes, step sizes running fastest."""
    sizes = scene.steps(count)
    h = np.tile(sizes, STARTS)
    q0, w = (np.repeat(x, len(sizes), axis=1) for x in start(scene, seed))
    return stepping.run(scene.case, columns, q0, w, h, np.rint(scene.final / h).astype(int))


def trajectories(seed: int, profile: str) -> dict[str, dict[str, Run]]:
    """{case: {column: Run}}: all columns of a case step together."""
    columns, found = [*stepping.STEPPED.values(), stepping.Column("still")], {}
    for scene in (scenes()[row] for row in CONTINUOUS):
        if scene.case.name not in found:
            found[scene.case.name] = stepped(scene, seed, columns, SIZES[profile])
    return found


class SmallerSteps:
    """The runs of one column with more step sizes than a profile has, each run made once."""

    def __init__(self, seed: int, profile: str):
        self.seed, self.count = seed, SIZES[profile]
        self.runs: dict[tuple[str, str, int], Run] = {}

    def of(self, scene: Scene, column: str) -> Iterator[Run]:
        """Each run has one step size more than the one before, half as large."""
        for count in range(self.count + 1, MOST_SIZES + 1):
            key = scene.case.name, column, count
            if key not in self.runs:
                self.runs[key] = stepped(scene, self.seed, [stepping.STEPPED[column]], count)[column]
            yield self.runs[key]


def run_cell(cell: Cell) -> list[Record]:
    runs, few = trajectories(cell.seed, cell.profile), cell.profile == "quick"
    smaller = SmallerSteps(cell.seed, cell.profile)

    def judged(row, column, claim, fault=None):
        scene = scenes()[row]
        mine = runs[scene.case.name]
        return one(cell, scene, column, claim, mine, few=few, fault=fault, smaller=smaller)

    out = [judged(row, column, entry(row, column)) for row in CONTINUOUS for column in COLUMNS]
    out += [r for row in DISCRETE for r in commuting(cell, scenes()[row], discrete.TURNS[row], COLUMNS)]
    out.append(judging.summary(cell, out))
    out += driven(cell, runs, few)
    out += [judged(f.row, f.column, f.claim, f.name) for f in (*faults.ENTRIES, faults.STILL)]
    for f in faults.TURNED:
        turn = discrete.HALF if f is faults.NO_SYMMETRY else discrete.TURNS[f.row]
        out += commuting(cell, scenes()[f.row], turn, [f.column], fault=f.name, claim=f.claim)
    return out + judging.counts(cell, np.random.default_rng(derive(cell.seed, "M1/counts")))


def commuting(
    cell: Cell, scene, turn, columns, *, fault: str | None = None, claim: Entry | None = None
) -> list[Record]:
    """A discrete row: each of these columns against itself turned."""
    runs, out = discrete.runs_of(scene, turn, cell.seed), []
    for c in columns:
        mine = claim or entry(scene.row, c)
        found = discrete.against(discrete.found(scene, turn, c, runs), mine)
        how = dict(fault=fault, lanes=STARTS, steps=discrete.STEPS)
        out.append(judging.judged(cell, scene, c, mine, found, **how))
    return out


def driven(cell: Cell, runs: dict, few: bool) -> list[Record]:
    """Each drift of an order against its sources, and each wrong source; few: one start a step size, without
    the smallest.

    One run after the other: in 64 bits, with all that is derived from them, they hold 0.6 GB together.
    """
    drifts = [
        (row, column) for row in CONTINUOUS for column in COLUMNS[1:] if entry(row, column).order is not None
    ]
    wrong = {fault: (fault.row, fault.column) for fault in faults.DRIFTS}
    found: dict = {}
    for where in dict.fromkeys([*drifts, *wrong.values()]):
        row, column = where
        run = runs[scenes()[row].case.name][column]
        # A constant in front of an order is told by any step size: the longest run adds time alone.
        mine = run.part(measuring.rotating(len(run.counts) // STARTS)[:-1]) if few else run
        judged = partial(judging.sourced, cell, scenes()[row], column, entry(row, column), sources.wide(mine))
        if where in drifts:
            found[where] = judged()
        found |= {f: judged(fault=f.name, **f.changed) for f, place in wrong.items() if place == where}
    return [found[x] for x in (*drifts, *wrong)]


def one(
    cell: Cell,
    scene: Scene,
    column: str,
    claim: Entry,
    runs: dict[str, Run],
    *,
    few: bool,
    fault: str | None = None,
    smaller: SmallerSteps | None = None,
) -> Record:
    """One cell of the map. An order that these runs do not decide is asked of smaller steps, if there are."""
    run = runs["gradient descent" if column == "gradient flow" else column]
    starts = run.q[0][:, :: len(run.counts) // STARTS]
    if claim.charge == "form":
        dual = column in ("entropy mirror", "natural gradient")
        found = measuring.chargeless(scene, starts, float(run.path.min()), dual=dual)
    elif column == "gradient flow":
        found = measuring.flowing(scene, claim, starts)
    else:
        found = measuring.discrete(run, scene, claim, few)
        more = smaller.of(scene, column) if smaller else iter(())
        while found.label == measuring.UNDECIDED and (finer := next(more, None)):
            run, found = finer, measuring.discrete(finer, scene, claim, few)
    return judging.judged(
        cell, scene, column, claim, found, fault=fault, lanes=len(run.counts), steps=int(run.counts.max())
    )
