"""A violated record as one shell line: the worst lane alone, in a run folder that `noether replay` takes."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

from cases import CATALOG, Case
from harness.choices import Request
from harness.folder import RUNS, Folder
from harness.run import arguments
from harness.verdicts import Record
from kernels.launch import Job


def about(case: Case, job: Job, backend: str = "numpy") -> dict:
    """What harness.judge.judge_all wants to know about a launch, so that its records can be replayed."""
    ranges = {n: [float(x.min()), float(x.max())] for n, x in zip(("eta", "beta", "k", "eps"), job.params, strict=True)}
    return dict(case=case.name, rule=job.rule.name, backend=backend, precision=job.precision.label, parameters=ranges, cell=f"found/{case.name}")


def reproduction(record: Record, *, out: Path | None = None) -> str:
    """The line that runs the worst lane of a record again. Writes `out`, by default runs/found-..., over what was found before.

    Raises ValueError for a record without a lane, and for a case that `noether replay` could not find.
    """
    if not record.worst:
        raise ValueError(f"{record.law} on {record.case} names no lane: there is nothing to run again")
    if record.case not in {c.name for c in CATALOG}:
        raise ValueError(f"case is {record.case!r}, must be one of the catalogue: a replay must find it again")
    name = "-".join(("found", record.law, record.case, record.rule, record.precision.replace("/", "-"), record.backend))
    path = Path(out) if out is not None else RUNS / name
    if (path / "run.json").exists():
        shutil.rmtree(path)
    facts = {"arguments": arguments(Request((record.case,))), "seed": 0, "backend": record.backend, "laws": [record.law], "left_out": []}
    folder = Folder.create(path, {**facts, "cells": 1, "strict": False})
    record.replay = shlex.join(["noether", "replay", str(path)])
    folder.record(record.cell, [record], 0.0)
    folder.finish(1)
    folder.close()
    return record.replay
