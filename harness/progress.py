"""A progress bar on stderr, only where that is a terminal."""

from __future__ import annotations

import sys

from noether.run import Result, run


def watched(request, **how) -> Result:
    """noether.run.run, watched."""
    if not sys.stderr.isatty():
        return run(request, **how)
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from noether.table import console

    columns = (BarColumn(30), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=console(stderr=True), transient=True) as bar:
        task = bar.add_task("planning", total=None)

        def watch(event, **facts):
            if event == "cells":
                bar.update(task, total=facts["total"], completed=facts["done"], description="")
            else:
                bar.update(task, advance=1, description=facts["done"].cell[:40])

        return run(request, watch=watch, **how)
