"""The run folder runs/NAME/: run.json, records.jsonl, cells.jsonl, junit.xml, report.html.

run.json        schema, id, versions, machine, seed, arguments, start, end, exit code, how many records
records.jsonl   one verdict a line, on disk as soon as its cell is done
cells.jsonl     one line for each cell that is done: its name and how many records it has. A cell whose count
                disagrees with records.jsonl was cut off and is run again when the run is resumed.
Each line, and run.json, ends in a check: a line that was damaged, lost, doubled, moved or taken from another
run is found (harness/system/seal.py).
lock            held while a process writes; a lock whose process died is free
"""

from __future__ import annotations

import datetime
import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from noether.runs import run_json as about
from noether.runs.records_file import Lines, chained_line, read_lines, read_records, sealed_lines
from noether.system import seal
from noether.system.fields import NAME, NUMBER, TEXT, check, whole
from noether.system.files import UNFINISHED, Appender, Place
from noether.system.lock import Lock
from noether.system.machine import machine, versions
from noether.system.strict_reading import kind_of, loads
from noether.system.usage import UsageError
from noether.verdicts.record import SCHEMA, Record

RUNS = Path("runs")


def now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


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


CELL = {
    "cell": NAME,
    "records": whole(),
    "digest": TEXT.optional,
    "seconds": NUMBER.optional,
    "error": TEXT.optional,
}


def read_run(path: Path, *, repair: bool = False) -> Run:
    """Read a whole run: the records of the cells that are done. Raises UsageError where some of them are not
    as they were written.

    repair  such cells are left out instead, as those that were cut off are
    """
    path = Path(path)
    said = read_about(path)
    is_sealed = said["schema"] > 1
    records = read_records(path / "records.jsonl", sealed=is_sealed)
    cells = (
        read_lines(path / "cells.jsonl", cell_line, sealed=is_sealed, run=said.get("id"))
        if kind_of(path / "cells.jsonl", str(path))
        else Lines([])
    )
    run = Run(path, said, records.found, notes=[note for note in (records.note, cells.note) if note])
    run.notes += (
        [] if is_sealed else [f"{path} was written before records had checks: damage to it may not be seen"]
    )
    counted = said.get("records")
    if not repair and counted is not None and counted != len(run.records):
        raise UsageError(
            f"{path}/records.jsonl has {len(run.records)} records, run.json counted {counted}: "
            f"{AGAIN.format(path)}"
        )
    last = cells.checks[-1] if cells.checks else ""
    if not repair and is_sealed and said.get("last", last) != last:
        raise UsageError(f"{path}/cells.jsonl ends in another line than run.json says: {AGAIN.format(path)}")
    for entry in cells.found:
        if "error" in entry:
            run.errors[entry["cell"]] = entry["error"]
        else:
            run.cells[entry["cell"]] = entry["records"]
            run.seconds |= {entry["cell"]: entry["seconds"]} if "seconds" in entry else {}
    if is_sealed:
        keep_whole(run, records.checks, {entry["cell"]: entry.get("digest") for entry in cells.found}, repair)
    return run


AGAIN = "the file was cut; noether verify --resume {} runs the rest again"


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
    return check(loads(text), CELL)


def newest() -> Path:
    """The run folder that started last. Raises UsageError when there is none."""
    found = [p.parent for p in RUNS.glob("*/run.json")] if RUNS.is_dir() else []
    if not found:
        raise UsageError(f"{RUNS}/ has no run: name a run folder, or run noether verify first")
    return max(found, key=lambda p: (p / "run.json").stat().st_mtime)


class Folder:
    """A run folder that this process writes. Made by `create` or `reopen`; both raise UsageError before any
    work.

    Every write raises OSError with nothing half-written, Replaced where another folder is in its place.
    """

    def __init__(self, lock: Lock, said: dict, texts: dict[str, str], last: str = ""):
        """texts: files that are put in place together with run.json; last: the check of the last line of
        cells.jsonl."""
        self.path, self.about, self._lock = lock.path, said, lock
        self.count, self._last, self._open = 0, last, []
        try:
            lock.place.write({**texts, "run.json": about.text(said)})
            for name in ("records.jsonl", "cells.jsonl"):
                self._open.append(Appender(lock.place, name))
            lock.place.synced()
        except OSError as error:
            self.close()
            raise UsageError(f"run folder {self.path} cannot be written: {error.strerror or error}") from None
        self._records, self._cells = self._open

    @classmethod
    def create(cls, out: Path | None, said: dict) -> Folder:
        path = Path(out) if out is not None else unused()
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"run folder {path} cannot be made: {error.strerror or error}") from None
        lock = Lock(path)
        if {"run.json", "records.jsonl", "cells.jsonl"} & set(lock.place.names()):
            lock.release()
            raise UsageError(
                f"run folder {path} already holds a run: choose another --out, or go on with --resume {path}"
            )
        head = {"schema": SCHEMA, "id": secrets.token_hex(8), "pid": os.getpid(), "versions": versions(),
            "machine": machine(),
                "cwd": os.getcwd(), "start": now(), "end": None, "exit_code": None,
                "records": None}  # fmt: skip
        return cls(lock, {**head, **said}, {})

    @classmethod
    def reopen(cls, path: Path, allowed: Callable[[dict], None] = lambda said: None) -> tuple[Folder, Run]:
        """Go on with a run: records of unfinished cells are dropped, whole cells are kept.

        allowed   raises UsageError where run.json says what cannot be gone on with
        Nothing is written before all is known to be well; then it is looked at again, under the lock.
        """
        path = Path(path)
        resumable(path, allowed)
        lock = Lock(path)
        try:
            run = resumable(path, allowed)
            texts, last = whole_cells(run)
            said = {name: value for name, value in run.about.items() if name != "last"}
            said = {
                **said,
                "pid": os.getpid(),
                "end": None,
                "exit_code": None,
                "records": None,
                "resumed": [*said.get("resumed", []), now()],
            }
            clear(lock.place)
        except BaseException:
            lock.release()
            raise
        folder = cls(lock, said, texts, last)
        folder.count = len(run.records)
        return folder, run

    def write_about(self) -> None:
        self._lock.check()
        self._lock.place.write({"run.json": about.text(self.about)})

    def record(self, cell: str, records: list[Record], seconds: float) -> None:
        """Keep the records of one finished cell."""
        self._lock.check()
        text, checks = sealed_lines([r.as_dict() for r in records])
        self._records.append(text)
        self._line({**cell_done(self.about["id"], cell, checks), "seconds": round(seconds, 3)})
        self.count += len(records)

    def record_error(self, cell: str, text: str) -> None:
        self._lock.check()
        self._line({"cell": cell, "records": 0, "error": text})

    def _line(self, value: dict) -> None:
        text = chained_line(value, self.about["id"], self._last)
        self._cells.append(text)
        self._last = seal.check_of(text)

    def finish(self, exit_code: int) -> None:
        self.about.update(end=now(), exit_code=exit_code, records=self.count, last=self._last)
        self.write_about()

    def close(self) -> None:
        for file in self._open:
            file.close()
        self._open = []
        self._lock.release()


def resumable(path: Path, allowed: Callable[[dict], None]) -> Run:
    """What is kept of a run that is resumed. Raises UsageError; writes nothing."""
    said = read_about(path)
    if said["schema"] < SCHEMA:
        raise UsageError(f"run folder {path} is of an older noether: use the version that wrote it")
    allowed(said)
    return read_run(path, repair=True)


def whole_cells(run: Run) -> tuple[dict[str, str], str]:
    """The texts of records.jsonl and cells.jsonl with the cells that are done, and the check of the last
    line."""
    last, cells = "", []
    for name in run.cells:
        _, checks = sealed_lines([r.as_dict() for r in run.records if r.cell == name])
        done = {
            **cell_done(run.about["id"], name, checks),
            **({"seconds": run.seconds[name]} if name in run.seconds else {}),
        }
        cells.append(chained_line(done, run.about["id"], last))
        last = seal.check_of(cells[-1])
    return {
        "records.jsonl": sealed_lines([r.as_dict() for r in run.records])[0],
        "cells.jsonl": "".join(cells),
    }, last


def clear(place: Place) -> None:
    """Remove drafts that a killed process left unfinished."""
    for name in place.names():
        if name.startswith(UNFINISHED):
            with suppress(OSError):
                place.unlink(name)


def unused() -> Path:
    stem = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
    names = (RUNS / (stem if n == 1 else f"{stem}-{n}") for n in range(1, 1000))
    return next(p for p in names if not p.exists())
