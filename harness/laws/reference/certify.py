"""What SciPy and the collocation claim of their trajectories, held against the truth (theory.md#V1).

    |x - x*|            <=  |x - x'| + |x' - x''| + u (n + 2)(1 + |x|)                         (1)
                            SciPy, ' and '' the collocations
    |x' - x*|           <=  |x' - x''| + u (n + 2)(1 + |x|)     the fine collocation           (2)
    |j - j*| + |S - S*| <=  the bound of flow.py (2), in whose units T1, T2 and T5 are judged  (3)
    |E - E*| + |D - D*| <=  the same for T4: gains of energy and what friction took            (4)
    |j* - S*|           <=  |j* - j**| + |S* - S**| + the rounding of 113 bits:                (5)
                            the theorem itself, to 30 digits

* is heyoka in 113 bits (64 where m is small), ** the same with other steps. The claims of (3) and (4) are
what every verdict on T1 to T5 stands on; here they are tested and not believed.
"""

from __future__ import annotations

import numpy as np

from noether.laws.continuous.comparison import windows
from noether.laws.reference import faults
from noether.laws.reference.cell import Cell, Claim, record
from noether.laws.reference.claims import Bench, bench, bits, charges, energy, fine, states, theorem
from noether.mechanics import flow
from noether.verdicts.figures import Lines
from noether.verdicts.judgement import most_spent
from noether.verdicts.record import Record


def certify(cell: Cell) -> list[Record]:
    """(1) to (5) at every mass, and the faults."""
    b = bench(cell)
    right = [r for m, lanes in b.lanes_of.items() for r in at_mass(b, m, lanes)]
    return right + planted(b)


def at_mass(b: Bench, m: float, lanes) -> list[Record]:
    solution = b.truths[lanes[0]].solution
    about = {"m": m, "bits": bits(m), "solver_steps": solution.steps}
    about["solver_seconds"] = round(solution.seconds, 6)
    method = str(flow.methods(b.solution.run.parameters)[lanes[0]])
    out = []
    stated = ((method, "run", ("fine", "coarse")), ("collocation", "fine", ("coarse",)))
    for name, which, better in stated:
        claims = [states(b, lane, which, better) for lane in lanes]
        out.append(record(b.cell, f"the state by {name}", claims, {**about, "method": name}))
    for name, window in windows(b.solution, lanes[0]).items():
        out += in_window(b, lanes, window, {**about, "method": method, "window": name})
    return out


def in_window(b: Bench, lanes, window: np.ndarray, about: dict) -> list[Record]:
    """The charge and the theorem of each symmetry, and the energy."""
    out, rest = [], about["window"] == "rest"
    if not (rest and b.is_free):  # there nothing but e^-30 of the start is left
        for i in range(len(b.case.symmetries)):
            # As T1: elsewhere nothing is left of a charge that the kinetic energy keeps.
            chosen = lanes[:1] if rest and i not in b.twisted else lanes
            out += of_charge(b, chosen, i, window, about)
    if b.solution.run.mechanics.energy is not None:
        claims = [energy(b, lane, window) for lane in lanes]
        out.append(record(b.cell, "the energy", claims, {**about, "symmetry": "time"}))
    return out


def of_charge(b: Bench, lanes, i: int, window: np.ndarray, about: dict) -> list[Record]:
    name, m = b.case.symmetries[i].name, about["m"]
    claims = [charges(b, lane, i, window) for lane in lanes]
    figure = drawn(b, lanes[0], i, window, m) if i == 0 else None
    out = [record(b.cell, "the charge", claims, about, symmetry=name, figure=figure)]
    if bits(m) == 113:
        claims = [theorem(b, lane, i, window) for lane in lanes]
        out.append(record(b.cell, "the theorem", claims, about, symmetry=name, precision="float128"))
    return out


def planted(b: Bench) -> list[Record]:
    """At each mass the window, symmetry and lane that see a fault best; of the masses the one that sees it
    least speaks."""
    precise = [lanes for m, lanes in b.lanes_of.items() if bits(m) == 113]
    # Above MILD both tolerances reach the rounding of float64.
    loose = [lanes for m, lanes in b.lanes_of.items() if m < flow.MILD]
    twisted = [] if b.is_free else b.twisted
    by_kinetic = {"wrong": faults.KINETIC.changed["kinetic"]}
    found = {
        faults.FRICTION: [best(b, x[:1], charges, against=b.wrong(x[0])) for x in precise],
        faults.KINETIC: [best(b, x, theorem, twisted, **by_kinetic) for x in precise if twisted],
        faults.TOLERANCE: [best(b, x, charges, which="loose") for x in loose],
    }
    out = []
    for fault, claims in found.items():
        if claims:
            weakest = min(claims, key=lambda c: c.spent)
            about = {"m": b.truths[weakest.lane].values[0], "masses": len(claims)}
            what, precision = PLANTED.get(fault, ("the charge", "float64"))
            out.append(record(b.cell, what, [weakest], about, fault=fault.name, precision=precision))
    return out


PLANTED = {faults.KINETIC: ("the theorem", "float128")}
"""What a fault is of, where it is not the charge in float64."""


def best(b: Bench, lanes, claim, symmetries=None, **wrong) -> Claim:
    """Of claims in all windows of lanes the one that spends most; wrong: keywords of `claim`."""
    every = range(len(b.case.symmetries)) if symmetries is None else symmetries
    return most_spent(
        [
            claim(b, lane, i, window, **wrong)
            for lane in lanes
            for i in every
            for window in windows(b.solution, lane).values()
        ]
    )


def drawn(b: Bench, lane: int, i: int, window: np.ndarray, m: float) -> Lines:
    """The errors against time: what SciPy and the collocation are off, and |j - S|, which is blind to most of
    it."""
    run, known = b.solution.run, b.truths[lane]
    chosen = window & (run.times[:, lane] > 0)
    scipy = known.off(i, run.j[:, i, lane], run.predicted(i)[:, lane])
    balance = np.abs(run.j[:, i, lane] - run.predicted(i)[:, lane])
    series = {
        "SciPy, true error": scipy,
        "collocation, true error": fine(b, lane, i),
        "SciPy, |j - S|": balance,
    }
    return Lines(
        x=run.times[chosen, lane],
        series={name: [float(x) or None for x in y[chosen]] for name, y in series.items()},
        xlabel="time",
        ylabel="error of charge and prediction",
        yscale="log",
        caption="What the law's residual does not see of a trajectory's error, the reference does (m = "
        f"{m:g}).",
    )
