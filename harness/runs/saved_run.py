"""A run folder as it is read back: run.json, the records of the cells that are done, and what is wrong with
them.

What stands in which file is told in folder.py, which writes them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from noether.runs import run_json as about
from noether.runs.records_file import Lines, read_lines, read_records
from noether.system import seal
from noether.system.fields import NAME, NUMBER, TEXT, check, whole
from noether.system.strict_reading import kind_of, loads
from noether.system.usage import UsageError
from noether.verdicts.record import Record

RUNS = Path("runs")
AGAIN = "the file was cut; noether verify --resume {} runs the rest again"
CELL = {"cell": NAME, "records": whole(), "digest": TEXT.optional, "seconds": NUMBER.optional}
CELL |= {"error": TEXT.optional}
"""The fields of a line of cells.jsonl."""


@dataclass
class Run:
    """What a run folder contains."""

    path: Path
    about: dict
    records: list[Record]
    cells: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def read_about(path: Path) -> dict:
    """Read run.json. Raises UsageError."""
    there = kind_of(path, f"run {path}")
    if there != "a folder":
        known = sorted(p.name for p in RUNS.iterdir() if p.is_dir()) if RUNS.is_dir() else []
        others = f"; {RUNS}/ has {', '.join(known[-5:])}" if known else ""
        raise UsageError(
            f"run {path} is {f'{there}, must be a run folder' if there else 'not there'}{others}"
        )
    if not kind_of(path / "run.json", f"run {path}"):
        raise UsageError(f"{path} has no run.json: it is no run folder")
    return about.read(path / "run.json")


def read_run(path: Path, *, repair: bool = False) -> Run:
    """Read a whole run: the records of the cells that are done. Raises UsageError where some of them are not
    as they were written.

    repair  such cells are left out instead, as those that were cut off are
    """
    path = Path(path)
    said = read_about(path)
    is_sealed = said["schema"] > 1
    records = read_records(path / "records.jsonl", sealed=is_sealed)
    cells = Lines([])
    if kind_of(path / "cells.jsonl", str(path)):
        cells = read_lines(path / "cells.jsonl", cell_line, sealed=is_sealed, run=said.get("id"))
    run = Run(path, said, records.found, notes=[note for note in (records.note, cells.note) if note])
    if not is_sealed:
        run.notes.append(f"{path} was written before records had checks: damage to it may not be seen")
    if not repair:
        check_complete(run, cells, is_sealed)
    for entry in cells.found:
        if "error" in entry:
            run.errors[entry["cell"]] = entry["error"]
        else:
            run.cells[entry["cell"]] = entry["records"]
            run.seconds |= {entry["cell"]: entry["seconds"]} if "seconds" in entry else {}
    if is_sealed:
        keep_whole(run, records.checks, {entry["cell"]: entry.get("digest") for entry in cells.found}, repair)
    return run


def check_complete(run: Run, cells: Lines, is_sealed: bool) -> None:
    """Raises UsageError where a file ends before what run.json says of it."""
    path, counted = run.path, run.about.get("records")
    if counted is not None and counted != len(run.records):
        raise UsageError(
            f"{path}/records.jsonl has {len(run.records)} records, run.json counted {counted}: "
            f"{AGAIN.format(path)}"
        )
    last = cells.checks[-1] if cells.checks else ""
    if is_sealed and run.about.get("last", last) != last:
        raise UsageError(f"{path}/cells.jsonl ends in another line than run.json says: {AGAIN.format(path)}")


def keep_whole(run: Run, checks: list[str], digests: dict[str, str | None], repair: bool) -> None:
    """Keep the records of cells that are done. Raises UsageError where they are not those that the cell gave.

    A line of cells.jsonl is written when the records of its cell are on disk: fewer were cut off, others were
    put there.
    """
    mine: dict[str, list[str]] = {}
    for record, own in zip(run.records, checks, strict=True):
        mine.setdefault(record.cell, []).append(own)
    for name, count in list(run.cells.items()):
        found = mine.get(name, [])
        if digest(run.about["id"], found) == digests[name] and len(found) == count:
            continue
        if not repair and len(found) >= count:
            raise UsageError(
                f"{run.path}/records.jsonl: the records of cell {name} are not those that it gave: lines "
                "were changed, doubled or moved"
            )
        del run.cells[name]
    kept = [r for r in run.records if r.cell in run.cells]
    order = [name for name, _ in groupby(r.cell for r in kept)]
    if not repair and order != [name for name, count in run.cells.items() if count]:
        raise UsageError(
            f"{run.path}/records.jsonl: records do not stand in the order of cells.jsonl: lines were moved"
        )
    if len(kept) < len(run.records):
        cut = sorted({r.cell for r in run.records} - set(run.cells))
        run.notes.append(
            f"{len(cut)} cells were cut off{' and are run again' if repair else ''}: "
            f"{', '.join(cut[:3])}{' ...' if len(cut) > 3 else ''}"
        )
    run.records = kept


def digest(run: str, checks: list[str]) -> str:
    """The checksum of the records of one cell, in their order, in this run."""
    return seal.of("\n".join(checks), run)


def cell_done(run: str, cell: str, checks: list[str]) -> dict:
    """What cells.jsonl says of a cell that is done."""
    return {"cell": cell, "records": len(checks), "digest": digest(run, checks)}


def cell_line(text: str) -> dict:
    """What a line of cells.jsonl holds. Raises ValueError, TypeError."""
    return check(loads(text), CELL)


def newest() -> Path:
    """The run folder that started last. Raises UsageError when there is none."""
    found = [p.parent for p in RUNS.glob("*/run.json")] if RUNS.is_dir() else []
    if not found:
        raise UsageError(f"{RUNS}/ has no run: name a run folder, or run noether verify first")
    return max(found, key=lambda p: (p / "run.json").stat().st_mtime)
