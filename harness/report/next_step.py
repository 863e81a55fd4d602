"""What to do after a run, in one line that can be copied: what stands at the end of `noether verify`."""

from __future__ import annotations

import shlex

from noether.runs.result import Result
from noether.system.outside import printable
from noether.verdicts import exit_codes
from noether.verdicts.known import excuse
from noether.verdicts.record import INCONCLUSIVE, VIOLATED, Record


def next_step(result: Result) -> str:
    """One line: a command, or a page to read, and what it is for; '' where nothing was kept."""
    if result.folder is None:
        return ""
    folder = shlex.quote(printable(str(result.folder)))
    page = shlex.quote(printable(str(result.folder / "report.html")))
    wrong = first(result, VIOLATED)
    if result.exit_code == exit_codes.INTERRUPTED or result.lost:
        return f"next, run what has no end yet: noether verify --resume {folder}"
    if wrong is not None:
        replay = "run a replay line above, or " if wrong.replay else ""
        return f"next, {replay}read what the law states: noether explain {wrong.law} {folder}"
    if result.exit_code == exit_codes.INTERNAL:
        return f"next, report it with what this prints and with run.json of {folder}: noether doctor --json"
    if result.exit_code == exit_codes.UNDECIDED or first(result, INCONCLUSIVE) is not None:
        return (
            f"next, read what a law needs and what it can see: noether explain {undecided(result)} {folder}"
        )
    return f"next, look at it: {page}" if result.laws else ""


def first(result: Result, verdict: str) -> Record | None:
    """The first verdict of this kind, apart from faults and from what is known to be violated."""
    mine = (r for r in result.records if r.verdict == verdict and not r.fault)
    return next((r for r in mine if excuse(r, result.known) is None), None)


def undecided(result: Result) -> str:
    """The law that a reader should look at first: one that no cell decides, else one with an open cell."""
    weak = [row.law for row in result.rows if row.verdict == INCONCLUSIVE]
    open_ones = [r.law for r in result.records if r.verdict == INCONCLUSIVE and not r.fault]
    return next(iter([*weak, *open_ones, *result.laws]))
