"""What does not hold, grouped by cause: one wrong kernel violates a law in hundreds of places."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from noether.report.page.book import place
from noether.verdicts.record import Record

NUMBER = re.compile(r"[-+−]?(?:0x[\da-f.]+p[+-]?\d+|\d[\d.]*(?:e[+-]?\d+)?)", re.IGNORECASE)
MEMBERS = 100
"""Places that one cause lists; records.jsonl has all."""


@dataclass(frozen=True)
class Cause:
    """Records of one law with one reason and one diagnosis, up to the numbers in them, the worst first."""

    records: tuple[Record, ...]

    @property
    def worst(self) -> Record:
        """The record that speaks for all."""
        return self.records[0]

    @property
    def told(self) -> str:
        """Where it is: cases and precisions, if they are several."""
        parts = []
        for name, few in (("case", 4), ("rule", 3), ("precision", 4)):
            found = list(dict.fromkeys(getattr(r, name) for r in self.records))
            several = f"{len(found)} {name}s" if len(found) > few else ", ".join(found)
            parts.append(several)
        return "; ".join(p for p in parts if p)


def diagnosis(r: Record) -> str:
    """The line that says what is wrong, '' where nothing was found or the reason says it."""
    found = r.data.get("diagnosis")
    line = found.get("line") if isinstance(found, dict) else None
    return line if isinstance(line, str) and line not in r.reason else ""


def numberless(text: str) -> str:
    """A text without its numbers."""
    return NUMBER.sub("#", text)


def causes(records: Iterable[Record]) -> list[Cause]:
    """The records by cause, the cause of the worst first."""
    found: dict[tuple, list[Record]] = {}
    for r in sorted(sorted(records, key=place), key=lambda r: -r.severity):
        found.setdefault((r.law, numberless(r.reason), numberless(diagnosis(r))), []).append(r)
    return [Cause(tuple(mine)) for mine in found.values()]
