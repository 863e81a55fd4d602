"""One law on one case: its solutions, and the comparison of a charge with its prediction over a window of
time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from noether.cases.case import Case
from noether.laws.cell import LawCell
from noether.laws.continuous.starts import begun
from noether.laws.law import WrongStatement
from noether.mechanics import flow
from noether.mechanics.kinks import Kinked
from noether.mechanics.stiffness import largest_curvature
from noether.mechanics.symbolic_mechanics import MU_OFF, Mechanics
from noether.verdicts.claims import Judged, record
from noether.verdicts.judgement import most_spent
from noether.verdicts.record import Record

SOFT, MOST = 50.0, 16.0  # curvature that the usual intervals resolve; at most sqrt MOST times as many
SHARES = (1, 1 / 4, 1 / 16, 1 / 64)
"""Of the usual time, how far a solution is followed. A loss of one's own may have times of its own: where it
is stiff, or falls without end, no solver comes to the end of the usual time, and the laws are about any."""


@dataclass(frozen=True)
class Cell(LawCell):
    """A law on a case. `rule` is the learning rule of the equations of motion, `also` laws of the same
    trajectories."""

    law: str
    case: Case
    rule: str
    part: str
    profile: str
    seed: int
    also: tuple[str, ...] = ()
    precision, backend = "float64", "scipy"

    @property
    def name(self) -> str:
        return f"{self.law}/{self.case.name}/{self.rule}/{self.part}"


def solve(
    cell: Cell, mech: Mechanics, parameters: flow.Parameters, points: int = 24, final: float = flow.FINAL
) -> flow.Certified:
    """One start for every lane: lanes differ in their parameters only. Up to t = final, in 2 points
    intervals, or to the first of SHARES of it to which there is a certified solution; where there is none,
    the longest that is not certified. Raises FloatingPointError where there is none at all.

    The collocation takes one step an interval, and a stiff loss needs `refinement` times as many.
    """
    points *= int(np.ceil(refinement(cell.case)))
    found, failed = [], []
    for share in SHARES:
        upto = lambda m, mu, share=share: flow.output_times(m, mu, share * final, points)
        times = np.stack([upto(*pair) for pair in zip(parameters.m, parameters.mu, strict=True)], axis=1)
        try:
            x0, loose = begun(cell.random(), mech, parameters, times)
            found.append(replace(flow.certified(mech, x0, parameters, times, loose), share=share))
        except FloatingPointError as error:
            failed.append(error)
        except Kinked:  # of another start than that of a longer solution, which then stands
            if not found:
                raise
        if found and found[-1].settled.all():
            return found[-1]
    if not found:
        raise failed[0]
    return found[0]


def refinement(case: Case) -> float:
    """How many times as many intervals a loss needs as usual: sqrt(L/SOFT) of its curvature L above SOFT."""
    return float(np.sqrt(np.clip(largest_curvature(case) / SOFT, 1.0, MOST)))


def windows(solution: flow.Certified, lane: int) -> dict[str, np.ndarray]:
    """The layer t < 30 m/mu, and the rest where there is one."""
    parameters = solution.run.parameters
    layer = solution.run.times[:, lane] < flow.LAYER * parameters.m[lane] / parameters.mu[lane]
    return {"layer": layer} if np.all(layer) else {"layer": layer, "rest": ~layer}


def bounds(
    solution: flow.Certified,
    symmetry: int,
    window: np.ndarray,
    predict,
    measure,
    unit=None,
    size=None,
    lanes=slice(None),
    strayed=None,
):
    """flow.py (2) plus rounding, of every lane or of those asked for: the largest over the window.

    strayed  (n, lanes): what the rounding of the rates does, flow_rounding.py, where it is not to a charge
    """
    run, fine, coarse = solution.run, solution.fine, solution.coarse

    def apart(a, b):
        return np.max(
            (np.abs(measure(a) - measure(b)) + np.abs(predict(a) - predict(b)))[window][:, lanes], axis=0
        )

    # Each of n steps rounds z once, each charge is d products and sums: u (n + d + 2) of their sizes.
    size = (run.weights[symmetry] if unit is None else unit) + (
        run.size[:, symmetry] if size is None else size
    )
    rounding = 2.0**-53 * (len(run.times) + run.mechanics.dim + 2) * np.max(size[window][:, lanes], axis=0)
    strayed = run.strayed[symmetry] if strayed is None else strayed
    rounding = rounding + np.max(strayed[window][:, lanes], axis=0)
    return apart(run, fine) + apart(fine, coarse) + rounding


def method_of(solution: flow.Certified, lane: int) -> str:
    """What solved a lane, and how far where that is not to the usual time."""
    method = str(flow.methods(solution.run.parameters)[lane])
    end = f" to t = {solution.run.times[-1, lane]:.3g} alone" if solution.share < 1 else ""
    return method + end


def judge(
    solution: flow.Certified,
    symmetry: int,
    lane: int,
    window: np.ndarray,
    predict,
    measure=None,
    unit=None,
    size=None,
    terms=None,
    strayed=None,
) -> Judged:
    """|measured - predicted| over a window in units of flow.py (2) plus rounding.

    predict, measure(trajectory) -> (n, lanes); measure is the charge when None.
    unit, size, strayed (n, lanes): what stands for W, for the size of the charge and for what rounding does
    to it, where it is another quantity.
    terms(trajectory) -> by name what |measured - predicted| changes by, (n, lanes), for a coefficient as
    large again.
    """
    measure = measure or (lambda t: t.j[:, symmetry])
    run = solution.run
    bound = bounds(solution, symmetry, window, predict, measure, unit, size, lane, strayed)
    weight = (run.weights[symmetry] if unit is None else unit)[window, lane]
    measured, predicted = measure(run)[window, lane], predict(run)[window, lane]
    residual = np.abs(measured - predicted)
    worst, present = int(np.argmax(residual)), (weight >= 1e3 * bound) & (weight > 0)
    times, named = run.times[window, lane], terms(run) if terms else {}
    return Judged(
        measured=float(measured[worst]),
        predicted=float(predicted[worst]),
        bound=float(bound),
        at=float(times[worst]),
        unit=float(weight[worst]),
        relative=float(np.max(residual[present] / weight[present], initial=0.0)),
        variation=float(np.sum(np.abs(np.diff(measured)))),
        response=float(np.max(np.abs(predicted))),
        times=times,
        j=measured,
        S=predicted,
        certified=bool(solution.settled[lane]),
        state=float(solution.state[lane]),
        lane=lane,
        method=method_of(solution, lane),
        start=run.x[0, :, lane],
        powers={name: smallest(residual, bound, x[window, lane]) for name, x in named.items()},
    )


def fault_record(
    cell: Cell,
    symmetry: str | None,
    solution: flow.Certified,
    groups: list[list[int]],
    fault: WrongStatement,
    judged: Callable[[int, np.ndarray], Judged],
) -> Record:
    """At each mass, a group of lanes, the window and lane that see the fault best; of the masses the one that
    sees it least speaks. judged(lane, window): the comparison under the fault."""
    best = [
        most_spent([judged(lane, window) for lane in lanes for window in windows(solution, lane).values()])
        for lanes in groups
    ]
    weakest = min(best, key=lambda x: x.spent)
    about = {**solution.run.parameters.about(weakest.lane), "masses": len(groups)}
    return record(cell, symmetry, [weakest], about, 0, fault=fault.name)


def smallest(residual: np.ndarray, bound: float, term: np.ndarray) -> float:
    """The smallest x > 0 with |residual + x term| or |residual - x term| above the bound at some time, inf
    where there is none."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return float(
            np.nanmin(np.where(term != 0, (bound + np.abs(residual)) / np.abs(term), np.inf), initial=np.inf)
        )


def terms_of(symmetry: int):
    """The parts of a charge's prediction, as judge's `terms`."""

    def terms(t: flow.Trajectory) -> dict[str, np.ndarray]:
        generator, metric = t.part(symmetry, "generator"), t.part(symmetry, "metric")
        predicted = t.predicted(symmetry)
        named = {
            "prediction": predicted,
            "memory": t.memory(symmetry),
            "kinetic term": generator + metric,
            "metric term": metric,
        }
        named |= {f"{name} term": t.part(symmetry, name) for name in ("breaking", "decay")}
        return named | {"friction": (t.detuned(symmetry) - predicted) / float(MU_OFF)}

    return terms


def kinetic_share(solution: flow.Certified, symmetry: int, lane: int) -> float:
    """The integral of |kinetic breaking| over the total variation of j, both from t = 0 to the end."""
    run, where = solution.run, solution.run.mechanics.parts[symmetry]
    names = [where[n] for n in ("generator", "metric") if n in where]
    if not names:
        return 0.0
    size, t = np.abs(np.sum(run.sources[:, names, lane], axis=1)), run.times[:, lane]
    return float(np.trapezoid(size, t) / np.sum(np.abs(np.diff(run.j[:, symmetry, lane]))))
