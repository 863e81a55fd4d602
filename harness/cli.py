"""The command line. Tables on stdout, errors and progress on stderr.

Exit codes: 0 everything holds; 1 a law is violated; 2 wrong usage or input; 3 could not decide, or a backend that
was asked for is missing; 70 an internal error; 130 interrupted, 143 terminated.

Nothing here imports torch, triton or the plan before a command needs it: --help must be quick.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from contextlib import contextmanager

import typer

from noether.commands import (
    HOLDS,
    INTERNAL,
    INTERRUPTED,
    TERMINATED,
    UNDECIDED,
    WRONG,
    complain,
)
from noether.commands.app import app
from noether.commands.completion import prepare
from noether.commands.verify import with_baseline_file
from noether.usage import UsageError

TyperUsageError = typer.BadParameter.__mro__[1]  # click's; typer 0.29 carries its own copy of click


class Terminated(BaseException):
    """SIGTERM: leave, keeping what was found and ending the workers."""


@contextmanager
def terminable():
    def stop(*_):
        raise Terminated

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def call(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code; nothing escapes from here."""
    from noether.kernels.launch import BackendMissing

    try:
        with terminable():
            words = sys.argv[1:] if arguments is None else arguments
            prepare()
            done = app(args=with_baseline_file(list(words)) or ["--help"], prog_name="noether", standalone_mode=False)
            sys.stdout.flush()
            return done if isinstance(done, int) else HOLDS
    except typer.Exit as done:
        return done.exit_code
    except TyperUsageError as error:
        complain(f"{error.format_message()} (noether {'' if error.ctx is None else error.ctx.info_name + ' '}--help says more)".replace("noether noether", "noether"))
        return WRONG
    except UsageError as error:
        complain(str(error))
        return WRONG
    except BackendMissing as error:
        complain(str(error))
        return UNDECIDED
    except (KeyboardInterrupt, typer.Abort):
        complain("interrupted")
        return INTERRUPTED
    except Terminated:
        complain("terminated; what was found is kept")
        return TERMINATED
    except BrokenPipeError:  # `noether laws | head`: the reader has what it wanted
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return HOLDS
    except Exception as error:
        return crashed(error)


def crashed(error: Exception) -> int:
    """Our own fault: never exit code 1, which means that a law is violated."""
    from noether.run import RecordingError

    if isinstance(error, RecordingError):
        complain(str(error))
        return INTERNAL
    traceback.print_exc()
    complain(f"internal error, {type(error).__name__}: please report it with the lines above, the command and the output of noether doctor")
    return INTERNAL


def main() -> None:
    """The console entry."""
    sys.exit(call())
