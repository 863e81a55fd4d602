"""Faults at one place (step, lane, component), drawn over the whole launch so that no place goes unchecked.

A place comes from the start of the launch and the name of the fault: other in every run, the same when
replayed. What begins at a step goes on to the end, what begins at a lane holds for all lanes after it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from noether.faults.fault import LAUNCH, NEAR, Fault, on
from noether.faults.places import INDEXING, NONFINITE, several
from noether.kernels.loops.launch import Job
from noether.kernels.programs.numpy_step import BLOCK, step

TIME = "wrong from a step on"
LATE = "wrong from a lane on"
MOVES = 64  # roundings of the position: less may be within the bounds of a right step


def drawn(job: Job, name: str) -> np.random.Generator:
    """Random numbers that say where a fault strikes, of this launch and this fault alone."""
    return np.random.default_rng(list(hashlib.sha256(name.encode() + job.q0.tobytes()).digest()))


def some_step(job: Job, name: str) -> int:
    """The number of a random step, from 1 to the last."""
    return int(drawn(job, name).integers(1, job.steps + 1))


def calm(job: Job, q) -> np.ndarray:
    """The lanes that stay near their starts in the right launch q: of what diverges a law may rightly say
    nothing."""
    with np.errstate(all="ignore"):
        near = np.abs(q).max(axis=(0, 1)) <= 4 * np.abs(job.q0).max()
    return np.flatnonzero(near) if near.sum() > 1 else np.arange(job.lanes)


def one_value(name: str, buffer: int, change: Callable) -> Callable:
    """A stored value of q (0) or v (1), one of all: change(right value, size, job).

    size  of q before and after that step; of v the largest of that lane, for in a lane at rest v is nothing
          but rounding
    """

    def mangle(job: Job, *pair):
        rng, x = drawn(job, name), pair[buffer]
        row, lane = int(rng.integers(1, job.steps + 1)), int(rng.choice(calm(job, pair[0])))
        at = int(rng.integers(x.shape[1]))
        size = np.abs(x[:, :, lane] if buffer else x[row - 1 : row + 1, :, lane]).max(axis=0)
        if size[at] < size.max() / 16:  # too small among the others: its rounding is that of their difference
            at = int(np.argmax(size))
        x[row, at, lane] = change(x[row, at, lane], size[at], job)
        return pair

    return mangle


def units_off(count: int):
    """`count` units in the last place of q off, of its size before or after."""
    return lambda x, size, job: x + 2 * count * job.precision.u_q * size


def in_every_lane(name: str, buffer: int) -> Callable:
    """One value a lane 2^-10 off, each in a step of its own in the second half: a law of any lane must see
    it."""

    def mangle(job: Job, *pair):
        rng, x, lanes = drawn(job, name), pair[buffer], np.arange(job.lanes)
        rows = rng.integers(job.steps // 2 + 1, job.steps + 1, job.lanes)
        with np.errstate(all="ignore"):  # a lane that diverges
            near = np.abs(x[rows, :, lanes]) + np.abs(x[rows - 1, :, lanes])  # (lanes, d)
            at = np.argmax(near * rng.uniform(0.5, 1, near.shape), axis=1)
            x[rows, at, lanes] += (NEAR - 1) * near[lanes, at]
        return pair

    return mangle


def from_step(name: str, wrong: Callable) -> Callable:
    """The right step, and from a random step on `wrong`."""

    def placing(job: Job):
        begin = some_step(job, name)
        return lambda n, *state: wrong(n, *state) if n >= begin else step(*state)

    return placing


def at_step(name: str, wrong: Callable) -> Callable:
    def placing(job: Job):
        place = min(max(2, some_step(job, name)), job.steps)  # buffers may be 0 at the first step
        return lambda n, *state: wrong(n, *state) if n == place else step(*state)

    return placing


def eta_off(n, q, v, params, gradient, rule, precision):
    return step(q, v, [params[0] * params[0].dtype.type(NEAR), *params[1:]], gradient, rule, precision)


def without_momentum(n, q, v, *about):
    return step(q, [0 * x for x in v], *about)


def from_lane(name: str, row: int, factor: float, among: Callable) -> Callable:
    """A parameter times `factor` in every lane from one on, which is drawn among those where that shows."""

    def alter(case, job: Job) -> Job:
        params, lanes = job.params.copy(), np.flatnonzero(among(job))
        # Some lanes follow, should one diverge.
        first = drawn(job, name).choice(lanes[:-8] if len(lanes) > 8 else lanes[:1])
        params[row, first:] *= factor
        return replace(job, params=params)

    return alter


def anywhere(job: Job) -> np.ndarray:
    return np.ones(job.lanes, bool)


def beyond_a_block(job: Job) -> np.ndarray:
    return np.arange(job.lanes) >= BLOCK


def breaking_seen(job: Job) -> np.ndarray:
    """The lanes where eps stands a thousandfold above the rounding of what it is added to."""
    return job.params[3] > 2.0**10 * max(job.precision.u_v, job.precision.u_arith)


def standing(job: Job, q, v):
    """A launch in which one lane never moves."""
    lane = drawn(job, "one lane stands still").choice(calm(job, q))
    q[1:, :, lane], v[1:, :, lane] = q[0, :, lane], 0
    return q, v


def step_skipped(job: Job, q, v):
    """A launch in which row n of one lane holds row n - 1: a row drawn, or the next to it in which the lane
    moves by more than MOVES roundings, for of a lane at rest nothing is skipped."""
    name = "one step of one lane is skipped"
    row, lane = some_step(job, name), drawn(job, name).choice(calm(job, q))
    with np.errstate(all="ignore"):
        path = np.abs(np.diff(q[:, :, lane], axis=0)).max(axis=1)
        moving = 1 + np.flatnonzero(path > MOVES * job.precision.u_q * np.abs(q[1:, :, lane]).max(axis=1))
    if len(moving):
        row = moving[np.argmin(np.abs(moving - row))]
    q[row, :, lane], v[row, :, lane] = q[row - 1, :, lane], v[row - 1, :, lane]
    return q, v


def lanes_exchanged(job: Job, q, v):
    """A launch in which two lanes change places from a step on."""
    name = "two lanes exchanged from a step on"
    a, b = drawn(job, name).choice(calm(job, q), 2, replace=False)
    row = some_step(job, name)
    for x in (q, v):
        x[row:, :, [a, b]] = x[row:, :, [b, a]]
    return q, v


def fault(name: str, kind: str, what: str, applies: Callable = lambda job: True, **how) -> Fault:
    return Fault(name, kind, what, applies=applies, when=LAUNCH, **how)


decays, wide = on(decays=True), on(precision=("float64", "float32"))
VALUES = ("one value 8 ulp off", "one buffer value off by 2^-10", "NaN at one place")
LATER = ("late values of q off by 2^-10", "late values of v off by 2^-10")
"""What each law is shown: it may cover some lanes only, and see no single value's last bits."""
FAULTS = (
    fault(
        VALUES[0],
        INDEXING,
        "one value of q' in one step of one lane",
        lambda job: job.rule.elementary and not job.rule.looks_ahead,
        mangle=one_value(VALUES[0], 0, units_off(8)),
    ),
    fault(
        VALUES[1],
        INDEXING,
        "one value of v' in one step of one lane, of the largest there",
        wide,
        mangle=one_value(VALUES[1], 1, lambda x, size, job: x + (NEAR - 1) * size),
    ),
    fault(
        VALUES[2],
        NONFINITE,
        "in one step of one lane",
        mangle=one_value(VALUES[2], 0, lambda x, size, job: np.nan),
    ),
    fault("one lane stands still", INDEXING, "q' = q, v' = 0 in one lane", wide, mangle=standing),
    fault("one step of one lane is skipped", INDEXING, "row n holds row n - 1", wide, mangle=step_skipped),
    fault(
        "two lanes exchanged from a step on",
        INDEXING,
        "each goes on as the other",
        several,
        mangle=lanes_exchanged,
    ),
    *(
        fault(name, TIME, "one a lane, after half of the steps", wide, mangle=in_every_lane(name, at))
        for at, name in enumerate(LATER)
    ),
    fault(
        "eta x (1 + 2^-10) from a step on",
        TIME,
        "the step size",
        wide,
        placing=from_step("eta x (1 + 2^-10) from a step on", eta_off),
    ),
    fault(
        "nothing from a step on",
        TIME,
        "q' = q, v' = v",
        wide,
        placing=from_step("nothing from a step on", lambda n, q, v, *about: (q, v)),
    ),
    fault(
        "momentum lost in one step",
        TIME,
        "beta = 0 once",
        on(carries=True, precision=("float64", "float32")),
        placing=at_step("momentum lost in one step", without_momentum),
    ),
    fault(
        "decay ignored from a lane on",
        LATE,
        "k = 0",
        decays,
        alter=from_lane("decay ignored from a lane on", 2, 0.0, lambda job: job.params[2] > 0),
    ),
    fault(
        "breaking ignored from a lane on",
        LATE,
        "eps = 0",
        lambda job: not job.rule.signed and bool(breaking_seen(job).any()),
        alter=from_lane("breaking ignored from a lane on", 3, 0.0, breaking_seen),
    ),
    fault(
        "eta x (1 + 2^-10) from a lane on",
        LATE,
        "the step size",
        wide,
        alter=from_lane("eta x (1 + 2^-10) from a lane on", 0, NEAR, anywhere),
    ),
    fault(
        "eta x 2 from the second block of lanes on",
        LATE,
        "the step size",
        on(wide=True),
        lanes=10_007,
        steps=2,
        alter=from_lane("eta x 2 from the second block of lanes on", 0, 2.0, beyond_a_block),
    ),
)
LANEWISE = (
    *VALUES[:2],
    "decay ignored from a lane on",
    "eta x (1 + 2^-10) from a lane on",
    "eta x 2 from the second block of lanes on",
)
"""What is shown to a wide launch too."""
