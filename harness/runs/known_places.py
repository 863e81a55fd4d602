"""Known-answer tests of places: a value planted in one step, lane and component must be found there.

The judge is given residuals that are known numbers, over the longest horizon of a quick run. A law is given a
small right launch, once for each place: lane after lane the same start, each wrong in a place of its own.
What it says of a step before that place must be right still, and the first step that reads the place wrong.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from noether.verdicts.record import HOLDS, VIOLATED

LANES, COMPONENTS, STEPS = 13, 2, 96
VALUES = (2.0, -1.5, np.nan, np.inf, -np.inf)
# Of a value's size: some 2^40 of its roundings.
OFF = 2.0**-10
# Times the largest component: what a law of largest sizes must see, further than a step can go.
FURTHER = 1.25
# Steps of a launch in which every place is planted.
SHORT = 6


def places(steps: int, lanes: int, components: int) -> list[tuple[int, int, int]]:
    """The places (step, lane, component) to plant at: each of every one, and both ends of all three."""
    out = [(n, 7 * n % lanes, n % components) for n in range(steps)]
    out += [(5 * i % steps, i, 2 * i % components) for i in range(lanes)]
    return out + [(n, i, c) for n in (0, steps - 1) for i in (0, lanes - 1) for c in (0, components - 1)]


def judged() -> list[str]:
    """The places at which the judge (harness/laws/exact/judge.py) misses a planted value."""
    from noether.cases import CATALOG
    from noether.cases.rules import HEAVY_BALL
    from noether.kernels.programs.precision import Precision
    from noether.laws.exact import judge
    from noether.mechanics.trajectory import Trajectory

    nothing = np.zeros((STEPS + 1, COMPONENTS, LANES))
    t = Trajectory(CATALOG[0], HEAVY_BALL, Precision("float64"), nothing, nothing, np.ones((4, LANES)))
    t.__dict__.update(path=np.full(LANES, 100.0), finite=np.ones((STEPS + 1, LANES), bool))
    half = np.full((STEPS, COMPONENTS, LANES), 0.5)
    about = dict(case="", rule="", backend="", precision="", parameters={})

    def read(measured, where) -> list[str]:
        record = judge.judge(t, known_law(measured), None, about=about)
        known = (VIOLATED, *where) if where else HOLDS
        found = record.verdict
        if where:
            found = (record.verdict, *(record.worst[x] for x in ("step", "lane", "component")))
        return [] if found == known else [f"the judge reads {found} of {known}"]

    out = read(half, None)
    for number, where in enumerate(places(STEPS, LANES, COMPONENTS)):
        step, lane, component = where
        wrong = half.copy()
        wrong[step, component, lane] = VALUES[number % len(VALUES)]
        out += read(wrong, where)
    return out


def known_law(measured: np.ndarray):
    """A law whose residual is `measured`, of shape (steps, components, lanes), with a bound of 1."""
    from noether.laws.exact import ExactLaw, Residual

    one = np.ones_like(measured)
    words = dict(key="known", title="", equation="", applies="", blind=(), faults=())
    residual = lambda t: Residual(measured, 0 * one, one, 32 * one)
    return ExactLaw(**words, suits=lambda *about: True, residual=residual, about_symmetry=False)


def planted(law: str):
    """Trajectory whose lane 0 is right, and of every other lane (row, 0 for q or 1 for v, component)."""
    from noether.cases import CATALOG
    from noether.kernels.loops.launch import run
    from noether.laws.exact import EXACT
    from noether.laws.exact.cell import LaunchCell
    from noether.mechanics.trajectory import Trajectory

    name, rule = EXACT[law].home
    case = next(c for c in CATALOG if c.name == name)
    fixed = (("eta", case.pace / 128), ("beta", 0.875), ("k", 0.0625), ("eps", 0.0))
    job = LaunchCell(case, rule, "float64", "numpy", "exact", (), 1, 0, SHORT, fixed).job()
    z, v = (np.ascontiguousarray(x) for x in run(job, "numpy").wide())
    where = [(n, *place) for n in range(1, SHORT + 1) for place in read(law, case, job.rule)]
    lanes = 1 + len(where)
    pair = [np.repeat(x, lanes, axis=2) for x in (z, v)]
    for lane, (n, b, c) in enumerate(where, 1):
        most = np.abs((z, v)[b][n]).max()
        at = pair[b][n, c, lane]
        pair[b][n, c, lane] = np.copysign(FURTHER * most, at) if EXACT[law].at_most else at + OFF * most
    many = replace(job, q0=pair[0][0], v0=pair[1][0], params=np.repeat(job.params, lanes, axis=1))
    return Trajectory.launched(case, many, *pair), where


def read(law: str, case, rule) -> list[tuple[int, int]]:
    """(0 for q or 1 for v, row) that a law reads: of a charge, the components that its generators move or
    read."""
    from noether.laws.exact import EXACT

    d, about = case.dim, EXACT[law]
    if about.beside:  # of the positions it reads the gradient alone, a step later
        own = rule.buffers.index(rule.covector.buffer)
        return [(1, i) for i in range(d * len(rule.buffers)) if i // d != own]
    rows = range(d)
    if about.about_symmetry:
        size = lambda s: s.sizes.sum(axis=0) + s.sizes.sum(axis=1) + np.abs(s.shift)
        rows = np.flatnonzero(sum(size(s) for s in case.symmetries)).tolist()
    return [(b, c) for c in rows for b in range(1 + about.reads_buffer)]


def seen(law: str) -> list[str]:
    """The places at which an exact law misses a planted value."""
    from noether.laws.exact import EXACT, judge

    t, where = planted(law)
    spent = np.zeros((0, 1, t.lanes))
    for symmetry in t.case.symmetries if EXACT[law].about_symmetry else (None,):
        if EXACT[law].covers(t, symmetry).all():
            with np.errstate(all="ignore"):
                mine = judge.spent_of(EXACT[law].residual(t, symmetry))
            mine = mine.reshape(len(mine), -1, t.lanes)
            spent = np.concatenate([spent, mine], axis=1) if len(spent) else mine
    bad = (spent > 1).any(axis=1) if len(spent) else np.zeros((1, t.lanes), bool)
    out = [f"{law} is violated where nothing is planted"] if bad[:, 0].any() else []
    behind = t.steps - len(bad)
    for lane, (n, b, c) in enumerate(where, 1):
        first, must = int(np.argmax(bad[:, lane])) if bad[:, lane].any() else None, max(0, n - 1 - behind)
        if first != must:
            what = f"{law} sees {'qv'[b]} off in component {c} at step {n}"
            out.append(f"{what} first in row {first}, must be {must}")
    return out


def drawn() -> list[str]:
    """What a sweep must hold of every parameter, or a statement is judged where two of its terms are one."""
    from noether.cases import CATALOG
    from noether.laws.exact.cell import LaunchCell

    case = next(c for c in CATALOG if c.name == "product")
    job = LaunchCell(case, "heavy-ball", "float64", "numpy", "exact", (), 61, 0, 1).job()
    eta, beta, k, eps = job.params
    holds = {
        "at least four momenta": len(set(beta)) >= 4,
        "lanes with and without decay": (k > 0).any() and (k == 0).any(),
        "lanes with and without breaking": (eps > 0).any() and (eps == 0).any(),
        "breaking over six decades": (eps > 0).any() and np.ptp(np.log10(eps[eps > 0])) > 6,
        "step sizes that a narrower type demotes": (eta != eta.astype(np.float32)).mean() > 0.9,
        "a kick in every lane": job.v0.any(axis=0).all(),
        "starts that differ": len({tuple(x) for x in job.q0.T}) == job.lanes,
    }
    return [f"a sweep of 61 lanes has not {what}" for what, true in holds.items() if not true]
