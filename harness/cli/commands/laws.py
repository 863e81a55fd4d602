"""`noether laws`: the book of laws, or how each of them stands in a run."""

from __future__ import annotations

from pathlib import Path

from noether.cli.commands import AsJson, argument, printed

TOLD = "A run folder: verdict, cells, worst spent or slopes, power, faults killed of every law."
Run = argument(Path | None, "[RUN]", TOLD)


def laws(run: Run = None, as_json: AsJson = False):
    """List the laws; with a RUN also how each of them stands in it."""
    from noether.report.catalogue import counted, laws_listed, laws_table
    from noether.report.table import say

    if run is None:
        printed({"laws": laws_listed()}) if as_json else say(laws_table(), counted())
        return
    from noether.report.standing import legend, standing, standing_table
    from noether.runs.saved_run import read_run

    found = read_run(run)
    if as_json:
        printed({"run": str(found.path), "laws": standing(found.records, found.about["laws"])})
    else:
        say(standing_table(found.records, found.about["laws"]), *legend(), counted())
