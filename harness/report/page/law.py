"""One law on the page: what it claims, how much of its bound it spends, and which faults break it."""

from __future__ import annotations

import math

from noether.report.figures.marks import ordered
from noether.report.figures.scatter import scatter
from noether.report.figures.strip import order_strip, strip
from noether.report.law_table import kind_of
from noether.report.page.plots import figure, place, ranked, statement
from noether.report.table import number
from noether.verdicts.power import Power, by_precision, of_law
from noether.verdicts.record import BITWISE, HOLDS, ORDER, VIOLATED, LawSummary, Record, where

PANELS, PANELS_OF_ORDER = 2, 3
NEAREST, FEWEST = 5, 4  # records in the table; points that make a scatter
ROWS = 36  # of a strip


def section(row: LawSummary, info, records: list[Record], planted: list[Record], drawn: set[int]) -> dict:
    """What the template needs; records whose id is in `drawn` have their picture elsewhere on the page."""
    kind = kind_of(records)
    charts = [c for c in charts_of(row.law, records, planted) if c]
    found = [(r, p) for r, p in ranked(records) if id(r) not in drawn]
    most = PANELS_OF_ORDER if kind == ORDER else PANELS
    panels = [f for r, p in found[:most] if (f := figure(r, p))]
    bits, nearest = {}, []
    if kind == BITWISE:
        bits = equal([r for r in records if r.kind == BITWISE])
    else:
        worst_first = sorted(records, key=lambda r: r.severity, reverse=True)
        nearest = [{"where": where(r), "r": r} for r in worst_first[:NEAREST]]
    told = {"key": row.law, "info": info, "row": row, "kind": kind, "sentence": sentence(records)}
    told |= {"power": of_law(records, row.law), "precisions": narrowest(records, row.law)}
    told |= {"figures": charts + panels, "more": max(0, len(found) - most)}
    told |= {"elsewhere": sum(id(r) in drawn for r in records)}
    return {**told, "equal": bits, "nearest": nearest}


def narrowest(records: list[Record], law: str) -> list[tuple[str, Power]]:
    """The power in each precision, where there are several: else the one table says it."""
    found = {p: power for p, power in by_precision(records, law).items() if power.coefficients}
    return [(p, found[p]) for p in ordered(found)] if len(found) > 1 else []


def sentence(records: list[Record]) -> str:
    """One sentence about the points of a law: how many there are, the worst, and where."""
    judged = [r for r in records if r.spent is not None]
    if not judged:
        return "No point could be judged."
    worst, over = max(judged, key=lambda r: r.severity), sum(not r.spent <= 1 for r in judged)
    if over:
        them = ("lie", "their") if over > 1 else ("lies", "its")
        beyond = f"{over} of {len(judged)} points {them[0]} beyond {them[1]} bound"
    elif len(judged) > 1:
        beyond = f"All {len(judged)} points lie within their bound"
    else:
        beyond = "The one point lies within its bound"
    if not worst.spent:
        return f"{beyond}: no difference at all."
    return f"{beyond}; the worst spends {number(worst.spent)} of it, on {place(worst, short=True)}."


def charts_of(law: str, records: list[Record], planted: list[Record]) -> list[dict | None]:
    """The pictures of a law: its orders, how tightly it holds, its residuals, measured against predicted."""
    judged = [r for r in records if r.spent is not None]
    orders = [r for r in judged if r.kind == ORDER]
    sized, wrong = ([r for r in found if r.kind not in (ORDER, BITWISE)] for found in (judged, planted))
    out = [slopes(law, orders)] if orders else []
    return out + (
        [strip_of(law, sized), residuals(law, sized, wrong), agreement(law, sized)] if sized else []
    )


def finite(x) -> bool:
    """Whether something is a number, and a finite one."""
    return isinstance(x, int | float) and math.isfinite(x)


def strip_of(law: str, judged: list[Record]) -> dict:
    """Rows are precisions where there are several, else cases."""
    precisions = {r.precision for r in judged}
    by = (lambda r: r.precision) if len(precisions) > 1 else (lambda r: r.case)
    spent: dict[str, dict[str, list[float]]] = {}
    for r in judged:
        mine = spent.setdefault(by(r), {}).setdefault(r.precision, [])
        mine.append(r.spent if r.spent == r.spent else math.inf)
    if len(precisions) > 1:
        spent = {p: spent[p] for p in ordered(spent)}
    kept, tail = spent, ""
    if len(spent) > ROWS:
        kept = dict(sorted(spent.items(), key=lambda c: -max(map(max, c[1].values())))[:ROWS])
        tail = f" The {ROWS} worst of {len(spent)} rows."
    over = sum(not r.spent <= 1 for r in judged)
    dots, fine = ("Every dot", f"all {len(judged)} do") if len(judged) > 1 else ("The dot", "it does")
    found = f"{over} of {len(judged)} lie in it" if over else fine
    axis = "by precision" if len(precisions) > 1 else f"by case, {next(iter(precisions))}"
    caption = f"How tightly, {axis}. {dots} must lie left of the shaded region: {found}.{tail}"
    return {"svg": strip(kept, f"spent of {law} {axis}"), "caption": caption}


def residuals(law: str, judged: list[Record], planted: list[Record]) -> dict | None:
    """Residuals against bounds, None where none can be drawn. |measured - predicted| is spent x bound: as
    stored, both may agree in all their digits."""
    used = [r for r in (*judged, *planted) if r.spent is not None and finite(r.bound) and r.bound > 0]
    off = lambda r: r.spent * r.bound if r.spent == r.spent else math.inf
    points = [(r.bound, off(r), r.precision, bool(r.fault)) for r in used]
    shown = [r for r in planted if r.spent is not None]
    axes = ("bound", "|measured − predicted|")
    svg, far = scatter(points, f"{law}: residual against bound", *axes, limit="bound")
    lost = len(judged) + len(shown) - len(points) + far
    if not svg:
        return None
    right = [p for p in points if not p[3]]
    below, killed = sum(p[1] <= p[0] for p in right), sum(r.verdict == VIOLATED for r in shown)
    caption = f"Right steps must lie on or below the line: {below} of {len(right)} do."
    if shown:
        caption += f" Planted faults (×) that this law sees lie above it: {killed} of {len(shown)}."
    if lost:
        caption += f" {lost} are not drawn: their bound is zero, not finite or far away."
    return {"svg": svg, "caption": caption}


def agreement(law: str, judged: list[Record]) -> dict | None:
    """Measured against predicted by size, None where fewer than FEWEST predictions are not zero."""
    is_number = lambda x: isinstance(x, int | float)
    found = [r for r in judged if is_number(r.measured) and is_number(r.predicted)]
    size = lambda r: abs(r.measured) if r.measured == r.measured else math.inf
    points = [(abs(r.predicted), size(r), r.precision, False) for r in found]
    if sum(x > 0 for x, *_ in points) < FEWEST:
        return None
    axes = ("|predicted|", "|measured|")
    svg, lost = scatter(points, f"{law}: measured against predicted", *axes, limit="measured = predicted")
    if not svg:
        return None
    turned = sum(r.measured * r.predicted < 0 for r in found)
    sizes = [x for x, *_ in points if 0 < x < math.inf]
    decades = math.log10(max(sizes) / min(sizes)) if sizes else 0.0
    over = f", over {decades:.0f} decades" if decades >= 1.5 else ""
    caption = f"Measured must lie on predicted, at the worst point of each of {len(points)} records{over}."
    caption += f" {turned} differ in sign, below their bound." if turned else ""
    return {"svg": svg, "caption": caption + (f" {lost} not finite." if lost else "")}


def slopes(law: str, judged: list[Record]) -> dict | None:
    """Measured orders in the rings of the stated ones, None where no record has both."""
    rows: dict[str, list[tuple[float, float, float]]] = {}
    for r in judged:
        if finite(r.predicted) and finite(r.measured):
            bound = r.bound if finite(r.bound) else 0.0
            rows.setdefault(statement(r), []).append((r.predicted, r.measured, bound))
    if not rows:
        return None
    off = max(abs(m - s) for found in rows.values() for s, m, _ in found)
    kept = dict(list(rows.items())[:ROWS])
    tail = f" {len(rows) - ROWS} more statements are in records.jsonl." if len(rows) > ROWS else ""
    caption = f"Every measured order must lie in its ring; the largest distance is {off:.2g}.{tail}"
    return {"svg": order_strip(kept, f"measured orders of {law}"), "caption": caption}


def equal(records: list[Record]) -> dict:
    """Bit equality has no size: a table of case x precision, the number of launches that agree in every
    bit."""
    columns = ordered(r.precision for r in records)
    found: dict[str, dict[str, list[Record]]] = {}
    for r in records:
        found.setdefault(r.case, {}).setdefault(r.precision, []).append(r)

    def cell(mine: list[Record]) -> tuple[int, int, str]:
        return sum(r.verdict == HOLDS for r in mine), len(mine), ", ".join(sorted({r.backend for r in mine}))

    def cells(by: dict[str, list[Record]]) -> list[tuple[int, int, str]]:
        return [cell(by.get(p, [])) for p in columns]

    return {"columns": columns, "rows": [(case, cells(by)) for case, by in sorted(found.items())]}
