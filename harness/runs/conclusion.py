"""How a run ends: the rows of its table, its exit code, and the last word in run.json."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence

from noether.runs import completeness
from noether.runs.folder import Folder
from noether.runs.result import Result
from noether.verdicts import exit_codes
from noether.verdicts.known import Known, Standing, proving, standings
from noether.verdicts.record import Record, summarise

Cells = list[completeness.Planned]


def decide(
    records: list[Record],
    cells: Cells,
    laws: Iterable[str],
    book: dict,
    *,
    whole,
    strict=False,
    unjudged=(),
    known: Sequence[Standing] = (),
) -> tuple[int, list[str]]:
    """The exit code, and the promises that are broken: a run that would hold is blind where one is.

    cells     what was planned;  book  the laws, by key
    whole     every promise must be kept, for nothing was narrowed or lost
    unjudged  laws that a narrowed choice cannot judge;  known  what became of known violations
    """
    laws = list(laws)
    code = exit_codes.of_records(records, laws, strict=strict, unjudged=unjudged, known=known)
    blind = completeness.broken(records, cells, laws, book, whole=whole, known=known)
    return exit_codes.of_run(code, undecided=blind), blind


def conclude(
    result: Result,
    cells: Cells,
    asked: frozenset[str],
    folder: Folder | None,
    *,
    strict: bool,
    known: Sequence[Known] = (),
) -> None:
    """Give a result its rows and its exit code, and write the end of run.json.

    cells  what was planned
    asked  by which words the selection was narrowed
    known  the known violations that it is judged with
    """
    result.records.sort(key=place)
    judge(result, cells, asked, strict=strict, known=known)
    result.rows = summarise(proving(result.records, result.known), list(result.laws))
    if folder is not None:
        keep_end(result, folder)


def place(r: Record) -> tuple[str, ...]:
    """Where a record stands in a result, whatever the order in which cells came back."""
    return r.cell, r.law, r.symmetry or "", r.fault or ""


def judge(
    result: Result, cells: Cells, asked: frozenset[str], *, strict: bool, known: Sequence[Known] = ()
) -> None:
    """Give a result its exit code and what it rests on.

    A part of a run is judged by what it found alone: whether it is whole, `noether merge` says.
    """
    from noether.plan import design as planning

    is_broken = result.errors or result.lost or result.interrupted or result.shard
    whole = not (asked - {"backend", "laws"} or is_broken)
    today = datetime.date.today()
    result.known = standings(result.records, known, today=today, narrowed=asked, whole=not is_broken)
    if not whole:
        result.unjudged = completeness.unjudged(result.records, result.laws, result.known)
        # A law that was asked for by name and is outside everywhere has not been decided.
        if "laws" not in asked:
            result.unjudged += completeness.outside(result.records, result.laws)
    how = dict(whole=whole, strict=strict, unjudged=result.unjudged, known=result.known)
    result.exit_code, result.blind = decide(result.records, cells, result.laws, planning.LAWS, **how)
    if result.shard:
        result.exit_code, result.blind = (
            exit_codes.of_part(result.records, strict=strict, known=result.known),
            [],
        )
    ends = dict(undecided=result.lost, internal=result.errors, interrupted=result.interrupted)
    result.exit_code = exit_codes.of_run(result.exit_code, **ends)


def keep_end(result: Result, folder: Folder) -> None:
    """Write the end of run.json, and leave the folder closed even when the disk is full."""
    folder.about |= {"seconds": round(result.seconds, 3), "memory": result.memory}
    folder.about["errors"], folder.about["blind"] = len(result.errors) + len(result.lost), list(result.blind)
    folder.about.pop("known", None)  # of the judgement of a run that is resumed
    if result.known:
        folder.about["known"] = [s.as_dict() for s in result.known]
    try:
        if result.interrupted:
            folder.write_about()  # no end: it can be resumed
        else:
            folder.finish(result.exit_code)
    except OSError as error:
        result.notes.append(f"{folder.path}/run.json cannot be written: {error.strerror or error}")
    result.about = folder.about
    folder.close()
