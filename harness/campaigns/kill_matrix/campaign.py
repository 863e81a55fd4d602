"""The run of `noether faults`: every planted fault is shown to every law, and the kills are recorded."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from noether import faults
from noether.campaigns.kill_matrix import findings, generated, harness_faults, sensitivity
from noether.campaigns.kill_matrix.harness_probes import OwnCell
from noether.campaigns.kill_matrix.matrix import MatrixCell
from noether.campaigns.kill_matrix.points import WIDE, own, point, points
from noether.cases import CATALOG
from noether.laws.exact import EXACT, law_faults
from noether.mechanics.wide import require_wide
from noether.plan.choices import Selection
from noether.runs.decision import carry
from noether.runs.execute import execute
from noether.runs.folder import Folder
from noether.runs.recording import keep
from noether.runs.run import unwatched
from noether.system.memorypeak import Peak
from noether.system.usage import UsageError, unknown
from noether.verdicts import exit_codes
from noether.verdicts.record import Record

OWN_CELLS = tuple(law for law in findings.LAWS if law not in EXACT and law != "B1")
"""The laws whose cells in `verify` bring faults of their own."""


@dataclass
class Campaign:
    """The result of a run over planted faults.

    memory  bytes that all its processes held together, at most; None where the system does not say
    """

    records: list[Record]
    verdict: findings.Verdict
    exit_code: int
    profile: str
    asked: tuple[str, ...]
    folder: Path | None = None
    seconds: float = 0.0
    memory: int | None = None
    cells: int = 0
    errors: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def declared() -> tuple[str, ...]:
    """The name of every fault that must be shown."""
    return tuple(f.name for f in (*faults.KERNEL, *law_faults.FAULTS, *harness_faults.FAULTS))


def chosen(words) -> tuple[str, ...]:
    """The names of the faults that words choose, each by its name or by the beginning of several.

    Raises UsageError where a word begins no name.
    """
    known = set(declared())
    out: list[str] = []
    for word in words:
        found = [word] if word in known else sorted(n for n in known if n.startswith(word))
        if not found:
            raise unknown("fault", word, sorted(known), listed="docs/faults.md and noether faults list them")
        out += found
    return tuple(dict.fromkeys(out))


def cells(profile: str, names: tuple[str, ...], seed: int) -> list:
    """The cells of a run, those of the matrix first.

    With nothing named also generated and graded faults, and those that laws of flows and orders are shown by
    `verify`.
    """
    out: list = [MatrixCell(*point(*WIDE), names, wide=True, seed=seed)]
    out += [MatrixCell(*at, names, own=profile == "quick" and own(at), seed=seed) for at in points(profile)]
    out += [OwnCell(part, 2, names) for part in range(2)]
    if not names:
        from noether.plan import design

        out += generated.cells(CATALOG, profile, seed) + sensitivity.cells(profile, seed)
        every = (design.RULES, design.PRECISIONS, "numpy", "quick", seed)
        out += design.cells(Selection(tuple(CATALOG), OWN_CELLS, *every))
    return out


def about(asked: Sequence[str], profile: str, seed: int, cells: int) -> dict:
    """What run.json says of a run over `cells` cells that show the faults `asked`."""
    arguments = {"faults": list(asked), "profile": profile, "seed": seed}
    given = {"command": "faults", "arguments": arguments, "seed": seed, "backend": "numpy"}
    return {**given, "laws": list(findings.LAWS), "left_out": [], "cells": cells}


def run(
    names=(), *, profile="quick", seed=0, jobs=1, out: Path | None = None, record=True, watch=unwatched
) -> Campaign:
    """Show every fault, or those in `names`, to every law, in `jobs` processes.

    out     the run folder, in runs/ when None; none is made where `record` is False
    watch   watch(event, **facts) is called with what happens: cells, runs, done
    Raises UsageError before any work, RecordingError when the disk refuses what was found.
    """
    begin = time.perf_counter()
    if profile not in ("quick", "full"):
        raise UsageError(f"--profile is {profile!r}: must be quick or full")
    require_wide()
    asked = chosen(names)
    planned = cells(profile, asked, seed)
    folder = Folder.create(out, about(asked, profile, seed, len(planned))) if record else None
    where = folder.path if folder else None
    undecided = findings.verdict([])
    result = Campaign([], undecided, exit_codes.INTERNAL, profile, asked, where, cells=len(planned))
    watch("cells", total=len(planned), done=0)
    try:
        running = closing(execute(planned, jobs=jobs, tell=lambda names: watch("runs", names=names)))
        with Peak() as peak, running as stream:
            for done in stream:
                take(result, done, folder)
                watch("done", done=done)
        result.seconds, result.memory = time.perf_counter() - begin, peak.most
        conclude(result)
        if folder:
            finish(result, folder)
    except BaseException as error:  # no end in run.json: it is known as unfinished
        carry(error, result.records, *([f"what was found is kept in {where}"] if folder else []))
        raise
    finally:
        if folder:
            folder.close()
    return result


def take(result: Campaign, done, folder: Folder | None) -> None:
    """Keep one finished cell. Raises RecordingError when the disk refuses."""
    result.records += done.records
    if done.error is not None:
        result.errors[done.cell] = done.error
    if folder is not None:
        keep(folder, done)


def finish(result: Campaign, folder: Folder) -> None:
    """Write the end of the run into run.json; what cannot be written is a note."""
    folder.about |= {"seconds": round(result.seconds, 3), "memory": result.memory}
    try:
        folder.finish(result.exit_code)
    except OSError as error:
        result.notes.append(f"{folder.path}/run.json cannot be written: {error.strerror or error}")


def conclude(result: Campaign) -> None:
    """Sort the records, and take verdict and exit code from them."""
    result.records.sort(key=lambda r: (r.cell, r.fault or "", r.law, r.symmetry or ""))
    result.verdict = findings.verdict(result.records, result.asked or declared(), whole=not result.asked)
    result.exit_code = exit_codes.of_run(result.verdict.exit_code, internal=result.errors)
