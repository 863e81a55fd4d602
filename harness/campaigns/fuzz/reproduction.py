"""A violation as one shell line: the worst lane as plain JSON that `noether fuzz --replay` takes."""

from __future__ import annotations

import shlex
from pathlib import Path

from noether.cases import CATALOG, Case
from noether.kernels.loops.launch import Job
from noether.runs.saved_run import RUNS
from noether.verdicts.record import Record


def about(case: Case, job: Job, backend: str = "numpy") -> dict:
    """What noether.laws.exact.judge.judge_all wants to know about a launch, so that its records can be
    reproduced."""
    rows = zip(job.rule.parameters, job.params, strict=True)
    ranges = {name: [float(x.min()), float(x.max())] for name, x in rows}
    run = dict(case=case.name, rule=job.rule.name, backend=backend, precision=job.precision.label)
    return {**run, "parameters": ranges, "cell": f"found/{case.name}"}


def reproduction(job: Job, record: Record, *, out: Path | None = None) -> str:
    """The line that runs the worst lane of a record again, exit code 1 while it is violated.

    Writes one file below `out`, by default runs/found, over what was found there before: what is shrunk later
    is smaller. Raises ValueError for a record without a lane, and for a case that a replay could not find.
    """
    from noether.campaigns.fuzz import corpus
    from noether.campaigns.fuzz.example import Example, Subject

    if not record.worst:
        raise ValueError(f"{record.law} on {record.case} names no lane: there is nothing to run again")
    if record.case not in {c.name for c in CATALOG}:
        must = "must be one of the catalogue: a replay must find it again"
        raise ValueError(f"case is {record.case!r}, {must}")
    subject = Subject(record.case, record.rule, record.precision, record.backend, record.law, record.symmetry)
    folder = Path(out) if out is not None else RUNS / "found"
    place = folder / subject.place.replace(" ", "-").replace("/", "-")
    for older in place.glob("*.json"):
        older.unlink()
    lane = Example.of(job, record.worst["lane"])
    origin = {"found by": "a property test", "reason": record.reason}
    path = corpus.write(place, corpus.Entry(subject, lane, lane, origin=origin))
    return shlex.join(["noether", "fuzz", "--replay", str(path)])
