"""`noether discover`: the affine symmetries of a loss that nobody declared."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from harness.commands import HOLDS, UNDECIDED, option

CODES = "Exit codes: 0 decided (also: none), 2 wrong usage or input, 3 no clear gap between kept and broken, 70 internal error."


def discover(
    loss: Annotated[str, typer.Argument(metavar="FILE:LOSS|CASE", help="A function loss(q, xp) of a file, a Case of a file, or a case of the catalogue.")],
    dim: option(int | None, "How many parameters the function takes, 1 to 64 (a Case knows).") = None,
    box: option(str | None, "LOW,HIGH: where points are drawn (default -1,1, or the Case's own).") = None,
    seed: option(int, "The points derive from it (default 0).") = 0,
    as_json: option(bool, "Print everything for machines, and nothing else, on stdout.", "--json") = False,
):
    """Find every affine symmetry of a loss, with its charge, its laws and a proof."""
    from harness.choices import whole
    from harness.discovery.finding import discover as find
    from harness.discovery.loss import load
    from harness.discovery.page import page, summary
    from harness.records import plain
    from harness.table import say

    found = find(load(loss, dim, box), whole("--seed", seed, 0, 2**63 - 1))
    if as_json:
        print(json.dumps(plain(summary(found)), allow_nan=False, indent=1))
    else:
        say(*page(found))
    raise typer.Exit(UNDECIDED if found.undecided else HOLDS)
