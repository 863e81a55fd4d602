"""`noether faults`: plant every fault, show it to every law, print the kill matrix."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from noether.commands import complain, option

Names = Annotated[list[str] | None, typer.Argument(metavar="[FAULT]...", help="Faults by name, or by the beginning of one; all when none is given.")]


def faults(
    names: Names = None,
    profile: option(str, "quick (default) or full.") = "quick",
    seed: option(int, "Every cell's seed derives from it (default 0).") = 0,
    out: option(Path | None, "The run folder (default runs/<time>).") = None,
    jobs: option(int | None, "Worker processes (default 2, or 1 on one core).") = None,
    as_json: option(bool, "Print the matrix for machines, and nothing else, on stdout.", "--json") = False,
):
    """Plant every fault, and show which law kills it.

    Exit code: 0 every fault is killed, 1 a law is violated with nothing planted, 3 a fault survives that is not
    proven to be none, or a law kills nothing.
    """
    from noether.choices import whole
    from noether.faults.campaign import INTERNAL, run
    from noether.publish import publish_faults
    from noether.run import DEFAULT_JOBS

    jobs = DEFAULT_JOBS if jobs is None else whole("--jobs", jobs, 1, 1024)
    result = run(tuple(names or ()), profile=profile, seed=whole("--seed", seed, 0, 2**63 - 1), jobs=jobs, out=out)
    publish_faults(result)
    if as_json:
        from noether.faults.summary import summary
        from noether.records import plain

        print(json.dumps(plain(summary(result)), allow_nan=False, indent=1))
    else:
        from noether.faults.table import ending
        from noether.table import say

        say(*ending(result))
    if result.exit_code == INTERNAL and result.folder:
        complain(f"{len(result.errors)} cells failed inside the harness: please report it with {result.folder}/errors.txt")
    raise typer.Exit(result.exit_code)
