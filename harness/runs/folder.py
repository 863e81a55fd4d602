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
from pathlib import Path

from noether.runs import run_json as about
from noether.runs.records_file import chained_line, sealed_lines
from noether.runs.saved_run import RUNS, Run, cell_done, read_about, read_run
from noether.system import seal
from noether.system.files import UNFINISHED, Appender, Place
from noether.system.lock import Lock
from noether.system.machine import machine, versions
from noether.system.outside import printable
from noether.system.usage import UsageError
from noether.verdicts.record import SCHEMA, Record

OPEN = {"end": None, "exit_code": None, "records": None}
"""What run.json says of a run that has not ended."""


def now() -> str:
    """This moment in UTC, to the second, as ISO 8601 writes it."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


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
        """A new run in the folder `out`, or in one of its own in runs/; `said` goes into run.json."""
        path = Path(out) if out is not None else unused()
        try:
            path.mkdir(parents=True, exist_ok=True)
        except (OSError, ValueError) as error:  # ValueError: of a path with a null in it
            told = getattr(error, "strerror", None) or error
            raise UsageError(f"run folder {printable(str(path))} cannot be made: {told}") from None
        lock = Lock(path)
        if {"run.json", "records.jsonl", "cells.jsonl"} & set(lock.place.names()):
            lock.release()
            raise UsageError(
                f"run folder {path} already holds a run: choose another --out, or go on with --resume {path}"
            )
        known = {"schema": SCHEMA, "id": secrets.token_hex(8), "pid": os.getpid(), "versions": versions()}
        head = {**known, "machine": machine(), "cwd": os.getcwd(), "start": now(), **OPEN}
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
            said |= {"pid": os.getpid(), **OPEN, "resumed": [*said.get("resumed", []), now()]}
            clear(lock.place)
        except BaseException:
            lock.release()
            raise
        folder = cls(lock, said, texts, last)
        folder.count = len(run.records)
        return folder, run

    def write_about(self) -> None:
        """Write run.json again."""
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
        """Keep what went wrong inside a cell, which has no records then."""
        self._lock.check()
        self._line({"cell": cell, "records": 0, "error": text})

    def _line(self, value: dict) -> None:
        text = chained_line(value, self.about["id"], self._last)
        self._cells.append(text)
        self._last = seal.check_of(text)

    def finish(self, exit_code: int) -> None:
        """Write the end of the run, its exit code and what its files must hold."""
        self.about.update(end=now(), exit_code=exit_code, records=self.count, last=self._last)
        self.write_about()

    def close(self) -> None:
        """Close the files and give the lock back."""
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
        done = cell_done(run.about["id"], name, checks)
        done |= {"seconds": run.seconds[name]} if name in run.seconds else {}
        cells.append(chained_line(done, run.about["id"], last))
        last = seal.check_of(cells[-1])
    text, _ = sealed_lines([r.as_dict() for r in run.records])
    return {"records.jsonl": text, "cells.jsonl": "".join(cells)}, last


def clear(place: Place) -> None:
    """Remove drafts that a killed process left unfinished."""
    for name in place.names():
        if name.startswith(UNFINISHED):
            with suppress(OSError):
                place.unlink(name)


def unused() -> Path:
    """A folder of runs/ that is not there yet, named by the time."""
    stem = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
    names = (RUNS / (stem if n == 1 else f"{stem}-{n}") for n in range(1, 1000))
    return next(p for p in names if not p.exists())
