"""The HTML report of a run over planted faults: the kill matrix as a heat map, sensitivity, generated
faults."""

from __future__ import annotations

import math

from noether.campaigns.kill_matrix.findings import GUARD, LAWS, Row, of_kind, rows, verdict
from noether.faults.harmless import EQUIVALENT
from noether.kernels.programs.precision import UNIT
from noether.report.faults.table import WORD, graded, spread
from noether.report.html import environment
from noether.report.law_table import titled
from noether.report.page.page import UNFINISHED
from noether.verdicts import exit_codes
from noether.verdicts.record import Record

HOTTEST = 16  # decades: a float64 value that is wrong altogether


def decades(ratio: float) -> str:
    """The decimal logarithm of a ratio, as the matrix prints it."""
    if not ratio < math.inf:
        return "∞"
    return f"{math.log10(ratio):.0f}" if ratio >= 10 else f"{math.log10(ratio):.1f}"


def heat(ratio: float) -> int:
    """Per cent of colour, from 12 at the bound to 75."""
    return 75 if not ratio < 10.0**HOTTEST else round(12 + 63 * max(0.0, math.log10(ratio)) / HOTTEST)


def by_kind(matrix: list[Row]) -> list[tuple[str, list[Row]]]:
    """The rows of each kind of fault, in the order in which kinds appear."""
    found: dict[str, list[Row]] = {}
    for row in matrix:
        found.setdefault(row.kind, []).append(row)
    return list(found.items())


def terms(records: list[Record]) -> list[tuple[str, list]]:
    """Of each term, the laws that see it graded, with what they see in each precision."""
    found: dict[str, list] = {}
    for (term, law), by in graded(records).items():
        found.setdefault(term, []).append((law, by))
    return list(found.items())


def totals(generated: list[Record]) -> list[int]:
    """Total, killed by D0, by B1 only, proven equal, not told."""
    each = [r.data["generated"] for r in generated]
    count = lambda *words: sum(len(g[w]) for g in each for w in words)
    total, killed = (sum(g[word] for g in each) for word in ("total", "killed"))
    return [total, killed, count("below rounding", "rearranged"), count("equivalent"), count("untold")]


def render(records: list[Record], about: dict) -> str:
    """The text of report.html."""
    matrix = [row for row in rows(records) if row.shown != {GUARD}]
    generated, asked = of_kind(records, "generated"), about["arguments"].get("faults", [])
    found = verdict(records, asked, whole=not asked)
    code, unfinished = about.get("exit_code"), about.get("end") is None
    code = found.exit_code if code is None else code
    told = UNFINISHED if unfinished and code == exit_codes.HOLDS else WORD.get(code, f"exit code {code}")
    made = environment().overlay()
    made.filters = {**made.filters, "decades": decades, "heat": heat, "spread": spread}
    tone = "good" if code == exit_codes.HOLDS and not unfinished else "bad"
    decided = dict(about=about, found=found, verdict=told, unfinished=unfinished, tone=tone)
    shown, names = {law for row in matrix for law in row.shown}, {row.name for row in matrix}
    tables = dict(kinds=by_kind(matrix), laws=[law for law in LAWS if law in shown])
    tables |= dict(
        generated=generated, totals=totals(generated), graded=terms(records), precisions=list(UNIT)
    )
    tables |= dict(titles={law: titled(law) for law in LAWS})
    tables |= dict(own=[r for r in records if r.law == GUARD])
    tables |= dict(proofs=[(name, proof) for name, proof in EQUIVALENT.items() if name in names])
    return made.get_template("faults.html").render(**decided, **tables)
