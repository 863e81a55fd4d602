"""`noether clean`: remove what is kept between runs."""

from __future__ import annotations

from pathlib import Path

from noether.cli.commands import AsJson, Quiet, option, printed
from noether.verdicts import exit_codes

FOLDERS = (
    "Also this run folder, or every run folder in this folder; never one that is being written. May be "
    "repeated."
)
Dry = option(bool, "Say what would be removed, and remove nothing.", "--dry-run", "-n")
Runs = option(list[Path] | None, FOLDERS)


def clean(dry: Dry = False, runs: Runs = None, as_json: AsJson = False, quiet: Quiet = False):
    """Remove compiled kernels that are kept between runs.

    They are made again when they are needed. No run is touched unless --runs names it.

    Exit code: 0 all is removed, 2 something stays, with the reason.
    """
    from noether.cli import cleaning
    from noether.report.table import say
    from noether.runs.decision import decide

    items = [*cleaning.cached(), *cleaning.runs(runs or ())]
    for item in items if not dry else ():
        cleaning.remove(item)
    words = cleaning.total(items, dry)
    decide(exit_codes.of(wrong=any(item.kept for item in items)), words)
    if as_json:
        printed(cleaning.told(items, dry))
    else:
        say(*([cleaning.items_table(items, dry)] if items and not quiet else []), words)
