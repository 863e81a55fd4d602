"""`noether merge`: put the parts of a run together and decide the whole."""

from __future__ import annotations

from pathlib import Path

import typer

from noether.cli.commands import AsJson, Baseline, NoConfig, Quiet, Verbose, argument, option, written_folder
from noether.cli.commands.defaults import Defaults

Parts = argument(list[Path], "RUN...", "The run folders of all parts, in any order.")
Whole = written_folder("The folder of the whole run (default runs/<time>).")
Strict = option(bool, "Inconclusive cells end with exit code 3.")


def merge(
    context: typer.Context,
    parts: Parts,
    out: Whole = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    strict: Strict = False,
    baseline: Baseline = None,
    no_config: NoConfig = False,
):
    """Put the parts of a run together, and decide the whole.

    The parts were made with --shard.

    Exit code: as of noether verify; 3 where a cell is missing, or two parts found different numbers in one.
    """
    from noether.cli.commands.ending import conclude
    from noether.cli.progress import busy
    from noether.runs.regression import Guard
    from noether.runs.saved_run import read_about
    from noether.runs.shards import merge as together

    usual = Defaults.of(context, no_config)
    given = usual.over(dict(strict=strict, baseline=baseline))
    strict, baseline, guard = given["strict"], given["baseline"], None
    if baseline is not None:
        guard = Guard(baseline, read_about(parts[0])["arguments"], update=False, accept=False, strict=strict)
    with busy("reading the parts", quiet=quiet):
        result = together(parts, out, strict=strict, known=usual.settings.known)
    if guard:
        guard.conclude(result)
    conclude(result, as_json, quiet=quiet, verbose=verbose)
