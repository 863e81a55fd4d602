"""What to do after a run, in one line that can be copied: what stands at the end of `noether verify`."""

from __future__ import annotations

import shlex

from noether.runs.result import Result
from noether.system.outside import printable
from noether.system.usage import UsageError
from noether.verdicts import exit_codes
from noether.verdicts.known import GONE, Known, excuse
from noether.verdicts.record import INCONCLUSIVE, VIOLATED, Record

ELSEWHERE = "the list of known violations"


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
    gone = [s.entry for s in result.known if s.status == GONE]
    if result.exit_code == exit_codes.VIOLATED and gone:
        places = "; ".join(printable(e.place) for e in gone)
        return f"next, take what is violated no more out of {file_of(gone[0])}: {places}"
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
    """The law that a reader should look at first: one that no cell decides or that kills no fault, else one
    whose fault survived, else one with an open cell."""
    judged = [row for row in result.rows if row.law not in result.unjudged]
    weak = [row.law for row in judged if not exit_codes.decided(row)]
    weak += [row.law for row in judged if row.survivors]
    open_ones = [r.law for r in result.records if r.verdict == INCONCLUSIVE and not r.fault]
    return next(iter([*weak, *open_ones, *result.laws]))


def file_of(e: Known) -> str:
    """Where an entry of the known violations stands: the pyproject.toml of the working directory, if it is
    one of its entries."""
    from noether.plan.pyproject import relative, settings

    try:
        found = settings()
    except UsageError:
        return ELSEWHERE
    is_there = found.path is not None and e in found.known
    return shlex.quote(printable(relative(found.path))) if is_there else ELSEWHERE
