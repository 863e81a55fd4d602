"""Which batch comes next: an unvisited cell of the grid, offspring of the lanes that spent most, or volume.

Everything derives from the seed and the number of the batch, and from what was found up to LAG batches
before: batches run side by side, and what comes next must not depend on which of them ends first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from noether.campaigns.fuzz.lanes import units
from noether.campaigns.fuzz.regimes import REGIMES
from noether.cases.case import Case
from noether.cases.rules import RULES
from noether.kernels.programs.trace import gradient
from noether.laws.exact.cell import rules_of
from noether.plan.choices import case_named
from noether.system.seeds import derive

LAG = 4
KEPT = 8  # lanes that the archive keeps for each law in each case, rule and precision
PURE = 0.25  # share of pure random lanes among offspring


@dataclass(frozen=True)
class GridPoint:
    """One point of the grid."""

    case: str
    rule: str
    precision: str
    regime: str

    @property
    def name(self) -> str:
        """The point in a line."""
        return f"{self.case}/{self.rule}/{self.precision.replace('/', '-')}/{self.regime}"


@dataclass(frozen=True)
class Batch:
    """One launch to come: all that decides its draws.

    parents  (rows, n) units to breed from, or None: drawn afresh
    plain    screened in numpy, whatever backend the run is for: its kernel is not worth compiling yet
    """

    number: int
    cell: GridPoint
    lanes: int
    steps: int
    seed: int
    parents: np.ndarray | None = field(default=None, compare=False)
    plain: bool = False

    @property
    def name(self) -> str:
        """The name of the batch, as of a cell."""
        return f"fuzz/{self.cell.name}/{self.number}"

    def units(self, case: Case) -> np.ndarray:
        """The units of all lanes, (rows, lanes) in [0, 1)."""
        rng = np.random.default_rng(self.seed)
        fresh = rng.random((units(case), self.lanes))
        return fresh if self.parents is None else offspring(self.parents, fresh, rng)


def offspring(parents: np.ndarray, fresh: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Lanes bred from parents (rows, n): one unit drawn anew, all moved a little, or two parents mixed; a
    share is `fresh`."""
    rows, lanes = fresh.shape
    mother, father = (parents[:, rng.integers(0, parents.shape[1], lanes)] for _ in range(2))
    how = rng.random(lanes)
    anew = np.arange(rows)[:, None] == rng.integers(0, rows, lanes)
    moved = mother + 2.0 ** -rng.integers(2, 45, lanes) * rng.standard_normal((rows, lanes))
    mixed = np.where(rng.random((rows, lanes)) < 0.5, mother, father)
    bred = np.where(
        how < 0.3, np.where(anew, fresh, mother), np.where(how < 0.7, np.clip(moved, 0, 1 - 2.0**-53), mixed)
    )
    return np.where(rng.random(lanes) < PURE, fresh, bred)


@dataclass(frozen=True)
class Size:
    """How large batches are.

    visit, volume    lane-steps of a batch that visits a cell for the first time, and of one that is for
                     volume
    widest, longest  the most lanes and the most steps
    """

    visit: int
    volume: int
    widest: int
    longest: int


SIZES = {
    "numpy": Size(2**16, 2**20, 2**15, 2**10),  # a step costs a millisecond, however few the lanes
    "planted": Size(2**13, 2**15, 2**10, 2**9),
    "compiled": Size(2**16, 2**25, 2**17, 2**14),  # a first visit is numpy's
}
DIVERGING = 2**10  # lanes, and steps, of a regime in which many leave the domain: each of them is asked about
ASKED = 2**18  # lane-steps of such a batch: the references of all its lanes take some seconds
VISITS = 8  # until the grid is visited once, all but one batch in so many visit it; then one in so many
TURNS = 4  # batches of volume before the next kernel is compiled: one takes seconds, and serves all regimes
BRED = 0.5  # share of the other batches that are offspring; the rest is volume in regimes that stay inside


def size_of(backend: str, plant: str) -> Size:
    """How large the batches of a backend, or of a planted fault, are."""
    return SIZES["planted" if plant else "numpy" if backend == "numpy" else "compiled"]


def grid(cases: tuple[Case, ...], rules: tuple[str, ...], precisions: tuple[str, ...]) -> list[GridPoint]:
    """Every cell of a choice, in order. A rule whose laws cannot be screened has none (`unscreened`)."""
    return [
        GridPoint(case.name, rule, precision, regime.name)
        for case in cases
        for rule in rules_of(case)
        if rule in rules and RULES[rule].screened
        for precision in precisions
        for regime in REGIMES.values()
        if regime.fits(RULES[rule])
    ]


def unscreened(cases: tuple[Case, ...], rules: tuple[str, ...]) -> list[str]:
    """The rules of a choice that a fuzzing run leaves out."""
    return [
        rule for rule in rules if not RULES[rule].screened and any(rule in rules_of(case) for case in cases)
    ]


@dataclass
class Kept:
    """One lane of the archive."""

    spent: float
    units: np.ndarray
    regime: str
    steps: int


class Archive:
    """The worst lanes of each (law, precision), and in it of each case and rule: a law must not be kept busy
    by one case."""

    def __init__(self):
        self.kept: dict[tuple[str, str], dict[tuple[str, str], list[Kept]]] = {}

    def add(self, law: str, cell: GridPoint, lane: Kept) -> None:
        """Keep a lane, and of its law, precision, case and rule the KEPT worst."""
        mine = self.kept.setdefault((law, cell.precision), {}).setdefault((cell.case, cell.rule), [])
        mine.append(lane)
        mine.sort(key=lambda k: -k.spent)
        del mine[KEPT:]

    def __bool__(self) -> bool:
        return bool(self.kept)

    def choose(self, rng: np.random.Generator) -> tuple[GridPoint, np.ndarray, int]:
        """A regime and horizon of a kept lane, and the units of all kept lanes of that law, precision, case
        and rule."""
        pick = lambda xs: xs[rng.integers(len(xs))]
        law, precision = pick(sorted(self.kept))
        case, rule = pick(sorted(self.kept[law, precision]))
        mine = self.kept[law, precision][case, rule]
        one = pick(mine)
        parents = np.stack([k.units for k in mine if k.regime == one.regime], axis=1)
        return GridPoint(case, rule, precision, one.regime), parents, one.steps


def kernel_of(cell: GridPoint) -> tuple[str, str, str]:
    """What a kernel is compiled for: case, rule and precision of a point."""
    return cell.case, cell.rule, cell.precision


def kernels_of(cells: list[GridPoint], seed: int) -> list[tuple[str, str, str]]:
    """The kernels of a grid in the order in which they are compiled: small programs first, in a random order
    among cases."""
    rng = np.random.default_rng(derive(seed, "fuzz kernels"))
    kernels = sorted({kernel_of(c) for c in cells})
    size = {name: gradient(case_named(name)).length for name, _, _ in kernels}
    mixed = [kernels[i] for i in rng.permutation(len(kernels))]
    return sorted(mixed, key=lambda k: size[k[0]].bit_length())


class Schedule:
    """The batches of a run, one after the other.

    kernels  for a backend that compiles: cells are first visited in numpy, and volume takes these kernels one
             after the
             other, so that a time box goes into checks and not into compiling; () where nothing is compiled
    """

    def __init__(
        self, cells: list[GridPoint], seed: int, size: Size, kernels: Sequence[tuple[str, str, str]] = ()
    ):
        if not cells:
            raise ValueError("the grid is empty: there is nothing to draw")
        self.cells, self.seed, self.size, self.kernels = cells, seed, size, list(kernels)
        self.order = [
            cells[i] for i in np.random.default_rng(derive(seed, "fuzz order")).permutation(len(cells))
        ]
        self.visits = self.volumes = 0
        self.open: dict[tuple[str, str, str], int] = {}  # kernel -> the batch that compiles it

    def batch(self, number: int, archive: Archive) -> Batch:
        """Batch `number`: the next cell of the grid, offspring, or volume in a cell of the grid. To be asked
        in order."""
        seed = derive(self.seed, f"fuzz {number}")
        rng = np.random.default_rng(seed)
        first_round = self.visits < len(self.cells)
        if number % VISITS < VISITS - 1 if first_round else number % VISITS == 0:
            cell = self.order[self.visits % len(self.cells)]
            self.visits += 1
            return self.drawn(number, cell, seed, rng, self.size.visit, plain=bool(self.kernels))
        self.volumes += 1
        new, ready = self.opened(number), {k for k, n in self.open.items() if number - n >= LAG}
        if not new and archive and rng.random() < BRED:
            cell, parents, steps = archive.choose(rng)
            steps = int(np.clip(steps * 2.0 ** rng.integers(-1, 3), 1, REGIMES[cell.regime].steps[1]))
            plain = bool(self.kernels) and kernel_of(cell) not in ready
            return self.drawn(
                number, cell, seed, rng, self.size.visit if plain else self.size.volume, parents, steps, plain
            )
        cell = self.steady({new} if new else ready, rng)
        least, longest = REGIMES[cell.regime].steps
        steps = int(np.exp(rng.uniform(np.log(np.sqrt(least * longest)), np.log(longest + 1))))
        return self.drawn(number, cell, seed, rng, self.size.volume, None, steps)

    def opened(self, number: int) -> tuple[str, str, str] | None:
        """The kernel that this batch of volume compiles, if it is time for another; those that use it come
        LAG batches later."""
        turn, rest = divmod(self.volumes - 1, TURNS)
        if rest or turn >= len(self.kernels):
            return None
        self.open[self.kernels[turn]] = number
        return self.kernels[turn]

    def steady(self, mine: set[tuple[str, str, str]], rng: np.random.Generator) -> GridPoint:
        """A cell for volume, where lanes stay inside: of these kernels, or any that was visited where nothing
        is compiled."""
        known = self.order[: max(1, self.visits - LAG)]
        if self.kernels:
            known = [c for c in self.cells if kernel_of(c) in mine]
        steady = [c for c in known if not REGIMES[c.regime].diverges and not REGIMES[c.regime].lanes] or known
        return steady[rng.integers(len(steady))]

    def drawn(
        self, number, cell, seed, rng, most: int, parents=None, steps: int = 0, plain: bool = False
    ) -> Batch:
        """A batch at a point of the grid, of at most `most` lane-steps; `steps` fixes its horizon."""
        regime = REGIMES[cell.regime]
        least, longest = regime.steps
        # An eighth of the horizons are the shortest: a wrong first step shows there as soon as anywhere.
        steps = steps or int(
            least if rng.random() < 0.125 else np.exp(rng.uniform(np.log(least), np.log(longest + 1)))
        )
        steps = min(steps, SIZES["numpy"].longest if plain else self.size.longest)
        widest = SIZES["numpy"].widest if plain else self.size.widest
        if regime.diverges:
            steps, widest = min(steps, DIVERGING), min(widest, DIVERGING)
            most = min(most, ASKED)
        lanes = int(rng.choice(regime.lanes)) if regime.lanes else int(np.clip(most // steps, 16, widest))
        return Batch(number, cell, lanes, steps, seed, parents, plain)
