"""What depends on a magnitude: the response to eps and kappa over twelve decades."""

from __future__ import annotations

import numpy as np

from noether.laws.continuous.comparison import Cell, judge, solve
from noether.laws.continuous.settings import FRICTION, HEAVY, OTHER_FRICTION, Setting, spread
from noether.mechanics.symbolic_mechanics import mechanics
from noether.verdicts.claims import Judged, beyond, record
from noether.verdicts.figures import Course
from noether.verdicts.record import Record

MAGNITUDES = (0.0, *(10.0**e for e in range(-12, 1)))
# that a sweep must resolve: float64 leaves 16, the rounding of 100 steps takes 2, a response of 1e-2 two more
DECADES = 10
RESOLVED = 10  # a response is resolved when it is this many bounds large: it is then known to 10 %


def sweep(cell: Cell) -> list[Record]:
    """The response of j to the breaking magnitude, predicted and measured, at the heaviest mass.

    measured    j less what is left at magnitude 0: the memory of j(0) and the kinetic parts that do not scale
                with
                it. The loss's own share is taken as the zero that was proven, not as what was integrated, so
                that a loss that is not symmetric shows at every magnitude.
    predicted   the damped integral of the part that scales with it
    """
    mech, name = mechanics(cell.case), "breaking" if cell.part == "eps" else "deformed"
    magnitudes = np.array(MAGNITUDES)
    friction = (
        OTHER_FRICTION if cell.part == "eps" else FRICTION
    )  # eps up to 1 pulls: the more friction, the less far
    parameters = spread((HEAVY,), tuple(Setting(friction, **{cell.part: float(x)}) for x in magnitudes))
    solution = solve(cell, mech, parameters, points=16)
    window, out = np.ones(len(solution.run.times), dtype=bool), []
    for i, symmetry in enumerate(cell.case.symmetries):
        if name not in mech.parts[i]:
            told = f"{cell.part} gives the charge of {symmetry.name} no source: its formula is zero"
            out.append(
                beyond(cell, told, backend="scipy", symmetry=symmetry.name, parameters={"window": "all"})
            )
            continue

        def rest(t, i=i):
            left = t.memory(i) + t.part(i, "generator") + t.part(i, "metric")
            return t.j[:, i] - (left if name == "breaking" else left - t.part(i, name))

        judged = [
            judge(
                solution,
                i,
                k,
                window,
                lambda t, i=i: t.part(i, name),
                rest,
                terms=lambda t, i=i: {f"{name} term": t.part(i, name)},
            )
            for k in range(len(magnitudes))
        ]
        out.append(sweep_record(cell, symmetry.name, judged, magnitudes))
        out[-1].parameters |= {"m": HEAVY, "mu": friction}
        resolved = [x for x in judged if x.response >= RESOLVED * x.bound]
        if resolved:
            smallest = resolved[0].lane
            dropped = judge(solution, i, smallest, window, lambda t: np.zeros_like(t.times), rest)
            about = {**parameters.about(smallest), "window": "all"}
            out.append(record(cell, symmetry.name, [dropped], about, 0, fault=f"{name} term dropped"))
    return out


def sweep_record(cell: Cell, symmetry: str, judged: list[Judged], magnitudes: np.ndarray) -> Record:
    resolved = [k for k, x in enumerate(judged) if magnitudes[k] > 0 and x.response >= RESOLVED * x.bound]
    hidden = [f"{magnitudes[k]:.0e}" for k in range(len(judged)) if magnitudes[k] > 0 and k not in resolved]
    decades = float(np.log10(magnitudes[resolved[-1]] / magnitudes[resolved[0]])) if resolved else 0.0
    if judged[0].predicted != 0 or magnitudes[0] != 0:
        raise AssertionError(
            f"{cell.name}: the predicted response at zero is {judged[0].predicted}, must be 0"
        )
    below = f"; below the detection limit: {', '.join(hidden)}" if hidden else ""
    peak = [int(np.argmax(np.abs(x.S))) for x in judged]
    return record(
        cell,
        symmetry,
        judged,
        {"window": "all", "decades": decades},
        0,
        enough=decades >= DECADES,
        note=f"{cell.part}: {decades:.0f} decades resolved, {DECADES} needed{below}; ",
        figure=Course(
            x=magnitudes,
            y=[x.j[k] for x, k in zip(judged, peak, strict=True)],
            predicted=[x.S[k] for x, k in zip(judged, peak, strict=True)],
            bound=[x.bound for x in judged],
            label=f"response to {cell.part}",
        ),
    )
