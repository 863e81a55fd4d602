"""How a run ends: the rows of its table, its exit code, and the last word in run.json."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from noether.runs import completeness
from noether.runs.folder import Folder
from noether.runs.result import Result
from noether.verdicts import exit_codes
from noether.verdicts.record import Record, summarise


def decide(records: list[Record], cells: list[completeness.Planned], laws: Iterable[str], book: dict, *,
    whole: bool, strict: bool = False, unjudged: Sequence[str] = ()) -> tuple[int, list[str]]:  # fmt: skip
    """The exit code, and the promises that are broken: a run that would hold is blind where one is."""
    laws = list(laws)
    code = exit_codes.of_records(records, laws, strict=strict, unjudged=unjudged)
    blind = completeness.broken(records, cells, laws, book, whole=whole)
    return exit_codes.of_run(code, undecided=blind), blind


def conclude(
    result: Result,
    cells: list[completeness.Planned],
    asked: frozenset[str],
    folder: Folder | None,
    *,
    strict: bool,
) -> None:
    """Rows, exit code, and the last word in run.json.  cells, asked  what was planned, what was narrowed"""
    result.records.sort(key=lambda r: (r.cell, r.law, r.symmetry or "", r.fault or ""))
    result.rows = summarise(result.records, list(result.laws))
    judge(result, cells, asked, strict=strict)
    if folder is not None:
        keep_end(result, folder)


def judge(result: Result, cells: list[completeness.Planned], asked: frozenset[str], *, strict: bool) -> None:
    """The exit code and what it rests on. A part of a run is judged by what it found alone: whether it is
    whole, `noether merge` says."""
    from noether.plan import design as planning

    whole = not (
        asked - {"backend", "laws"} or result.errors or result.lost or result.interrupted or result.shard
    )
    if not whole:  # a law that was asked for by name and is outside everywhere has not been decided
        named = "laws" in asked
        result.unjudged = [
            *completeness.unjudged(result.records, result.laws),
            *([] if named else completeness.outside(result.records, result.laws)),
        ]
    result.exit_code, result.blind = decide(
        result.records,
        cells,
        result.laws,
        planning.LAWS,
        whole=whole,
        strict=strict,
        unjudged=result.unjudged,
    )
    if result.shard:
        result.exit_code, result.blind = exit_codes.of_part(result.records, strict=strict), []
    result.exit_code = exit_codes.of_run(
        result.exit_code, undecided=result.lost, internal=result.errors, interrupted=result.interrupted
    )


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
