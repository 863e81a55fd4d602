"""A run folder: runs/<name>/ with run.json, records.jsonl, cells.jsonl, junit.xml, report.html.

    run.json        schema, versions, machine, seed, arguments, start, end, exit code, how many records
    records.jsonl   one verdict a line, on disk as soon as its cell is done
    cells.jsonl     one line for each cell that is done: its name and how many records it has. A cell whose count
                    disagrees with records.jsonl was cut off and is run again when the run is resumed.
    lock            held while a process writes; a lock whose process died is free (flock)
"""

from __future__ import annotations

import datetime
import fcntl
import json
import os
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from noether.machine import machine, versions
from noether.records import Appender, line, newer, plain, read_lines, read_records, strict, write_whole
from noether.usage import UsageError
from noether.verdicts import SCHEMA, Record

RUNS = Path("runs")


def now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


@dataclass
class Run:
    """What a run folder says."""

    path: Path
    about: dict
    records: list[Record]
    cells: dict[str, int] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def read_about(path: Path) -> dict:
    """run.json. Raises UsageError."""
    if not path.is_dir():
        known = sorted(p.name for p in RUNS.iterdir() if p.is_dir()) if RUNS.is_dir() else []
        there = f"; {RUNS}/ has {', '.join(known[-5:])}" if known else ""
        raise UsageError(f"run {path} is {'a file, must be a run folder' if path.exists() else 'not there'}{there}")
    file = path / "run.json"
    try:
        about = strict(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(f"{path} has no run.json: it is no run folder") from None
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise UsageError(f"{file} is corrupt: {str(error).splitlines()[0]}") from None
    schema = about.get("schema") if isinstance(about, dict) else None
    if not isinstance(schema, int) or isinstance(schema, bool):
        raise UsageError(f"{file} is corrupt: schema is {schema!r}, must be a whole number")
    if schema > SCHEMA:
        raise UsageError(f"{file}: {newer(schema)}")
    for name, kind in (("versions", dict), ("machine", dict), ("arguments", dict), ("laws", list)):
        if not isinstance(about.get(name), kind):
            raise UsageError(f"{file} is corrupt: {name} is {about.get(name)!r}, must be {'an object' if kind is dict else 'a list'}")
    return about


def read_run(path: Path, *, repair: bool = False) -> Run:
    """The whole run. Raises UsageError, also when a finished run has lost records, unless it is to be repaired."""
    path = Path(path)
    about = read_about(path)
    records, note = read_records(path / "records.jsonl")
    run = Run(path, about, records, notes=[note] if note else [])
    counted = about.get("records")
    if not repair and counted is not None and counted != len(records):
        raise UsageError(f"{path}/records.jsonl has {len(records)} records, run.json counted {counted}: the file was cut; --resume {path} runs the rest again")
    done, note = read_lines(path / "cells.jsonl", strict) if (path / "cells.jsonl").exists() else ([], "")
    run.notes += [note] if note else []
    for entry in done:
        if not isinstance(entry, dict) or not isinstance(entry.get("cell"), str):
            raise UsageError(f"{path}/cells.jsonl is corrupt: {str(entry)[:60]!r} names no cell")
        if "error" in entry:
            run.errors[entry["cell"]] = str(entry["error"])
        else:
            run.cells[entry["cell"]] = entry.get("records")
    return run


def newest() -> Path:
    """The run folder that started last. Raises UsageError when there is none."""
    found = [p.parent for p in RUNS.glob("*/run.json")] if RUNS.is_dir() else []
    if not found:
        raise UsageError(f"{RUNS}/ has no run: name a run folder, or run noether verify first")
    return max(found, key=lambda p: (p / "run.json").stat().st_mtime)


class Folder:
    """A run folder that this process writes. Made by `create` or `reopen`; both raise UsageError before any work."""

    def __init__(self, path: Path, about: dict, lock: int):
        self.path, self.about, self._lock = path, about, lock
        self.count = 0
        try:
            self._records, self._cells = Appender(path / "records.jsonl"), Appender(path / "cells.jsonl")
            self.write_about()
        except OSError as error:
            raise UsageError(f"run folder {path} cannot be written: {error.strerror or error}") from None

    @classmethod
    def create(cls, out: Path | None, about: dict) -> Folder:
        path = Path(out) if out is not None else unused()
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"run folder {path} cannot be made: {error.strerror or error}") from None
        lock = acquire(path)
        if (path / "run.json").exists() or (path / "records.jsonl").exists():
            release(path, lock)
            raise UsageError(f"run folder {path} already holds a run: choose another --out, or go on with --resume {path}")
        head = {"schema": SCHEMA, "versions": versions(), "machine": machine(), "cwd": os.getcwd(), "start": now(), "end": None, "exit_code": None, "records": None}
        return cls(path, {**head, **about}, lock)

    @classmethod
    def reopen(cls, path: Path) -> tuple[Folder, Run]:
        """Go on with a run: records of unfinished cells are dropped, whole cells are kept."""
        read_about(path)
        lock = acquire(path)
        try:
            run = read_run(path, repair=True)
            sizes: dict[str, int] = {}
            for r in run.records:
                sizes[r.cell] = sizes.get(r.cell, 0) + 1
            run.cells = {name: n for name, n in run.cells.items() if sizes.get(name, 0) == n}
            kept = [r for r in run.records if r.cell in run.cells]
            if len(kept) < len(run.records):
                cut = sorted({r.cell for r in run.records} - set(run.cells))
                run.notes.append(f"{len(cut)} cells were cut off and are run again: {', '.join(cut[:3])}{' ...' if len(cut) > 3 else ''}")
            run.records = kept
            write_whole(path / "records.jsonl", "".join(line(r.as_dict()) for r in kept))
            write_whole(path / "cells.jsonl", "".join(line({"cell": c, "records": n}) for c, n in run.cells.items()))
            about = {**run.about, "end": None, "exit_code": None, "records": None, "resumed": [*run.about.get("resumed", []), now()]}
            folder = cls(path, about, lock)
            folder.count = len(kept)
            return folder, run
        except OSError as error:
            release(path, lock)
            raise UsageError(f"run folder {path} cannot be written: {error.strerror or error}") from None
        except UsageError:
            release(path, lock)
            raise

    def write_about(self) -> None:
        write_whole(self.path / "run.json", json.dumps(plain(self.about), allow_nan=False, indent=1) + "\n")

    def record(self, cell: str, records: list[Record], seconds: float) -> None:
        """Keep the records of one finished cell. Raises OSError with nothing half-written."""
        self._records.append("".join(line(r.as_dict()) for r in records))
        self._cells.append(line({"cell": cell, "records": len(records), "seconds": round(seconds, 3)}))
        self.count += len(records)

    def record_error(self, cell: str, text: str) -> None:
        self._cells.append(line({"cell": cell, "records": 0, "error": text}))

    def finish(self, exit_code: int) -> None:
        self.about.update(end=now(), exit_code=exit_code, records=self.count)
        self.write_about()

    def close(self) -> None:
        self._records.close()
        self._cells.close()
        release(self.path, self._lock)


def unused() -> Path:
    stem = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
    names = (RUNS / (stem if n == 1 else f"{stem}-{n}") for n in range(1, 1000))
    return next(p for p in names if not p.exists())


def acquire(path: Path) -> int:
    """The lock of a run folder. The kernel frees it when its process dies, so a stale lock needs no guessing."""
    file = path / "lock"
    try:
        fd = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise UsageError(f"run folder {path} cannot be written: {error.strerror}") from None
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.stat(file).st_ino != os.fstat(fd).st_ino:  # freed and removed between open and lock
            raise BlockingIOError
    except OSError:
        holder = os.read(fd, 20).decode(errors="replace").strip() or "unknown"
        os.close(fd)
        raise UsageError(f"run folder {path} is being written by process {holder}: wait for it, or choose another --out") from None
    with suppress(OSError):  # a full disk is met, and told, by what is written next
        os.ftruncate(fd, 0)
        os.write(fd, str(os.getpid()).encode())
    return fd


def release(path: Path, fd: int) -> None:
    with suppress(FileNotFoundError):
        (path / "lock").unlink()
    os.close(fd)
