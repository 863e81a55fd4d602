"""B1 of the noisy loop: kernels/loops/noise_loop.py against its numpy twin, bit for bit (theory.md#B1)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from noether.kernels.loops import launch
from noether.kernels.loops.noisy_launch import NoisyJob, Sums
from noether.laws.exact import planted
from noether.laws.exact.disagreement import first_sum
from noether.laws.law import NEAR
from noether.laws.normalisation.cell import Cell
from noether.laws.normalisation.launches import FORCES, drawn, seed_of
from noether.verdicts import judgement
from noether.verdicts.claims import facts
from noether.verdicts.record import Record

LANES, WINDOWS = 37, 2
EVERY = {"triton-interpreted": 2}  # it takes 50 us an operation
COMPILED = 6


def places(profile: str, backend: str) -> list[tuple[str, int]]:
    """(backend, which of FORCES): the best compiled backend on two of them, the interpreter on the third;
    full: all that are here.

    None where numpy was asked for: where it is merely the best that is here, the interpreter is compared.
    """
    here = [b for b in launch.BACKENDS[1:] if not launch.missing(b)]
    if not here or (backend == "numpy" and launch.automatic() != "numpy"):
        return []
    fast = [b for b in (backend, "triton-cpu", "triton-ptx") if b in here and b != "triton-interpreted"][:1]
    if profile == "quick":
        return [(b, i) for b in fast for i in (0, 1)] + [(b, 1) for b in here if b == "triton-interpreted"]
    return [(b, i) for b in here for i in range(len(FORCES)) if b != "triton-interpreted" or i < 2]


def cells(profile: str, seed: int, backend: str, subject) -> list[Cell]:
    out = []
    for where, i in places(profile, backend):
        rule, _, force, _ = FORCES[i]
        part, tag = f"compared:{force}-{i}", where
        out.append(Cell("B1", subject, part, profile, seed, where, rule=f"noisy {rule}", tag=tag))
    return out


def compared(cell: Cell) -> list[Record]:
    which = FORCES[int(cell.part.rpartition("-")[2])]
    every = EVERY.get(cell.backend, COMPILED)
    job = drawn(*which, count=LANES, windows=WINDOWS, every=every, seed=seed_of(cell))
    mine, params, counters = launch.run(job, cell.backend), job.params.copy(), job.counters.copy()
    params[0] = params[0] * NEAR
    counters[1] ^= np.uint32(1)
    others = {
        None: job,
        planted.STEP_OFF.name: replace(job, params=params),
        planted.OTHER_NOISE.name: replace(job, counters=counters),
    }
    return [judged(cell, job, mine, launch.run(other, "numpy"), fault) for fault, other in others.items()]


def judged(cell: Cell, job: NoisyJob, mine: Sums, plain: Sums, fault: str | None) -> Record:
    """Every sum that leaves, and both ends."""
    pairs = [(getattr(mine, name), getattr(plain, name)) for name in ("sums", "q", "v")]
    bits = sum(int((a.view(np.uint64) != b.view(np.uint64)).sum()) for a, b in pairs)
    moved = int((mine.q != job.q0).any(axis=0).sum())
    reason = (
        f"{bits} of {sum(a.size for a, _ in pairs)} sums and end states differ; {moved} of {job.lanes} lanes "
        f"moved; force {job.force}"
    )
    reason += f"; {first_sum(mine, plain)}" if bits else ""
    return judgement.bits(
        bits,
        reason,
        enough=2 * moved > job.lanes and np.isfinite(mine.sums).all(),
        **facts(cell, backend=mine.backend, precision=job.precision.label, fault=fault),
        lanes=job.lanes,
        steps=job.steps,
        parameters={"force": job.force},
    )
