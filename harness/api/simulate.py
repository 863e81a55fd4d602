"""`simulate`: trajectories of a case, with the code that verdicts rest on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from noether.api.asked import LANES, RANGES, Asked, asked
from noether.api.notes import unfinished, unsaid
from noether.api.simulation import Simulation
from noether.cases.rules import RULES, Rule
from noether.kernels.loops import launch
from noether.kernels.programs.precision import parse, representable
from noether.laws.exact.course import course, predicting
from noether.mechanics import sweep
from noether.mechanics.step_bounds import NOTHING_KNOWN
from noether.mechanics.trajectory import Trajectory
from noether.mechanics.wide import U_WIDE, WIDE
from noether.plan.casefiles.load import is_file_word
from noether.plan.choices import backends, one, refuse_impossible_rules
from noether.plan.chosen_rules import chosen
from noether.plan.design import PRECISIONS, backend_of
from noether.runs.launchsize import check_launch
from noether.system import processstate
from noether.system.usage import UsageError

SMALLEST = 2.0**-1074  # of float64 above 0; each of two charges is rounded by half of it, or by less
FLOWS = ("lagrangian", "bregman-lagrangian")
"""Rules in continuous time: the equations of motion of the case's own kinetic energy."""


def simulate(
    case,
    rule: str | Path | Rule = "heavy-ball",
    *,
    precision: str = "float64",
    steps: int | None = None,
    lanes: int | None = None,
    eta=None,
    beta=None,
    decay=0.0,
    eps=0.0,
    kappa=None,
    mass=None,
    friction=None,
    time: float | None = None,
    q0=None,
    v0=None,
    seed: int = 0,
    backend: str = "auto",
) -> Simulation:
    """Trajectories of a case, the charge of each of its symmetries, and what the exact law predicts of it.

    A launch of a learning rule is that of `verify`: the same draw, the same kernels, the same charge, law and
    bound. With rule "lagrangian" (of a Bregman case "bregman-lagrangian") it is the solution of the equations
    of motion on which law T1 (T2) is judged.

    case       a name of the catalogue, a file, or a Case
    rule       a learning rule, as `noether rules` lists them, the file of one, or a Rule; or one of the two
               in continuous time
    precision  the type of the stores, with a mode where wanted: "float64", "bfloat16/eager"
    steps      how many; as many as `verify` takes when left out. Of a solution, how many intervals of equal
               length, 48 when left out
    lanes      how many trajectories: 16 when neither an array nor a start says it, one solution
    eta, beta  step size and momentum: a number, or (lanes,) of them; drawn as `verify` draws them when left
               out
    decay, eps   weight decay k and breaking magnitude: a number or (lanes,); None draws them
    kappa      deformation of the metric, for cases that have one: a number or (lanes,)
    mass, friction, time   of a solution alone: m and mu, a number or (lanes,), .9 and .83 when left out, and
               how far it goes, 4 when left out
    q0, v0     starts, (d,) or (d, lanes): parameters, and the displacement of the momentum buffer in units of
               q (of several buffers that of the covector, or the first one), of a solution the velocity;
               drawn from the box of the case when left out
    seed       of all that is drawn
    backend    what executes the kernels, as for `verify`; it changes no bit. None of them reads the script
               that calls: it needs no `if __name__ == "__main__":`

    Numbers and starts are rounded to the types of the precision first, which must not take them out of their
    range. Raises UsageError for wrong words, noether.kernels.loops.launch.BackendMissing where a backend is
    not here, CannotRun where a solution meets a kink or has no value.
    """
    rule = name_of(rule)
    words = dict(decay=decay, eps=eps, kappa=kappa)
    sizes = dict(q0=q0, v0=v0, lanes=lanes, steps=steps, seed=seed)
    stepwise = dict(eta=eta, beta=beta)
    continuous = dict(mass=mass, friction=friction, time=time)
    if rule in FLOWS:
        others = {"precision": (precision, "float64"), "backend": (backend, "auto")}
        refuse(rule, stepwise | {name: x for name, (x, usual) in others.items() if x != usual})
        from noether.api.solve import solution

        words |= dict(mass=mass, friction=friction)
        return solution(asked(case, words, **sizes, usual=1), rule, time)
    refuse(rule, continuous)
    precision = one("precision", precision, PRECISIONS)
    backend = backend_of(one("backend", backend, ("auto", *backends())))
    return launched(asked(case, words | stepwise, **sizes, usual=LANES), RULES[rule], precision, backend)


def name_of(rule) -> str:
    """The name of the rule that a word, a path or an object means, tried out. Raises UsageError."""
    word = str(rule) if isinstance(rule, Path) else rule
    if isinstance(word, Rule) or (isinstance(word, str) and is_file_word(word)):
        with processstate.kept(harmless=False):  # a file is executed
            return chosen([word])[0][0]
    return one("rule", word, (*RULES, *FLOWS))


def refuse(rule: str, words: dict) -> None:
    """Refuse a word that a rule has no use for. Raises UsageError."""
    for name, given in words.items():
        if given is not None:
            raise UsageError(f"{name} is given but rule {rule} has none: it must be left out")


def launched(a: Asked, rule: Rule, precision: str, backend: str) -> Simulation:
    """The launch that is asked for. Raises UsageError."""
    job = job_of(a, rule, precision)
    outcome = launch.run(job, backend)
    t = Trajectory.launched(a.case, job, *outcome.wide())
    return shown(t, backend=outcome.backend, seed=a.seed)


def job_of(a: Asked, rule: Rule, precision: str) -> launch.Job:
    """The launch: what was not given is drawn as `verify` draws it. Raises UsageError."""
    refuse_impossible_rules((a.case,), (rule.name,), named=True)
    spare = {"beta": rule.reads_number("beta"), "k": rule.reads_number("k"), "kappa": rule.on_metric}
    for name, has in spare.items():
        if not has and np.any(a.values.get(name, 0)):
            word = "decay" if name == "k" else name
            raise UsageError(f"{word} is given but rule {rule.name} has none: it must be left out")
    if not rule.momentum and a.v0 is not None:
        raise UsageError(f"v0 is given but rule {rule.name} has no momentum: it must be left out")
    how = parse(precision)
    size = dict(lanes=a.lanes, steps=a.steps or sweep.horizon(rule, how), seed=a.seed)
    check_launch(a.case, size["lanes"], size["steps"])
    job = sweep.draw(a.case, rule, how, **size, overrides=a.values)
    job = replace(job, **starts(a, job))
    refuse_rounded(a, job)
    return job


def refuse_rounded(a: Asked, job: launch.Job) -> None:
    """Refuse what was given where the types of its precision round it out of its range. Raises UsageError."""
    how = job.precision
    for word, (name, must, fits) in RANGES.items():
        if name not in a.values or name not in job.rule.parameters:
            continue
        for given, x in zip(a.values[name], job.params[job.rule.parameters.index(name)], strict=True):
            if not (np.isfinite(x) and fits(x)):
                here = f"{word} is {float(given)!r}, which {how.label} rounds to {float(x)!r} in {how.arith}"
                raise UsageError(f"{here}: it must be a finite number {must} there")
    for word, given, found, store in (("q0", a.q0, job.q0, how.q_store), ("v0", a.v0, job.v0, how.v_store)):
        if given is not None and not np.isfinite(found).all():
            raise UsageError(f"{word} has a number that {store} does not hold: it must be finite there")


def starts(a: Asked, job: launch.Job) -> dict:
    """The starts that were given, as the stores of a launch have them. Raises UsageError."""
    out = {}
    if a.q0 is not None:
        if job.rule.log_state and not (a.q0 > 0).all():
            raise UsageError(f"q0 has a number that is not above 0: rule {job.rule.name} stores log q")
        q0 = shares(a.q0) if a.case.metric.simplex else a.q0
        out["q0"] = representable(np.log(q0) if job.rule.log_state else q0, job.precision.q_store)
    if a.v0 is not None:
        out["v0"] = representable(sweep.started(job.rule, a.v0), job.precision.v_store)
    return out


def shares(q0: np.ndarray) -> np.ndarray:
    """Positive numbers (d, lanes) over their sums. Raises UsageError."""
    with np.errstate(all="ignore"):
        found = q0 / q0.sum(axis=0)
    if not (found > 0).all():  # a sum beyond float64, or a share below it
        raise UsageError("q0 has a number that is nothing beside the others: its share must be above 0")
    return found


def shown(t: Trajectory, *, backend: str, seed: int = 0) -> Simulation:
    """A launch with its charges, predictions and bounds as float64."""
    found = [course(t, s) for s in t.case.symmetries]
    over = lambda name: np.stack([getattr(r, name) for r in found], axis=1)
    J, predicted, bound = narrowed(*map(over, ("measured", "predicted", "bound")))
    names, laws = zip(*((s.name, predicting(t, s)) for s in t.case.symmetries), strict=True)
    told = np.array([bool(law) for law in laws])
    nothing = (bound >= NOTHING_KNOWN * SMALLEST_FACTOR) & (bound > np.abs(J))
    known = (np.isfinite(bound) & ~nothing & ~overflowed_elsewhere(t)[:, None])[:, told]
    bound[:, told] = np.where(known, bound[:, told], np.inf)
    about = dict(case=t.case.name, rule=t.rule.name, precision=t.precision.label, seed=seed)
    about |= dict(backend=backend, symmetries=names, laws=laws)
    rows = (t.eta, t.beta, t.k, t.eps, *t.kappa, *t.extra.values())
    return Simulation(
        **about,
        notes=unfinished(~t.finite) + unsaid(names, laws, J, predicted, bound, ~t.finite),
        q=t.q.astype(np.float64),
        v=t.p.astype(np.float64),
        J=J,
        predicted=predicted,
        bound=bound,
        parameters={n: x.astype(np.float64) for n, x in zip(t.rule.parameters, rows, strict=True)},
    )


SMALLEST_FACTOR = 2.0**-100
"""A law multiplies NOTHING_KNOWN by no smaller number that is not 0: by momenta, step sizes, entries of q."""


def overflowed_elsewhere(t: Trajectory) -> np.ndarray:
    """(steps + 1, lanes) whether a buffer beside q and v is not finite, or was: a second moment that has
    overflowed divides a step to nothing, and no law says anything of what follows."""
    shown = np.isfinite(t.z).all(axis=1) & np.isfinite(t.p).all(axis=1)
    return np.logical_or.accumulate(shown & ~t.finite, axis=0)


def narrowed(J, predicted, bound) -> tuple[np.ndarray, ...]:
    """Wide numbers in float64. The bound takes in what this rounds, half a unit of each charge and at least
    half of the smallest number; its own roundings go upwards. It is infinite where a charge overflows."""
    u, own = 2.0**-53, 1 + 8 * WIDE(U_WIDE)  # own: of the sum and the product here
    with np.errstate(all="ignore"):
        more = (bound + u * (np.abs(J) + np.abs(predicted)) + SMALLEST) * own
        more = np.where(bound == 0, bound, more)  # nothing was rounded: both charges are the same number
        charges = tuple(x.astype(np.float64) for x in (J, predicted))
        up = more.astype(np.float64)
        up = np.where(up < more, np.nextafter(up, np.inf), up)
        for wide, narrow in zip((J, predicted), charges, strict=True):
            up[np.isfinite(wide) & np.isinf(narrow)] = np.inf
        return *charges, up
