"""The commands of `noether`, one module each; harness/cli.py registers them.

A module here imports nothing heavy at its top (no torch, triton, sympy, scipy, plan): --help must be quick. What a
command needs it imports inside its function.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

HOLDS, VIOLATED, WRONG, UNDECIDED, INTERNAL, INTERRUPTED, TERMINATED = 0, 1, 2, 3, 70, 130, 143
EXITS = "Exit codes: 0 all holds, 1 a law is violated, 2 wrong usage or input, 3 could not decide or a backend is missing, 70 internal error."


def option(kind, help: str, *names: str):
    """The annotation of one option of a command."""
    return Annotated[kind, typer.Option(*names, help=help, show_default=False)]


def complain(text: str) -> None:
    """One line on stderr, where errors, notes and progress go."""
    print(f"noether: {text}", file=sys.stderr)
