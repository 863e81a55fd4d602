"""`noether laws`: the book of laws, or how each of them stands in a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Run = Annotated[Path | None, typer.Argument(metavar="[RUN]", help="A run folder: verdict, cells, worst spent or slopes, controls killed of every law.")]


def laws(run: Run = None):
    """List the laws; with a RUN also how each of them stands in it."""
    from harness.catalogue import counted, laws_table
    from harness.table import say

    if run is None:
        say(laws_table(), counted())
        return
    from harness.folder import read_run
    from harness.standing import standing_table

    found = read_run(run)
    say(standing_table(found.records, found.about["laws"]), counted())
