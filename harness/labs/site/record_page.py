"""The page of the run folder and its records: each file, each field."""

from __future__ import annotations

import json
from dataclasses import MISSING, fields
from pathlib import Path

from noether.labs.site.papers import paper, rows_of
from noether.runs import folder
from noether.verdicts import record
from noether.verdicts.record import SCHEMA, Record

PLACE = "reference/records.md"
FILE = "schema/record.schema.json"
FIRST = """# The run folder and its records

A [run](../glossary.md) leaves a folder, `runs/` with the time as its name or what `--out` says. It is read
by `noether report`, `noether replay` and `noether laws RUN`, and by any tool that reads JSON lines.
"""


def page(root: Path) -> str:
    """The page, from the docstrings of what writes them and from the schema where docs/ has one."""
    _, *files = paper(folder.__doc__ or "", "../", is_code=True)
    _, *verdicts = paper(record.__doc__ or "", "../", is_code=True)
    first, *meaning = paper(Record.__doc__ or "", "../", is_code=True)
    parts = [FIRST, "## Files", *files, "## Verdicts", *verdicts, "## Fields of a record", first, *meaning]
    schema = root / "docs" / FILE
    parts.append(
        from_schema(json.loads(schema.read_text(encoding="utf-8"))) if schema.is_file() else from_code()
    )
    return "\n\n".join(parts) + "\n"


def from_code() -> str:
    """The fields with their types, as they are declared."""
    rows = [["field", "type", "where it is left out"]]
    for field in fields(Record):
        default = "" if field.default is MISSING else f"`{field.default!r}`"
        rows.append([f"`{field.name}`", f"`{field.type}`", default])
    return f"Schema {SCHEMA}.\n\n" + rows_of(rows)


def from_schema(schema: dict) -> str:
    """The fields with what the schema says of each."""
    required = set(schema.get("required", ()))
    rows = [["field", "type", "what it is", ""]]
    for name, about in schema["properties"].items():
        optional = "" if name in required else "optional"
        rows.append([f"`{name}`", kind(about), about.get("description", ""), optional])
    told = f"Every line of `records.jsonl` obeys [{Path(FILE).name}](../{FILE})."
    return told + "\n\n" + rows_of(rows)


def kind(about: dict) -> str:
    """The type of a field in words."""
    choices = [kind(each) for each in (*about.get("anyOf", ()), *about.get("oneOf", ()))]
    if "const" in about or "enum" in about:
        choices += [f"`{json.dumps(each)}`" for each in about.get("enum", [about.get("const")])]
    named = about.get("type", [])
    return " or ".join([*choices, *([named] if isinstance(named, str) else named)]) or "any"
