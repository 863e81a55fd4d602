"""`noether history`: the laws over many runs, as a table and a page; `noether history add RUN` keeps one."""

from __future__ import annotations

from pathlib import Path

import typer

from noether.cli.commands import AsJson, Quiet, Seed, argument, option, printed, written_file
from noether.cli.commands.defaults import said
from noether.system.files import check_writable
from noether.system.outside import printable
from noether.system.usage import UsageError

WHAT = "A folder of history files or of run folders (history/, else runs/, when left out); or: add RUN."
Words = argument(list[Path] | None, "[FOLDER] | add RUN", WHAT)
Into = option(Path | None, "With add: the folder to write into (default history).", "--to")
Git = option(
    Path | None, "Show the versions of FILE over the commits: a baseline or a history file.", "--git"
)
Profile = option(str | None, "Only runs of this profile.")
Backend = option(str | None, "Only runs of this backend.")
Page = written_file("Where the page is written (default history.html, in FOLDER where there is one).")


def history(
    context: typer.Context,
    words: Words = None,
    to: Into = None,
    git: Git = None,
    profile: Profile = None,
    seed: Seed = 0,
    backend: Backend = None,
    page: Page = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
):
    """Show the laws over many runs, and mark the steps.

    Also written as a page, history.html. With add, a run is kept as a small file to commit.
    """
    words = words or []
    if words and str(words[0]) == "add":
        return kept(words[1:], to, as_json)
    if len(words) > 1 or to is not None or (words and git is not None):
        given = [*map(str, words), *(["--to"] if to else []), *(["--git"] if git else [])]
        must = "one folder, or --git FILE, or the words add RUN [--to FOLDER]"
        raise UsageError(f"history was given {' '.join(given)}: it must be {must}")
    if page is not None:
        check_writable("--page", page)
    wanted = dict(profile=profile, seed=seed if said(context, "seed") else None, backend=backend)
    show(words[0] if words else None, git, wanted, page, as_json, quiet)


def kept(runs: list[Path], to: Path | None, as_json: bool) -> None:
    """Write the history file of a run, and say where."""
    from noether.runs.history import FOLDER, add

    if len(runs) != 1:
        raise UsageError(f"history add was given {len(runs)} runs, must be one run folder")
    path, new = add(runs[0], to or FOLDER)
    told = {"file": str(path), "new": new, "bytes": path.stat().st_size}
    printed(told) if as_json else print(printable(str(path) if new else f"{path} has this run already"))


def show(
    folder: Path | None, git: Path | None, wanted: dict, page: Path | None, as_json, quiet: bool
) -> None:
    """The table, the page, the document of one series of runs."""
    from noether.cli.progress import busy
    from noether.report.history_page import FILE, publish
    from noether.report.history_table import ending, summary
    from noether.report.terminal import say
    from noether.runs import history as runs
    from noether.runs.trend_marks import steps

    with busy("reading the runs", quiet=quiet):
        where = Path() if git is not None else runs.place(folder)
        found = runs.of_git(git) if git is not None else runs.of_folder(where)
        chosen = runs.chosen(*found, **wanted)
        marked = steps(chosen.points)
        written = publish(chosen, marked, page or where / FILE)
    printed(summary(chosen, marked, written)) if as_json else say(*ending(chosen, marked, written))
