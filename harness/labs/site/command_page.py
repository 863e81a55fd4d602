"""The pages of the command line: every command with its arguments and options, and the exit codes."""

from __future__ import annotations

import re

import typer

from noether.cli.commands.app import app
from noether.labs.site.papers import rows_of
from noether.verdicts import exit_codes

PLACE, CODES = "reference/commands.md", "reference/exit_codes.md"
FIRST = """# Commands and options

Made of the commands themselves, as `noether COMMAND --help` prints them. [The command line](../commands.md)
says what they have in common.
"""
FIRST_CODES = """# Exit codes

What the shell is told, by every command. It depends on the verdict alone, whatever becomes of a pipe, a
disk or a worker; where several things were found, the first of this order decides: 70, 1, 130, 2, 3, 0.
"""
KINDS = {"str": "TEXT", "int": "NUMBER", "float": "NUMBER", "Path": "PATH"}
CODE = re.compile(r"(?<!\S)(\d+) {2,}(\S.*?)(?= {3,}|$)", re.MULTILINE)


def page() -> str:
    """The page of the commands."""
    group = typer.main.get_command(app)
    rows = [["command", ""]] + [
        [f"[`{name}`](#{name})", (command.help or "").split("\n")[0]]
        for name, command in group.commands.items()
    ]
    sections = [section(name, command) for name, command in group.commands.items()]
    return "\n\n".join([FIRST, rows_of(rows), *sections]) + "\n"


def section(name: str, command) -> str:
    """One command."""
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    options = [p for p in command.params if p.param_type_name == "option"]
    usage = " ".join(["noether", name, *(["[OPTIONS]"] if options else []), *(p.metavar for p in arguments)])
    rows = [
        ["", ""],
        *([f"`{p.metavar}`", told(p)] for p in arguments),
        *([spelled(p), told(p)] for p in options),
    ]
    parts = [f"## {name} {{#{name}}}", (command.help or "").strip(), f"    {usage}"]
    parts += [rows_of(rows)] if len(rows) > 1 else []
    return "\n\n".join([*parts, *([command.epilog] if command.epilog else [])])


def told(parameter) -> str:
    """What the help says of an argument or an option."""
    return (parameter.help or "").replace("\n", " ").replace("<", "&lt;")


def taken(option) -> str:
    """The type that an option takes. typer has told it since 0.29; before, click's name for it is near."""
    descriptor = getattr(option, "type_descriptor", None)
    return getattr(descriptor.annotation, "__name__", "str") if descriptor else option.type.name


def spelled(option) -> str:
    """An option as it is written, with what it takes."""
    names = sorted(option.opts, key=len, reverse=True)
    kind = re.sub(r" \| None$", "", taken(option))
    takes = "" if option.is_flag else f" {KINDS.get(kind, 'TEXT')}"
    return "`" + ", ".join([f"{names[0]}{takes}", *names[1:]]) + "`"


def codes() -> str:
    """The page of the exit codes, from where they are named."""
    found = CODE.findall(exit_codes.__doc__ or "")
    rows = [
        ["code", "what it says"],
        *([f"`{code}`", words] for code, words in sorted(found, key=lambda c: int(c[0]))),
    ]
    group = typer.main.get_command(app)
    own = [["command", "its own"]]
    own += [[f"[`{n}`](commands.md#{n})", c.epilog] for n, c in group.commands.items() if c.epilog]
    own += [
        [f"[`{n}`](commands.md#{n})", line]
        for n, c in group.commands.items()
        for line in re.findall(r"^Exit code.*", c.help or "", re.MULTILINE)
    ]
    return "\n\n".join([FIRST_CODES, rows_of(rows), "## Commands that say more of them", rows_of(own)]) + "\n"
