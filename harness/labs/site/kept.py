"""What kept runs and measurements say of a law: which rules and cases it judged, and its power."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

from noether.cases import CATALOG
from noether.cases.rules import RULES
from noether.laws.registry import LAWS

HEAD = "| law | weakest coefficient"


@cache
def entries(root: Path) -> tuple[str, ...]:
    """The entries of baseline.json: "law case rule precision backend"."""
    return tuple(json.loads((root / "baseline.json").read_text(encoding="utf-8"))["entries"])


@cache
def judged(root: Path) -> dict[str, tuple[set[str], set[str]]]:
    """Of each law the names of the cases and of the rules that the kept quick run judged it on."""
    cases = {case.name for case in CATALOG}
    found: dict[str, tuple[set[str], set[str]]] = {law: (set(), set()) for law in LAWS}
    for entry in entries(root):
        law, *words = entry.split()
        if law in found:
            found[law][0].update(cases.intersection(words))
            found[law][1].update(set(RULES).intersection(words))
    return found


def judged_rules(root: Path) -> dict[str, set[str]]:
    """Of each law the names of the rules that the kept quick run judged it on."""
    return {law: rules for law, (_, rules) in judged(root).items()}


@cache
def powers(root: Path) -> tuple[str, dict[str, dict[str, tuple[str, str]]]]:
    """The newest measurement of power, as its path from docs/, and {law: {profile: (coefficient, power)}}.

    Raises LookupError where no measurement has a table of it.
    """
    for path in sorted((root / "docs" / "measurements").glob("*.md"), reverse=True):
        lines = path.read_text(encoding="utf-8").splitlines()
        begin = next((n for n, line in enumerate(lines) if line.startswith(HEAD)), None)
        if begin is not None:
            profiles = re.findall(r"weakest[^|]*?(quick|full|stress)", lines[begin])
            return f"measurements/{path.name}", dict(rows(lines[begin + 2 :], profiles))
    raise LookupError(f"no file of docs/measurements has a table that begins with {HEAD!r}")


def rows(lines: list[str], profiles: list[str]):
    """Of each row of the table its law, and by profile the coefficient and its power."""
    for line in lines:
        if not line.startswith("| "):
            return
        law, *cells = [cell.strip() for cell in re.split(r" \| ", line.strip("| "))]
        yield law, dict(zip(profiles, zip(cells[::2], cells[1::2], strict=True), strict=True))
