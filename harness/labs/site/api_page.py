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


def places() -> list[str]:
    """Where each public name is written, not where it is asked for: noether.cases.case.Case."""
    found = [(getattr(PACKAGE, name), f"{module}.{name}") for name, module in PACKAGE.PUBLIC.items()]
    return [path if ismodule(x) else f"{x.__module__}.{x.__qualname__}" for x, path in found]


def page() -> str:
    """The page, which mkdocstrings fills."""
    parts = [FIRST]
    for name, path in zip(PACKAGE.PUBLIC, places(), strict=True):
        found = getattr(PACKAGE, name)
        options = ["        heading_level: 2"]
        if isclass(found):
            options.append("        filters: ['!^_']")
        if ismodule(found):
            options.append(f"        members: [{', '.join(public(found))}]")
        parts.append("\n".join([f"::: {path}", "    options:", *options]))
    return "\n\n".join(parts) + "\n"


def public(module) -> list[str]:
    """The names that a module makes itself and does not keep to itself, in their order."""
    return [
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", "") == module.__name__
    ]


def linked(folder: Path, root: Path) -> Path:
    """A folder in which a tool that reads source finds the public names where they are imported, by links
    like those of `make build/import`; rooms without a public name are left out: it would read them too."""
    package = folder / "noether"
    package.mkdir(parents=True)
    rooms = {"__init__.py", *(path.split(".")[1] for path in places())}
    for path in (*(root / "harness").iterdir(), root / "kernels", root / "cases"):
        if path.name in rooms:
            (package / path.name).symlink_to(path)
    return folder
