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
from noether.campaigns.kill_matrix.matrix import MatrixCell, points
from noether.cases import CATALOG
from noether.laws.exact import EXACT, law_faults
from noether.mechanics.wide import require_wide
from noether.plan.choices import Selection
from noether.runs.decision import carry
from noether.runs.execute import execute
from noether.runs.folder import Folder
from noether.runs.recording import keep
from noether.system.usage import UsageError, unknown
from noether.verdicts import exit_codes
from noether.verdicts.record import Record

OWN_CELLS = tuple(
    law for law in findings.LAWS if law not in EXACT and law != "B1"
)  # their cells in `verify` bring their own faults
WIDE = ("mexican-hat", "heavy-ball", "float32")


@dataclass
class Campaign:
    """The result of a run over planted faults."""

    records: list[Record]
    verdict: findings.Verdict
    exit_code: int
    profile: str
    asked: tuple[str, ...]
    folder: Path | None = None
    seconds: float = 0.0
    cells: int = 0
    errors: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def declared() -> tuple[str, ...]:
    """Every fault that must be shown."""
    return tuple(f.name for f in (*faults.KERNEL, *law_faults.FAULTS, *harness_faults.FAULTS))


def chosen(words) -> tuple[str, ...]:
    """Fault names, each by its name or by the beginning of one. Raises UsageError."""
    known = set(declared())
    out: list[str] = []
    for word in words:
        found = [word] if word in known else sorted(n for n in known if n.startswith(word))
        if not found:
            raise unknown("fault", word, sorted(known))
        out += found
    return tuple(dict.fromkeys(out))


def cells(profile: str, names: tuple[str, ...], seed: int) -> list:
    """The matrix; with nothing named also the faults that the laws of flows and orders are shown by
    `verify`."""
    subjects = {c.name: c for c in CATALOG}
    out: list = [
        MatrixCell(subjects[case], rule, precision, names, seed=seed)
        for case, rule, precision in points(profile)
    ]
    out.append(MatrixCell(subjects[WIDE[0]], *WIDE[1:], names, wide=True, seed=seed))
    out += [OwnCell(part, 2, names) for part in range(2)]
    if not names:
        from noether.plan import design

        out += generated.cells(CATALOG, profile, seed) + sensitivity.cells(CATALOG, profile, seed)

        selection = Selection(
            tuple(CATALOG), OWN_CELLS, design.RULES, design.PRECISIONS, "numpy", "quick", seed
        )
        out += design.cells(selection)
    return sorted(
        out, key=lambda c: not c.name.startswith(("T1/rayleigh", "T1/linear", "faults/rayleigh"))
    )  # the longest first


def about(asked: Sequence[str], profile: str, seed: int, cells: int) -> dict:
    """run.json of a run over faults."""
    return {
        "command": "faults",
        "arguments": {"faults": list(asked), "profile": profile, "seed": seed},
        "seed": seed,
        "backend": "numpy",
        "laws": list(findings.LAWS),
        "left_out": [],
        "cells": cells,
    }


def run(
    names=(),
    *,
    profile: str = "quick",
    seed: int = 0,
    jobs: int = 1,
    out: Path | None = None,
    record: bool = True,
    watch=lambda event, **facts: None,
) -> Campaign:
    """Show every fault to every law. Raises UsageError before any work."""
    begin = time.perf_counter()
    if profile not in ("quick", "full"):
        raise UsageError(f"--profile is {profile!r}: must be quick or full")
    require_wide()
    asked = chosen(names)
    planned = cells(profile, asked, seed)
    folder = Folder.create(out, about(asked, profile, seed, len(planned))) if record else None
    result = Campaign(
        [],
        findings.verdict([]),
        exit_codes.INTERNAL,
        profile,
        asked,
        folder and folder.path,
        cells=len(planned),
    )
    watch("cells", total=len(planned), done=0)
    try:
        with closing(execute(planned, jobs=jobs, tell=lambda names: watch("runs", names=names))) as stream:
            for done in stream:
                take(result, done, folder)
                watch("done", done=done)
        result.seconds = time.perf_counter() - begin
        conclude(result)
        if folder:
            finish(result, folder)
    except BaseException as error:  # no end in run.json: it is known as unfinished
        carry(error, result.records, *([f"what was found is kept in {folder.path}"] if folder else []))
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
    folder.about["seconds"] = round(result.seconds, 3)
    try:
        folder.finish(result.exit_code)
    except OSError as error:
        result.notes.append(f"{folder.path}/run.json cannot be written: {error.strerror or error}")


def conclude(result: Campaign) -> None:
    result.records.sort(key=lambda r: (r.cell, r.fault or "", r.law, r.symmetry or ""))
    result.verdict = findings.verdict(result.records, result.asked or declared(), whole=not result.asked)
    result.exit_code = exit_codes.of_run(result.verdict.exit_code, internal=result.errors)
