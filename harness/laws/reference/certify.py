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
from noether.laws.reference.cell import Cell, Claim, record
from noether.laws.reference.claims import (
    FRICTION,
    KINETIC,
    TOLERANCE,
    WRONG,
    Bench,
    bench,
    bits,
    charges,
    energy,
    fine,
    states,
    theorem,
)
from noether.mechanics import flow
from noether.mechanics.symbolic_mechanics import mechanics
from noether.verdicts.figures import Lines
from noether.verdicts.judgement import most_spent
from noether.verdicts.record import Record


def certify(cell: Cell) -> list[Record]:
    """(1) to (5) at every mass, and the faults."""
    b = bench(cell)
    out = []
    for m, lanes in b.lanes_of.items():
        about = {"m": m, "bits": bits(m), "solver_steps": b.truths[lanes[0]].solution.steps,
                 "solver_seconds": round(b.truths[lanes[0]].solution.seconds, 6)}  # fmt: skip
        method = str(flow.methods(b.solution.run.parameters)[lanes[0]])
        for name, better in ((method, ("fine", "coarse")), ("collocation", ("coarse",))):
            claims = [states(b, lane, "run" if len(better) == 2 else "fine", better) for lane in lanes]
            out.append(record(cell, f"the state by {name}", claims, {**about, "method": name}))
        for name, window in windows(b.solution, lanes[0]).items():
            here = {**about, "method": method, "window": name}
            for i, symmetry in enumerate(b.case.symmetries):
                killing = not mechanics(b.case).parts[i].keys() & {"generator", "metric"}
                if cell.inner.law == "T5" and name == "rest":
                    continue  # nothing but e^-30 of the start
                chosen = (
                    lanes[:1] if killing and name == "rest" else lanes
                )  # as T1: elsewhere nothing is left of the charge
                claims = [charges(b, lane, i, window) for lane in chosen]
                out.append(
                    record(
                        cell,
                        "the charge",
                        claims,
                        here,
                        symmetry=symmetry.name,
                        figure=drawn(b, chosen[0], i, window, m) if i == 0 else None,
                    )
                )
                if bits(m) == 113:
                    out.append(
                        record(
                            cell,
                            "the theorem",
                            [theorem(b, lane, i, window) for lane in chosen],
                            here,
                            symmetry=symmetry.name,
                            precision="float128",
                        )
                    )
            if b.solution.run.mechanics.energy is not None:
                out.append(
                    record(
                        cell,
                        "the energy",
                        [energy(b, lane, window) for lane in lanes],
                        {**here, "symmetry": "time"},
                    )
                )
    return out + faults(b)


def faults(b: Bench) -> list[Record]:
    """At each mass the window, symmetry and lane that see a fault best; of the masses the one that sees it
    least speaks."""
    every = range(len(b.case.symmetries))

    def best(lanes, claim, symmetries=every):
        return most_spent(
            [
                claim(lane, i, w)
                for lane in lanes
                for i in symmetries
                for w in windows(b.solution, lane).values()
            ]
        )

    precise = {m: lanes for m, lanes in b.lanes_of.items() if bits(m) == 113}
    loose = {
        m: lanes for m, lanes in b.lanes_of.items() if m < flow.MILD
    }  # above, both tolerances reach the rounding of float64
    twisted = (
        [i for i, w in enumerate(mechanics(b.case).parts) if w.keys() & {"generator", "metric"}]
        if b.cell.inner.law != "T5"
        else []
    )
    found: dict[str, list[Claim]] = {}
    for lanes in precise.values():
        other = b.wrong(lanes[0])
        found.setdefault(FRICTION, []).append(
            best(lanes[:1], lambda lane, i, w, other=other: charges(b, lane, i, w, against=other))
        )
        if twisted:
            found.setdefault(KINETIC, []).append(
                best(lanes, lambda lane, i, w: theorem(b, lane, i, w, WRONG), twisted)
            )
    for lanes in loose.values():
        found.setdefault(TOLERANCE, []).append(
            best(lanes, lambda lane, i, w: charges(b, lane, i, w, which="loose"))
        )
    out = []
    for name, claims in found.items():
        weakest = min(claims, key=lambda c: c.spent)
        about = {"m": b.truths[weakest.lane].values[0], "masses": len(claims)}
        out.append(
            record(
                b.cell,
                "the theorem" if name == KINETIC else "the charge",
                [weakest],
                about,
                fault=name,
                precision="float128" if name == KINETIC else "float64",
            )
        )
    return out


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
