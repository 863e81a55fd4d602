"""The page of the run folder and its records: each file, each field, from the schemas in docs/schema."""

from __future__ import annotations

import json
from pathlib import Path

from noether.labs.site.papers import paper, rows_of
from noether.runs import folder

PLACE = "reference/records.md"
SCHEMAS = (("A record", "schema/record.schema.json"), ("run.json", "schema/run.schema.json"))
"""What each of the schemas in docs/ is about."""
FIRST = """# The run folder and its records

A [run](../glossary.md) leaves a folder, `runs/` with the time as its name or what `--out` says. It is read by
`noether report`, `noether replay` and `noether laws RUN`, and by any tool that reads JSON lines:
[getting at the data](../data.md) shows how.
"""


def page(root: Path) -> str:
    """The page. Raises FileNotFoundError where a schema is gone."""
    _, *files = paper(folder.__doc__ or "", "../", is_code=True)
    parts = [FIRST, "## Files", *files]
    for title, place in SCHEMAS:
        schema = json.loads((root / "docs" / place).read_text(encoding="utf-8"))
        parts += [f"## {title}", section(schema), f"As a schema: [{Path(place).name}](../{place})."]
    return "\n\n".join(parts) + "\n"


def section(schema: dict) -> str:
    """What a schema says of the whole and of each field."""
    required = set(schema.get("required", ()))
    rows = [["field", "type", "what it is"]]
    for name, about in schema["properties"].items():
        optional = "" if name in required else " *May be absent.*"
        rows.append([f"`{name}`", kind(about), about.get("description", "") + optional])
    names = [["type", "what it is"]]
    names += [
        [name, about.get("description") or kind(about)] for name, about in schema.get("$defs", {}).items()
    ]
    return "\n\n".join(
        [schema.get("description", ""), rows_of(rows), *([rows_of(names)] if len(names) > 1 else [])]
    )


def kind(about: dict) -> str:
    """The type of a field in words."""
    choices = [kind(each) for each in (*about.get("anyOf", ()), *about.get("oneOf", ()))]
    if "const" in about or "enum" in about:
        choices += [f"`{json.dumps(each)}`" for each in about.get("enum", [about.get("const")])]
    if "$ref" in about:
        choices.append(about["$ref"].rpartition("/")[2])
    named = about.get("type", [])
    choices += [named] if isinstance(named, str) else named
    if "array" in choices and "items" in about:
        choices[choices.index("array")] = f"list of {kind(about['items'])}"
    return " or ".join(choices) or "any"
