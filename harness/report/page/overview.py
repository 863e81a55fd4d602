"""Three tables on the page: the laws, where each was tried, and which planted fault each sees."""

from __future__ import annotations

import math

from noether.report.figures.marks import ordered
from noether.report.figures.strip import HIGHEST, order_spark, spark
from noether.report.law_table import is_order, kind_of, titled, worst_of
from noether.report.page.book import SYMBOL, Book
from noether.report.table import number
from noether.system.outside import plural
from noether.verdicts.power import of_law, weak
from noether.verdicts.record import (
    BITWISE,
    HOLDS,
    INCONCLUSIVE,
    ORDER,
    OUTSIDE,
    VIOLATED,
    LawSummary,
    Record,
    undecided_faults,
)


def law_rows(rows: list[LawSummary], infos: dict, records: list[Record], book: Book) -> list[dict]:
    """The rows of the table of laws: verdict, the points on a common scale, the worst of them, the planted
    faults."""
    out = []
    for row in rows:
        mine = [r for r in records if r.law == row.law and not r.fault]
        kind = kind_of(mine)
        title = infos[row.law].title if row.law in infos else ""
        told = {
            "row": row,
            "title": title,
            "kind": kind,
            "spark": sparked(row.law, kind, mine, book),
            "worst": worst_of(mine),
        }
        told |= {"power": of_law(mine, row.law), "symbol": SYMBOL[row.verdict], "thin": weak(mine, [row.law])}
        few = [f"{row.counts[v]} {v}" for v in (VIOLATED, INCONCLUSIVE, OUTSIDE) if row.counts[v]]
        out.append({**told, "doubts": ", ".join(few)})
    return out


def sparked(law: str, kind: str, mine: list[Record], book: Book) -> str:
    """The points of a law in one small picture, '' where it has none."""
    judged = [r for r in mine if r.spent is not None]
    if kind == ORDER:
        found = [(r.predicted, r.measured, book.number(r)) for r in judged if is_order(r)]
        label = f"{law}: measured orders between 0 and {HIGHEST}, rings where they must lie"
        return order_spark(found, label) if found else ""
    if not judged or kind == BITWISE:
        return ""
    dot = lambda r: (r.spent, book.number(r))
    by = {p: [dot(r) for r in judged if r.precision == p] for p in ordered(r.precision for r in judged)}
    return spark(by, f"{law}: spent on a logarithm from 0.001 to 10, the limit at 1")


def grid(rows: list[LawSummary], records: list[Record]) -> dict:
    """Law x case: the worst spent there, in per cent of colour, and a symbol where something does not
    hold."""
    real = [r for r in records if not r.fault]
    laws_of: dict[str, set[str]] = {}
    for r in real:
        laws_of.setdefault(r.case, set()).add(r.law)
    # What most laws were tried on stands first.
    cases = sorted(laws_of, key=lambda case: (-len(laws_of[case]), case))
    found: dict[tuple[str, str], list[Record]] = {}
    for r in real:
        found.setdefault((r.law, r.case), []).append(r)
    cells = lambda law: [cell(found.get((law, case), [])) for case in cases]
    return {"cases": cases, "rows": [(row.law, titled(row.law), cells(row.law)) for row in rows]}


def cell(mine: list[Record]) -> dict | None:
    """One cell of the grid, None where nothing was tried."""
    if not mine:
        return None
    worst = max((r.severity for r in mine if r.spent is not None), default=None)
    verdict = next((v for v in (VIOLATED, INCONCLUSIVE, HOLDS) if any(r.verdict == v for r in mine)), OUTSIDE)
    told = "" if worst is None else shortened(worst)
    if worst == 0:
        told = "=" if mine[0].kind == BITWISE else "0"
    evidence = f"{plural(len(mine), 'verdict')}, worst spent {number(worst)}, {verdict}"
    told = told if verdict == HOLDS else f"{SYMBOL[verdict]} {told}".strip()
    return {"heat": heat(worst), "told": told, "verdict": verdict, "evidence": evidence}


def heat(worst: float | None) -> int:
    """Per cent of colour for a worst spent: 0 at a thousandth of the bound, 100 at the bound and beyond."""
    if not worst:
        return 0
    if not worst < 1:
        return 100
    return max(0, round(100 * (1 + math.log10(max(worst, 1e-3)) / 3)))


def shortened(x: float) -> str:
    """A number in two digits: .93, .05, <.01, 7.5, 1e+04, ∞."""
    if not x < math.inf:
        return "∞"
    if x >= 1:
        return f"{x:.1g}" if x >= 100 else f"{x:.2g}"
    return "<.01" if x < 0.005 else f"{min(x, 0.99):.2f}"[1:]


def faults(records: list[Record], laws: list[str]) -> dict:
    """Planted fault x law: killed, shown and not seen, or not shown; what only one law was shown, and killed,
    is a list."""
    found: dict[str, dict[str, bool]] = {}
    for r in records:
        if r.fault:
            by = found.setdefault(r.fault, {})
            by[r.law] = by.get(r.law, False) or r.verdict == VIOLATED
    single: dict[str, list[str]] = {}
    for name in sorted(found):
        if len(found[name]) == 1 and all(found[name].values()):
            single.setdefault(next(iter(found[name])), []).append(name)
    found = {name: by for name, by in found.items() if not any(name in names for names in single.values())}
    present = {law for by in found.values() for law in by}
    columns = [law for law in laws if law in present]
    columns += sorted(present - set(columns))
    order = sorted(found.items(), key=lambda c: (-sum(c[1].values()), c[0]))
    lines = [(name, [by.get(law) for law in columns], sum(by.values())) for name, by in order]
    undecided = undecided_faults(records)
    alone = [*(law for law in laws if law in single), *sorted(set(single) - set(laws))]
    return {
        "columns": [(law, titled(law)) for law in columns],
        "rows": sorted(lines, key=lambda x: x[2] != 0),
        "survivors": [name for name, _, killed in lines if not killed and name not in undecided],
        "undecided": undecided,
        "single": [(law, titled(law), single[law]) for law in alone],
    }
