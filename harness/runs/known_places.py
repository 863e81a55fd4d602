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
OFF = 2.0**-10  # of a value's size: some 2^40 of its roundings
SHORT = 6  # steps of a launch in which every place is planted


def places(steps: int, lanes: int, components: int) -> list[tuple[int, int, int]]:
    """The places to plant at: every step, every lane, every component, and both ends of all three
    together."""
    out = [(n, 7 * n % lanes, n % components) for n in range(steps)] + [
        (5 * i % steps, i, 2 * i % components) for i in range(lanes)
    ]
    return out + [(n, i, c) for n in (0, steps - 1) for i in (0, lanes - 1) for c in (0, components - 1)]


def judged() -> list[str]:
    """The places at which the judge (harness/laws/exact/judge.py) misses a planted value."""
    from noether.cases import CATALOG
    from noether.cases.rules import HEAVY_BALL
    from noether.kernels.programs.precision import Precision
    from noether.laws.exact import ExactLaw, Residual, judge
    from noether.mechanics.trajectory import Trajectory

    nothing = np.zeros((STEPS + 1, COMPONENTS, LANES))
    t = Trajectory(CATALOG[0], HEAVY_BALL, Precision("float64"), nothing, nothing, np.ones((4, LANES)))
    t.__dict__.update(path=np.full(LANES, 100.0), finite=np.ones((STEPS + 1, LANES), bool))
    one = np.ones((STEPS, COMPONENTS, LANES))
    values, about, out = (
        (2.0, -1.5, np.nan, np.inf, -np.inf),
        dict(case="", rule="", backend="", precision="", parameters={}),
        [],
    )

    def read(measured, where):
        law = ExactLaw(
            key="known",
            title="",
            statement="",
            applies="",
            blind=(),
            faults=(),
            suits=lambda *about: True,
            residual=lambda t: Residual(measured, 0 * one, one, 32 * one),
            about_symmetry=False,
        )
        record = judge.judge(t, law, None, about=about)
        known = (VIOLATED, *where) if where else HOLDS
        found = (
            (record.verdict, *(record.worst[x] for x in ("step", "lane", "component")))
            if where
            else record.verdict
        )
        return [] if found == known else [f"the judge reads {found} of {known}"]

    out += read(one / 2, None)
    for number, where in enumerate(places(STEPS, LANES, COMPONENTS)):
        wrong = one / 2
        wrong[where[0], where[2], where[1]] = values[number % len(values)]
        out += read(wrong, where)
    return out


def planted(law: str):
    """Trajectory whose lane 0 is right, and of every other lane (row, component, 0 for q or 1 for v)."""
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
    where = [
        (n, c, b)
        for n in range(1, SHORT + 1)
        for c in read(law, case)
        for b in range(1 + EXACT[law].reads_buffer)
    ]
    lanes = 1 + len(where)
    pair = [np.repeat(x, lanes, axis=2) for x in (z, v)]
    for lane, (n, c, b) in enumerate(where, 1):
        pair[b][n, c, lane] += OFF * np.abs((z, v)[b][n]).max()
    many = replace(job, q0=pair[0][0], v0=pair[1][0], params=np.repeat(job.params, lanes, axis=1))
    return Trajectory.launched(case, many, *pair), where


def read(law: str, case) -> list[int]:
    """The components that enter a law: of a charge, those that its generators move or read."""
    from noether.laws.exact import EXACT

    if not EXACT[law].about_symmetry:
        return list(range(case.dim))
    sizes = sum(
        np.abs(s.matrix).sum(axis=0) + np.abs(s.matrix).sum(axis=1) + np.abs(s.shift) for s in case.symmetries
    )
    return [int(c) for c in np.flatnonzero(sizes)]


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
    for lane, (n, c, b) in enumerate(where, 1):
        first = int(np.argmax(bad[:, lane])) if bad[:, lane].any() else None
        if first != max(0, n - 1 - behind):
            out.append(
                f"{law} sees {'qv'[b]} off in component {c} at step {n} first in row {first}, must be "
                f"{max(0, n - 1 - behind)}"
            )
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
        "breaking over six decades": np.ptp(np.log10(np.maximum(eps, 1e-300))[eps > 0]) > 6
        if (eps > 0).any() else False,
            "step sizes that a narrower type demotes": (eta != eta.astype(np.float32)).mean() > 0.9,
        "a kick in every lane": job.v0.any(axis=0).all(),
        "starts that differ": len({tuple(x) for x in job.q0.T}) == job.lanes,
    }  # fmt: skip
    return [f"a sweep of 61 lanes has not {what}" for what, true in holds.items() if not true]
