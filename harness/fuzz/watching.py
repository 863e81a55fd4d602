"""A fuzzing run, watched: one line of progress on stderr, only where that is a terminal."""

from __future__ import annotations

import sys
import time

from noether.fuzz.campaign import run
from noether.fuzz.outcome import Campaign, Outcome


def watched(campaign: Campaign) -> Outcome:
    if not sys.stderr.isatty():
        return run(campaign)
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from noether.table import console

    total = campaign.seconds if campaign.seconds is not None else campaign.batches
    columns = (BarColumn(30), TimeElapsedColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=console(stderr=True), transient=True) as bar:
        task, begin = bar.add_task("", total=total), time.perf_counter()

        def watch(outcome: Outcome, finding) -> None:
            spent = time.perf_counter() - begin
            words = f"{outcome.checks:.2e} checks, {outcome.checks / max(spent, 1e-9):.1e}/s, {len(outcome.visits)}/{len(outcome.cells)} cells"
            bar.update(task, completed=min(total, spent if campaign.seconds is not None else outcome.batches), description=words)

        return run(campaign, watch)
