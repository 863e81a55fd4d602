"""What a file of the user's own declares: cases, or learning rules. All else is the same for both."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from noether.cases import CATALOG, rules
from noether.cases.case import Case
from noether.cases.rule import Rule


@dataclass(frozen=True)
class Kind:
    """One kind of declaration.

    word     what it is called, and with "file" behind it what its file is
    type     the class that it is of
    known    those of the catalogue
    must     what a file that declares none must have
    loaded   those of files that were loaded in this process, by name
    """

    word: str
    type: type
    known: tuple
    must: str
    loaded: dict = field(default_factory=dict, compare=False)

    def label(self, path: Path | str) -> str:
        """How a complaint about a file begins."""
        return f"{self.word} file {path}"

    def none(self, path: Path | str) -> str:
        """How the complaint begins about a file that declares none."""
        return f"{self.label(path)} declares no {self.type.__name__}"


FOUND = "of a loss alone noether discover FILE:LOSS --dim N --write my_case.py writes one"
CASE = Kind("case", Case, CATALOG, f"NAME = Case(...) at top level; {FOUND}")
RULE = Kind("rule", Rule, rules.CATALOG, "NAME = Rule(...) at top level", rules.OWN)
KINDS = {kind.word: kind for kind in (CASE, RULE)}
