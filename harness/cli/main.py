"""The entry of the command line: tables on stdout, errors and progress on stderr, and the exit code.

Exit codes: 0 everything holds; 1 a law is violated; 2 wrong usage or input; 3 could not decide, or a backend
that was asked for is missing; 70 an internal error; 130 interrupted, 143 terminated.

Nothing here imports torch, triton or the plan before a command needs it: --help must be quick.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from contextlib import contextmanager
from functools import cache

import typer

from noether.cli.commands import complain
from noether.cli.commands.app import app
from noether.cli.commands.completion import VARIABLE, prepare
from noether.cli.commands.verify import with_baseline_file
from noether.runs import decision
from noether.system import outlet, usage
from noether.system.outside import guarded
from noether.system.usage import CannotRun, UsageError
from noether.verdicts import exit_codes

TyperUsageError = typer.BadParameter.__mro__[1]  # click's; typer 0.29 carries its own copy of click


class Terminated(BaseException):
    """Raised on SIGTERM, so that what was found is kept and workers end."""


@contextmanager
def terminable():
    """Within it SIGTERM raises Terminated."""

    def stop(*_):
        raise Terminated

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@guarded()
def call(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code: its verdict, as soon as that is decided; nothing escapes from
    here."""
    words = sys.argv[1:] if arguments is None else arguments
    usage.words[:] = words
    decided = decision.fresh()
    try:
        with terminable():
            code = ran(with_baseline_file(list(words)) or ["--help"])
    except BaseException as error:
        outlet.restore()
        if decided.code is None:
            code = told(error)
        else:
            decided.unprintable("the command", error)
    decision.conclude(complain)
    return code if decided.code is None else decided.code


def ran(words: list[str]) -> int:
    """Run a command without typer's own main, which would turn every EPIPE into exit code 1."""
    command = noether()
    prepare()
    if VARIABLE in os.environ:
        return answered(command)
    try:
        with command.make_context("noether", words) as context:
            command.invoke(context)
    except typer.Exit as done:
        return done.exit_code
    return exit_codes.HOLDS


@cache
def noether():
    """The command with all its options; making it of signatures takes typer longer than most answers."""
    return typer.main.get_command(app)


def answered(command) -> int:
    """Answer a shell that asks to complete a line, through typer's own main."""
    try:
        command.main(args=[], prog_name="noether", standalone_mode=False)
    except SystemExit as done:
        return done.code if isinstance(done.code, int) else exit_codes.HOLDS
    return exit_codes.HOLDS


def told(error: BaseException) -> int:
    """Say what ended a command before it had decided anything, with the violations that it had found; the
    exit code."""
    from noether.kernels.loops.launch import BackendMissing
    from noether.plan.casefiles.blame import charged
    from noether.runs.recording import RecordingError

    for line in decision.carried(error):
        complain(line)
    error = charged(error)
    if isinstance(error, TyperUsageError):
        name = "" if error.ctx is None else error.ctx.info_name + " "
        said = f"{error.format_message()} (noether {name}--help says more)"
        complain(said.replace("noether noether", "noether"))
    elif isinstance(error, Terminated):
        complain("terminated; what was found is kept")
    elif isinstance(error, KeyboardInterrupt | typer.Abort):
        complain("interrupted")
    elif isinstance(error, UsageError | BackendMissing | CannotRun | RecordingError):
        complain(str(error))
    elif isinstance(error, SystemExit):
        complain(f"something that was run asked to end the process, with {error.code!r}: nothing is decided")
    else:
        traceback.print_exception(error)
        complain(
            f"internal error, {type(error).__name__}: please report it with the lines above, the command "
            "and the output of noether doctor"
        )
    codes = {
        TyperUsageError: exit_codes.WRONG,
        UsageError: exit_codes.WRONG,
        BackendMissing: exit_codes.UNDECIDED,
        CannotRun: exit_codes.UNDECIDED,
        Terminated: exit_codes.TERMINATED,
        KeyboardInterrupt: exit_codes.INTERRUPTED,
        typer.Abort: exit_codes.INTERRUPTED,
    }
    return next((code for kind, code in codes.items() if isinstance(error, kind)), exit_codes.INTERNAL)
