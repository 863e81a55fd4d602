"""The file records.jsonl: strict JSON, one verdict a line, read back with a check of every line.

JSON has no infinity: non-finite numbers travel as the strings "nan", "inf", "-inf" in the fields that hold
numbers, and come back as floats. A last line without its newline is what a killed run leaves: it is dropped
with a note. Anything else that does not parse, or whose check (harness/system/seal.py) is not that of its
content, is damage and is refused.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field, fields
from pathlib import Path

from noether.system import seal
from noether.system.fields import (
    NAME,
    NONFINITE,
    NUMBER,
    OBJECT,
    TEXT,
    Kind,
    check,
    is_hex,
    object_of,
    one_of,
    whole,
)
from noether.system.strict_reading import first_line, loads, read_bytes, shortened
from noether.system.usage import UsageError
from noether.verdicts.record import SCHEMA, VERDICTS, Record

NUMBERS = ("predicted", "measured", "bound", "spent", "seconds", "parameters", "data", "powers")
FIELDS = {f.name: f for f in fields(Record)}
WHERE = ("schema", "law", "case", "rule", "backend", "precision", "lanes", "steps", "parameters")
FOUND = ("predicted", "measured", "bound", "spent", "verdict", "reason", "worst", "replay", "seconds")
REQUIRED = (*WHERE, *FOUND)
COUNT, REAL = whole(0, 2**31), NUMBER.or_null
KINDS = {
    **{"schema": whole(1, SCHEMA), "law": NAME, "case": NAME, "rule": NAME, "backend": NAME},
    **{"precision": NAME, "lanes": COUNT, "steps": COUNT, "parameters": OBJECT, "predicted": REAL},
    **{"measured": REAL, "bound": REAL, "spent": REAL, "verdict": one_of(*VERDICTS), "reason": TEXT},
    **{"kind": NAME, "symmetry": NAME.or_null, "worst": OBJECT.or_null, "replay": TEXT.or_null},
    **{"seconds": NUMBER, "fault": NAME.or_null, "cell": NAME, "data": OBJECT, "powers": object_of(NUMBER)},
}
KINDS = {name: kind if name in REQUIRED else kind.optional for name, kind in KINDS.items()}
PLACE = whole(0, 2**31).or_null
HEXES = Kind(
    "a hex float or a list of them", lambda x: is_hex(x) or isinstance(x, list) and all(map(is_hex, x))
)


def plain(value):
    """A value of a record as strict JSON: numpy scalars and arrays become numbers and lists."""
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
    """A value as a line of strict JSON."""
    return json.dumps(plain(value), allow_nan=False, separators=(",", ":")) + "\n"


def sealed_lines(values: list[dict]) -> tuple[str, list[str]]:
    """Lines with a checksum added to each, and the checksums."""
    lines = [seal.sealed(line(value)) for value in values]
    return "".join(lines), [seal.check_of(text) for text in lines]


def chained_line(value: dict, run: str, last: str) -> str:
    """A line that belongs behind the one with the check `last`, in this run alone."""
    return seal.sealed(line(value), run, last)


def parse(text: str) -> Record:
    """The Record that a line holds. Raises ValueError saying what is wrong with it."""
    value = loads(text)
    schema = value.get("schema") if isinstance(value, dict) else None
    if isinstance(schema, int) and schema > SCHEMA:
        raise ValueError(newer(schema))
    if isinstance(schema, int) and schema < 3 and "control" in value:
        value["fault"] = value.pop("control")
    check(value, KINDS)
    for name, x in (value["worst"] or {}).items():
        place = name in ("lane", "step", "component")
        if not (PLACE if place else HEXES).fits(x):
            raise ValueError(
                f"worst: {name} is {shortened(repr(x))}, must be {(PLACE if place else HEXES).must}"
            )
    # Fields that a later version added under the same schema are left out, not refused.
    return Record(
        **{name: restored(v) if name in NUMBERS else v for name, v in value.items() if name in FIELDS}
    )


def newer(schema: int) -> str:
    """Why a file of a later schema is not read."""
    return f"schema is {schema}, this noether reads up to {SCHEMA}: use the version that wrote it"


@dataclass
class Lines:
    """What a file of lines holds, with one check a line; no checks where they were written without."""

    found: list
    note: str = ""
    checks: list[str] = field(default_factory=list)


def read_lines(path: Path, what, *, sealed: bool = True, run: str | None = None) -> Lines:
    """What what(text) gives for every line, and a note when an unfinished last line was dropped. Raises
    UsageError.

    sealed  whether each line must end in its check;  run  whose lines they must be, where they are chained
    """
    *lines, rest = read_bytes(path, str(path), missing="does not exist: the run is incomplete").split(b"\n")
    out = Lines([], f"{path} ends in an unfinished line of {len(rest)} bytes: dropped" if rest else "")
    for number, raw in enumerate(lines, 1):
        try:
            text = raw.decode("utf-8")
            if sealed:
                beside = () if run is None else (run, out.checks[-1] if out.checks else "")
                out.checks.append(check_of(text, beside))
            out.found.append(what(text))
        except (ValueError, TypeError) as error:
            raise UsageError(f"{path} line {number} is corrupt: {first_line(error)}") from None
    return out


def check_of(text: str, beside: tuple[str, ...]) -> str:
    """The check of a line. Raises ValueError where it is not that of its content."""
    try:
        own = seal.verified(text, *beside)
    except ValueError:
        loads(text)  # what is no JSON at all is told as that
        raise ValueError(
            "its check is not that of its content" + (", its place and its run" if beside else "")
        ) from None
    if own is None:
        loads(text)
        raise ValueError("it has no check")
    return own


def read_records(path: Path, *, sealed: bool = True) -> Lines:
    """The records of a file. Raises UsageError."""
    return read_lines(path, parse, sealed=sealed)
