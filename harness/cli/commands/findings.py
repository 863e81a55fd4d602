"""`noether findings`: the published claims and the map of a run, as docs/findings.md."""

from __future__ import annotations

from pathlib import Path

from noether.cli.commands import AsJson, RunFolder, complain, option, printed
from noether.system.outside import printable

PAGE = Path("docs/findings.md")
Page = option(Path, f"The page to write (default {PAGE}).")


def findings(run: RunFolder = None, out: Page = PAGE, as_json: AsJson = False):
    """Write docs/findings.md from the records of a run.

    Exit code: 0 written, 2 the run lacks a claim or the map, which is named.
    """
    from noether.cli.progress import busy
    from noether.report.findings import listed, page
    from noether.runs.saved_run import newest, read_run
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
    if as_json:
        printed({"run": str(found.path), "page": str(out), "findings": listed(found)})
    else:
        print(printable(str(out)))
    for note in found.notes:
        complain(f"note: {note}")
