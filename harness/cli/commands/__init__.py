"""The commands of `noether`, one module each; harness/cli/main.py registers them.

A module here imports nothing heavy at its top (no torch, triton, sympy, scipy, plan): --help must be quick.
What a command needs it imports inside its function.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from noether.system.outside import printable
from noether.verdicts import exit_codes

# Of what --json prints: raised when a name goes or changes its meaning, not when one is added.
SCHEMA = 2
EXITS = (
    "Exit codes: 0 all holds, 1 a law is violated, 2 wrong usage or input, 3 could not decide or a backend "
    "is missing, 70 internal error."
)


def option(kind, help: str, *names: str, **more):
    """The annotation of one option of a command; `more` goes to typer.Option."""
    return Annotated[kind, typer.Option(*names, help=help, show_default=False, **more)]


def file_name(word: str) -> Path:
    """The path of a file that is to be written. Raises typer.BadParameter for an empty name, and for `-`,
    which elsewhere is no file but stdout."""
    if not isinstance(word, Path) and word in ("", "-"):
        must = "must be the name of a file" + ("; ./- is a file of that name" if word else "")
        raise typer.BadParameter(f"{word!r} {must}")
    return Path(word)


def folder_name(word: str) -> Path:
    """The path of a folder that is to be written. Raises typer.BadParameter for an empty name, which an unset
    variable of a shell leaves: it would be the folder in which the command runs."""
    if word == "":
        raise typer.BadParameter("'' must be the name of a folder")
    return Path(word)


def written_folder(help: str):
    """The annotation of an option that names a folder to write."""
    return option(Path | None, help, parser=folder_name, metavar="PATH")


def written_file(help: str, *names: str, kind=Path | None):
    """The annotation of an option that names a file to write."""
    return option(kind, help, *names, parser=file_name, metavar="PATH")


def argument(kind, metavar: str, help: str, **more):
    """The annotation of one argument of a command; `more` goes to typer.Argument."""
    return Annotated[kind, typer.Argument(metavar=metavar, help=help, **more)]


WORKERS = "Worker processes: auto (default), one a usable processor as far as memory reaches, or a number."
CONFIG = "Leave [tool.noether] of pyproject.toml out: no defaults and no known violations of it."
TRUSTED = "Run the files that a run or a corpus names, also where you have not run them yourself."

# Options and arguments that several commands have.
Names = argument(
    list[str] | None,
    "[CASE|FILE]...",
    "Cases of the catalogue, or path/to/case.py[:NAME]; all when none is given.",
)
RunFolder = argument(Path | None, "[RUN]", "A run folder; the newest in runs/ when left out.")
Seed = option(int, "Every cell's seed derives from it (default 0).")
Rule = option(str | None, "Comma list of learning rules, or of files path/to/rule.py[:NAME].")
Out = written_folder("The run folder (default runs/<time>).")
Baseline = option(Path | None, "Fail on a marked rise above FILE.json (default baseline.json).")
NoConfig = option(bool, CONFIG, "--no-config")
Jobs = option(str, WORKERS, "--jobs", "-j")
Trust = option(bool, TRUSTED, "--trust")
Sarif = written_file("Write the violations as SARIF 2.1.0, for code scanning, to FILE.", "--sarif")
AsJson = option(bool, "Print one JSON document on stdout, and nothing else.", "--json")
Quiet = option(bool, "No progress and no notes; of the tables only the verdict.", "--quiet", "-q")
Verbose = option(bool, "Each cell as it ends, and everything that tables cut.", "--verbose", "-v")


def printed(value: dict) -> None:
    """One strict JSON document on stdout, with the number of its schema; this is all that --json prints
    there."""
    from noether.runs.records_file import plain

    print(json.dumps(plain({"schema": SCHEMA, **value}), allow_nan=False, indent=1))


def complain(text: str) -> None:
    """Write one line on stderr, where errors, notes and progress go."""
    print(f"noether: {printable(text)}", file=sys.stderr)


def annotate(result, *, quiet: bool, what: str = "cells", where: str = "errors.txt") -> None:
    """What must be known beside the verdict: the notes of a run, and that the harness itself failed in it."""
    for note in [] if quiet else result.notes:
        complain(f"note: {note}")
    if result.exit_code == exit_codes.INTERNAL and result.folder:
        complain(
            f"{len(result.errors)} {what} failed inside the harness: please report it with "
            f"{result.folder}/{where}"
        )
