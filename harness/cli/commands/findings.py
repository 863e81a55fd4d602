"""`noether findings`: what became of published statements in a run, as docs/findings.md with its pictures."""

from __future__ import annotations

from pathlib import Path

from noether.cli.commands import AsJson, RunFolder, complain, printed, written_file
from noether.system.outside import printable

PAGE = Path("docs/findings.md")
Page = written_file(f"The page to write (default {PAGE}).", kind=Path)


def findings(run: RunFolder = None, out: Page = PAGE, as_json: AsJson = False):
    """Write docs/findings.md from the records of a run.

    Its pictures and the facts that it is written from lie beside it.

    Exit code: 0 written, 2 the run lacks a claim or the map, which is named.
    """
    from noether.cli.progress import busy
    from noether.report.findings import files, listed
    from noether.runs.saved_run import newest, read_run
    from noether.system.files import check_plain, write_whole
    from noether.system.usage import UsageError

    check_plain("--out", out)
    with busy("reading the run"):
        found = read_run(run if run is not None else newest())
    if found.about.get("end") is None:
        raise UsageError(f"{found.path} is unfinished: noether verify --resume {found.path} runs the rest")
    made = files(found)
    named = {out.parent / name if name != PAGE.name else out: text for name, text in made.items()}
    for path, text in named.items():
        try:
            if path != out:
                path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, text)
        except OSError as error:
            raise UsageError(f"{path} cannot be written: {error.strerror or error}") from None
    if as_json:
        pictures = [str(path) for path in named if path.suffix == ".svg"]
        about = {"run": str(found.path), "page": str(out), "pictures": pictures}
        printed({**about, "findings": listed(found)})
    else:
        print(printable(str(out)))
    for note in found.notes:
        complain(f"note: {note}")
