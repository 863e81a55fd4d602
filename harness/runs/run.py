"""One run from beginning to end: plan, execute, record, judge. harness/api/verify.py is for Python."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from noether.kernels import cache_folders
from noether.plan.casefiles import load, trust
from noether.plan.casefiles.kind import RULE
from noether.plan.casefiles.rule_words import file_words
from noether.plan.choices import Request, select
from noether.runs import completeness, replaying, shards
from noether.runs.conclusion import conclude
from noether.runs.decision import carry
from noether.runs.early import early
from noether.runs.execute import execute
from noether.runs.folder import Folder
from noether.runs.planning import plan
from noether.runs.recording import keep
from noether.runs.result import USUAL, How, Plan, Result
from noether.runs.saved_run import Run
from noether.runs.worker_pool import Crew
from noether.system import processstate
from noether.system.jobs import jobs as how_many
from noether.system.machine import instructions, versions
from noether.system.memorypeak import Peak
from noether.system.usage import CannotRun, UsageError
from noether.verdicts import exit_codes
from noether.verdicts.known import Known
from noether.verdicts.record import Record


def digests(request: Request) -> dict:
    """The files of a request, of cases and of rules, each with the digest of what it is."""
    words = [word for word in request.cases if isinstance(word, str) and load.is_file_word(word)]
    return load.files(words) | load.files(file_words(request.rule), RULE)


def arguments(request: Request) -> dict:
    """What run.json keeps of a request."""
    return {**request.as_dict(), "files": digests(request)}


def check_same(about: dict, request: Request, backend: str, part: str = "") -> None:
    """Refuse to resume a run that differs from this one. Raises UsageError naming what differs."""
    here = versions()
    differs = [(f"version of {k}", v, here.get(k)) for k, v in about["versions"].items() if here.get(k) != v]
    now = arguments(request)
    differs += [(f"argument {k}", v, now.get(k)) for k, v in about["arguments"].items() if now.get(k) != v]
    if about.get("backend") != backend:
        differs.append(("backend", about.get("backend"), backend))
    if about.get("shard", "") != part:
        differs.append(("shard", about.get("shard", ""), part))
    was, here = about["machine"].get("instructions"), instructions()
    if was is not None and was != here:  # not written by versions before 0.3
        differs.append(("instruction set", was, here))
    if differs:
        told = "; ".join(f"{what} was {was!r}, is {given!r}" for what, was, given in differs)
        raise UsageError(f"cannot resume: {told}: they must be the same")


def unwatched(event: str, **facts) -> None:
    """Where nobody watches a run."""


def run(
    request: Request,
    *,
    out: Path | None = None,
    resume: Path | None = None,
    record: bool = True,
    how: How = USUAL,
    strict: bool = False,
    known: Sequence[Known] = (),
    watch: Callable = unwatched,
) -> Result:
    """Plan, execute and record.

    known   violations that are known and do not count (harness/verdicts/known.py)
    watch("cells", total=, done=) is called first, then watch("done", done=Done) for each cell;
    watch("runs", names=) gives a function that says which cells run now.

    Raises UsageError and BackendMissing before any work, RecordingError when the disk refuses, CannotRun when
    no worker can be had.
    """
    begin = time.perf_counter()
    selection = select(request)
    with Peak() as peak, early(selection, how) as crew:
        with processstate.kept(harmless=False):  # planning asks a case for numbers too
            planned = shards.part(plan(selection), how.shard)
        if resume is None:
            trust.remember([*planned.selection.files, *planned.selection.rule_files])
        folder, found = opened(
            request, planned, out=out, resume=resume, record=record, how=how, strict=strict
        )
        result = begun(planned, folder, found, how)
        done_in(result, planned, folder, found, how, watch, crew)
    result.notes += how.executor.notes() if how.executor else []
    result.notes += [line for line in cache_folders.notes() if line not in result.notes]
    result.seconds, result.memory = time.perf_counter() - begin, peak.most
    cells = [completeness.planned(c) for c in planned.cells]
    conclude(result, cells, planned.selection.asked, folder, strict=strict, known=known)
    return result


def done_in(
    result: Result,
    planned: Plan,
    folder: Folder | None,
    found: Run | None,
    how: How,
    watch: Callable,
    crew: Crew | None,
) -> None:
    """Run the cells of a plan that no earlier run has done, into a result and its folder; what ends a run
    early leaves a folder that can be gone on with."""
    done = found.cells if found else {}
    nothing_lost(result.records, done)
    todo = [c for c in planned.cells if c.name not in done]
    watch("cells", total=len(planned.cells), done=len(planned.cells) - len(todo))
    try:
        work(todo, planned, result, folder, how, watch, crew)
    except KeyboardInterrupt:
        result.interrupted = True
    except BaseException as error:
        carry(error, result.records)
        if folder:
            folder.close()  # no end in run.json: it can be resumed
        if folder and isinstance(error, CannotRun):
            go_on = f"go on with noether verify --resume {folder.path}"
            raise CannotRun(f"{error}; {folder.count} records are kept: {go_on}") from None
        raise


def opened(request: Request, planned: Plan, *, out, resume, record: bool, how: How, strict: bool):
    """The folder of a run, and what an earlier run kept in it; both None where nothing is recorded or gone on
    with."""
    if resume is not None:
        allowed = lambda about: check_same(about, request, planned.backend, how.part)
        return Folder.reopen(Path(resume), allowed)
    if not record:
        return None, None
    said = {"arguments": arguments(request), "seed": request.seed, "backend": planned.backend}
    said |= {"laws": planned.laws, "left_out": planned.left_out, "cells": len(planned.cells)}
    return Folder.create(out, {**said, "strict": strict, **shards.about(planned, how.part)}), None


def begun(planned: Plan, folder: Folder | None, found: Run | None, how: How) -> Result:
    """The result before any cell has run here: what an earlier run found, and what the plan tells."""
    records, notes = (list(found.records), found.notes) if found else ([], [])
    result = Result(records, [], exit_codes.UNDECIDED, planned.laws, planned.left_out, shard=how.part)
    result.folder, result.cells = folder and folder.path, len(planned.cells)
    result.notes = [*planned.notes, *notes]
    return result


def work(
    cells, planned: Plan, result: Result, folder: Folder | None, how: How, watch, crew: Crew | None = None
) -> None:
    """Run cells, and keep in the result and in the folder what comes of each. Raises RecordingError,
    CannotRun."""
    own = load.own(planned.selection.files, planned.selection.rule_files)
    elsewhere = dict(own=own, seconds=how.seconds, executor=how.executor, jobs=how_many(how.jobs), crew=crew)
    with closing(execute(cells, tell=lambda names: watch("runs", names=names), **elsewhere)) as stream:
        for done in stream:
            result.records += done.records
            if folder:
                for r in done.records:
                    r.replay = replaying.line(r, done.records, folder.path)
                keep(folder, done, f"make room, then go on with --resume {folder.path}")
            if done.error is not None:
                result.errors[done.cell] = done.error
            if done.lost is not None:
                result.lost[done.cell] = done.lost
            result.notes += [line for line in done.notes if line not in result.notes]
            watch("done", done=done)


def nothing_lost(records: list[Record], cells: dict[str, int]) -> None:
    """Refuse to go on when cells taken as done do not have all their records. Raises RuntimeError."""
    kept: dict[str, int] = {}
    for r in records:
        kept[r.cell] = kept.get(r.cell, 0) + 1
    for name, count in cells.items():
        if kept.get(name, 0) != count:
            what = f"cell {name} is done with {count} records, of which {kept.get(name, 0)} came back"
            raise RuntimeError(f"{what}: nothing was run")
