"""Runs in parts on several machines: `--shard i/n` runs the i-th of n, `noether merge` puts them together.

Each part knows the whole plan, and keeps it, so that merging runs nothing and needs no case file. Whether
everything was shown that a run must show is judged of the whole. Where one cell was run twice, both must have
found the same to the bit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from noether.runs import completeness
from noether.runs.conclusion import conclude
from noether.runs.costs import cost
from noether.runs.engine import LAST_BITS, told
from noether.runs.folder import Folder
from noether.runs.records_file import line
from noether.runs.result import Result
from noether.runs.saved_run import Run, read_run
from noether.system.usage import UsageError
from noether.verdicts import exit_codes
from noether.verdicts.known import Known
from noether.verdicts.record import Record

FATE = ("seconds", "replay")  # of a record: what two runs of one cell may differ in


def parsed(word: str | None) -> tuple[int, int] | None:
    """The words of --shard, "2/3", as (2, 3). Raises UsageError."""
    if word is None:
        return None
    first, mark, second = word.partition("/")
    if not (
        mark
        and first.isascii()
        and first.isdecimal()
        and second.isascii()
        and second.isdecimal()
        and len(word) < 16
    ):
        raise UsageError(f"--shard is {word!r}, must be i/n, as 2/3: the second of three parts")
    i, n = int(first), int(second)
    if not 1 <= i <= n:
        raise UsageError(f"--shard is {word!r}: i must be from 1 to n")
    return i, n


def part(plan, shard: tuple[int, int] | None):
    """The plan with the cells of one part: dealt out from the longest on, so that parts take as long as each
    other."""
    if shard is None:
        return plan
    i, n = shard
    dealt = sorted(plan.cells, key=lambda c: (-cost(c), c.name))[i - 1 :: n]
    if not dealt:
        raise UsageError(
            f"--shard is {i}/{n}, and the run has {len(plan.cells)} cells: n must be at most that"
        )
    note = (
        f"this is part {i} of {n}, {len(dealt)} of {len(plan.cells)} cells; noether merge says whether all "
        "was shown"
    )
    return replace(plan, cells=dealt, whole=plan.cells, notes=[*plan.notes, note])


def about(plan, word: str) -> dict:
    """The fields that run.json of a part has beside the usual ones."""
    if not word:
        return {}
    return {
        "shard": word,
        "asked": sorted(plan.selection.asked),
        "plan": [asdict(completeness.planned(c)) for c in plan.whole],
    }


def digest(records: list[Record]) -> str:
    """The checksum of what a cell found, equal whenever and wherever the cell is run."""
    told = [line({k: v for k, v in r.as_dict().items() if k not in FATE}) for r in records]
    return hashlib.sha256("".join(sorted(told)).encode()).hexdigest()


def read(paths: list[Path]) -> list[Run]:
    """Read the parts, which must be of one run and one set of versions. Raises UsageError naming what
    differs."""
    runs = [read_run(path) for path in paths]
    for run in runs:
        if not run.about.get("shard"):
            raise UsageError(f"{run.path} is no part of a run: it was not made with --shard")
        parsed(run.about["shard"])
        for name in ("arguments", "versions", "backend", "seed", "laws", "left_out", "asked", "plan"):
            if run.about.get(name) != runs[0].about.get(name):
                shown = "" if name == "plan" else f": {runs[0].about.get(name)!r} and {run.about.get(name)!r}"
                raise UsageError(
                    f"{runs[0].path} and {run.path} are not of one run: they differ in {name}{shown}"
                )
        if run.about["shard"].partition("/")[2] != runs[0].about["shard"].partition("/")[2]:
            raise UsageError(
                f"{runs[0].path} is part {runs[0].about['shard']} and {run.path} part {run.about['shard']}: "
                "n must be the same"
            )
    return runs


def collected(runs: list[Run]) -> tuple[dict[str, list[Record]], dict[str, str], dict[str, str]]:
    """Records of each cell that is done in some part; cells that two parts found otherwise; cells that are
    missing, with why."""
    cells: dict[str, list[Record]] = {}
    origin: dict[str, Path] = {}
    apart: dict[str, str] = {}
    for run in runs:
        by_cell: dict[str, list[Record]] = {name: [] for name in run.cells}
        for record in run.records:
            by_cell.setdefault(record.cell, []).append(record)
        for name, records in by_cell.items():
            if run.cells.get(name) != len(records):
                continue  # cut off
            if name in cells and digest(cells[name]) != digest(records):
                apart[name] = f"{origin[name]} and {run.path} found different numbers in it"
            cells.setdefault(name, records)
            origin.setdefault(name, run.path)
    told = {name: text for run in runs for name, text in run.errors.items()}
    planned = [entry["name"] for entry in runs[0].about["plan"]]
    missing = {name: told.get(name, "no part has it") for name in planned if name not in cells}
    return cells, apart, missing


def merge(
    paths: list[Path], out: Path | None = None, *, strict: bool = False, known: Sequence[Known] = ()
) -> Result:
    """The Result of all parts together, kept as a run folder of its own. Raises UsageError.

    known  violations that are known and do not count; those of the parts do not matter
    """
    runs = read(paths)
    first = runs[0].about
    cells, apart, missing = collected(runs)
    everything = [r for records in cells.values() for r in records]
    laws, left_out = tuple(first["laws"]), tuple(first["left_out"])
    result = Result(everything, [], exit_codes.UNDECIDED, laws, left_out, lost={**missing, **apart})
    result.seconds = sum(float(run.about.get("seconds") or 0) for run in runs)
    result.cells = len(first["plan"])
    machines = {told(run.about["machine"].get("instructions") or {}) for run in runs}
    if len(machines) > 1:
        result.notes = [f"the parts ran on processors with other instructions than each other: {LAST_BITS}"]
    folder = Folder.create(out, {**merged(runs), "strict": strict})
    result.folder = folder.path
    for name, records in cells.items():
        folder.record(name, records, sum(r.seconds or 0 for r in records))
    for name, text in result.lost.items():
        folder.record_error(name, text)
    planned = [completeness.Planned(**entry) for entry in first["plan"]]
    conclude(result, planned, frozenset(first["asked"]), folder, strict=strict, known=known)
    return result


def merged(runs: list[Run]) -> dict:
    """What run.json of the whole says of its parts."""
    first = runs[0].about
    kept = {name: first[name] for name in ("arguments", "seed", "backend", "laws", "left_out", "versions")}
    parts = [
        {"shard": run.about["shard"], "path": str(run.path), "machine": run.about["machine"]} for run in runs
    ]
    return {**kept, "cells": len(first["plan"]), "merged": parts}
