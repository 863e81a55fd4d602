"""`noether findings`: the published claims and the map of a run, as docs/findings.md."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from noether.cli.commands import AsJson, complain, option, printed
from noether.system.outside import printable

RunFolder = Annotated[
    Path | None, typer.Argument(metavar="[RUN]", help="A run folder; the newest in runs/ when left out.")
]


def findings(
    run: RunFolder = None,
    out: option(Path, "The page to write (default docs/findings.md).") = Path("docs/findings.md"),
    as_json: AsJson = False,
):
    """Write docs/findings.md from the records of a run.

    Exit code: 0 written, 2 the run lacks a claim or the map, which is named.
    """
    from noether.cli.progress import busy
    from noether.report.findings import listed, page
    from noether.runs.folder import newest, read_run
    from noether.system.files import write_whole
    from noether.system.usage import UsageError

    with busy("reading the run"):
        found = read_run(run if run is not None else newest())
    if found.about.get("end") is None:
        raise UsageError(f"{found.path} is unfinished: noether verify --resume {found.path} runs the rest")
    text = page(found)
    try:
        write_whole(out, text)
    except OSError as error:
        raise UsageError(f"{out} cannot be written: {error.strerror or error}") from None
    printed({"run": str(found.path), "page": str(out), "findings": listed(found)}) if as_json else print(
        printable(str(out))
    )
    for note in found.notes:
        complain(f"note: {note}")
