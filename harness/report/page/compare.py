"""compare.html: what changed from one run to another, on one page."""

from __future__ import annotations

from collections.abc import Sequence

from noether.report.comparison_table import cells, killed, lines, spent, two
from noether.report.figures.scatter import Point, scatter
from noether.report.html import environment
from noether.report.law_table import titled
from noether.report.page.book import SYMBOL
from noether.report.page.page import command, facts
from noether.report.table import WORD, number
from noether.runs.comparison import Difference, LawChange
from noether.runs.saved_run import Run

LISTED = 400


def render(d: Difference) -> str:
    """The whole page."""
    rows = [row(c) for c in d.laws]
    runs = [side(name, run) for name, run in (("A", d.a), ("B", d.b))]
    lists = [(title, [named(x) for x in found[:LISTED]], len(found)) for title, found, _ in lines(d) if found]
    template, symbol = environment().get_template("compare.html"), {**SYMBOL, "not there": "·"}
    return template.render(
        d=d, rows=rows, runs=runs, lists=lists, figure=figure(d), symbol=symbol, **worded(d)
    )


def worded(d: Difference) -> dict:
    """What the comparison says in codes, with the titles of the laws."""
    return {"worse": [reason(x) for x in d.worse], "unmeasured": groups(d.marked.unmeasured)}


def named(line: str) -> str:
    """A line about a place, with the title of its law behind the code that it begins with."""
    law, _, rest = line.partition(" ")
    return f"{law} ({title}) {rest}".rstrip() if (title := titled(law)) else line


def reason(line: str) -> str:
    """A reason why the second run is worse, with titles: "kind: how many (names)" of comparison.reasons."""
    kind, _, names = line.partition(" (")
    return f"{kind}: {'; '.join(map(named, names.removesuffix(')').split('; ')))}"


def groups(names: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Groups of precisions by law: (law with its title, groups)."""
    found: dict[str, list[str]] = {}
    for law, _, rest in (name.partition(" ") for name in names):
        found.setdefault(named(law), []).append(rest)
    return list(found.items())


def row(c: LawChange) -> dict:
    """One law, was and now."""
    told = {
        "law": c.law,
        "title": titled(c.law),
        "verdicts": c.verdicts,
        "spent": spent(c),
        "cells": two(*cells(c, "cells")),
    }
    seconds = two(*(f"{s:.1f}" for s in c.seconds))
    return {**told, "killed": two(*killed(c)), "seconds": seconds, "worse": c.worse}


def side(name: str, run: Run) -> dict:
    """What is said of one of the runs."""
    told = {"name": name, "path": str(run.path), "command": command(run.about)}
    return {**told, "facts": facts(run.about), "verdict": verdict(run.about)}


def verdict(about: dict) -> str:
    """The verdict of a run in words."""
    code = about.get("exit_code")
    return "unfinished" if code is None else WORD.get(code, f"exit code {code}")


def figure(d: Difference) -> dict | None:
    """Spent of B against spent of A, one dot a place."""
    a, b = (e.entries for e in d.entries)
    told = lambda n: f"{n}: {number(a[n].spent)} → {number(b[n].spent)}"
    both = [n for n in a if n in b and a[n].slope is None]
    points = [Point(a[n].spent, b[n].spent, n.split(" ")[3], told(n)) for n in both]
    axes = ("spent in A", "spent in B")
    svg, lost = scatter(points, "spent in B against spent in A", *axes, limit="no change")
    if not svg:
        return None
    rose, fell = (sum(p.y > p.x for p in points), sum(p.y < p.x for p in points))
    caption = (
        f"Each dot is one place that holds in both runs; on the line nothing changed. Of {len(points)}, "
        f"{rose} rose and {fell} fell, {len(d.marked.rises)} of them markedly: only those must be explained."
    )
    return {"svg": svg, "caption": caption + (f" {lost} not drawn." if lost else "")}
