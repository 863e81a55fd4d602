"""Faults of indexing: right values in the wrong lane, component or row, and lanes that were never written."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from noether.faults.fault import LAUNCH, Fault, moved, on, pulled, rolled
from noether.kernels.loops.backends import LANES
from noether.kernels.loops.launch import Job
from noether.kernels.programs.trace_rule import split

INDEXING, NONFINITE = "indexing", "non-finite"
MANY = 10**6


def several(job: Job) -> bool:
    return job.lanes > 1


def tail_unwritten(job: Job, q, v):
    block = LANES
    tail = job.lanes - job.lanes % block if job.lanes % block else job.lanes - 1
    q[1:, :, tail:], v[1:, :, tail:] = np.nan, np.nan  # what the watermark reads as
    return q, v


def one_lane_wrong(job: Job, q, v):
    """A launch whose last value of one lane is off, a third of the way through the lanes or at the next lane
    that has a number other than 0 there: a factor changes nothing else."""
    last, lane = q[-1, -1], job.lanes // 3
    told = np.flatnonzero(np.isfinite(last) & (last != 0))
    if len(told):
        lane = told[np.searchsorted(told, lane) % len(told)]
    last[lane] *= 1 + 64 * job.precision.u_q
    return q, v


def neighbour_stored(job: Job, q, v):
    """A launch in which lane i holds what lane i + 1 computed; the start rows are the caller's own."""
    q[1:], v[1:] = np.roll(q[1:], -1, axis=2), np.roll(v[1:], -1, axis=2)
    return q, v


def wrapped(job: Job, q, v):
    """A launch with a 32-bit offset, at a smaller modulus: beyond two thirds of the buffer addresses begin
    again."""
    for buffer in (q, v):
        flat = buffer.reshape(-1)
        size = len(flat)
        modulus = size * 2 // 3
        late = flat[modulus:].copy()
        flat[modulus:] = np.nan
        flat[: size - modulus] = late
    return q, v


def next_row(job: Job, q, v):
    """A launch in which row n + 1 holds row n, for the store's pointer is advanced too late."""
    q[1:], v[1:] = q[:-1].copy(), v[:-1].copy()
    return q, v


def last_row(job: Job, q, v):
    q[-1], v[-1] = q[-2].copy(), v[-2].copy()
    return q, v


def neighbour_row(row: int):
    def alter(case, job: Job) -> Job:
        params = job.params.copy()
        params[row] = np.roll(params[row], 1)
        return replace(job, params=params)

    return alter


def neighbour_parameters(case, job: Job) -> Job:
    return replace(job, params=np.roll(job.params, 1, axis=1))


def neighbour_start(case, job: Job) -> Job:
    return replace(job, q0=np.roll(job.q0, 1, axis=1), v0=np.roll(job.v0, 1, axis=1))


def own_start(job: Job, q, v):
    """The outcome with the caller's start in row 0, whatever the kernel loaded."""
    q[0], v[0] = job.q0, job.v0
    return q, v


def swapped(x):
    return [x[1], x[0], *x[2:]]


def last_ignored(q, v, q2, v2, params, n):
    """The step in which the last component stays as it is, in q and in every buffer."""
    d = len(q)
    ends = [x if (i + 1) % d else old for i, (x, old) in enumerate(zip(v2, v, strict=True))]
    return [*q2[:-1], q[-1]], ends


def each_swapped(q, v, q2, v2, params, n):
    """The step in which the first two components of every buffer change places."""
    return q2, [x for buffer in split(v2, len(q)) for x in swapped(buffer)]


def heard(job: Job) -> int:
    """The lane nearest the middle of which most laws speak: D3 and D8 say nothing where the breaking is on,
    D3 little of a decay."""
    _, _, k, eps, *_ = job.params
    silent = 2 * (eps != 0) + (k != 0)
    best = np.flatnonzero(silent == silent.min())
    return int(best[np.argmin(np.abs(best - job.lanes // 2))])


def put(value: float, buffer: int, row):
    def mangle(job: Job, *pair):
        pair[buffer][row(job.steps) :, 0, heard(job)] = value
        return pair

    return mangle


FAULTS = (
    Fault(
        "tail lanes not written",
        INDEXING,
        "the last block is masked away",
        mangle=tail_unwritten,
        when=LAUNCH,
    ),
    Fault(
        "one lane in 10^4, last component",
        INDEXING,
        "one value 64 roundings off",
        applies=on(wide=True),
        mangle=one_lane_wrong,
        when=LAUNCH,
        steps=2,
        lanes=10_007,
    ),
    Fault(
        "one lane in 10^6, last component",
        INDEXING,
        "one value 64 roundings off",
        applies=on(wide=True, precision="float32"),
        mangle=one_lane_wrong,
        when=LAUNCH,
        steps=1,
        lanes=MANY,
    ),
    Fault(
        "off by one lane at the store",
        INDEXING,
        "lane i holds lane i + 1",
        applies=several,
        mangle=neighbour_stored,
        when=LAUNCH,
    ),
    Fault(
        "off by one lane at the load",
        INDEXING,
        "lane i starts as lane i - 1",
        applies=several,
        alter=neighbour_start,
        mangle=own_start,
        when=LAUNCH,
    ),
    Fault(
        "another start than the one asked for",
        INDEXING,
        "row 0 is overwritten too",
        applies=several,
        alter=neighbour_start,
        when=LAUNCH,
    ),
    Fault(
        "the neighbour's parameters",
        INDEXING,
        "eta, beta, k, eps of lane i - 1",
        applies=several,
        alter=neighbour_parameters,
        when=LAUNCH,
    ),
    *(
        Fault(
            f"the neighbour's {name}",
            INDEXING,
            f"{name} of lane i - 1",
            applies=where,
            alter=neighbour_row(row),
            when=LAUNCH,
        )
        for row, (name, where) in enumerate(
            (
                ("eta", several),
                ("beta", on(reads_beta=True)),
                ("k", on(decays=True)),
                ("eps", on(breaks=True)),
            )
        )
    ),
    Fault(
        "components swapped at the store",
        INDEXING,
        "q_0 and q_1 change places",
        advance=moved(lambda q, v, q2, v2, params, n: (swapped(q2), v2)),
    ),
    Fault(
        "components of the buffer swapped",
        INDEXING,
        "v_0 and v_1 change places",
        applies=on(carries=True),
        advance=moved(each_swapped),
    ),
    Fault(
        "gradient of the next component",
        INDEXING,
        "g_(i+1) for g_i",
        advance=pulled(lambda gradient, at, eps, params, n: rolled(gradient(at, eps))),
    ),
    Fault(
        "gradient read at rolled components",
        INDEXING,
        "g_i(q_(i+1))",
        advance=pulled(lambda gradient, at, eps, params, n: gradient(rolled(list(at)), eps)),
    ),
    Fault(
        "last component not updated",
        INDEXING,
        "the loop over components ends early",
        advance=moved(last_ignored),
    ),
    Fault("row pointer advanced too late", INDEXING, "row n + 1 holds row n", mangle=next_row, when=LAUNCH),
    Fault(
        "last row written twice", INDEXING, "the last row holds the one before", mangle=last_row, when=LAUNCH
    ),
    Fault(
        "32-bit offset overflows",
        INDEXING,
        "addresses wrap at a smaller modulus",
        mangle=wrapped,
        when=LAUNCH,
    ),
    Fault(
        "NaN in one lane",
        NONFINITE,
        "from half of the steps on",
        mangle=put(np.nan, 0, lambda steps: (steps + 1) // 2),
        when=LAUNCH,
    ),
    Fault(
        "infinity in one lane",
        NONFINITE,
        "from half of the steps on",
        mangle=put(np.inf, 0, lambda steps: (steps + 1) // 2),
        when=LAUNCH,
    ),
    Fault(
        "NaN at the last step",
        NONFINITE,
        "in one lane",
        mangle=put(np.nan, 0, lambda steps: steps),
        when=LAUNCH,
    ),
    Fault(
        "infinite buffer at the last step",
        NONFINITE,
        "in one lane",
        applies=on(carries=True),
        mangle=put(-np.inf, 1, lambda steps: steps),
        when=LAUNCH,
    ),
)
