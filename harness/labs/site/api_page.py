"""The page of the Python interface: the public names of `noether`, from their docstrings."""

from __future__ import annotations

import sys
from inspect import isclass, ismodule
from pathlib import Path

PACKAGE = sys.modules[__name__.partition(".")[0]]  # a lab imports no public name
PLACE = "reference/api.md"
FIRST = """# Python

What `from noether import ...` gives. Everything else may move; [a case of your own](../own_case.md) is made
of the first of them, and [the records](records.md) say what a result holds.
"""


def page() -> str:
    """The page, which mkdocstrings fills."""
    parts = [FIRST]
    for name, module in PACKAGE.PUBLIC.items():
        path = f"{module}.{name}"
        inside = ["            heading_level: 2"]
        found = getattr(PACKAGE, name)
        if not ismodule(found):  # where it is written, not where it is asked for
            path = f"{found.__module__}.{found.__qualname__}"
        if isclass(found):
            inside.append("            filters: ['!^_']")
        if ismodule(found):
            inside.append(f"            members: [{', '.join(public(found))}]")
        parts.append("\n".join([f"::: {path}", "    options:", *(line[4:] for line in inside)]))
    return "\n\n".join(parts) + "\n"


def public(module) -> list[str]:
    """The names that a module makes itself and does not keep to itself, in their order."""
    return [
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", "") == module.__name__
    ]


def linked(folder: Path, root: Path) -> Path:
    """A folder in which a tool that reads source finds the package as it is imported, by links as those of
    `make build/import`."""
    package = folder / "noether"
    package.mkdir(parents=True)
    for path in (*(root / "harness").iterdir(), root / "kernels", root / "cases"):
        (package / path.name).symlink_to(path)
    return folder
