"""The records of a run as the page carries them: one small table that its script reads.

Every dot of a figure is the number of a row. Tooltips, the filter, the list of all verdicts and the download
of a figure's data come from here; without a script the page says all of this in its tables, as before.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping

from markupsafe import Markup

from noether.system.outside import lines
from noether.verdicts.record import HOLDS, INCONCLUSIVE, OUTSIDE, VIOLATED, Record

WORDS = ("law", "case", "symmetry", "rule", "precision", "backend", "verdict", "fault")
"""Columns that hold words; a row has their places in the list of all words."""
NUMBERS = ("spent", "measured", "predicted", "bound")
SYMBOL = {HOLDS: "✓", VIOLATED: "✗", INCONCLUSIVE: "?", OUTSIDE: "○"}
"""What stands before a verdict."""
KILLED, PASSED = "killed", "let pass"
"""What is said of a planted fault instead of a verdict: violated is what it must be."""


def place(r: Record) -> tuple[str, ...]:
    """By what records are put in one order, in whichever they came: a page written again is the same page."""
    about = (r.law, r.case, r.symmetry, r.rule, r.precision, r.backend, r.fault, r.cell, r.spent, r.measured)
    return (*map(str, about), str(r.parameters))


def strongest(planted: Iterable[Record]) -> list[Record]:
    """Of each planted fault, law and precision the record that is furthest beyond its bound: what a page has
    room for."""
    found: dict[tuple, Record] = {}
    for r in planted:
        key = r.law, r.fault, r.precision
        if r.spent is not None and (key not in found or r.severity > found[key].severity):
            found[key] = r
    return list(found.values())


class Book:
    """The table, with the number of each row.

    records  all of a run; of those on planted faults the strongest are kept (`planted`)
    titles   {law: what it says in a few words}
    """

    def __init__(self, records: Iterable[Record], titles: Mapping[str, str]):
        records = sorted(records, key=place)
        self.real = [r for r in records if not r.fault]
        self.planted = strongest(r for r in records if r.fault)
        self.titles = titles
        self.rows = {id(r): i for i, r in enumerate((*self.real, *self.planted))}

    def number(self, r: Record) -> str:
        """The number of a record's row, as a dot carries it; '' for a record that is not on the page."""
        return str(self.rows.get(id(r), ""))

    def numbers(self, found: Iterable[Record]) -> str:
        """The numbers of some records, for an element that stands and falls with them."""
        return " ".join(self.number(r) for r in found)

    def json(self) -> Markup:
        """The table as JSON that may stand in a script element: no `<` can end it."""
        found = [[lines(str(text or "")) for text in said(r)] for r in self.everything]
        often = Counter(word for row in found for word in row)
        words = {
            word: i for i, (word, _) in enumerate(often.most_common())
        }  # the shortest numbers for the most
        numbers = ([short(getattr(r, n)) for n in NUMBERS] for r in self.everything)
        rows = [[*map(words.get, row), *more] for row, more in zip(found, numbers, strict=True)]
        table = {"words": list(words), "rows": rows, "columns": [*WORDS, *NUMBERS], "titles": self.titles}
        table["symbol"] = SYMBOL
        text = json.dumps(table, separators=(",", ":"), ensure_ascii=False)
        return Markup(text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029"))

    @property
    def everything(self) -> list[Record]:
        """The records of the rows, in their order."""
        return [*self.real, *self.planted]


def said(r: Record) -> tuple:
    """The words of a row, in the order of WORDS."""
    verdict = r.verdict if not r.fault else KILLED if r.verdict == VIOLATED else PASSED
    return r.law, r.case, r.symmetry, r.rule, r.precision, r.backend, verdict, r.fault


def short(x) -> float | str | None:
    """A number in four digits; what JSON has no number for as a word."""
    if not isinstance(x, int | float):
        return None
    return float(f"{x:.4g}") if math.isfinite(x) else str(x)
