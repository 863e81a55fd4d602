"""Which planted fault, run from the trajectory's own states, gives the stored values bit for bit.

A fault of any step is tried on single steps from the states before each wrong one; one that needs the steps
before, or the launch as a whole, on the whole launch. Lanes do not depend on their neighbours, so each wrong
(step, lane) is a lane of one launch of one step.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from noether.kernels.loops.launch import Job, run
from noether.mechanics.trajectory import Trajectory

SAMPLE = 24
MOST = 8192  # wrong points that a hypothesis must reproduce, all of them


def equal(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Whether numbers are equal; two NaN are."""
    return (a == b) | (np.isnan(a) & np.isnan(b))


def steps_from(t: Trajectory, job: Job, at: tuple[np.ndarray, np.ndarray]) -> Job:
    """One step from the stored states at (steps, lanes), each a lane of its own."""
    n, lane = at
    state = lambda x: x[n, :, lane].T.astype(np.float64)
    start = dict(q0=state(t.z), v0=state(t.v), params=np.ascontiguousarray(job.params[:, lane]))
    return replace(job, **start, begun=job.begun + int(n.min()), steps=1, trace=True)


def alike(t: Trajectory, at: tuple[np.ndarray, np.ndarray]) -> list[np.ndarray]:
    """Groups of indices of the points whose steps know the same of their number."""
    if not t.rule.timed:
        return [np.arange(len(at[0]))]
    steps = t.known.reshape(t.steps, -1)
    alike = np.unique(steps, axis=0, return_inverse=True)[1].reshape(-1)[at[0]]
    return [np.flatnonzero(alike == group) for group in np.unique(alike)]


def stored_after(t: Trajectory, at: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """The q and v stored after the steps `at`, (d, points) and (buffers d, points) float64."""
    n, lane = at
    after = lambda x: x[n + 1, :, lane].T.astype(np.float64)
    return after(t.z), after(t.v)


def rightly_stepped(t: Trajectory, job: Job, at) -> np.ndarray:
    """(d, points) bool: where the stored q and v are those of the right step.

    What is so overflowed of itself, or is wrongly judged.
    """
    right = np.zeros((t.z.shape[1], len(at[0])), bool)
    for some in alike(t, at):
        here = (at[0][some], at[1][some])
        with np.errstate(all="ignore"):
            q, v = run(steps_from(t, job, here), "numpy").wide()
        wanted = stored_after(t, here)
        right[:, some] = same_components((q[-1], v[-1]), wanted)
    return right


def same_components(mine, wanted) -> np.ndarray:
    """(d, points) bool: where a component is the same in q and in every buffer."""
    of_v = equal(mine[1], wanted[1]).reshape(-1, *np.shape(mine[0])).all(axis=0)
    return equal(mine[0], wanted[0]) & of_v


def reproduces(case, fault, job: Job, wanted, wrong: np.ndarray) -> bool:
    """Whether one step of the fault ends in the wanted q, v (d, points), in every component that is wrong
    anywhere."""
    if not fault.applies(job):
        return False
    with np.errstate(all="ignore"):
        q, v = fault.outcome(case, job)
    return bool(same_components((q[-1], v[-1]), wanted)[wrong].all())


def single_steps(
    t: Trajectory, job: Job, at: tuple[np.ndarray, np.ndarray], faults, wrong: np.ndarray
) -> list:
    """The faults of single steps that reproduce every wrong point; a sample sifts them first.

    wrong  (d,) the components that are not those of the right step anywhere: code that is unrolled may be
           wrong in one
    """
    from noether.faults.fault import ANY, FIRST

    kinds = (ANY, FIRST) if (at[0] == 0).all() else (ANY,)
    chosen = np.unique(np.linspace(0, len(at[0]) - 1, min(SAMPLE, len(at[0]))).astype(int))
    found = [f for f in faults if f.when in kinds]
    for some in (chosen, np.arange(len(at[0]))[:MOST]):
        for part in alike(t, (at[0][some], at[1][some])):
            here = (at[0][some][part], at[1][some][part])
            one, wanted = steps_from(t, job, here), stored_after(t, here)
            found = [f for f in found if reproduces(t.case, f, one, wanted, wrong)]
    return found


def whole_launches(t: Trajectory, job: Job, faults, first: int) -> list:
    """The faults that reproduce every stored value of the launch from its own start; `first` is the first
    wrong step.

    What only mangles the stores shares one right launch; the others are tried on the first steps before the
    whole.
    """
    from noether.faults.fault import ANY, FIRST

    right = run(job, "numpy").wide()
    short = replace(job, steps=min(job.steps, first + 2))
    found = []
    with np.errstate(all="ignore"):
        for fault in faults:
            if fault.when in (ANY, FIRST) and fault.kind != "no-op" or not fault.applies(job):
                continue
            if fault.mangle and not fault.alter:
                out = fault.mangle(job, *(x.copy() for x in right))
            elif fault.mangle or stored(t, fault.outcome(t.case, short)):
                out = fault.outcome(t.case, job)
            else:
                continue
            if stored(t, out):
                found.append(fault)
    return found


def stored(t: Trajectory, outcome) -> bool:
    """Whether the rows of an outcome are those of the trajectory, from row 1 on: row 0 is the job's own."""
    q, v = outcome
    return bool(
        equal(q[1:], t.z[1 : len(q)].astype(np.float64)).all()
        and equal(v[1:], t.v[1 : len(v)].astype(np.float64)).all()
    )


SWAPPED = {"add": "sub", "sub": "add", "mul": "div", "div": "mul"}


def operations(program) -> list:
    """Faults in one operation of the gradient each: another operator in its place, its operands turned, left
    out for either of them, or negated."""
    from noether.faults.fault import Fault

    def planted(at: int, what: str, op) -> Fault:
        other = replace(program, ops=(*program.ops[:at], op, *program.ops[at + 1 :]))
        name = f"operation {at} of the gradient, {program.ops[at].name}: {what}"
        return Fault(name, "operation", what, alter=lambda case, job: replace(job, program=other))

    out = []
    for at, op in enumerate(program.ops):
        if op.name in SWAPPED:
            out.append(planted(at, f"{SWAPPED[op.name]} in its place", replace(op, name=SWAPPED[op.name])))
        if op.name in ("sub", "div"):
            out.append(planted(at, "operands turned", replace(op, args=op.args[::-1])))
        if op.name in (
            "add",
            "sub",
        ):  # an operation cannot be dropped where others count on its place: max(x, x) is x
            out += [
                planted(at, f"operand {i} alone", replace(op, name="max", args=(a, a)))
                for i, a in enumerate(op.args)
            ]
        if op.name == "neg":
            out.append(planted(at, "left out", replace(op, name="max", args=op.args * 2)))
    return out
