"""Solutions in continuous time as a Simulation: the flows on which laws T1 and T2 are judged.

The rows that are asked for lie between rows that the collocation needs, which takes one step an interval: a
stiff loss, or a long time, has several of them to one that is given back.
"""

from __future__ import annotations

import numpy as np

from noether.api.asked import Asked
from noether.api.notes import unsaid
from noether.api.simulation import Simulation
from noether.cases.case import BREGMAN
from noether.laws.continuous import starts
from noether.laws.continuous.cells import RULES
from noether.laws.continuous.comparison import bounds, refinement
from noether.laws.continuous.settings import FRICTION, HEAVY
from noether.mechanics import flow
from noether.mechanics.flow_trajectory import Parameters
from noether.mechanics.kinks import Kinked
from noether.mechanics.symbolic import metric
from noether.mechanics.symbolic_mechanics import Mechanics, mechanics
from noether.plan.choices import real
from noether.runs.launchsize import check_launch
from noether.system.usage import CannotRun, UsageError

STEPS = 48
INTERVALS = 20_000  # of the collocation: some minutes


def solution(a: Asked, rule: str, time: float | None) -> Simulation:
    """The solution that is asked for. Raises UsageError, CannotRun."""
    law = "T2" if a.case.metric.kind == BREGMAN else "T1"
    if rule != RULES[law]:
        kind = f"case {a.case.name} with its {a.case.metric.kind} metric"
        raise UsageError(f"rule is {rule}, must be {RULES[law]} for {kind}")
    final = flow.FINAL if time is None else real("time", time, "above 0", lambda x: x > 0)
    mech, parameters, steps = mechanics(a.case), parameters_of(a), a.steps or STEPS
    fold = refined(a, steps, final)
    times = np.repeat(np.linspace(0, final, steps * fold + 1)[:, None], a.lanes, axis=1)
    try:
        x0, loose = begun(a, mech, parameters, times)
        found = flow.certified(mech, x0, parameters, times, loose)
    except (Kinked, FloatingPointError) as error:
        raise CannotRun(f"case {a.case.name} has no solution here: {error}") from None
    return simulated(a, rule, law, found, slice(None, None, fold))


def parameters_of(a: Asked) -> Parameters:
    """The parameters of every lane; those of T1's heaviest trajectories where none were given."""
    usual = {"mass": HEAVY, "friction": FRICTION, "eps": 0.0, "kappa": 0.0, "k": 0.0}
    return Parameters(*(a.values.get(n, np.full(a.lanes, x)) for n, x in usual.items()))


def refined(a: Asked, steps: int, final: float) -> int:
    """How many intervals of the collocation there are to one that was asked for. Raises UsageError."""
    with np.errstate(over="ignore"):  # of a mass near nothing
        light = flow.MILD / np.min(parameters_of(a).m)  # a layer of so many times the rate of a mild one
    fold = np.ceil(max(1.0, light) * refinement(a.case) * max(1.0, final / flow.FINAL * STEPS / steps))
    if not steps * fold <= INTERVALS:
        raise UsageError(
            f"time {final:g} needs {steps * fold:.6g} intervals of the collocation, must need at most "
            f"{INTERVALS}: a shorter time, or a heavier mass"
        )
    check_launch(a.case, a.lanes, steps * int(fold))
    return int(fold)


def begun(a: Asked, mech: Mechanics, parameters: Parameters, times: np.ndarray) -> tuple:
    """x_0 (2d, lanes) and its loose solution: from the starts that were given, or where T1 would start.
    Raises UsageError, Kinked, FloatingPointError."""
    rng = np.random.default_rng(a.seed)
    if a.q0 is None and a.v0 is None:
        return starts.begun(rng, mech, parameters, times)
    q, velocity = (np.repeat(x, a.lanes, axis=1) for x in starts.drawn(rng, mech, 1))
    q, velocity = (b if b is not None else x for b, x in ((a.q0, q), (a.v0, velocity)))
    if mech.bregman and not (q > 0).all():
        raise UsageError(f"q0 has a number that is not above 0: case {a.case.name} has a Bregman metric")
    with np.errstate(all="ignore"):
        x0 = flow.start(mech, q, velocity, parameters)
        if not np.isfinite(mech.field(*x0, *parameters.values)).all():
            raise UsageError("the equations of motion have no finite value at q0, v0: they must have one")
    return x0, starts.reference(mech, x0, parameters, times)


def simulated(a: Asked, rule: str, law: str, found: flow.Certified, rows: slice) -> Simulation:
    """A certified solution at the rows that were asked for."""
    run, count, d = found.run, len(a.case.symmetries), a.case.dim
    q, p = run.x[:, :d], run.x[:, d:]
    if not run.mechanics.bregman:
        G = metric(a.case)(np.moveaxis(q, 1, 0), run.parameters.kappa)
        p = p / np.moveaxis(np.broadcast_to(G, (d, *run.times.shape)), 0, 1)
    at = np.arange(len(run.times))[rows]
    predicted = [run.predicted(i) for i in range(count)]
    bound = [np.stack([bound_until(found, i, n) for n in at]) for i in range(count)]
    names = dict(zip(("m", "mu", "eps", "kappa", "k"), run.parameters.values, strict=True))
    unsettled = [f"lane {lane}" for lane in np.flatnonzero(~found.settled)]
    told = f"{', '.join(unsettled)}: two accuracies of one method differ by more than two methods do"
    J, predicted = run.j[rows], np.stack(predicted, axis=1)[rows]
    bound = np.stack(bound, axis=1)
    bound = np.where(np.isnan(bound) | np.isinf(J) | np.isinf(predicted), np.inf, bound)
    symmetries, laws = tuple(s.name for s in a.case.symmetries), (law,) * count
    silent = unsaid(symmetries, laws, J, predicted, bound, np.zeros((len(J), a.lanes), bool))
    return Simulation(
        case=a.case.name,
        rule=rule,
        precision="float64",
        backend="scipy",
        seed=a.seed,
        symmetries=symmetries,
        laws=laws,
        q=q[rows],
        v=p[rows],
        J=J,
        predicted=predicted,
        bound=bound,
        parameters=names,
        time=run.times[rows],
        notes=((told,) if unsettled else ()) + silent,
    )


def bound_until(found: flow.Certified, symmetry: int, last: int) -> np.ndarray:
    """The bound of T1 on one charge from the start to row `last`, (lanes,)."""
    window = np.arange(len(found.run.times)) <= last
    charge, prediction = lambda t: t.j[:, symmetry], lambda t: t.predicted(symmetry)
    return bounds(found, symmetry, window, prediction, charge)
