"""The end of a command that ran cells: its exit code is decided, its pages are written, then it is told."""

from __future__ import annotations

import sys
from pathlib import Path

from noether.cli.commands import annotate, complain, printed
from noether.system.outside import orders, plural
from noether.system.usage import UsageError

SHOWN = 5  # cells without a verdict


def conclude(result, as_json: bool, sarif: Path | None = None, **watching) -> None:
    """Decide, then write the pages, then tell: what cannot be written or printed changes nothing."""
    from noether.report.publish import publish
    from noether.report.table import verdict
    from noether.runs.decision import decide, shown

    decide(result.exit_code, verdict(result), result.folder)
    shown("the pages of the run", publish, result)
    if sarif is not None:
        shown("the SARIF file", write_sarif, result, sarif)
    tell(result, as_json, **watching)


def write_sarif(result, file: Path) -> None:
    """Write the SARIF file of a run; a disk that refuses is a note."""
    from noether.report.publish import write_beside
    from noether.report.sarif import text

    try:
        write_beside(file, text(result.records, result.about, {**result.errors, **result.lost}), "SARIF file")
    except UsageError as error:
        result.notes.append(str(error))


def tell(result, as_json: bool, *, quiet: bool = False, verbose: bool = False) -> None:
    """The tables or the summary on stdout, then notes and what to do next on stderr.

    Annotations are for stdout (docs.github.com, workflow commands), but --json promises that nothing else is
    there.
    """
    from noether.report.github import announce

    if as_json:
        from noether.report.table import summary

        printed(summary(result))
    else:
        from noether.report.table import ending, say, verdict

        say(verdict(result)) if quiet else say(*ending(result, whole=verbose))
    announce(result, orders(sys.stderr if as_json else sys.stdout).write)
    annotate(result, quiet=quiet)
    for cell, why in list(result.lost.items())[:SHOWN]:
        complain(f"cell {cell}: {why}")
    if result.lost:
        more = f", {len(result.lost) - SHOWN} more than shown" if len(result.lost) > SHOWN else ""
        go_on = f": go on with noether verify --resume {result.folder}" if result.folder else ""
        complain(f"{len(result.lost)} of {plural(result.cells, 'cell')} undecided{more}{go_on}")
    if result.interrupted:
        complain(f"interrupted; what was found is kept: go on with noether verify --resume {result.folder}")
