"""E3: kappa, the deformation of a learning rule's metric, recovered from trajectories (theory.md#E3).

Discrete, heavy ball on a metric, p' = beta p - eta g, q' = q + p'/G(q; kappa): from the states alone, by
Gauss and Newton from kappa = 0,

    y_n(kappa) = J_{n+1} - beta J_n - <A (p'/G(q_n; kappa)), p'>,    x_n = -d/dkappa <A (p'/G), p'>  (1)

The same from the equations of motion is (2), deformed_flow.py.
"""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np

from noether.cases import CATALOG
from noether.cases.case import DIAGONAL
from noether.cases.rules import RULES
from noether.kernels.loops import launch
from noether.kernels.programs.precision import parse
from noether.laws.exact import act, charge, charge_own, charge_predicted, dot
from noether.laws.response import faults, rounding
from noether.laws.response.breaking import telling
from noether.laws.response.cell import Cell
from noether.laws.response.deformed_flow import MAGNITUDES, NODES, PANELS, finding, flows
from noether.laws.response.estimate import MODEL, Estimate, least_squares, tail
from noether.laws.response.honest import calibrated, model_of, of_wrong_bars
from noether.laws.response.resolved import Resolved
from noether.laws.response.stored_constants import missed
from noether.mechanics import dual, sweep, wide
from noether.mechanics.domain import leaving, same_stores
from noether.mechanics.trajectory import Trajectory
from noether.verdicts import powers
from noether.verdicts.judgement import outside, worst
from noether.verdicts.record import STATISTICAL, Record

LANES, STEPS = {"quick": 191, "full": 251, "stress": 1021}, 24
DECADES = 15
# from 0 to at most 1: where G vanishes at kappa = 0 each step but doubles kappa, up from 2^-128 of its size
NEWTON = 160
SETTLED = 2.0**-56  # of kappa, or of 1: far below an error bar, and the step after it would be its square
UNMET = 64.0  # times its variance: a misfit that no rounding makes; another minimum is looked for
GRID = np.linspace(0, 2, 33, dtype=wide.WIDE)
RUNAWAY = 16.0


def cells(cases, profile: str, seed: int, backend: str) -> list[Cell]:
    """Both kinds on every case whose metric knows kappa; of the catalogue a quick run takes those that are
    Euclidean without it."""
    if profile == "glance":
        return []
    taken = [
        c
        for c in cases
        if c.metric.kind == DIAGONAL
        and (profile != "quick" or is_deformed(c) or c not in CATALOG)
        and deforms(c)
    ]
    lanes, nodes = LANES[profile], PANELS * (NODES - 1)
    rule, flow = "heavy-ball-metric", ("scipy", profile, len(MAGNITUDES), nodes, seed, "flow")
    out = [Cell("E3", c, rule, "float64", backend, profile, lanes, STEPS, seed) for c in taken]
    return out + [Cell("E3", c, "lagrangian", "float64", *flow) for c in taken if is_linear(c)]


def deforms(case) -> bool:
    q = case.draw(np.random.default_rng(0), 2)
    return bool((wide.metric(case, q, 0.0) != wide.metric(case, q, 1.0)).any())


def is_deformed(case) -> bool:
    """Whether the metric is Euclidean at kappa = 0, so that kappa is all that bends it."""
    return bool((wide.metric(case, case.draw(np.random.default_rng(0), 2), 0.0) == 1).all())


def is_linear(case) -> bool:
    """Whether G is linear in kappa: (2) holds for no other."""
    q = case.draw(np.random.default_rng(0), 2)
    none, one, two = (wide.metric(case, q, kappa) for kappa in (0.0, 1.0, 2.0))
    return bool((np.abs(two - 2 * one + none) <= 64 * wide.U_WIDE * np.abs(two)).all())


def run_cell(cell: Cell) -> list[Record]:
    return flows(cell) if cell.part == "flow" else updates(cell)


# ---- discrete, (1)


def job_of(cell: Cell) -> launch.Job:
    """Random lanes without decay and breaking; kappa is 0 in lane 0, then a ladder from 1 down over DECADES
    decades."""
    ladder = np.concatenate([[0.0], 10.0 ** -np.linspace(0, DECADES, cell.lanes - 1)])
    size = {"lanes": cell.lanes, "steps": cell.steps, "seed": cell.draws}
    fixed = {"k": 0.0, "eps": 0.0, "kappa": ladder}
    return sweep.draw(cell.case, RULES[cell.rule], parse(cell.precision), **size, overrides=fixed)


def slope(case, q, kappa) -> tuple[np.ndarray, np.ndarray]:
    """G and dG/dkappa at q (d, ...), longdouble, by dual numbers."""
    one = np.ones(np.broadcast_shapes(q.shape[1:], np.shape(kappa)), wide.WIDE)
    found = case.metric.entries(
        [dual.Dual(x, [0 * one]) for x in q], dual.Dual(kappa * one, [one]), dual.Functions(np)
    )
    both = [(x.value, x.partials[0]) if isinstance(x, dual.Dual) else (x * one, 0 * one) for x in found]
    return tuple(np.stack([np.broadcast_to(x, one.shape) for x in part]) for part in zip(*both, strict=True))


@np.errstate(all="ignore")  # of a wrong trajectory nothing need be finite
def recover(t: Trajectory, symmetry, job: launch.Job) -> Estimate:
    """(1); nothing here reads t.kappa but the sizes of roundings."""
    known, rounded = missed(t, symmetry, job.program)
    q, v = (z.astype(float) for z in (t.q, t.v))
    scatter = rounding.scatter(job.program, t.precision, job.params, q, v, symmetry, job.metric)
    scatter.add_bound((charge_own(t, symmetry) + rounded).astype(float))
    at = lambda kappa: equations(t, symmetry, known, kappa)
    kappa, x, y = newton(at, np.zeros(t.lanes, wide.WIDE))
    unmet = ~(misfit(y) <= UNMET * (scatter.variance + scatter.known**2).sum(axis=0))
    unmet &= (scatter.variance > 0).any(axis=0)
    if unmet.any():
        other = newton(at, least_misfit(at, t.lanes))
        least = misfit(other[2])
        better = unmet & np.isfinite(least) & ~(least >= misfit(y))  # a search that ran away has none
        kappa, x, y = (np.where(better, new, old) for new, old in zip(other, (kappa, x, y), strict=True))
    return replace(Estimate.fitted(x, y + kappa * x, scatter), value=kappa)


def equations(t: Trajectory, symmetry, known, kappa) -> tuple[np.ndarray, np.ndarray]:
    """x, y of (1) at kappa (lanes,); (steps, lanes)."""
    w, blind = t.v[1:], copy.copy(t)
    J = charge(t, symmetry)
    G, dG = (np.moveaxis(x, 0, 1) for x in slope(t.case, np.moveaxis(t.q[:-1], 1, 0), kappa))
    vars(blind)["move"] = w / G
    y = J[1:] - charge_predicted(blind, symmetry, J) + known
    return -dot(act(symmetry.matrix, w * dG / (G * G)), w), y


def newton(at, kappa: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """kappa, and x, y at the last but one: of a minimum of the misfit near the given one."""
    for _ in range(NEWTON):
        x, y = at(kappa)
        step, _ = least_squares(x, y)
        step = np.where(np.isfinite(step), step, 0)
        kappa = kappa + step
        if (np.abs(step) <= SETTLED * np.maximum(np.abs(kappa), 1)).all():
            break
    return kappa, x, y


def misfit(y: np.ndarray) -> np.ndarray:
    return (y * y).sum(axis=0)


def least_misfit(at, lanes: int) -> np.ndarray:
    """(lanes,) the kappa of GRID that fits best.

    Where components of unlike sign cancel in <A (p'/G), p'> the misfit has a minimum near 0 that is none of
    kappa's own.
    """
    tried = [misfit(at(np.full(lanes, kappa, wide.WIDE))[1]) for kappa in GRID]
    return GRID[np.nanargmin(np.where(np.isfinite(tried), tried, np.inf), axis=0)]


def updates(cell: Cell) -> list[Record]:
    job = job_of(cell)
    outcome = launch.run(job, cell.backend)
    right = Trajectory.launched(cell.case, job, *outcome.wide())
    wrong = cell.wrong_steps(job, faults.STEPS_ON_METRIC)
    records: list[Record] = []
    for symmetry in cell.case.symmetries:
        found = recover(right, symmetry, job)
        if (found.weight == 0).all():  # a kinetic term is the same whatever kappa is
            continue
        inside = inside_of(cell, job, found, symmetry)
        if not inside.any():
            told = "every lane leaves the domain in the reference trajectory, or says nothing of kappa there"
            about = about_of(cell, symmetry, outcome.backend)
            records.append(outside(told, **about, kind=STATISTICAL))
        else:
            records += of_symmetry(cell, job, outcome.backend, (right, wrong), symmetry, found, inside)
    return records


def about_of(cell: Cell, symmetry, backend: str) -> dict:
    return cell.about(backend, {"kappa": [0.0, 1.0]}) | {"symmetry": symmetry.name}


def of_symmetry(cell: Cell, job, backend: str, runs, symmetry, found: Estimate, inside) -> list[Record]:
    """The estimate by one symmetry and its error bars, right and wrong. runs: the right trajectory, and the
    wrong ones by fault."""
    (right, wrong), found, truth = runs, found.part(inside), job.params[4][inside]
    whole, model = np.ones(len(truth), bool), {"model": model_of(cell.case)}
    about, by_numpy = (about_of(cell, symmetry, where) for where in (backend, "numpy"))
    first, off = judged(found, truth, about), faults.KAPPA_OFF
    first.powers = noticed(right, symmetry, found, truth, inside)
    return [
        first,
        calibrated(about, found, truth, whole, "kappa", **model),
        judged(found, truth * off.changed["truth"], by_numpy, off.name),
        *of_wrong_bars(by_numpy, found, truth, whole, "kappa", **model),
        *(
            judged(recover(t, symmetry, job).part(inside), truth, by_numpy, fault.name)
            for fault, t in wrong.items()
        ),
    ]


def inside_of(cell: Cell, job: launch.Job, found: Estimate, symmetry) -> np.ndarray:
    """(lanes,); references are asked only where something is wrong, as everywhere (rules of evidence, 5)."""
    fine = np.abs(found.apart(job.params[4])) <= tail(job.lanes) * MODEL
    if fine.all():
        return np.ones(job.lanes, bool)
    stays = ~leaving(cell.case, job) & ~running_away(cell.case, job)
    return stays & telling(cell.case, job, lambda t: recover(t, symmetry, job))


def running_away(case, job: launch.Job) -> np.ndarray:
    """(lanes,) whether a step of the reference makes q RUNAWAY times as large, as where G vanishes far out:
    the variance of (1), of first order in the roundings of one step, then says nothing of those that
    follow."""
    with np.errstate(all="ignore"):
        size = np.sqrt((same_stores(case, job)[0] ** 2).sum(axis=1))
        return ~(size[1:] <= RUNAWAY * size[:-1]).all(axis=0)


def noticed(t: Trajectory, symmetry, found: Estimate, truth, inside) -> dict[str, float]:
    """The power of one estimate: changes of kappa itself and of each coefficient of (1) that move it past its
    bound."""
    x, J, w = found.steps[0], charge(t, symmetry)[:, inside], t.v[1:][..., inside]
    move = (t.q[1:] - t.q[:-1])[..., inside]
    with np.errstate(all="ignore"):
        by = {"beta": t.beta[inside] * J[:-1], "kinetic term": dot(act(symmetry.matrix, move), w)}
        moved = {"kappa": truth} | {name: -(x * part).sum(axis=0) / found.weight for name, part in by.items()}
        off, bound = found.value - truth - found.shift, tail(len(truth)) * MODEL * found.sd
        seen = {name: powers.smallest(off, bound, change) for name, change in moved.items()}
    return {name: size for name, size in seen.items() if np.isfinite(size)}


@np.errstate(over="ignore")  # a size past float64 is inf
def judged(found: Estimate, truth: np.ndarray, about: dict, fault: str | None = None) -> Record:
    bars, z = tail(len(truth)) * MODEL, np.abs(found.apart(truth))
    bound = bars * found.sd
    most = worst(found.value, truth, bound, spent=z / bars)
    told = f"{z[most.at]:.2f} of {bars:.2f} standard deviations"
    return finding(about, most, Resolved.of(truth, found.value, bound, found.sd), told, fault=fault)
