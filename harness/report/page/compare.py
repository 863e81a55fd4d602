"""compare.html: what changed from one run to another, on one page."""

from __future__ import annotations

from noether.report.comparison_table import cells, killed, lines, spent, two
from noether.report.figures.scatter import scatter
from noether.report.html import environment
from noether.report.page.overview import SYMBOL
from noether.report.page.page import command, facts
from noether.report.table import WORD
from noether.runs.comparison import Difference

LISTED = 400


def render(d: Difference) -> str:
    rows = [{"law": c.law, "verdicts": c.verdicts, "spent": spent(c), "cells": two(*cells(c, "cells")),
        "killed": two(*killed(c)),
             "seconds": two(*(f"{s:.1f}" for s in c.seconds)), "worse": c.worse} for c in d.laws]  # fmt: skip
    runs = [
        {
            "name": n,
            "path": str(r.path),
            "command": command(r.about),
            "facts": facts(r.about),
            "verdict": verdict(r.about),
        }
        for n, r in (("A", d.a), ("B", d.b))
    ]
    lists = [(title, found[:LISTED], len(found)) for title, found, _ in lines(d) if found]
    return (
        environment()
        .get_template("compare.html")
        .render(d=d, rows=rows, runs=runs, lists=lists, figure=figure(d), symbol={**SYMBOL, "not there": "·"})
    )


def verdict(about: dict) -> str:
    code = about.get("exit_code")
    return "unfinished" if code is None else WORD.get(code, f"exit code {code}")


def figure(d: Difference) -> dict | None:
    """Spent of B against spent of A, one dot a place."""
    a, b = (e.entries for e in d.entries)
    points = [(a[n].spent, b[n].spent, n.split(" ")[3], False) for n in a if n in b and a[n].slope is None]
    svg, lost = scatter(
        points, "spent in B against spent in A", "spent in A", "spent in B", limit="no change"
    )
    if not svg:
        return None
    rose, fell = (sum(p[1] > p[0] for p in points), sum(p[1] < p[0] for p in points))
    caption = (
        f"Each dot is one place that holds in both runs; on the line nothing changed. Of {len(points)}, "
        f"{rose} rose and {fell} fell, {len(d.marked.rises)} of them markedly: only those must be explained."
    )
    return {"svg": svg, "caption": caption + (f" {lost} not drawn." if lost else "")}
