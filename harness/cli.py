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
from contextlib import chdir, contextmanager
from pathlib import Path
from typing import Annotated

import typer

from noether.commands import (
    EXITS,
    HOLDS,
    INTERNAL,
    INTERRUPTED,
    TERMINATED,
    UNDECIDED,
    VIOLATED,
    WRONG,
    complain,
    option,
)
from noether.commands.bench import bench
from noether.commands.discover import CODES as DISCOVER_CODES
from noether.commands.discover import discover
from noether.commands.faults import faults
from noether.commands.findings import findings
from noether.commands.fuzz import fuzz
from noether.commands.laws import laws
from noether.commands.map import map_
from noether.commands.report import CODES, report
from noether.commands.verify import verify, with_baseline_file
from noether.usage import UsageError

TyperUsageError = typer.BadParameter.__mro__[1]  # click's; typer 0.29 carries its own copy of click

app = typer.Typer(
    name="noether", add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False,
    help="Decides numerically whether learning rules obey the generalized Noether theorem.", epilog=EXITS,
)  # fmt: skip
RunFolder = Annotated[Path | None, typer.Argument(metavar="[RUN]", help="A run folder; the newest in runs/ when left out.")]


app.command(epilog=EXITS)(verify)
app.command()(faults)
app.command()(fuzz)
app.command(epilog=DISCOVER_CODES)(discover)
app.command()(bench)
app.command()(laws)
app.command("map")(map_)
app.command()(findings)
app.command(epilog=CODES)(report)


@app.command()
def cases():
    """List the cases of the catalogue."""
    from noether.catalogue import cases_table
    from noether.table import say

    say(cases_table())


@app.command()
def show(case: Annotated[str, typer.Argument(metavar="CASE|FILE", help="A case of the catalogue, or path/to/case.py[:NAME].")]):
    """Show what a case claims, and prove its symmetries."""
    from noether import catalogue
    from noether.choices import chosen_cases
    from noether.table import say

    (chosen,), _ = chosen_cases([case])
    say(catalogue.show(chosen))


@app.command()
def explain(
    law: Annotated[str, typer.Argument(metavar="LAW", help="As in D2; see noether laws.")],
    run: Annotated[Path | None, typer.Argument(metavar="[RUN]", help="A run folder: the power of the law in it.")] = None,
):
    """Explain a law: equation, where it applies, what it cannot see, the controls that must fail; its power in a RUN."""
    from noether import catalogue
    from noether.table import say

    say(catalogue.explain(law, run))


@app.command()
def replay(
    run: RunFolder = None,
    record: option(int | None, "Number of the record: its line in records.jsonl, from 1.") = None,
    law: option(str | None, "Of this law.") = None,
    cell: option(str | None, "Of this cell.") = None,
    symmetry: option(str | None, "Of this symmetry.") = None,
    control: option(str | None, "On this planted fault; without it, of what was run honestly.") = None,
    nth: option(int | None, "Where several fit, the nth of them and not the worst.") = None,
):
    """Run one record again, its worst lane alone or its whole cell; without a choice, the worst record of the run.

    Exit code: 0 the numbers come back equal, 1 so does a violation, 3 they do not come back equal.
    """
    from noether.folder import newest, read_run
    from noether.replaying import Replays, pick
    from noether.table import say

    found = read_run(run if run is not None else newest())
    chosen = pick(found, record, dict(law=law, cell=cell, symmetry=symmetry, control=control), nth)
    start = Path(found.about.get("cwd") or ".")  # a case file may read data that is named from there
    with chdir(start if start.is_dir() else Path(".")):
        equal, text = Replays(found).again(chosen)
    say(text)
    for note in found.notes:
        complain(f"note: {note}")
    raise typer.Exit(UNDECIDED if not equal else VIOLATED if chosen.verdict == "violated" and not chosen.control else HOLDS)


@app.command()
def doctor():
    """Say what this machine can run, and why not the rest."""
    from noether import doctor as physician
    from noether.table import say

    findings = physician.examine()
    say(physician.page(findings))
    raise typer.Exit(HOLDS if all(f.fine or not f.needed for f in findings) else UNDECIDED)


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
