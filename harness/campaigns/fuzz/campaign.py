"""A fuzzing run: first the corpus is replayed, then batches until the time is over or a law is violated.

Batches run in worker processes, one launch each; which batches there are depends on the seed and the backend
alone.
"""

from __future__ import annotations

import time
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import nullcontext
from dataclasses import replace

from noether.campaigns.fuzz import corpus
from noether.campaigns.fuzz.batch import Finding
from noether.campaigns.fuzz.corpus import Entry
from noether.campaigns.fuzz.dispatch import received, submitted, workers
from noether.campaigns.fuzz.minimise import minimise
from noether.campaigns.fuzz.next_batch import (
    LAG,
    Archive,
    GridPoint,
    Schedule,
    grid,
    kernels_of,
    size_of,
    unscreened,
)
from noether.campaigns.fuzz.outcome import Campaign, Outcome, absorb
from noether.cases.rules import RULES
from noether.kernels.loops import launch
from noether.laws.exact.cell import rules_of
from noether.mechanics.wide import require_wide
from noether.plan.casefiles import load, trust
from noether.runs.decision import carry
from noether.runs.folder import Folder
from noether.runs.recording import recording
from noether.system.machine import versions
from noether.system.memorypeak import Peak
from noether.system.usage import UsageError

MINIMISED = 3  # violations of one run that are made small: laws fail together, and the first tells most
CRASHES = 3  # batches that may fail inside the harness before the run ends


def run(campaign: Campaign, watch=lambda outcome, done: None) -> Outcome:
    """Replay the corpus, then fuzz. Raises UsageError for a corrupt corpus or an empty choice, before any
    work."""
    require_wide()
    trust.remember(campaign.files)
    known = []
    if campaign.corpus and not campaign.probe.plant:
        known = corpus.entries(campaign.corpus, trust=campaign.trust)
    cells = grid(campaign.cases, campaign.rules, campaign.precisions)
    if not cells:
        raise UsageError(nothing(campaign))
    folder = Folder.create(campaign.out, about(campaign, cells)) if campaign.record else None
    outcome = Outcome(campaign, cells, folder=folder and folder.path)
    begin, peak = time.perf_counter(), Peak()
    try:
        try:
            with peak:
                outcome.replayed = [corpus.replay(entry) for entry in known]
                if not any(r.again for r in outcome.replayed):
                    fuzz(campaign, outcome, folder, watch)
            outcome.seconds = time.perf_counter() - begin
            conclude(outcome)
        except KeyboardInterrupt:
            outcome.interrupted = True
        outcome.seconds, outcome.memory = outcome.seconds or time.perf_counter() - begin, peak.most
        finish(outcome, folder)
    except BaseException as error:  # no end in run.json: it is known as unfinished
        carry(error, [record for _, _, record, _ in outcome.violations], *unfinished(outcome))
        raise
    finally:
        if folder:
            folder.close()
    return outcome


def finish(outcome: Outcome, folder: Folder | None) -> None:
    """Write the end of run.json; an interrupted run has an exit code and no end."""
    if folder is None:
        return
    folder.about.update(seconds=round(outcome.seconds, 3), memory=outcome.memory)
    folder.about.update(errors=len(outcome.errors) + len(outcome.lost))
    try:
        if (
            outcome.interrupted
        ):  # perhaps between a record and its count: the file itself says how many there are
            folder.about.update(exit_code=outcome.exit_code)
            folder.write_about()
        else:
            folder.finish(outcome.exit_code)
    except OSError as error:
        outcome.notes.append(f"{folder.path}/run.json cannot be written: {error.strerror or error}")


def unfinished(outcome: Outcome) -> list[str]:
    """The notes on a run that something ended: what the corpus did, and how its violations are found
    again."""
    lines = [r.line for r in outcome.replayed if r.again]
    if outcome.violations:
        number = outcome.violations[0][3].number
        words = f"noether fuzz --seed {outcome.campaign.seed} --batches {number + 1}"
        again = "with the same choice and backend, finds it again"
        lines.append(f"found in batch {number}: {words}, {again}")
    return lines


def nothing(campaign: Campaign) -> str:
    """The message for a choice that has no cell to fuzz."""
    taken = {rule for case in campaign.cases for rule in rules_of(case)}
    able = [rule for rule in RULES if rule in taken and RULES[rule].screened]
    names = ", ".join(case.name for case in campaign.cases[:4]) + (" ..." if len(campaign.cases) > 4 else "")
    wrong = unscreened(campaign.cases, campaign.rules)
    why = f"no chosen rule goes with {names}"
    if wrong:
        why = f"the laws of {', '.join(wrong)} do not run beside the step"
    fuzzed = f"of the rules on {names} these can be fuzzed: {', '.join(able) or 'none'}"
    return f"there is nothing to fuzz: {why}; {fuzzed}"


def about(campaign: Campaign, cells: list[GridPoint]) -> dict:
    """What run.json says of a fuzzing run; its `laws` are those that the records can be of."""
    from noether.laws.exact import EXACT

    cases = [f or c.name for c, f in zip(campaign.cases, files_of(campaign), strict=True)]
    said = {"command": "fuzz", "cases": cases, "rules": campaign.rules, "precisions": campaign.precisions}
    said |= {"plant": campaign.probe.plant, "seconds": campaign.seconds, "batches": campaign.batches}
    said |= {"files": load.files(campaign.files)}
    run = {"arguments": said, "seed": campaign.seed, "backend": campaign.probe.backend}
    return {**run, "laws": list(EXACT), "left_out": [], "cells": len(cells)}


def files_of(campaign: Campaign) -> list[str]:
    """The word of the case file of each case, '' for one of the catalogue."""
    by_name = {load.named(word): word for word in campaign.files}
    return [by_name.get(case.name, "") for case in campaign.cases]


def over(campaign: Campaign, outcome: Outcome, seconds: float, batches: int) -> bool:
    """Whether no batch is to be sent any more."""
    in_time = campaign.seconds is None or seconds < campaign.seconds
    to_come = campaign.batches is None or batches < campaign.batches
    broken = len(outcome.errors) + len(outcome.lost) >= CRASHES
    return not (in_time and to_come) or bool(outcome.violations) or broken


def fuzz(campaign: Campaign, outcome: Outcome, folder: Folder | None, watch) -> None:
    """Batches in order of their numbers; what comes next is decided LAG batches behind."""
    begin = time.perf_counter()
    compiling = campaign.probe.backend != "numpy"
    size = size_of(campaign.probe.backend, campaign.probe.plant)
    kernels = kernels_of(outcome.cells, campaign.seed) if compiling else ()
    schedule = Schedule(outcome.cells, campaign.seed, size, kernels)
    archive, ready, kept, absorbed, number = Archive(), {}, {}, 0, 0
    files = dict(zip((c.name for c in campaign.cases), files_of(campaign), strict=True))

    with workers(campaign) as submit:
        pending: dict[Future, int] = {}
        while True:
            room = len(pending) < campaign.jobs + 1 and number < absorbed + LAG
            while room and not over(campaign, outcome, time.perf_counter() - begin, number):
                # Neither more nor less than these, whatever is done by now.
                for law, cell, lane in kept.pop(number - LAG, ()):
                    archive.add(law, cell, lane)
                batch = schedule.batch(number, archive)
                pending[submitted(submit, batch, campaign.probe, files)] = number
                number += 1
                room = len(pending) < campaign.jobs + 1 and number < absorbed + LAG
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
                kept_in(folder, absorb, outcome, finding)
                watch(outcome, finding)


def kept_in(folder: Folder | None, absorb, outcome: Outcome, finding) -> None:
    """Keep the records of a finding in the run folder. Raises RecordingError when the disk refuses; the
    outcome has them all the same."""
    with recording(folder, "make room, then fuzz again") if folder else nullcontext():
        absorb(outcome, finding, folder)


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
        origin = {"seed": campaign.seed, "batch": batch.number, "regime": batch.cell.regime}
        origin |= {"lanes": batch.lanes, "steps": batch.steps}
        if campaign.corpus is None or (campaign.probe.plant and campaign.corpus == corpus.CORPUS):
            continue
        save(outcome, Entry(subject, minimal, worst, versions(), origin))


def save(outcome: Outcome, entry: Entry) -> None:
    """Save an example into the corpus, else into the run folder, else print it."""
    for place in filter(None, (outcome.campaign.corpus, outcome.folder)):
        try:
            outcome.saved.append(corpus.write(place, entry))
            return
        except OSError as error:
            outcome.notes.append(f"{error.filename or place} cannot be written: {error.strerror or error}")
    alone = corpus.text_of(replace(entry, worst=entry.minimal))
    outcome.saved.append(None)
    outcome.notes.append(
        f"the smallest launch as a file of a corpus, kept nowhere else: {' '.join(alone.split())}"
    )


def resolve(backend: str, plant: str) -> str:
    """'auto' resolved to a backend that can screen. Raises BackendMissing."""
    if plant:
        return "numpy"
    if backend != "auto":
        reason = launch.missing(backend)
        if reason:
            raise launch.BackendMissing(f"backend {backend} is not here: {reason}")
        return backend
    from noether.kernels.loops import screen_launch

    able = (b for b in ("triton-gpu", "triton-cpu", "numpy") if b in screen_launch.BACKENDS)
    return next(backend for backend in able if not launch.missing(backend))
