"""How a run ends: the rows of its table, its exit code, and the last word in run.json."""

from __future__ import annotations

from collections.abc import Iterable

from noether.runs import completeness
from noether.runs.folder import Folder
from noether.runs.result import Result
from noether.verdicts import exit_codes
from noether.verdicts.record import Record, summarise

Cells = list[completeness.Planned]


def decide(
    records: list[Record], cells: Cells, laws: Iterable[str], book: dict, *, whole, strict=False, unjudged=()
) -> tuple[int, list[str]]:
    """The exit code, and the promises that are broken: a run that would hold is blind where one is.

    cells     what was planned;  book  the laws, by key
    whole     every promise must be kept, for nothing was narrowed or lost
    unjudged  laws that a narrowed choice cannot judge
    """
    laws = list(laws)
    code = exit_codes.of_records(records, laws, strict=strict, unjudged=unjudged)
    blind = completeness.broken(records, cells, laws, book, whole=whole)
    return exit_codes.of_run(code, undecided=blind), blind


def conclude(
    result: Result, cells: Cells, asked: frozenset[str], folder: Folder | None, *, strict: bool
) -> None:
    """Give a result its rows and its exit code, and write the end of run.json.

    cells  what was planned
    asked  by which words the selection was narrowed
    """
    result.records.sort(key=lambda r: (r.cell, r.law, r.symmetry or "", r.fault or ""))
    result.rows = summarise(result.records, list(result.laws))
    judge(result, cells, asked, strict=strict)
    if folder is not None:
        keep_end(result, folder)


def judge(result: Result, cells: Cells, asked: frozenset[str], *, strict: bool) -> None:
    """Give a result its exit code and what it rests on.

    A part of a run is judged by what it found alone: whether it is whole, `noether merge` says.
    """
    from noether.plan import design as planning

    is_broken = result.errors or result.lost or result.interrupted or result.shard
    whole = not (asked - {"backend", "laws"} or is_broken)
    if not whole:
        result.unjudged = completeness.unjudged(result.records, result.laws)
        # A law that was asked for by name and is outside everywhere has not been decided.
        if "laws" not in asked:
            result.unjudged += completeness.outside(result.records, result.laws)
    how = dict(whole=whole, strict=strict, unjudged=result.unjudged)
    result.exit_code, result.blind = decide(result.records, cells, result.laws, planning.LAWS, **how)
    if result.shard:
        result.exit_code, result.blind = exit_codes.of_part(result.records, strict=strict), []
    ends = dict(undecided=result.lost, internal=result.errors, interrupted=result.interrupted)
    result.exit_code = exit_codes.of_run(result.exit_code, **ends)


def keep_end(result: Result, folder: Folder) -> None:
    """Write the end of run.json, and leave the folder closed even when the disk is full."""
    folder.about["seconds"] = round(result.seconds, 3)
    folder.about["errors"], folder.about["blind"] = len(result.errors) + len(result.lost), list(result.blind)
    try:
        if result.interrupted:
            folder.write_about()  # no end: it can be resumed
        else:
            folder.finish(result.exit_code)
    except OSError as error:
        result.notes.append(f"{folder.path}/run.json cannot be written: {error.strerror or error}")
    result.about = folder.about
    folder.close()
