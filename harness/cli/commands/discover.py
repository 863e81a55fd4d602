"""`noether discover`: the affine symmetries of a loss that nobody declared."""

from __future__ import annotations

from math import isfinite
from pathlib import Path

from noether.cli.commands import AsJson, Quiet, argument, option, printed
from noether.system.outside import printable
from noether.system.usage import UsageError
from noether.verdicts import exit_codes

CODES = (
    "Exit codes: 0 decided (also: none), 2 wrong usage or input, 3 no clear gap between kept and broken, 70 "
    "internal error."
)

WHAT = "A function loss(q, xp) of a file, a Case of a file, or a case of the catalogue."
Loss = argument(str, "FILE:LOSS|CASE", WHAT)
Dim = option(int | None, "How many parameters the function takes (a Case knows).")
Box = option(str | None, "LOW,HIGH: where points are drawn (default -1,1, or the Case's own).")
Seed = option(int, "The points derive from it (default 0).")
Within = option(float, "Seconds that more than 40 parameters may take by the estimate (default 600).")
Memory = option(float, "Gigabytes that they may take (default 1).")
Write = option(Path | None, "Write what was found as a case file, and verify it at once.")


def discover(
    loss: Loss,
    dim: Dim = None,
    box: Box = None,
    seed: Seed = 0,
    within: Within = 600.0,
    memory: Memory = 1.0,
    write: Write = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
):
    """Find every affine symmetry of a loss, and prove it.

    Each with its charge and its laws. With --write FILE.py a case file of it, verified at once: the exit code
    is then that of the verification.
    """
    from noether.campaigns.discovery.finding import discover as find
    from noether.campaigns.discovery.loss import load
    from noether.campaigns.discovery.writing import check_free
    from noether.cli.progress import busy
    from noether.plan.choices import whole
    from noether.report.discovery_page import page, summary, verdict
    from noether.report.table import say
    from noether.runs.decision import decide

    if write is not None:
        check_free(write)
        if as_json:
            raise UsageError("--json goes with the discovery alone: it must not be given with --write")
    meant = load(loss, dim, box)
    is_case = dim is None
    check_writable(write, meant.dim)
    number = whole("--seed", seed, 0, 2**63 - 1)
    limits = {"within": above("--within", within), "memory": above("--memory", memory)}
    with busy("looking for symmetries", quiet=quiet) as progress:
        found = find(meant, number, **limits, tell=progress.stage, note=progress.say)
    is_verified = write is not None and not found.undecided
    if not is_verified:
        decide(exit_codes.of(undecided=found.undecided), found.undecided)
    if as_json:
        printed(summary(found))
    else:
        say(verdict(found)) if quiet else say(*page(found))
    if is_verified:
        verified(found, write, boxed=box is not None or is_case, quiet=quiet)


def above(option: str, value: float) -> float:
    """A number above 0. Raises UsageError."""
    if not (value > 0 and isfinite(value)):
        raise UsageError(f"{option} is {value:g}, must be a number above 0")
    return value


def check_writable(path: Path | None, dim: int) -> None:
    """Refuse --write for a loss whose symmetries are too many for a case file. Raises UsageError."""
    from noether.campaigns.discovery.loss import DENSE

    if path is not None and dim > DENSE:
        raise UsageError(
            f"--write {path}: the loss has {dim} parameters, a case file is written for at most {DENSE}: "
            "leave --write out, and write those symmetries into a case that you want (docs/own_case.md)"
        )


def verified(found, path: Path, *, boxed: bool, quiet: bool) -> None:
    """Write the case file and verify it."""
    from noether.campaigns.discovery.writing import write
    from noether.cli.commands.ending import conclude
    from noether.cli.progress import watched
    from noether.plan.choices import Request

    word = write(found, path, boxed)
    print(f"\nwrote {printable(str(path))}; verified by: noether verify {printable(word)}\n")
    conclude(watched(Request(cases=(word,)), quiet=quiet), False, quiet=quiet)
