"""`noether report [RUN]`: write report.html and junit.xml of a run again. `noether report A B`: what changed from A to B."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from noether.commands import HOLDS, VIOLATED, complain
from noether.usage import UsageError

Runs = Annotated[list[Path] | None, typer.Argument(metavar="[RUN] | A B", help="A run folder, the newest in runs/ when left out; two to compare the second with the first.")]
CODES = "Exit codes with two runs: 0 nothing is worse, 1 something is: a law or place that held, a marked rise, a fault seen no more; 2 wrong usage or input."


def report(runs: Runs = None):
    """Write report.html and junit.xml of a run again; with two runs, say what changed from A to B and write B/compare.html."""
    runs = runs or []
    if len(runs) > 2:
        raise UsageError(f"report was given {len(runs)} runs, must be one, or two to compare")
    if len(runs) == 2:
        raise typer.Exit(VIOLATED if change(*runs).worse else HOLDS)
    from noether.folder import newest
    from noether.publish import republish

    found = republish(runs[0] if runs else newest())
    print(found.path / "report.html")
    for note in found.notes:
        complain(f"note: {note}")


def change(a: Path, b: Path):
    from noether.comparison import compared
    from noether.comparison_table import told
    from noether.publish import publish_comparison
    from noether.table import say

    found = compared(a, b)
    page = publish_comparison(found)
    say(*told(found, page))
    for note in (*found.a.notes, *found.b.notes):
        complain(f"note: {note}")
    return found
