"""E3 in continuous time: kappa recovered from solutions of the equations of motion (theory.md#E3).

T1 with G = G_0 + kappa G_1: from q(t), qdot(t) at the nodes of panels [a, b]; j = J/m and its source s are
linear in kappa, j = j_0 + kappa j_1, s = s_0 + kappa s_1, and

    [j_0] - int e^{-(b-t) mu/m} s_0 = -kappa ( [j_1] - int e^{-(b-t) mu/m} s_1 ),              (2)
    [j] = j(b) - e^{-(b-a) mu/m} j(a)

A trajectory of the equations of motion is known as well as two methods agree on it: the bound is the distance
of the estimates from SciPy and from two collocations (flow.py, (2)), plus what rounding scatters.
"""

from __future__ import annotations

import numpy as np
from numpy.polynomial import chebyshev

from noether.laws.exact.breaking import decades_needed
from noether.laws.response import faults
from noether.laws.response.cell import Cell
from noether.laws.response.estimate import least_squares, tail
from noether.laws.response.resolved import Resolved
from noether.mechanics import dual, flow, wide
from noether.mechanics.own_units import narrowed
from noether.mechanics.symbolic_mechanics import mechanics
from noether.verdicts import judgement, powers
from noether.verdicts.judgement import Worst
from noether.verdicts.record import Record

NEEDED, NEEDED_OF_FLOWS = 12.0, 8.0
"""Decades; fewer of a flow, whose lanes have one start: where it hardly feels the metric, the limit comes
sooner."""
PANELS, NODES, FINAL = 1, 17, 0.25
"""Panels of 1/4 between the times of output: the last coefficients are rounding."""
MAGNITUDES = (0.0, *(10.0**-e for e in range(13)))


def finding(
    about: dict, found: Worst, resolved: Resolved, told: str, *, fault=None, needed: float = NEEDED
) -> Record:
    """One record of either kind: recovered, over how many decades, and its plot."""
    needed = decades_needed(about["case"], needed)
    return judgement.mean(
        found,
        f"kappa recovered in {len(resolved.truth)} lanes, worst off by {told}; told from 0 over "
        f"{resolved.decades:.1f} decades ({needed:g} needed), down to {resolved.smallest:.2g}: below that no "
        "estimate is told from 0",
        enough=resolved.decades >= needed - 1e-9,
        **about,
        fault=fault,
        figure=resolved.drawn(
            "kappa",
            f"The deformation of the metric of {about['case']} is read off trajectories through the kinetic "
            "breaking term.",
        ),
    )


def nodes() -> tuple[np.ndarray, np.ndarray]:
    """Of [-1, 1]: Chebyshev points with both ends, and weights that integrate their polynomial exactly."""
    points = -np.cos(np.pi * np.arange(NODES) / (NODES - 1))
    moments = [
        chebyshev.chebval(1, c) - chebyshev.chebval(-1, c)
        for c in (chebyshev.chebint(row) for row in np.eye(NODES))
    ]
    return points, np.linalg.solve(chebyshev.chebvander(points, NODES - 1).T, moments)


def times() -> np.ndarray:
    width = FINAL / PANELS
    inside = (nodes()[0][1:] + 1) / 2 * width
    return np.concatenate([[0.0], *(k * width + inside for k in range(PANELS))])


def terms(case, symmetry, run: flow.Trajectory):
    """j_0, j_1, s_0, s_1 at every output time, each (n, lanes), and sum |.|: from q and qdot."""
    d, kappa, A = case.dim, run.parameters.kappa, symmetry.matrix
    q, p = (np.moveaxis(x, 1, 0).astype(wide.WIDE) for x in (run.x[:, :d], run.x[:, d:]))
    velocity = p / wide.metric(case, q, kappa)
    twisted = np.tensordot(A.astype(wide.WIDE), velocity, 1)
    at = np.tensordot(A.astype(wide.WIDE), q, 1) + symmetry.shift[:, None, None]
    G, dG = {}, {}
    for k in (0.0, 1.0):
        one, zero = np.ones(q.shape[1:], wide.WIDE), np.zeros(q.shape[1:], wide.WIDE)
        duals = [dual.Dual(x, [at[i]]) for i, x in enumerate(q)]  # the derivative along xi
        found = [
            x if isinstance(x, dual.Dual) else dual.Dual(x * one, [zero])
            for x in case.metric.entries(duals, wide.WIDE(k), dual.Functions(np))
        ]
        G[k], dG[k] = (
            np.stack([x.value + zero for x in found]),
            np.stack([x.partials[0] + zero for x in found]),
        )
    out = []
    for g, slope_ in ((G[0.0], dG[0.0]), (G[1.0] - G[0.0], dG[1.0] - dG[0.0])):
        out += [
            (g * velocity * at).sum(axis=0),
            (velocity * g * twisted).sum(axis=0),
            (slope_ * velocity * velocity).sum(axis=0) / 2,
        ]
    return out


def estimate(
    case, symmetry, run: flow.Trajectory, *, curved: float = 1.0, friction: float = 1.0, bent: float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    """kappa (lanes,) by (2) with mu = m = 1, and what rounding and the quadrature leave: the last two
    Chebyshev coefficients of what is integrated. `curved` scales xi.dG: 0 drops it; `bent` what is left of
    the source, 2 T(A)."""
    j0, bend0, lie0, j1, bend1, lie1 = terms(case, symmetry, run)
    bend0, bend1 = bent * bend0, bent * bend1
    last = np.linalg.inv(chebyshev.chebvander(nodes()[0], NODES - 1))[-2:]
    weights, width, t = nodes()[1], FINAL / PANELS, run.times[:, 0]
    x, y, rough, cut = [], [], [], []
    sizes, speeds = run_size(case, symmetry, run)
    for k in range(PANELS):
        piece = slice(k * (NODES - 1), (k + 1) * (NODES - 1) + 1)
        fade = np.exp(friction * (t[piece] - t[piece][-1]))[:, None]
        whole = lambda s, fade=fade, piece=piece: (weights[:, None] * fade * s[piece]).sum(axis=0) * width / 2
        left = lambda s, fade=fade, piece=piece: np.abs(last @ (fade * s[piece])).sum(axis=0) * width / 2
        jump = lambda j, fade=fade, piece=piece: j[piece][-1] - fade[0] * j[piece][0]
        y.append(whole(bend0 + curved * lie0) - jump(j0))
        x.append(jump(j1) - whole(bend1 + curved * lie1))
        # Each of the steps of a panel rounds the state once, each charge is d products and sums: independent,
        # uniform.
        size = whole(speeds) + 2 * sizes[piece].max(axis=0)
        rough.append(np.sqrt((NODES + case.dim + 2) / 3) * 2.0**-53 * size)
        cut.append(left(bend0 + lie0) + run.parameters.kappa * left(bend1 + lie1))
    x, y, rough, cut = (np.stack(z) for z in (x, y, rough, cut))
    value, weight = least_squares(x, y)
    scattered = tail(len(value)) * np.sqrt(((x * rough) ** 2).sum(axis=0))
    with np.errstate(all="ignore"):  # of a flow that does not feel the metric
        return value, (scattered + (np.abs(x) * cut).sum(axis=0)) / weight


def run_size(case, symmetry, run: flow.Trajectory) -> tuple[np.ndarray, np.ndarray]:
    """sum |p_i xi_i| and the kinetic terms without cancellation, (n, lanes) each."""
    d, M = case.dim, symmetry.sizes
    q, p = (np.abs(np.moveaxis(x, 1, 0)) for x in (run.x[:, :d], run.x[:, d:]))
    at = np.tensordot(M, q, 1) + np.abs(symmetry.shift)[:, None, None]
    return (p * at).sum(axis=0), (p * np.tensordot(M, p, 1)).sum(axis=0)


def flows(cell: Cell) -> list[Record]:
    run, fine, coarse = solved(cell)
    kappa, about = run.parameters.kappa, cell.about("scipy", {"kappa": [0.0, 1.0], "m": 1.0, "mu": 1.0})
    records: list[Record] = []
    for symmetry in cell.case.symmetries:
        by = lambda run, symmetry=symmetry, **flaw: estimate(cell.case, symmetry, run, **flaw)
        (value, rounding_), (a, _), (b, _) = (by(t) for t in (run, fine, coarse))
        bound = np.abs(value - a) + np.abs(a - b) + rounding_
        where = {**about, "symmetry": symmetry.name}
        first = read(where, value, kappa, bound)
        first.powers = of_flow(cell.case, symmetry, run, value, kappa, bound)
        off, friction, dropped = faults.KAPPA_OFF, faults.FRICTION_OFF, faults.CURVATURE_DROPPED
        records.append(first)
        records.append(read(where, value, kappa * off.changed["truth"], bound, off.name))
        records.append(read(where, by(run, **friction.changed)[0], kappa, bound, friction.name))
        flat = by(run, **dropped.changed)[0]
        if (flat != value).any():
            records.append(read(where, flat, kappa, bound, dropped.name))
    return records


def solved(cell: Cell) -> tuple[flow.Trajectory, ...]:
    """One start under every kappa of MAGNITUDES, by SciPy and by two collocations."""
    mech, kappa = mechanics(cell.case), np.array(MAGNITUDES)
    one, rng, d = np.ones_like(kappa), np.random.default_rng(cell.draws), cell.case.dim
    parameters = flow.Parameters(one, one, 0 * one, kappa)
    q = np.repeat(cell.case.draw(rng, 1), len(kappa), axis=1)
    velocity = rng.uniform(1.0, 2.0, (d, 1)) * rng.choice([-1.0, 1.0], (d, 1))
    velocity = np.repeat(velocity * narrowed(cell.case, 1.0)[:, None], len(kappa), axis=1)
    start, grid = flow.start(mech, q, velocity, parameters), np.repeat(times()[:, None], len(kappa), axis=1)
    run = flow.by_scipy(mech, start, parameters, grid, flow.TIGHT)
    return run, *(flow.by_collocation(mech, start, parameters, grid, n) for n in (flow.FINE, flow.COARSE))


def of_flow(case, symmetry, run: flow.Trajectory, value, kappa, bound) -> dict[str, float]:
    """The power of one record of flows."""
    flaws = {"friction": "friction", "kinetic term": "bent", "curvature of the metric": "curved"}
    moved = {
        name: (estimate(case, symmetry, run, **{word: 1 + powers.STEP})[0] - value) / powers.STEP
        for name, word in flaws.items()
    }
    seen = {
        name: powers.smallest(value - kappa, bound, -change)
        for name, change in {"kappa": -kappa, **moved}.items()
    }
    return {name: x for name, x in seen.items() if np.isfinite(x)}


def read(about: dict, value: np.ndarray, truth: np.ndarray, bound: np.ndarray, fault=None) -> Record:
    worst = judgement.worst(value, truth, bound)
    resolved, told = Resolved.of(truth, value, bound, bound), f"{worst.spent:.2g} of its bound"
    return finding(about, worst, resolved, told, fault=fault, needed=NEEDED_OF_FLOWS)
