"""What one trajectory claims of itself, held against the truth: (1) to (5) of certify.py."""

from __future__ import annotations

from dataclasses import dataclass

import mpmath
import numpy as np

from noether.laws.continuous import cells
from noether.laws.continuous import energy as continuous_energy
from noether.laws.continuous.comparison import judge
from noether.laws.reference.cell import Cell, Claim
from noether.laws.reference.integrator import SOFTWARE
from noether.laws.reference.truth import Truth, truth
from noether.mechanics import flow
from noether.mechanics.symbolic_mechanics import mechanics

WRONG = mpmath.mpf(2) ** -96  # of the kinetic term, in the fault of (5)


OFF = 1 + 1e-3  # of the friction


FRICTION, TOLERANCE, KINETIC = (
    "friction off by 1e-3",
    "tolerance claimed 1e3 tighter than it is",
    "kinetic term off by 2^-96",
)


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

    def start(self, lane: int) -> np.ndarray:
        return self.solution.run.x[0, :, lane]

    def wrong(self, lane: int) -> Truth:
        """The truth of another friction: one solution, which is its own second."""
        run, right = self.solution.run, self.truths[lane]
        m, mu, *rest = right.values
        return truth(
            self.case, run.x[0, :, lane], (m, OFF * mu, *rest), run.times[:, lane], right.solution.bits
        )


def bits(m: float) -> int:
    return 113 if m >= SOFTWARE else 64


def bench(cell: Cell) -> Bench:
    inner = cell.inner
    case = cells.scale_invariant_case(inner.case) if inner.law == "T5" else inner.case
    solution, lanes_of = cells.solutions(
        inner, mechanics(case), cells.FREE if inner.law == "T5" else cells.SETTINGS
    )
    run = solution.run
    truths = {
        lane: truth(
            case, run.x[0, :, lane], [p[lane] for p in run.parameters.values], run.times[:, lane], bits(m)
        )
        for m, lanes in lanes_of.items()
        for lane in lanes
    }
    return Bench(cell, solution, lanes_of, truths)


def states(b: Bench, lane: int, which: str, better: tuple[str, ...]) -> Claim:
    """(1) or (2)."""
    known, runs = b.truths[lane], [getattr(b.solution, name).x[:, :, lane] for name in (which, *better)]
    off, scale = known.states(runs[0]), 1 + float(np.max(np.abs(runs[0])))
    apart = sum(float(np.max(np.abs(x - y))) for x, y in zip(runs, runs[1:], strict=False))
    rounding = 2.0**-53 * (len(off) + 2) * scale
    worst, times = int(np.argmax(off)), b.solution.run.times[:, lane]
    moved = float(np.sum(np.abs(np.diff(runs[0], axis=0))))
    return Claim(
        float(off[worst]), apart + rounding, float(times[worst]), known.known, moved, lane, b.start(lane)
    )


def charges(
    b: Bench, lane: int, i: int, window: np.ndarray, which: str = "run", against: Truth | None = None
) -> Claim:
    """(3) of the run that is judged; of another run, or against another truth, in the units of the judged
    one: faults."""
    judged = judge(b.solution, i, lane, window, lambda t: t.predicted(i))
    taken, known = getattr(b.solution, which), against or b.truths[lane]
    off = np.where(window, known.off(i, taken.j[:, i, lane], taken.predicted(i)[:, lane]), 0.0)
    worst = int(np.argmax(off))
    unsure = max(float(x) for x, inside in zip(known.unsure(i), window, strict=True) if inside)
    about = {
        "j_minus_S": abs(judged.measured - judged.predicted),
        "collocation": float(np.max(fine(b, lane, i)[window])),
    }
    return Claim(
        float(off[worst]),
        judged.bound,
        float(b.solution.run.times[worst, lane]),
        unsure,
        judged.variation,
        lane,
        b.start(lane),
        about,
    )


def fine(b: Bench, lane: int, i: int) -> np.ndarray:
    """(n,) how far the fine collocation's charge and prediction are off."""
    return b.truths[lane].off(i, b.solution.fine.j[:, i, lane], b.solution.fine.predicted(i)[:, lane])


def theorem(b: Bench, lane: int, i: int, window: np.ndarray, wrong=0) -> Claim:
    """(5). What is compared is the truth itself: nothing has to be known beyond it."""
    known = b.truths[lane]
    rows = [
        (r, u + v, t)
        for r, u, v, t, inside in zip(
            known.residual(i, wrong),
            known.unsure(i),
            known.rounding(i),
            known.solution.times,
            window,
            strict=True,
        )
        if inside
    ]
    worst = max(range(len(rows)), key=lambda k: rows[k][0])
    j = [float(x) for x, inside in zip(known.column(0, i), window, strict=True) if inside]
    return Claim(
        float(rows[worst][0]),
        float(max(r[1] for r in rows)),
        float(rows[worst][2]),
        0.0,
        float(np.sum(np.abs(np.diff(j)))),
        lane,
        b.start(lane),
    )


def energy(b: Bench, lane: int, window: np.ndarray) -> Claim:
    """(4)."""
    run, known, first = b.solution.run, b.truths[lane], int(np.argmax(window))
    judged = continuous_energy.judged(b.solution, lane, window)
    off = np.where(
        window, known.energy_off(first, continuous_energy.whole(run)[:, lane], run.dissipated[:, lane]), 0.0
    )
    worst = int(np.argmax(off))
    return Claim(
        float(off[worst]),
        judged.bound,
        float(run.times[worst, lane]),
        known.known,
        judged.variation,
        lane,
        b.start(lane),
    )
