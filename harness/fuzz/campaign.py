"""A fuzzing run: the corpus first, then batches until the time box ends or something is violated.

Batches run in worker processes, one launch each; which batches there are depends on the seed and the backend alone.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager

from noether import casefile
from noether.discrete import rules_of
from noether.execute import prepare_worker
from noether.folder import Folder
from noether.fuzz import corpus
from noether.fuzz.batch import Finding, run_batch
from noether.fuzz.breeding import LAG, Archive, Cell, Schedule, grid, kernels_of, size_of, unscreened
from noether.fuzz.corpus import Entry
from noether.fuzz.minimise import minimise
from noether.fuzz.outcome import Campaign, Outcome, absorb
from noether.kernels import launch
from noether.kernels.rules import RULES
from noether.machine import cpus, versions
from noether.usage import UsageError
from noether.wide import require_wide

MINIMISED = 3  # violations of one run that are made small: laws fail together, and the first tells most
CRASHES = 3  # batches that may fail inside the harness before the run ends


def run(campaign: Campaign, watch=lambda outcome, done: None) -> Outcome:
    """Replay the corpus, then fuzz. Raises UsageError for a corrupt corpus or an empty choice, before any work."""
    require_wide()
    known = corpus.entries(campaign.corpus) if campaign.corpus and not campaign.probe.plant else []
    cells = grid(campaign.cases, campaign.rules, campaign.precisions)
    if not cells:
        raise UsageError(nothing(campaign))
    folder = Folder.create(campaign.out, about(campaign, cells)) if campaign.record else None
    outcome = Outcome(campaign, cells, folder=folder and folder.path)
    begin = time.perf_counter()
    try:
        outcome.replayed = [corpus.replay(entry) for entry in known]
        if not any(r.again for r in outcome.replayed):
            fuzz(campaign, outcome, folder, watch)
        outcome.seconds = time.perf_counter() - begin
        conclude(outcome)
    except KeyboardInterrupt:
        outcome.interrupted = True
    finally:
        outcome.seconds = outcome.seconds or time.perf_counter() - begin
        if folder:
            folder.about.update(seconds=round(outcome.seconds, 3), errors=len(outcome.errors))
            if outcome.interrupted:  # perhaps between a record and its count: the file itself says how many there are
                folder.about.update(exit_code=outcome.exit_code)
                folder.write_about()
            else:
                folder.finish(outcome.exit_code)
            folder.close()
    return outcome


def nothing(campaign: Campaign) -> str:
    """What to say of a choice that has no cell."""
    taken = {rule for case in campaign.cases for rule in rules_of(case)}
    able = [rule for rule in RULES if rule in taken and RULES[rule].screened]
    names = ", ".join(case.name for case in campaign.cases[:4]) + (" ..." if len(campaign.cases) > 4 else "")
    wrong = unscreened(campaign.cases, campaign.rules)
    why = f"the laws of {', '.join(wrong)} do not run beside the step" if wrong else f"no chosen rule goes with {names}"
    return f"there is nothing to fuzz: {why}; of the rules on {names} these can be fuzzed: {', '.join(able) or 'none'}"


def about(campaign: Campaign, cells: list[Cell]) -> dict:
    """run.json of a fuzzing run; `laws` are those that the records can be of."""
    from noether.laws import EXACT

    said = {"command": "fuzz", "cases": [f or c.name for c, f in zip(campaign.cases, files_of(campaign), strict=True)], "rules": campaign.rules,
            "precisions": campaign.precisions, "plant": campaign.probe.plant, "seconds": campaign.seconds, "batches": campaign.batches,
            "files": casefile.files(campaign.files)}  # fmt: skip
    return {"arguments": said, "seed": campaign.seed, "backend": campaign.probe.backend, "laws": list(EXACT), "left_out": [], "cells": len(cells)}


def files_of(campaign: Campaign) -> list[str]:
    by_name = {casefile.named(word): word for word in campaign.files}
    return [by_name.get(case.name, "") for case in campaign.cases]


def fuzz(campaign: Campaign, outcome: Outcome, folder: Folder | None, watch) -> None:
    """Batches in order of their numbers; what comes next is decided LAG batches behind."""
    begin = time.perf_counter()
    compiling = campaign.probe.backend != "numpy"
    size = size_of(campaign.probe.backend, campaign.probe.plant)
    schedule = Schedule(outcome.cells, campaign.seed, size, kernels_of(outcome.cells, campaign.seed) if compiling else ())
    archive, ready, kept, absorbed, number = Archive(), {}, {}, 0, 0
    files = dict(zip((c.name for c in campaign.cases), files_of(campaign), strict=True))

    def over() -> bool:
        spent = time.perf_counter() - begin
        return bool(campaign.seconds is not None and spent >= campaign.seconds or campaign.batches is not None and number >= campaign.batches
                    or outcome.violations or len(outcome.errors) >= CRASHES)  # fmt: skip

    with workers(campaign) as submit:
        pending: dict[Future, int] = {}
        while True:
            while not over() and len(pending) < campaign.jobs + 1 and number < absorbed + LAG:
                for law, cell, lane in kept.pop(number - LAG, ()):  # neither more nor less, whatever is done by now
                    archive.add(law, cell, lane)
                batch = schedule.batch(number, archive)
                pending[submit(run_batch, batch, campaign.probe, files)] = number
                number += 1
            if not pending:
                return
            done, _ = wait(pending, return_when=FIRST_COMPLETED)
            for future in done:
                ready[pending.pop(future)] = received(future)
            while absorbed in ready:
                finding = ready.pop(absorbed)
                if isinstance(finding, Finding):
                    kept[absorbed] = [(law, finding.batch.cell, lane) for law, lane in finding.kept]
                absorbed += 1
                absorb(outcome, finding, folder)
                watch(outcome, finding)


@contextmanager
def workers(campaign: Campaign):
    """submit(function, *arguments) -> Future, in worker processes or here."""
    if campaign.jobs == 1:
        yield here
        return
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(campaign.jobs, context, initializer=prepare, initargs=(campaign.files, max(1, cpus() // campaign.jobs)))
    try:
        yield pool.submit
        pool.shutdown()
    except BaseException:
        for process in list((pool._processes or {}).values()):
            process.terminate()
        pool.shutdown(wait=False, cancel_futures=True)
        raise


def prepare(files: tuple[str, ...], threads: int) -> None:
    """A worker, with its share of the processors: two workers with two threads each would stand in each other's way."""
    prepare_worker(files)
    os.environ.setdefault("OMP_NUM_THREADS", str(threads))


def here(function, *arguments) -> Future:
    future: Future = Future()
    future.set_result(function(*arguments))
    return future


def received(future: Future) -> Finding | str:
    try:
        return future.result()
    except BrokenProcessPool:
        return "a worker process died: killed for its memory?"


def conclude(outcome: Outcome) -> None:
    """Make the worst launch of the first violated laws small, and keep both."""
    campaign, done = outcome.campaign, set()
    for subject, worst, _, batch in sorted(outcome.violations, key=lambda v: (v[3].number, -v[2].spent)):
        if (subject.law, subject.case, subject.rule, subject.precision) in done or len(done) >= MINIMISED:
            continue
        done.add((subject.law, subject.case, subject.rule, subject.precision))
        try:
            minimal = minimise(subject, worst, campaign.probe)
        except ValueError as error:
            outcome.notes.append(str(error))
            minimal = worst
        outcome.minimal.append((subject, minimal))
        origin = {"seed": campaign.seed, "batch": batch.number, "regime": batch.cell.regime, "lanes": batch.lanes, "steps": batch.steps}
        if campaign.corpus is None or (campaign.probe.plant and campaign.corpus == corpus.CORPUS):
            continue
        entry = Entry(subject, minimal, worst, versions(), origin)
        outcome.saved.append(corpus.write(campaign.corpus, entry))


def resolve(backend: str, plant: str) -> str:
    """'auto' resolved to a backend that can screen. Raises BackendMissing."""
    if plant:
        return "numpy"
    if backend != "auto":
        reason = launch.missing(backend)
        if reason:
            raise launch.BackendMissing(f"backend {backend} is not here: {reason}")
        return backend
    from noether.kernels import screening

    return next(b for b in ("triton-gpu", "triton-cpu", "numpy") if b in screening.BACKENDS and not launch.missing(b))
