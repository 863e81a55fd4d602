"""Files that go with the package, in a working tree or in an installed wheel: docs/theory.md, baseline.json
and the schemas of records and runs."""

from __future__ import annotations

from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
IN_TREE = {
    "theory.md": "docs/theory.md",
    "baseline.json": "baseline.json",
    "record.schema.json": "docs/schema/record.schema.json",
    "run.schema.json": "docs/schema/run.schema.json",
}


def tree() -> Path | None:
    """The root of the working tree that this package is run from; None where it is installed."""
    is_source = HERE.name == "harness" and (HERE.parent / "pyproject.toml").is_file()
    return HERE.parent if is_source else None


def path(name: str) -> Path:
    """Where a file of IN_TREE is; setup.py copies them into the wheel. Raises KeyError for any other name."""
    there = IN_TREE[name]
    root = tree()
    return root / there if root else HERE / "data" / name
