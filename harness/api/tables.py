"""The table of laws of a Result for a notebook, in HTML, and for a paper, in LaTeX."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass
from html import escape

from noether.report.law_table import titled, worst_of
from noether.runs.result import Result
from noether.verdicts.known import proving
from noether.verdicts.power import of_law, percent
from noether.verdicts.record import HOLDS, INCONCLUSIVE, OUTSIDE, VERDICTS, VIOLATED

HEAD = ("law", "title", "cells", "worst", "power", "killed", "verdict")
LEFT = ("law", "title", "verdict")
"""Columns of words; the others are of numbers, and end at the right."""


@dataclass(frozen=True)
class Line:
    """One law of the table: the columns of HEAD as text; power None where none was measured."""

    law: str
    title: str
    cells: str
    worst: str
    power: float | None
    killed: str
    verdict: str


def lines(result: Result) -> list[Line]:
    """The laws that were judged, in order."""
    real, out = [r for r in result.records if r.fault is None], []
    for row in result.rows:
        mine = [r for r in real if r.law == row.law]
        weakest = of_law(mine, row.law).weakest
        power = weakest and weakest[1]
        killed = f"{row.killed}/{row.faults}"
        out.append(Line(row.law, titled(row.law), str(row.cells), worst_of(mine), power, killed, row.verdict))
    return out


def counted(result: Result) -> str:
    """How many laws and verdicts there are of each kind, and how many planted faults were killed."""
    laws = [row.verdict for row in result.rows]
    found = [r.verdict for r in result.records if r.fault is None]
    faults = {r.fault for r in result.records if r.fault}
    killed = {r.fault for r in proving(result.records, result.known) if r.fault and r.verdict == VIOLATED}
    parts = f"{shares('laws', laws)}; {shares('verdicts', found)}"
    return f"{parts}; {len(killed)} of {len(faults)} planted faults found"


def shares(what: str, verdicts: list[str]) -> str:
    """How many there are, and how many of each verdict."""
    counts = Counter(verdicts)
    told = ", ".join(f"{counts[v]} {'hold' if v == HOLDS else v}" for v in VERDICTS if counts[v])
    return f"{len(verdicts)} {what}" + (f": {told}" if told else "")


# ---- HTML

DOT = {HOLDS: "#2e9e5b", VIOLATED: "#d1444f", INCONCLUSIVE: "#b8860b", OUTSIDE: "#808890"}
"""Colours of 3:1 and more on white and on near black, of a dot beside a word: words keep the page's own."""
CELL = "padding:0.15em 0.7em;border:0;background:none;color:inherit"


def html(result: Result, verdict: str, footing: str) -> str:
    """The verdict, a table of laws, and the counts below it. Everything is escaped; no script, no style
    sheet, no colour of text or page: it reads in a light and in a dark notebook."""
    head = "".join(cell("th", escape(word), word) for word in HEAD)
    rows = "".join(f"<tr style='background:none'>{html_row(line)}</tr>" for line in lines(result))
    return (
        "<div style='overflow-x:auto'>"
        f"<p style='color:inherit'><strong>{escape(verdict)}</strong> (exit code {result.exit_code})</p>"
        f"<table style='border-collapse:collapse;border:0'><thead><tr>{head}</tr></thead>"
        f"<tbody>{rows}</tbody></table>"
        f"<p style='color:inherit'><small>{escape(counted(result))}<br>{escape(footing)}</small></p></div>"
    )


def cell(tag: str, content: str, column: str) -> str:
    """One cell of the table in the alignment of its column."""
    return f"<{tag} style='{CELL};text-align:{'left' if column in LEFT else 'right'}'>{content}</{tag}>"


def html_row(line: Line) -> str:
    """The cells of one law."""
    power = "" if line.power is None else "none" if line.power == math.inf else percent(line.power)
    texts = {**vars(line), "power": power}
    out = [cell("td", escape(texts[word]), word) for word in HEAD[:-1]]
    dot = f"<span aria-hidden='true' style='color:{DOT[line.verdict]}'>&#9679;</span> "
    word = escape(line.verdict)
    out.append(cell("td", dot + (word if line.verdict == HOLDS else f"<strong>{word}</strong>"), "verdict"))
    return "".join(out)


# ---- LaTeX

ESCAPED = {
    **{c: f"\\{c}" for c in "&%$#_{}"},
    **{"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"},
    **{"<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}"},
}
NUMBER = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?)e([+-]?\d+)")


def latex(result: Result) -> str:
    """A tabular with the rules of booktabs, one law a line."""
    columns = "".join("l" if word in LEFT else "r" for word in HEAD)
    heads = {"law": "Law", "title": "Title", "cells": "Cells", "worst": "Worst / bound"}
    heads |= {"power": "Power", "killed": "Faults killed", "verdict": "Verdict"}
    body = [f"{' & '.join(latex_row(line))} \\\\" for line in lines(result)]
    out = ["% \\usepackage{booktabs}", f"\\begin{{tabular}}{{{columns}}}", "\\toprule"]
    out += [f"{' & '.join(heads[word] for word in HEAD)} \\\\", "\\midrule", *body]
    return "\n".join([*out, "\\bottomrule", "\\end{tabular}", ""])


def latex_row(line: Line) -> list[str]:
    """The cells of one law, escaped."""
    power = "--" if line.power is None else "none" if line.power == math.inf else percent(line.power)
    return [tex(x) for x in (line.law, line.title, line.cells, line.worst, power, line.killed, line.verdict)]


def tex(text: str) -> str:
    """A text that LaTeX prints as it is; numbers with an exponent as powers of ten."""
    out, at = [], 0
    for found in NUMBER.finditer(text):
        out += [ESCAPED.get(c, c) for c in text[at : found.start()]]
        out.append(rf"${found[1]}\times 10^{{{int(found[2])}}}$")
        at = found.end()
    return "".join([*out, *(ESCAPED.get(c, c) for c in text[at:])])
