"""records.jsonl: strict JSON, one verdict a line, and reading it back whatever happened to it.

JSON has no infinity: non-finite numbers travel as the strings "nan", "inf", "-inf" in the fields that hold
numbers, and come back as floats. A last line without its newline is what a killed run leaves: it is dropped with
a note. Anything else that does not parse is damage and is refused.
"""

from __future__ import annotations

import json
import math
import os
from contextlib import suppress
from dataclasses import fields
from pathlib import Path

from noether.usage import UsageError
from noether.verdicts import SCHEMA, Record

NONFINITE = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}
NUMBERS = ("predicted", "measured", "bound", "spent", "seconds", "parameters", "data", "powers")
FIELDS = {f.name: f for f in fields(Record)}
REQUIRED = ("schema", "law", "case", "rule", "backend", "precision", "lanes", "steps", "parameters", "predicted", "measured", "bound", "spent",
            "verdict", "reason", "worst", "replay", "seconds")  # fmt: skip
TEXT = ("law", "case", "rule", "backend", "precision", "verdict", "reason", "cell", "kind")


def plain(value):
    """A value of a record as strict JSON has it; numpy scalars and arrays become numbers and lists."""
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if hasattr(value, "tolist"):  # numpy
        value = value.tolist()
        if isinstance(value, list | bool | str):
            return plain(value)
    if isinstance(value, int):
        return value
    number = float(value)
    if math.isfinite(number):
        return number
    return "nan" if math.isnan(number) else "inf" if number > 0 else "-inf"


def restored(value):
    """The inverse of `plain` inside a field that holds numbers."""
    if isinstance(value, str):
        return NONFINITE.get(value, value)
    if isinstance(value, dict):
        return {k: restored(v) for k, v in value.items()}
    if isinstance(value, list):
        return [restored(v) for v in value]
    return value


def line(value: dict) -> str:
    return json.dumps(plain(value), allow_nan=False, separators=(",", ":")) + "\n"


def refuse_constant(word: str):
    raise ValueError(f"{word} is no JSON")


def strict(text: str):
    """json.loads that refuses NaN and Infinity. Raises ValueError."""
    try:
        return json.loads(text, parse_constant=refuse_constant)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def parse(text: str) -> Record:
    """One line as a Record. Raises ValueError saying what is wrong with it."""
    value = strict(text)
    if not isinstance(value, dict):
        raise ValueError(f"is a {type(value).__name__}, must be an object")
    schema = value.get("schema")
    if isinstance(schema, int) and schema > SCHEMA:
        raise ValueError(newer(schema))
    missing = [name for name in REQUIRED if name not in value]
    if missing:
        raise ValueError(f"has no {', '.join(missing)}")
    for name in TEXT:
        if not isinstance(value.get(name, ""), str):
            raise ValueError(f"{name} is {value[name]!r}, must be text")
    # Fields that a later version added under the same schema are left out, not refused.
    kept = {name: restored(v) if name in NUMBERS else v for name, v in value.items() if name in FIELDS}
    for name in ("predicted", "measured", "bound", "spent", "seconds"):
        if kept[name] is not None and (isinstance(kept[name], bool) or not isinstance(kept[name], int | float)):
            raise ValueError(f"{name} is {kept[name]!r}, must be a number or null")
    for name in ("parameters", "data", "powers", "worst"):
        if not isinstance(kept.get(name, {}), dict) and not (name == "worst" and kept[name] is None):
            raise ValueError(f"{name} is {kept[name]!r}, must be an object")
    return Record(**kept)


def newer(schema: int) -> str:
    return f"schema is {schema}, this noether reads up to {SCHEMA}: use the version that wrote it"


def read_lines(path: Path, what) -> tuple[list, str]:
    """what(text) of every line, and a note when an unfinished last line was dropped. Raises UsageError."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise UsageError(f"{path} does not exist: the run is incomplete") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    *whole, rest = raw.split(b"\n")
    found = []
    for number, text in enumerate(whole, 1):
        try:
            found.append(what(text.decode("utf-8")))
        except (ValueError, TypeError) as error:
            raise UsageError(f"{path} line {number} is corrupt: {str(error).splitlines()[0]}") from None
    note = f"{path} ends in an unfinished line of {len(rest)} bytes: dropped" if rest else ""
    return found, note


def read_records(path: Path) -> tuple[list[Record], str]:
    return read_lines(path, parse)


class Appender:
    """A file to which whole lines are appended; each append is on disk when it returns.

    A write that fails (disk full) is taken back, so that the file ends in a whole line, and raises OSError.
    """

    def __init__(self, path: Path):
        self.path = path
        self.fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)

    def append(self, text: str) -> None:
        if not text:
            return
        before, data = os.fstat(self.fd).st_size, memoryview(text.encode("utf-8"))
        try:
            while data:
                data = data[os.write(self.fd, data) :]
            os.fsync(self.fd)
        except OSError:
            with suppress(OSError):  # a device cannot be cut; what is told is why the write failed
                os.ftruncate(self.fd, before)
            raise

    def close(self) -> None:
        os.close(self.fd)


def write_whole(path: Path, text: str) -> None:
    """Replace a file at once: a reader sees the old text or the new one, never half."""
    new = path.with_name(path.name + ".new")
    try:
        with open(new, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, path)
    except OSError:
        new.unlink(missing_ok=True)
        raise
