"""The file run.json, in which a run says what it is: its fields, their kinds, and its checksum."""

from __future__ import annotations

import json
from pathlib import Path

from noether.runs.records_file import newer, plain
from noether.system import seal
from noether.system.fields import (
    FINITE,
    NAME,
    NUMBER,
    OBJECT,
    TEXT,
    TRUTH,
    check,
    list_of,
    object_of,
    one_of,
    whole,
)
from noether.system.strict_reading import first_line, read_json
from noether.system.usage import UsageError
from noether.verdicts import known
from noether.verdicts.record import SCHEMA

TEXTS, NAMES, COUNT, REAL = list_of(TEXT), list_of(NAME), whole().or_null.optional, FINITE.or_null.optional
WORD = NAME.or_null.optional
FIELDS = {
    **{"versions": object_of(TEXT.or_null), "machine": OBJECT, "arguments": OBJECT, "laws": NAMES},
    **{
        "command": one_of("verify", "faults", "fuzz", "watch").optional,
        "id": TEXT.optional,
        "pid": whole().optional,
    },
    **{"cwd": TEXT.optional, "start": TEXT.optional, "end": TEXT.or_null.optional},
    **{"exit_code": whole(0, 255).or_null.optional, "records": COUNT, "seed": whole().optional},
    **{"backend": WORD, "left_out": NAMES.optional, "cells": whole().optional, "strict": TRUTH.optional},
    **{"seconds": NUMBER.optional, "memory": COUNT, "errors": whole().optional, "blind": TEXTS.optional},
    **{"resumed": TEXTS.optional, "last": TEXT.optional, "shard": NAME.optional, "asked": NAMES.optional},
    **{"plan": list_of(OBJECT).optional, "merged": list_of(OBJECT).optional},
    "known": list_of(OBJECT).optional,
}
"""The fields of run.json, but for its schema and its checksum."""
PLANNED = {"name": TEXT, "backend": TEXT, "expected": object_of(TEXTS)}
"""The fields of a cell in the plan of a part."""
STANDING = {**known.FIELDS, "status": one_of(*known.STATUSES), "violations": whole()}
STANDING |= {"why": TEXT.optional}
"""The fields of a known violation that the run was judged with."""
FILES = object_of(TEXT).optional
ARGUMENTS = {
    "verify": {
        **{"cases": TEXTS.optional, "law": WORD, "rule": WORD, "precision": WORD, "backend": NAME.optional},
        **{"profile": NAME.optional, "seed": whole().optional, "eta": REAL, "beta": REAL, "decay": REAL},
        **{"eps": REAL, "steps": COUNT, "lanes": COUNT, "reference": TRUTH.optional, "files": FILES},
    },
    "faults": {"faults": TEXTS.optional, "profile": NAME.optional, "seed": whole().optional},
    "fuzz": {
        **{"cases": TEXTS.optional, "rules": NAMES.optional, "precisions": NAMES.optional},
        **{"plant": NAME.optional, "seconds": REAL, "batches": COUNT, "files": FILES},
    },
    "watch": {
        **{"model": TEXT.optional, "optimizers": NAMES.optional, "memory": COUNT, "budget": REAL},
        **{"every": COUNT, "sampled": list_of(whole()).or_null.optional},
    },
}
"""Command -> the fields of its arguments."""


def command(about: dict) -> str:
    """The command that made a run: verify, faults, fuzz or watch, which says so among its arguments."""
    return about.get("command") or about["arguments"].get("command") or "verify"


def text(about: dict) -> str:
    """The text of run.json."""
    kept = {name: value for name, value in plain(about).items() if name != seal.FIELD}
    return seal.sealed(json.dumps(kept, allow_nan=False, indent=1), indent=" ")


def read(file: Path) -> dict:
    """Read run.json of a run folder. Raises UsageError."""
    value, raw = read_json(file, str(file))
    schema = value.get("schema") if isinstance(value, dict) else None
    if not isinstance(schema, int) or isinstance(schema, bool) or schema < 1:
        raise UsageError(f"{file} is corrupt: schema is {schema!r}, must be a whole number from 1")
    if schema > SCHEMA:
        raise UsageError(f"{file}: {newer(schema)}")
    try:
        own = seal.verified(raw)
        if own is None and schema > 1:
            raise ValueError("it has no check")
        check(value, FIELDS)
        check(value["arguments"], ARGUMENTS[value.get("command", "verify")], "arguments: ")
        for entry in value.get("plan", ()):
            check(entry, PLANNED, "plan: ")
        for standing in value.get("known", ()):
            check(standing, STANDING, "known: ")
        if value.get("shard") and not {"plan", "asked", "left_out", "seed", "backend"} <= set(value):
            raise ValueError("it is a part of a run and does not say of which")
        if schema > 1 and "id" not in value:
            raise ValueError("it has no id")
    except ValueError as error:
        raise UsageError(f"{file} is corrupt: {first_line(error)}") from None
    value.pop(seal.FIELD, None)
    return value
