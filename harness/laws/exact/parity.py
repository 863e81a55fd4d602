"""B1: a launch on one backend beside the same launch in numpy, bit for bit (theory.md#B1)."""

from __future__ import annotations

from dataclasses import replace

from noether.kernels.loops import launch
from noether.kernels.programs.precision import Precision
from noether.laws.exact import bits as bitwise
from noether.laws.exact import disagreement, planted, reassociation
from noether.mechanics import roundings
from noether.verdicts import judgement
from noether.verdicts.record import Record


def judge_parity(cell) -> list[Record]:
    """B1: this backend against numpy, bit for bit, on the same job; the step size demoted must show.

    Both could round a tie wrongly alike: a backend with a narrow store is given known ties too
    (harness/mechanics/roundings.py).
    """
    job = cell.job()
    mine, plain = launch.run(job, cell.backend), launch.run(job, "numpy")
    records = [compared(cell, job, mine, plain, None, misread_ties(job, mine.backend))]
    wide = lambda q, v, backend: launch.Outcome(q, v, Precision("float64"), backend, 0.0)
    for fault in (planted.STEP_OFF, planted.ONE_LANE):
        other = wide(*fault.outcome(cell.case, job), "numpy")
        records.append(compared(cell, job, wide(*mine.wide(), mine.backend), other, fault.name))
    if cell.extra.get("sabotaged"):
        # Numpy under this backend's name would agree with numpy: only what runs the PTX text goes wrong here.
        wrong_text = launch.run(job, cell.backend, sabotage=turned)
        fault = f"sub for the last add of the PTX, on {cell.backend}"
        records.append(compared(cell, job, wrong_text, plain, fault))
    return records + (untraced(cell, job, plain) if cell.extra.get("untraced") else [])


def untraced(cell, job: launch.Job, plain: launch.Outcome) -> list[Record]:
    """B1 of a launch that keeps only its last states: they are those of one that keeps all, also on numpy."""
    short = replace(job, trace=False)
    ends = replace(plain, q=plain.q[[0, -1]], v=plain.v[[0, -1]])
    late = replace(ends, v=plain.v[[0, -2]])
    mine, bare = launch.run(short, cell.backend), launch.run(short, "numpy")
    right = [
        compared(cell, short, found, ends, None) for found in (mine, replace(bare, backend=mine.backend))
    ]
    return [*right, compared(cell, short, mine, late, planted.OLD_BUFFER.name)]


def misread_ties(job: launch.Job, backend: str) -> list[str] | None:
    """The known points that a backend stores as another number; None for a type that has no known points."""
    kind = job.precision.name
    return roundings.misread(backend, kind, job.precision.mode) if kind in roundings.KNOWN else None


def turned(ptx: str) -> str:
    """The PTX text of a kernel with a sub for its last floating add. Raises ValueError where it has none."""
    head, add, tail = ptx.rpartition("add.rn.f")
    if not add:
        raise ValueError("the PTX has no add.rn: no addition can be turned")
    return f"{head}sub.rn.f{tail}"


def compared(
    cell, job, mine: launch.Outcome, plain: launch.Outcome, fault: str | None, ties: list[str] | None = None
) -> Record:
    """The record of B1 on every stored bit of two launches of a job.

    fault  the name of what was planted in one of them
    ties   the known points that were misread, where any were asked
    """
    bits, values = launch.differing_bits(mine, plain), mine.q.size + mine.v.size
    moved = int((mine.wide()[0][-1] != mine.wide()[0][0]).any(axis=0).sum())
    about = cell.about(job, mine.backend)
    unwritten = int(mine.unwritten.sum())
    reason = f"{bits} of {values} stored values differ; {moved} of {job.lanes} lanes moved"
    if unwritten:
        reason = f"{unwritten} lanes still hold the watermark: nobody wrote them; " + reason
    if fault is None:
        reason += f"; final states {mine.digest[:16]}"
    if mine.notes.get("unpinned"):
        reason += f"; unpinned instructions: {mine.notes['unpinned']}"
    first, found = disagreement.first(mine, plain, job.steps) if bits else None, {}
    if first:
        reason += f"; {disagreement.place(first)}"
        found = reassociation.explained(job, mine, plain) if fault is None else {}
    if found.get("explained"):
        reason += f"; {found['line']}"
    if ties:
        reason += f"; {len(ties)} known ties misread: {ties[0]}"
    elif ties is not None:
        reason += f"; {len(roundings.KNOWN[job.precision.name])} known ties stored as defined"
    about |= dict(law="B1", lanes=job.lanes, steps=job.steps, fault=fault)
    about |= dict(powers={} if fault else bitwise.of_store(job.precision))
    about |= dict(data={"diagnosis": {"first": first, **found}} if found else {})
    enough, wrong = moved * 2 >= job.lanes, bits + len(ties or ())
    return judgement.bits(wrong, reason, enough=enough, spoiled=unwritten > 0, **about)
