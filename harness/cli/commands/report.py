"""`noether report [RUN]`: write report.html and junit.xml of a run again. `noether report A B`: what changed
from A to B."""

from __future__ import annotations

from pathlib import Path

from noether.cli.commands import AsJson, Sarif, argument, complain, option, printed, written_file
from noether.system.files import check_writable
from noether.system.outside import printable
from noether.system.usage import UsageError
from noether.verdicts import exit_codes

WHICH = "A run folder, the newest in runs/ when left out; two to compare the second with the first."
Runs = argument(list[Path] | None, "[RUN] | A B", WHICH)
Parquet = option(bool, "Write the records as RUN/records.parquet too (docs/data.md).", "--parquet")
Badge = written_file("Write the verdict for a badge of shields.io (its endpoint schema) to FILE.", "--badge")
CODES = (
    "Exit codes with two runs: 0 nothing is worse, 1 something is: a law or place that held, a marked rise, "
    "a fault seen no more; 2 wrong usage or input."
)


def report(
    runs: Runs = None,
    parquet: Parquet = False,
    as_json: AsJson = False,
    badge: Badge = None,
    sarif: Sarif = None,
):
    """Write report.html of a run again; of two, say what changed.

    junit.xml is written again too, and with --parquet the records for pandas, polars and DuckDB. With two
    runs what changed from A to B, also in B/compare.html.
    """
    runs = runs or []
    if len(runs) > 2:
        raise UsageError(f"report was given {len(runs)} runs, must be one, or two to compare")
    if len(runs) == 2 and parquet:
        raise UsageError("--parquet goes with one run: it must not be given to compare two")
    if len(runs) == 2:
        for name, file in (("--badge", badge), ("--sarif", sarif)):
            if file is not None:
                raise UsageError(f"{name} {file} is of one run, and report was given two to compare")
        return change(*runs, as_json)
    for name, file in (("--badge", badge), ("--sarif", sarif)):
        if file is not None:
            check_writable(name, file)
    from noether.api.frame import PARQUET, write_parquet
    from noether.cli.progress import busy
    from noether.report.publish import republish
    from noether.runs.saved_run import newest

    with busy("writing the pages"):
        found = republish(runs[0] if runs else newest())
        if parquet:
            write_parquet(found.records, found.path / PARQUET)
        beside(found, badge, sarif)
    printed(pages(found)) if as_json else print(printable(str(found.path / "report.html")))
    for note in found.notes:
        complain(f"note: {note}")


def beside(run, badge: Path | None, sarif: Path | None) -> None:
    """Write the badge and the SARIF file of a run where they were asked for. Raises UsageError."""
    from noether.report import badge as badges
    from noether.report import sarif as sarifs
    from noether.report.publish import write_beside
    from noether.runs.run_json import command

    made_by = command(run.about)
    if made_by != "verify" and (badge or sarif):
        raise UsageError(f"{run.path} is a run of noether {made_by}: a badge and SARIF are of noether verify")
    if badge is not None:
        write_beside(badge, badges.text(run), "badge")
    if sarif is not None:
        write_beside(sarif, sarifs.text(run.records, run.about, run.errors), "SARIF file")


def pages(run) -> dict:
    """What was written again, and the verdict of the run; exit_code is null where it has no end."""
    about, files = run.about, ("report.html", "junit.xml", "errors.txt", "records.parquet")
    code = about.get("exit_code")
    told = {"run": str(run.path), "exit_code": code, "verdict": told_of(code), "records": len(run.records)}
    return {**told, "pages": [str(run.path / name) for name in files if (run.path / name).exists()]}


def told_of(code: int | None) -> str:
    """The verdict of a run in words, by its exit code."""
    from noether.report.table import WORD

    return "unfinished" if code is None else WORD.get(code, f"exit code {code}")


def change(a: Path, b: Path, as_json: bool) -> None:
    """What changed from one run to another: its verdict, its page, its table."""
    from noether.cli.progress import busy
    from noether.report.comparison_table import summary, told
    from noether.report.publish import publish_comparison
    from noether.report.table import say
    from noether.runs.comparison import compared
    from noether.runs.decision import decide

    with busy("comparing"):
        found = compared(a, b)
    decide(exit_codes.of(violated=found.worse), "; ".join(found.worse))
    try:
        page = publish_comparison(found)
    except UsageError as error:
        page = None
        complain(f"note: {error}")
    printed(summary(found, page)) if as_json else say(*told(found, page))
    for note in (*found.a.notes, *found.b.notes):
        complain(f"note: {note}")
