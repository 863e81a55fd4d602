"""What one trajectory claims of itself, held against the truth: (1) to (5) of certify.py."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from noether.laws.continuous import cells
from noether.laws.continuous import energy as continuous_energy
from noether.laws.continuous.comparison import judge
from noether.laws.reference.cell import Cell, Claim
from noether.laws.reference.faults import FRICTION
from noether.laws.reference.integrator import SOFTWARE
from noether.laws.reference.truth import Truth, truth
from noether.mechanics import flow
from noether.mechanics.symbolic_mechanics import mechanics


@dataclass(frozen=True, eq=False)
class Bench:
    """The four solutions of a cell and the truth of each of their lanes."""

    cell: Cell
    solution: flow.Certified
    lanes_of: dict
    truths: dict

    @property
    def case(self):
        return self.solution.run.mechanics.case

    @property
    def is_free(self) -> bool:
        """Whether the kinetic energy is T5's, which has no source."""
        return self.cell.inner.law == "T5"

    @property
    def twisted(self) -> list[int]:
        """The symmetries that the kinetic energy does not have."""
        parts = mechanics(self.case).parts
        return [i for i, part in enumerate(parts) if part.keys() & {"generator", "metric"}]

    def start(self, lane: int) -> np.ndarray:
        return self.solution.run.x[0, :, lane]

    def wrong(self, lane: int) -> Truth:
        """The truth of another friction: one solution, which is its own second."""
        run, right = self.solution.run, self.truths[lane]
        m, mu, *rest = right.values
        values = (m, (1 + FRICTION.changed["friction"]) * mu, *rest)
        return truth(self.case, run.x[0, :, lane], values, run.times[:, lane], right.solution.bits)


def bits(m: float) -> int:
    return 113 if m >= SOFTWARE else 64


def bench(cell: Cell) -> Bench:
    inner, free = cell.inner, cell.inner.law == "T5"
    case = cells.scale_invariant_case(inner.case) if free else inner.case
    solution, lanes_of = cells.solutions(inner, mechanics(case), cells.FREE if free else cells.SETTINGS)
    run, truths = solution.run, {}
    for m, lanes in lanes_of.items():
        for lane in lanes:
            values = [p[lane] for p in run.parameters.values]
            truths[lane] = truth(case, run.x[0, :, lane], values, run.times[:, lane], bits(m))
    return Bench(cell, solution, lanes_of, truths)


def states(b: Bench, lane: int, which: str, better: tuple[str, ...]) -> Claim:
    """How far a state is off, and at most by its own claim: SciPy's (1) or the collocation's (2)."""
    known, runs = b.truths[lane], [getattr(b.solution, name).x[:, :, lane] for name in (which, *better)]
    off, scale = known.states(runs[0]), 1 + float(np.max(np.abs(runs[0])))
    apart = sum(float(np.max(np.abs(x - y))) for x, y in zip(runs, runs[1:], strict=False))
    worst, times = int(np.argmax(off)), b.solution.run.times[:, lane]
    return Claim(
        off=float(off[worst]),
        bound=apart + 2.0**-53 * (len(off) + 2) * scale,
        at=float(times[worst]),
        known=known.known,
        moved=float(np.sum(np.abs(np.diff(runs[0], axis=0)))),
        lane=lane,
        start=b.start(lane),
    )


def charges(
    b: Bench, lane: int, i: int, window: np.ndarray, which: str = "run", against: Truth | None = None
) -> Claim:
    """(3) of the run that is judged; of another run, or against another truth, in the units of the judged
    one: faults."""
    judged = judge(b.solution, i, lane, window, lambda t: t.predicted(i))
    taken, known = getattr(b.solution, which), against or b.truths[lane]
    off = np.where(window, known.off(i, taken.j[:, i, lane], taken.predicted(i)[:, lane]), 0.0)
    worst, residual = int(np.argmax(off)), abs(judged.measured - judged.predicted)
    return Claim(
        off=float(off[worst]),
        bound=judged.bound,
        at=float(b.solution.run.times[worst, lane]),
        known=max(float(x) for x, inside in zip(known.unsure(i), window, strict=True) if inside),
        moved=judged.variation,
        lane=lane,
        start=b.start(lane),
        about={"j_minus_S": residual, "collocation": float(np.max(fine(b, lane, i)[window]))},
    )


def fine(b: Bench, lane: int, i: int) -> np.ndarray:
    """(n,) how far the fine collocation's charge and prediction are off."""
    return b.truths[lane].off(i, b.solution.fine.j[:, i, lane], b.solution.fine.predicted(i)[:, lane])


def theorem(b: Bench, lane: int, i: int, window: np.ndarray, wrong=0) -> Claim:
    """(5). What is compared is the truth itself: nothing has to be known beyond it."""
    known = b.truths[lane]
    inside = [k for k, within in enumerate(window) if within]
    residual, unsure, rounding = known.residual(i, wrong), known.unsure(i), known.rounding(i)
    worst = max(inside, key=lambda k: residual[k])
    j = [float(x) for x, within in zip(known.column(0, i), window, strict=True) if within]
    return Claim(
        off=float(residual[worst]),
        bound=float(max(unsure[k] + rounding[k] for k in inside)),
        at=float(known.solution.times[worst]),
        known=0.0,
        moved=float(np.sum(np.abs(np.diff(j)))),
        lane=lane,
        start=b.start(lane),
    )


def energy(b: Bench, lane: int, window: np.ndarray) -> Claim:
    """How far the energy is off, and at most by its own claim (4)."""
    run, known, first = b.solution.run, b.truths[lane], int(np.argmax(window))
    judged = continuous_energy.judged(b.solution, lane, window)
    whole = continuous_energy.whole(run)[:, lane]
    off = np.where(window, known.energy_off(first, whole, run.dissipated[:, lane]), 0.0)
    worst = int(np.argmax(off))
    return Claim(
        off=float(off[worst]),
        bound=judged.bound,
        at=float(run.times[worst, lane]),
        known=known.known,
        moved=judged.variation,
        lane=lane,
        start=b.start(lane),
    )
