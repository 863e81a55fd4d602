"""Why a trajectory violates its laws: the first wrong step, lane and component, and what explains it.

Every exact law follows from D0, so the update itself is asked, whatever law was violated. In this order:

    1. is the stored state that of the right step?                    then what judges it is wrong, not the
                                                                      kernel
    2. a planted fault, or one wrong operation of the gradient,
       that gives every wrong value bit for bit                       harness/laws/exact/matching_fault.py
    3. one term of the update, or two, whose factor is wrong; bits    harness/laws/exact/attribution.py

What none of these explains is said to be not explained. A diagnosis follows a verdict and never changes one.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from noether.kernels.loops.launch import Job
from noether.laws.exact import update
from noether.laws.exact.attribution import fits, parts, points_of, rounding, words
from noether.laws.exact.judge import spent_of
from noether.mechanics.trajectory import Trajectory
from noether.verdicts.judgement import highest
from noether.verdicts.record import VIOLATED

FITTED = 2048  # points of a fit: enough for every digit that a bound leaves
NAMED = 3


def diagnose(t: Trajectory, job: Job, outside=None) -> dict:
    """What is wrong with a trajectory of a launch, as Record.data["diagnosis"] keeps it; `line` is for
    people.

    outside  (lanes,) bool, of which the laws do not speak
    """
    with np.errstate(all="ignore"):
        residual = update(t)
        spent = spent_of(residual)
    if outside is not None:
        spent[..., outside] = 0
    wrong = (spent > 1).any(axis=1)
    if not wrong.any():
        line = (
            "the update holds at every step of every lane: the law, its bound, its parameters or the "
            "declared symmetry are wrong, not the step"
        )
        return {"first": None, "faults": [], "terms": [], "roundings": [], "explained": False, "line": line}
    first = first_wrong(t, spent)
    at = startable(t, wrong)
    found = {"first": first, "wrong": counted(wrong)}
    found |= {"faults": [], "terms": [], "roundings": [], "explained": False}
    if len(at[0]):
        found |= explained(t, job, residual, spent, at)
    often = f", component {' '.join(map(str, found['components']))} alone" if found.get("components") else ""
    often += f", every {found['wrong']['stride']} steps" if found["wrong"]["stride"] else ""
    found["line"] = f"{place(first)}, {found['wrong']['lanes']} of {t.lanes} lanes{often}: {told(found)}"
    return found


def first_wrong(t: Trajectory, spent: np.ndarray) -> dict:
    """The earliest step that violates D0; there, the worst component."""
    step = int(np.argmax((spent > 1).any(axis=(1, 2))))
    component, lane = highest(spent[step])
    d = t.z.shape[1]
    return {"step": step, "lane": lane, "component": component % d, "of": list(parts(t))[component // d]}


def place(first: dict) -> str:
    """Where a first wrong point is, in words."""
    return f"first wrong at step {first['step']}, lane {first['lane']}, {first['of']}[{first['component']}]"


def counted(wrong: np.ndarray) -> dict:
    """How many lanes, steps and points are wrong, and the stride of the wrong steps.

    The stride is None unless they are equally far apart, by more than one.
    """
    steps = np.flatnonzero(wrong.any(axis=1))
    apart = np.unique(np.diff(steps))
    stride = int(apart[0]) if len(apart) == 1 and len(steps) > 2 and apart[0] > 1 else None
    lanes, points = int(wrong.any(axis=0).sum()), int(wrong.sum())
    return {"lanes": lanes, "steps": len(steps), "stride": stride, "points": points}


def startable(t: Trajectory, wrong: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The wrong (steps, lanes) that begin in a finite state: what follows a NaN has no cause of its own."""
    n, lane = np.nonzero(wrong & t.finite[:-1])
    return n, lane


def explained(t: Trajectory, job: Job, residual, spent, at) -> dict:
    """Which planted faults, terms and roundings explain the points `at` (steps, lanes) of D0."""
    from noether.faults import KERNEL
    from noether.laws.exact.matching_fault import operations, rightly_stepped, single_steps, whole_launches

    right = rightly_stepped(t, job, at)
    if right.all():
        return {"right": True, "overflows": not t.finite[1:][at].any(), "explained": True}
    wrong, mine = ~right.all(axis=1), ~right.all(axis=0)
    at = at[0][mine], at[1][mine]
    same = single_steps(t, job, at, KERNEL, wrong)
    how = f"in all {len(at[0])} wrong steps" if same else "in the whole launch"
    same = same or whole_launches(t, job, KERNEL, int(at[0].min()))
    if not same:
        same = single_steps(t, job, at, operations(job.program), wrong)
        how = f"in all {len(at[0])} wrong steps"
    where = [] if wrong.all() else [int(i) for i in np.flatnonzero(wrong)]
    out = {"faults": [{"name": f.name, "what": f.what, "where": how} for f in same]}
    out |= {"terms": [], "roundings": [], "components": where}
    for of, half in parts(t).items():
        n, lane = at
        mine = (spent[:, half] > 1).any(axis=1)[n, lane] & t.finite[1:][n, lane]
        if mine.any():
            some = np.flatnonzero(mine)[:: max(1, int(mine.sum()) // FITTED)]
            with np.errstate(all="ignore"):  # steps that end in a NaN are not among the points
                points = points_of(t, residual, spent, of, (n[some], lane[some]), wrong)
            out["terms"] += [about(f, points) for f in fits(points)]
            out["roundings"] += rounding(points, t.precision.q_store if of == "q'" else t.precision.v_store)
    whole = {f["of"] for f in out["terms"] if f["explains"] and f["one"]}
    out["explained"] = bool(same) or bool(out["terms"]) and whole >= {f["of"] for f in out["terms"]}
    return out


def about(f, points) -> dict:
    """A Fit as plain data, with what it says in words."""
    found = {"of": f.of, "terms": list(f.terms), "factors": list(f.factors), "within": list(f.within)}
    found |= {"share": f.share, "explains": f.explains}
    return found | {"one": len(f.terms) == 1, "text": words(f, points.owed)}


def told(found: dict) -> str:
    """One sentence that names the fault, else the term, else the rounding, else says that nothing explains
    it."""
    if found.get("overflows"):
        return "the right step itself overflows from there: the lane has left the domain of finite numbers"
    if found.get("right"):
        return (
            "the stored values are those of the right step, bit for bit: the bound or the wide gradient is "
            "wrong, not the kernel"
        )
    if found["faults"]:
        names = [f["name"] for f in found["faults"]]
        more = f" (or {len(names) - NAMED} more that are the same here)" if len(names) > NAMED else ""
        words = " = ".join(repr(x) for x in names[:NAMED])
        return f"the stored values are those of {words}{more}, bit for bit {found['faults'][0]['where']}"
    out = []
    for of in dict.fromkeys(f["of"] for f in found["terms"]):
        mine = [f for f in found["terms"] if f["of"] == of]
        if mine[0]["explains"] and mine[0]["one"]:
            out.append(mine[0]["text"])
        elif mine[0]["explains"]:
            out.append(f"{of} not explained by one term; by two: {mine[0]['text']}")
        else:
            out.append(
                f"{of} not explained by one term or two"
                + (f" ({mine[0]['text']}: {mine[0]['share']:.0%} of it)" if mine[0]["share"] >= 0.5 else "")
            )
    return (
        "; ".join([*found["roundings"], *out])
        or "not explained: no planted fault gives these values, and there is no finite value to fit"
    )


def safely(t: Trajectory, job: Job, outside=None) -> dict:
    """The diagnosis; where it fails it says so, for no verdict may be lost by it."""
    try:
        return diagnose(t, job, outside)
    except Exception as error:
        return {"explained": False, "line": f"the diagnosis itself failed, {type(error).__name__}: {error}"}


def attach(records: list, t: Trajectory, job: Job, outside: Callable = lambda: None) -> None:
    """Give each violation of a launch its diagnosis; outside() is called only where there is one."""
    wrong = [r for r in records if r.verdict == VIOLATED]
    found = safely(t, job, outside()) if wrong else {}
    for r in wrong:
        r.data = {**r.data, "diagnosis": found}
