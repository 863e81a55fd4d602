"""The first page of the reference: what there is, counted."""

from __future__ import annotations

from noether.cases import CATALOG
from noether.cases.rules import RULES
from noether.laws.registry import LAWS
from noether.system.machine import __version__

PLACE = "reference/index.md"


def page() -> str:
    """The page."""
    symmetries = sum(len(case.symmetries) for case in CATALOG)
    return f"""# Reference

What there is, made from the code at each build, so that it is what runs. Version {__version__}.

| | |
|---|---|
| [{len(LAWS)} laws](laws/index.md) | what is stated, how far rounding may take it, and what it must find |
| [{len(CATALOG)} cases](cases/index.md) | losses with their {symmetries} symmetries, each with a picture |
| [{len(RULES)} learning rules](rules.md) | how a step is taken, and its models in continuous time |
| [planted faults](../faults.md) | what is planted on purpose, and which law kills it |
| [commands](commands.md) | every command with its options; [what they have in common](../commands.md) |
| [exit codes](exit_codes.md) | what the shell is told |
| [run folder and records](records.md) | every file and every field |
| [Python](api.md) | the public names, from their docstrings |
| [words](../glossary.md) | one word for one idea |
"""
