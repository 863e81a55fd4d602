"""One law on the page: what it claims, how much of its bound it spends, and which faults break it."""

from __future__ import annotations

import math

from noether.laws import latex
from noether.report.figures.marks import ordered
from noether.report.figures.scatter import Point, scatter
from noether.report.figures.strip import CONSTANTS, ORDERS, order_strip, strip
from noether.report.law_table import is_order, kind_of
from noether.report.page.book import Book
from noether.report.page.equation import mathml
from noether.report.page.plots import figure, place, ranked, statement
from noether.report.page.steps import growth
from noether.report.table import number
from noether.verdicts.power import Power, by_precision, of_law, weak
from noether.verdicts.record import (
    BITWISE,
    HOLDS,
    INCONCLUSIVE,
    ORDER,
    VIOLATED,
    LawSummary,
    Record,
    where,
)

PANELS, PANELS_OF_ORDER = 2, 3
NEAREST, FEWEST = 5, 4  # records in the table; points that make a scatter
ROWS = 36  # of a strip


def section(row: LawSummary, info, records: list[Record], drawn: set[int], book: Book) -> dict:
    """What the template needs; records whose id is in `drawn` have their picture elsewhere on the page.

    records  those of the law that are not on planted faults
    """
    kind = kind_of(records)
    charts = [c for c in charts_of(row.law, records, book) if c]
    found = [(r, p) for r, p in ranked(records) if id(r) not in drawn]
    above = sum(id(r) in drawn for r in records)
    most = PANELS_OF_ORDER if kind == ORDER else max(0, PANELS - above)
    panels = [f for r, p in found[:most] if (f := figure(r, p))]
    bits, nearest = {}, []
    if kind == BITWISE:
        bits = equal([r for r in records if r.kind == BITWISE])
    else:
        worst_first = sorted(records, key=lambda r: r.severity, reverse=True)
        named = lambda r: {"where": where(r).removeprefix(f"{r.law} "), "r": r, "off": distance(r)}
        nearest = [named(r) for r in worst_first[:NEAREST]]
    told = {"key": row.law, "info": info, "row": row, "kind": kind, "sentence": sentence(records)}
    told |= {"power": of_law(records, row.law), "precisions": narrowest(records, row.law)}
    told |= {"figures": charts + panels, "more": max(0, len(found) - most)}
    told |= {"elsewhere": above, "thin": weak(records, [row.law]), "kills": kills(row.law, info, book)}
    told |= {"equation": mathml(getattr(info, "equation", "")), "open": is_open(row)}
    adds = (latex.sentence(getattr(info, "adds", "")), getattr(info, "primes", ""))
    told |= {"adds": "; ".join(filter(None, adds))}
    return {**told, "equal": bits, "nearest": nearest}


def kills(law: str, info, book: Book) -> dict[str, list[str]]:
    """The faults that a law must kill, in their order: those that this run showed it, and the others."""
    shown = {r.fault for r in book.planted if r.law == law}
    names = getattr(info, "must_kill", ())
    return {"shown": [x for x in names if x in shown], "others": [x for x in names if x not in shown]}


def distance(r: Record) -> float | None:
    """How far measured is from predicted, None where nothing says it. Stored numbers may agree in all their
    digits where the wide ones did not: then it is what was spent, times the bound."""
    if finite(r.spent) and finite(r.bound):
        return r.spent * r.bound
    return abs(r.measured - r.predicted) if finite(r.measured) and finite(r.predicted) else None


def is_open(row: LawSummary) -> bool:
    """Whether a law is unfolded: something of it is violated or undecided, or it holds nowhere."""
    return bool(row.counts[VIOLATED] or row.counts[INCONCLUSIVE]) or row.verdict in (VIOLATED, INCONCLUSIVE)


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


def charts_of(law: str, records: list[Record], book: Book) -> list[dict | None]:
    """The pictures of a law: its orders, how tightly it holds, measured against predicted."""
    judged = [r for r in records if r.spent is not None]
    orders = [r for r in judged if r.kind == ORDER]
    wrong = [r for r in book.planted if r.law == law]
    sized, wrong = ([r for r in found if r.kind not in (ORDER, BITWISE)] for found in (judged, wrong))
    constants = [r for r in orders if not is_order(r)]
    out = [slopes(law, [r for r in orders if is_order(r)], book), constant(law, constants, book)]
    if not sized:
        return out
    return [*out, strip_of(law, sized, wrong, book), growth(law, sized), agreement(law, sized, book)]


def finite(x) -> bool:
    """Whether something is a number, and a finite one."""
    return isinstance(x, int | float) and math.isfinite(x)


def strip_of(law: str, judged: list[Record], planted: list[Record], book: Book) -> dict:
    """What is spent on each side of the bound. Rows are precisions where there are several, else cases."""
    precisions = {r.precision for r in judged}
    by = (lambda r: r.precision) if len(precisions) > 1 else (lambda r: r.case)
    dot = lambda r: (r.spent if r.spent == r.spent else math.inf, book.number(r))
    spent: dict[str, dict[str, list[tuple[float, str]]]] = {}
    for r in judged:
        spent.setdefault(by(r), {}).setdefault(r.precision, []).append(dot(r))
    worst = {name: max(x for found in row.values() for x, _ in found) for name, row in spent.items()}
    names = ordered(spent) if len(precisions) > 1 else sorted(spent, key=lambda n: -worst[n])[:ROWS]
    tail = f" The {ROWS} worst of {len(spent)} rows." if len(names) < len(spent) else ""
    wrong: dict[str, list[tuple[float, str]]] = {}
    for r in planted:
        wrong.setdefault(by(r), []).append(dot(r))
    axis = "by precision" if len(precisions) > 1 else f"by case, {next(iter(precisions))}"
    svg = strip({n: spent[n] for n in names}, {n: wrong.get(n, []) for n in names}, f"spent of {law} {axis}")
    return {"svg": svg, "caption": f"How tightly, {axis}. {sides(judged, planted)}{tail}"}


def sides(judged: list[Record], planted: list[Record]) -> str:
    """On which side of the bound right steps and planted faults lie, in words."""
    over = sum(not r.spent <= 1 for r in judged)
    many = len(judged) > 1
    dots, fine = ("Every dot", f"all {len(judged)} do") if many else ("The dot", "it does")
    told = f"{dots} must lie within the bound: {f'{over} of {len(judged)} do not' if over else fine}."
    if planted:
        seen = len({r.fault for r in planted if r.verdict == VIOLATED})
        told += (
            f" Planted faults (×, each where it is seen best) must lie beyond it in some law: here {seen} "
        )
        told += f"of {len({r.fault for r in planted})} do."
    return told


def allowed(r: Record) -> float:
    """How far measured may be from predicted: the bound, or what follows from `spent` where a law measures
    its distance otherwise than by a difference."""
    off, said = abs(r.measured - r.predicted), r.spent * r.bound
    digits = 1e-12 * max(abs(r.measured), abs(r.predicted))  # as stored, both may agree in all of theirs
    differs = abs(off - said) > 0.05 * max(off, said) and off > digits
    return off / r.spent if differs and r.spent > 0 else r.bound


def agreement(law: str, judged: list[Record], book: Book) -> dict | None:
    """Measured against predicted by size, None where fewer than FEWEST predictions are not zero."""
    is_number = lambda x: isinstance(x, int | float)
    found = [r for r in judged if is_number(r.measured) and is_number(r.predicted)]
    points = [point_of(r, book) for r in found]
    if sum(p.x > 0 for p in points) < FEWEST:
        return None
    axes, names = (
        ("|predicted|", "|measured|"),
        {"limit": "measured = predicted", "bar": "allowed by the bound"},
    )
    svg, lost = scatter(points, f"{law}: measured against predicted", *axes, **names)
    if not svg:
        return None
    turned = sum(r.measured * r.predicted < 0 for r in found)
    sizes = [p.x for p in points if 0 < p.x < math.inf]
    decades = math.log10(max(sizes) / min(sizes)) if sizes else 0.0
    over = f", over {decades:.0f} decades" if decades >= 1.5 else ""
    inside = sum(r.spent <= 1 for r in found)
    caption = f"Measured must lie on predicted or within the bar that its bound allows: {inside} of "
    caption += f"{len(points)} records do, each at its worst point{over}."
    differ = ("differs", "its") if turned == 1 else ("differ", "their")
    caption += f" {turned} {differ[0]} in sign, below {differ[1]} bound." if turned else ""
    return {"svg": svg, "caption": caption + (f" {lost} not finite." if lost else "")}


def point_of(r: Record, book: Book) -> Point:
    """The sizes of what was predicted and measured, and the room that the bound leaves."""
    x, y = abs(r.predicted), abs(r.measured) if r.measured == r.measured else math.inf
    room = None
    if finite(r.bound) and finite(r.spent) and math.isfinite(x) and math.isfinite(y):
        wide = allowed(r)
        room = (max(0.0, x - wide), x + wide)
    return Point(x, y, r.precision, book.number(r), room)


def slopes(law: str, judged: list[Record], book: Book) -> dict | None:
    """Measured orders in the rings of the stated ones, None where no record has both."""
    rows = by_statement(judged, book)
    if not rows:
        return None
    off = max(abs(m - s) for found in rows.values() for s, m, *_ in found)
    kept = dict(list(rows.items())[:ROWS])
    tail = f" {len(rows) - ROWS} more statements are in records.jsonl." if len(rows) > ROWS else ""
    caption = "Every measured order must lie in the bar about its ring, which is as wide as the bound; the "
    caption += f"largest distance is {off:.2g}.{tail}"
    return {"svg": order_strip(kept, f"measured orders of {law}", ORDERS), "caption": caption}


def constant(law: str, judged: list[Record], book: Book) -> dict | None:
    """Numbers in front of an order, on an axis of their own: they are no orders. None where there is none."""
    rows = by_statement(judged, book)
    if not rows:
        return None
    caption = (
        "The number in front of the order, of each place: every dot must lie in its ring, to within a bound "
    )
    caption += "that is thinner than the ring."
    return {"svg": order_strip(rows, f"constants of {law}", CONSTANTS), "caption": caption}


def by_statement(judged: list[Record], book: Book) -> dict[str, list[tuple[float, float, float, str]]]:
    """(stated, measured, bound, what the dot says of itself) of each statement."""
    rows: dict[str, list[tuple[float, float, float, str]]] = {}
    for r in judged:
        if finite(r.predicted) and finite(r.measured):
            bound = r.bound if finite(r.bound) else 0.0
            rows.setdefault(statement(r), []).append((r.predicted, r.measured, bound, book.number(r)))
    return rows


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
