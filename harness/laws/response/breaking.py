"""E2: eps recovered from trajectories, with error bars (theory.md#E2).

    y_n = J_{n+1} - beta J_n - <A v', v'>,    x_n = -eta <grad b(q_n), xi(q_n)>,    y_n = eps x_n + r_n  (1)

The estimate knows states, eta, beta and the wide gradient of b, not eps; of the loss only that it is
symmetric, but for the rounding of its constants (stored_constants.py). Its standard deviation is what the
roundings of the states scatter it by (rounding.py), so that no part of the error bar was measured on what it
is about.
"""

from __future__ import annotations

import copy
from dataclasses import replace
from functools import cache

import numpy as np

from noether.cases import CATALOG, CORE
from noether.cases.case import BREGMAN, EUCLIDEAN, Case
from noether.cases.rules import RULES
from noether.kernels.loops import launch
from noether.kernels.programs.precision import parse, representable
from noether.kernels.programs.trace import gradient
from noether.laws.exact import act, broken_pull, charge, charge_own, charge_predicted, dot
from noether.laws.exact.breaking import decades_needed
from noether.laws.response import faults, rounding
from noether.laws.response.cell import Cell
from noether.laws.response.estimate import MODEL, Estimate, tail
from noether.laws.response.honest import calibrated, model_of, of_wrong_bars
from noether.laws.response.resolved import Resolved
from noether.laws.response.stored_constants import missed
from noether.mechanics import sweep
from noether.mechanics.domain import leaving, same_stores
from noether.mechanics.trajectory import Trajectory
from noether.verdicts import judgement, powers
from noether.verdicts.claims import hexed
from noether.verdicts.record import STATISTICAL, Record

TOP, DECADES = 0.5, 18
NEEDED = {"float64": 12.0, "float32": 3.0}
"""Decades: float32 loses eight orders of magnitude of float64's sixteen."""
LANES = {"quick": 191, "full": 251, "stress": 1021}
STEPS = 24
"""While every trajectory moves: near a limit successive roundings repeat each other, rounding.py (3)."""


@cache
def first() -> tuple[Case, Case]:
    """Of the core, the smallest gradient that keeps a scale and the smallest that keeps a rotation."""
    plain = sorted((c for c in CORE if c.metric.kind == EUCLIDEAN), key=lambda c: gradient(c).length)
    turned = next(c for c in plain if any(s.is_rotation for s in c.symmetries))
    return next(c for c in plain if c.scale_free), turned


def cells(cases, profile: str, seed: int, backend: str) -> list[Cell]:
    """Heavy ball in float64 on the two first cases and on those of a user; full: on every core case, on the
    two in float32 as well."""
    if profile == "glance":
        return []
    taken, soon = [c for c in cases if c.metric.kind != BREGMAN], first()
    if profile == "quick":
        taken = [c for c in taken if c in soon or c not in CATALOG]
    return [
        Cell("E2", c, "heavy-ball", p, backend, profile, LANES[profile], STEPS, seed)
        for c in taken
        for p in (("float64",) if profile == "quick" or c not in soon else ("float64", "float32"))
    ]


def job_of(cell: Cell) -> launch.Job:
    """Random lanes without decay; eps is 0 in lane 0, then a ladder from TOP down over DECADES decades."""
    p = parse(cell.precision)
    job = sweep.draw(cell.case, RULES[cell.rule], p, lanes=cell.lanes, steps=cell.steps, seed=cell.draws)
    params = job.params.copy()
    params[2] = 0.0
    params[3] = np.concatenate(
        [[0.0], representable(TOP * 10.0 ** -np.linspace(0, DECADES, cell.lanes - 1), p.arith)]
    )
    return launch.Job(job.program, job.rule, p, job.q0, job.v0, params, job.steps)


def magnitude(t: Trajectory, eps: float) -> Trajectory:
    """The same states under another claim about eps."""
    out = copy.copy(t)
    out.eps = np.full_like(t.eps, eps)
    out.__dict__.pop("pull_of_breaking", None)  # it is of the eps that was
    return out


def recover(t: Trajectory, symmetry, program) -> Estimate:
    """(1) by least squares; nothing here reads t.eps but the sizes of roundings."""
    t.g_broken  # noqa: B018
    none, one = magnitude(t, 0.0), magnitude(t, 1.0)
    J = charge(t, symmetry)
    known, rounded = missed(t, symmetry, program)
    y = J[1:] - charge_predicted(none, symmetry, J) + known
    x = -t.shrink * broken_pull(one, symmetry)
    q, v, params = (a.astype(float) for a in (t.q, t.v, np.stack([t.eta, t.beta, t.k, t.eps])))
    own = (charge_own(none, symmetry) + rounded).astype(float)
    scatter = rounding.scatter(program, t.precision, params, q, v, symmetry)
    scatter.add_bound(own)
    return Estimate.fitted(x, y, scatter)


def noticed(t: Trajectory, symmetry, found: Estimate, truth, inside) -> dict[str, float]:
    """The power of one estimate: what changes of eps itself and of each coefficient of (1) move it past its
    bound."""
    x, J, w = found.steps[0], charge(t, symmetry), t.v[1:]
    with np.errstate(all="ignore"):
        by = {
            "beta": (x * t.beta * J[:-1]).sum(axis=0),
            "kinetic term": (x * dot(act(symmetry.matrix, w), w)).sum(axis=0),
        }
        moved = {"eps": truth, "eta": -found.value} | {
            name: -part / found.weight for name, part in by.items()
        }
        off, bound = found.value - truth - found.shift, tail(t.lanes) * MODEL * found.sd
        seen = {
            name: powers.smallest(off[inside], bound[inside], change[inside])
            for name, change in moved.items()
        }
    return {name: size for name, size in seen.items() if np.isfinite(size)}


def run_cell(cell: Cell) -> list[Record]:
    job = job_of(cell)
    outcome = launch.run(job, cell.backend)
    right = Trajectory.launched(cell.case, job, *outcome.wide())
    wrong = cell.wrong_steps(job, faults.STEPS)
    records: list[Record] = []
    for symmetry in cell.case.symmetries:
        found = recover(right, symmetry, job.program)
        if (found.weight != 0).any():  # elsewhere b keeps the symmetry, which says nothing of eps
            records += of_symmetry(cell, job, outcome.backend, (right, wrong), symmetry, found)
    return records


def of_symmetry(cell: Cell, job, backend: str, runs, symmetry, found: Estimate) -> list[Record]:
    """The estimate by one symmetry and its error bars, right and wrong. runs: the right trajectory, and the
    wrong ones by fault."""
    (right, wrong), truth, inside = runs, job.params[3], inside_of(cell, job, found, symmetry)
    model = {"model": model_of(cell.case)}
    about, by_numpy = (
        cell.about(where, ranges(job)) | {"symmetry": symmetry.name} for where in (backend, "numpy")
    )

    def refused(fault, found, truth=truth):
        return judged(cell, job, found, truth, inside, by_numpy, fault.name)

    first = judged(cell, job, found, truth, inside, about)
    first.powers = noticed(right, symmetry, found, truth, inside)
    return [
        first,
        calibrated(about, found, truth, inside, "eps", **model),
        refused(faults.EPS_OFF, found, truth * faults.EPS_OFF.changed["eps"]),
        refused(faults.GRADIENT_OFF, scaled(found, 1 / faults.GRADIENT_OFF.changed["x"])),
        *of_wrong_bars(by_numpy, found, truth, inside, "eps", **model),
        *(refused(fault, recover(t, symmetry, job.program)) for fault, t in wrong.items()),
    ]


def scaled(found: Estimate, factor: float) -> Estimate:
    """What the estimate is when x is 1/factor times what it should be."""
    return replace(found, value=found.value * factor, sd=found.sd * factor, weight=found.weight / factor**2)


def inside_of(cell: Cell, job: launch.Job, found: Estimate, symmetry) -> np.ndarray:
    """(lanes,); references are asked only where something is wrong, as everywhere (rules of evidence, 5)."""
    fine = np.abs(found.apart(job.params[3])) <= tail(job.lanes) * MODEL
    if fine.all():
        return np.ones(job.lanes, bool)
    by = lambda t: recover(t, symmetry, job.program)
    return ~leaving(cell.case, job) & telling(cell.case, job, by)


def telling(case: Case, job: launch.Job, recovered) -> np.ndarray:
    """(lanes,) whether the reference has an error bar: a lane along which b keeps the symmetry has none, and
    says nothing of eps.  recovered(trajectory) is its estimate"""
    reference = Trajectory.launched(case, job, *same_stores(case, job))
    with np.errstate(all="ignore"):
        return np.isfinite(recovered(reference).sd)


def ranges(job: launch.Job) -> dict:
    return {
        n: [float(x.min()), float(x.max())]
        for n, x in zip(("eta", "beta", "k", "eps"), job.params, strict=True)
    }


def judged(cell: Cell, job, found: Estimate, truth, inside, about: dict, fault: str | None = None) -> Record:
    """|eps^ - eps| in units of the bound that no lane passes but for ALARM; resolved over decades."""
    if not inside.any():
        told = "every lane leaves the domain in the reference trajectory, or says nothing of eps there"
        return judgement.outside(told, **about, fault=fault, kind=STATISTICAL)
    bars, z = tail(job.lanes) * MODEL, np.where(inside, np.abs(found.apart(truth)), 0.0)
    bound, needed = bars * found.sd, decades_needed(cell.case.name, NEEDED.get(cell.precision, 0.0))
    resolved = Resolved.of(truth, found.value, bound, found.sd, inside)
    worst = judgement.worst(found.value, truth, bound, spent=z / bars)
    (lane,) = worst.at
    start = {"start": hexed(job.q0[:, lane]), "kick": hexed(job.v0[:, lane]), "eps": float(truth[lane]).hex()}
    return judgement.mean(
        worst,
        f"eps recovered in {int(inside.sum())} lanes, worst {z[lane]:.2f} of {bars:.2f} standard deviations "
        f"off; told from 0 over {resolved.decades:.1f} decades ({needed:g} needed), down to "
        f"{resolved.smallest:.2g}; below that it is consistent with 0 and with eps; "
        f"{int((~inside).sum())} lanes outside",
        enough=resolved.decades >= needed,
        **about,
        fault=fault,
        place={"lane": lane, "step": job.steps, "component": None, **start},
        figure=resolved.drawn(
            "eps",
            f"The breaking magnitude of {cell.case.name} is read off trajectories alone, over "
            f"{resolved.decades:.0f} decades; below its error bar nothing is claimed.",
        ),
    )
