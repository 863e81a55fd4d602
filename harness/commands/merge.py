"""`noether merge`: the parts of a run, together."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from noether.commands import option

Parts = Annotated[list[Path], typer.Argument(metavar="RUN...", help="The run folders of all parts, in any order.")]


def merge(
    parts: Parts,
    out: option(Path | None, "The folder of the whole run (default runs/<time>).") = None,
    as_json: option(bool, "Print a summary for machines, and nothing else, on stdout.", "--json") = False,
    strict: option(bool, "Inconclusive cells end with exit code 3.") = False,
):
    """Put the parts of a run together, and decide the whole.

    The parts were made with --shard.

    Exit code: as of noether verify; 3 where a cell is missing, or two parts found different numbers in one.
    """
    from noether.commands.verify import tell
    from noether.publish import publish
    from noether.shards import merge as together

    result = together(parts, out, strict=strict)
    publish(result)
    tell(result, as_json)
    raise typer.Exit(result.exit_code)
