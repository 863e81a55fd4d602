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
    return {
        "key": row.law, "info": info, "row": row, "kind": kind, "power": of_law(records, row.law),
        "precisions": narrowest(records, row.law), "figures": charts + panels,
        "elsewhere": sum(id(r) in drawn for r in records),
        "more": max(0, len(found) - most), "sentence": sentence(records),
        "equal": equal([r for r in records if r.kind == BITWISE]) if kind == BITWISE else {},
        "nearest": [{"where": where(r), "r": r} for r in sorted(records, key=lambda r: r.severity,
        reverse=True)[:NEAREST]] if kind != BITWISE else [],
    }  # fmt: skip


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
    beyond = (
        f"{over} of {len(judged)} points {'lie' if over > 1 else 'lies'} beyond "
        f"{'their' if over > 1 else 'its'} bound"
        if over
        else f"All {len(judged)} points lie within their bound"
        if len(judged) > 1
        else "The one point lies within its bound"
    )
    return (
        f"{beyond}; the worst spends {number(worst.spent)} of it, on {place(worst, short=True)}."
        if worst.spent
        else f"{beyond}: no difference at all."
    )


def charts_of(law: str, records: list[Record], planted: list[Record]) -> list[dict | None]:
    judged = [r for r in records if r.spent is not None]
    orders, sized = (
        [r for r in judged if r.kind == ORDER],
        [r for r in judged if r.kind not in (ORDER, BITWISE)],
    )
    out = [slopes(law, orders)] if orders else []
    wrong = [r for r in planted if r.kind not in (ORDER, BITWISE)]
    return out + (
        [strip_of(law, sized), residuals(law, sized, wrong), agreement(law, sized)] if sized else []
    )


def finite(x) -> bool:
    return isinstance(x, int | float) and math.isfinite(x)


def strip_of(law: str, judged: list[Record]) -> dict:
    """Rows are precisions where there are several, else cases."""
    precisions = {r.precision for r in judged}
    by = (lambda r: r.precision) if len(precisions) > 1 else (lambda r: r.case)
    spent: dict[str, dict[str, list[float]]] = {}
    for r in judged:
        spent.setdefault(by(r), {}).setdefault(r.precision, []).append(
            r.spent if r.spent == r.spent else math.inf
        )
    if len(precisions) > 1:
        spent = {p: spent[p] for p in ordered(spent)}
    kept = (
        dict(sorted(spent.items(), key=lambda c: -max(map(max, c[1].values())))[:ROWS])
        if len(spent) > ROWS
        else spent
    )
    over = sum(not r.spent <= 1 for r in judged)
    claim = (
        "Every dot must lie left of the shaded region"
        if len(judged) > 1
        else "The dot must lie left of the shaded region"
    )
    tail = f" The {ROWS} worst of {len(spent)} rows." if len(spent) > ROWS else ""
    axis = "by precision" if len(precisions) > 1 else f"by case, {next(iter(precisions))}"
    found = (
        f"{over} of {len(judged)} lie in it"
        if over
        else f"all {len(judged)} do"
        if len(judged) > 1
        else "it does"
    )
    return {
        "svg": strip(kept, f"spent of {law} {axis}"),
        "caption": f"How tightly, {axis}. {claim}: {found}.{tail}",
    }


def residuals(law: str, judged: list[Record], planted: list[Record]) -> dict | None:
    """|measured - predicted| is spent x bound: measured and predicted as stored may agree in all their
    digits."""
    points = [(r.bound, r.spent * r.bound if r.spent == r.spent else math.inf, r.precision, bool(r.fault))
              for r in (*judged,
                  *planted) if r.spent is not None and finite(r.bound) and r.bound > 0]  # fmt: skip
    shown = [r for r in planted if r.spent is not None]
    svg, far = scatter(
        points, f"{law}: residual against bound", "bound", "|measured − predicted|", limit="bound"
    )
    lost = len(judged) + len(shown) - len(points) + far
    if not svg:
        return None
    right = [p for p in points if not p[3]]
    below = sum(p[1] <= p[0] for p in right)
    killed = sum(r.verdict == VIOLATED for r in shown)
    caption = f"Right steps must lie on or below the line: {below} of {len(right)} do."
    caption += (
        f" Planted faults (×) that this law sees lie above it: {killed} of {len(shown)}." if shown else ""
    )
    return {
        "svg": svg,
        "caption": caption
        + (f" {lost} are not drawn: their bound is zero, not finite or far away." if lost else ""),
    }


def agreement(law: str, judged: list[Record]) -> dict | None:
    found = [
        r for r in judged if isinstance(r.measured, int | float) and isinstance(r.predicted, int | float)
    ]
    points = [
        (abs(r.predicted), abs(r.measured) if r.measured == r.measured else math.inf, r.precision, False)
        for r in found
    ]
    if sum(x > 0 for x, *_ in points) < FEWEST:
        return None
    svg, lost = scatter(
        points,
        f"{law}: measured against predicted",
        "|predicted|",
        "|measured|",
        limit="measured = predicted",
    )
    if not svg:
        return None
    turned = sum(r.measured * r.predicted < 0 for r in found)
    sizes = [x for x, *_ in points if 0 < x < math.inf]
    decades = math.log10(max(sizes) / min(sizes)) if sizes else 0.0
    caption = (
        f"Measured must lie on predicted, at the worst point of each of {len(points)} "
        f"records{f', over {decades:.0f} decades' if decades >= 1.5 else ''}."
    )
    caption += f" {turned} differ in sign, below their bound." if turned else ""
    return {"svg": svg, "caption": caption + (f" {lost} not finite." if lost else "")}


def slopes(law: str, judged: list[Record]) -> dict | None:
    rows: dict[str, list[tuple[float, float, float]]] = {}
    for r in judged:
        if finite(r.predicted) and finite(r.measured):
            rows.setdefault(statement(r), []).append(
                (r.predicted, r.measured, r.bound if finite(r.bound) else 0.0)
            )
    if not rows:
        return None
    off = max(abs(m - s) for found in rows.values() for s, m, _ in found)
    kept = dict(list(rows.items())[:ROWS])
    tail = f" {len(rows) - ROWS} more statements are in records.jsonl." if len(rows) > ROWS else ""
    return {
        "svg": order_strip(kept, f"measured orders of {law}"),
        "caption": f"Every measured order must lie in its ring; the largest distance is {off:.2g}.{tail}",
    }


def equal(records: list[Record]) -> dict:
    """Bit equality has no size: a table of case x precision, the number of launches that agree in every
    bit."""
    columns = ordered(r.precision for r in records)
    found: dict[str, dict[str, list[Record]]] = {}
    for r in records:
        found.setdefault(r.case, {}).setdefault(r.precision, []).append(r)

    def cells(by):
        return [
            (
                sum(r.verdict == HOLDS for r in by.get(p, ())),
                len(by.get(p, ())),
                ", ".join(sorted({r.backend for r in by.get(p, ())})),
            )
            for p in columns
        ]

    return {"columns": columns, "rows": [(case, cells(by)) for case, by in sorted(found.items())]}
