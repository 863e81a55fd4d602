"""What depends on a magnitude: the response to eps and kappa over twelve decades."""

from __future__ import annotations

import numpy as np

from noether.laws.continuous import faults
from noether.laws.continuous.comparison import Cell, judge, solve
from noether.laws.continuous.settings import FRICTION, HEAVY, OTHER_FRICTION, Setting, spread
from noether.mechanics import flow
from noether.mechanics.symbolic_mechanics import mechanics
from noether.verdicts.claims import Judged, beyond, record
from noether.verdicts.figures import Course
from noether.verdicts.record import Record

MAGNITUDES = (0.0, *(10.0**e for e in range(-12, 1)))
DECADES, LEAST = 10, 6
"""What a sweep must resolve. float64 leaves 16 decades, the rounding of 100 steps takes 2, a response of 1e-2
two more. A stiff loss multiplies roundings: its sweep must resolve what they leave (`needed`), and LEAST."""
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
    # eps up to 1 pulls: the more friction, the less far
    friction = OTHER_FRICTION if cell.part == "eps" else FRICTION
    parameters = spread((HEAVY,), tuple(Setting(friction, **{cell.part: x}) for x in MAGNITUDES))
    solution, out = solve(cell, mech, parameters, points=16), []
    for i, symmetry in enumerate(cell.case.symmetries):
        if name in mech.parts[i]:
            found = responses(cell, solution, i, name)
            found[0].parameters |= {"m": HEAVY, "mu": friction}
            out += found
        else:
            told = f"{cell.part} gives the charge of {symmetry.name} no source: its formula is zero"
            about = dict(symmetry=symmetry.name, parameters={"window": "all"})
            out.append(beyond(cell, told, backend="scipy", **about))
    return out


def responses(cell: Cell, solution: flow.Certified, i: int, name: str) -> list[Record]:
    """Of the charge of one symmetry to every magnitude, and to the smallest that is resolved without the term
    that scales with it."""
    window, symmetry = np.ones(len(solution.run.times), dtype=bool), cell.case.symmetries[i].name
    source = lambda t: t.part(i, name)

    def rest(t):
        left = t.memory(i) + t.part(i, "generator") + t.part(i, "metric")
        return t.j[:, i] - (left if name == "breaking" else left - source(t))

    terms = lambda t: {f"{name} term": source(t)}
    lanes = range(len(MAGNITUDES))
    judged = [judge(solution, i, lane, window, source, rest, terms=terms) for lane in lanes]
    enough = needed(judged, float(np.max(solution.run.size[:, i])))
    out = [sweep_record(cell, symmetry, judged, np.array(MAGNITUDES), enough)]
    resolved = [x.lane for x in judged if x.response >= RESOLVED * x.bound]
    if resolved:
        nothing = lambda t: np.zeros_like(t.times)
        dropped = judge(solution, i, resolved[0], window, nothing, rest)
        about = {**solution.run.parameters.about(resolved[0]), "window": "all"}
        out.append(record(cell, symmetry, [dropped], about, 0, fault=faults.DROPPED[name].name))
    return out


def needed(judged: list[Judged], size: float) -> int:
    """How many decades a sweep must resolve: DECADES, or as many as stand between the largest response and
    what the two methods differ by in a charge of this size.

    Less one: a bound has four such distances. The bound itself is not asked, so that one which is too wide is
    found.
    """
    floor = RESOLVED * max(x.state for x in judged) * size
    with np.errstate(divide="ignore", invalid="ignore"):
        left = np.log10(np.float64(max(x.response for x in judged)) / floor) - 1
    return int(np.clip(np.nan_to_num(np.floor(left), nan=DECADES), LEAST, DECADES))


def sweep_record(
    cell: Cell, symmetry: str, judged: list[Judged], magnitudes: np.ndarray, enough: int = DECADES
) -> Record:
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
        enough=decades >= enough,
        note=f"{cell.part}: {decades:.0f} decades resolved, {enough} needed{below}; ",
        figure=Course(
            x=magnitudes,
            y=[x.j[k] for x, k in zip(judged, peak, strict=True)],
            predicted=[x.S[k] for x, k in zip(judged, peak, strict=True)],
            bound=[x.bound for x in judged],
            label=f"response to {cell.part}",
        ),
    )
