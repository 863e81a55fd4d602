"""`noether audit`: which rule somebody's optimizer obeys, in which arithmetic, and where it deviates."""

from __future__ import annotations

from noether.cli.commands import (
    AsJson,
    Jobs,
    Quiet,
    Verbose,
    argument,
    complain,
    option,
    printed,
    written_file,
)
from noether.system.usage import UsageError

CODES = (
    "Exit codes: 0 it obeys a rule, 1 it deviates, 2 wrong usage or input, 3 not decided, 70 internal error."
)
WHAT = "package.module:Class, or path/to/file.py:Name of a class, a step function or a kernel's adapter."
Target = argument(str | None, "[TARGET]", WHAT)
All = option(str | None, "Audit every optimizer of an installed package, by its import name.", "--all")
Arg = option(list[str] | None, "NAME=VALUE: an option that it is made with; may be repeated.", "--arg")
Like = option(str | None, "The rule that it is claimed to obey, as adamw; found when left out.")
Part = option(
    str | None, "Comma list of parts: rule, arithmetic, implementations, options, probes, symmetries."
)
Seed = option(int, "The scripted gradients derive from it (default 0).")
Page = written_file("Write everything as one HTML page, FILE.html.", "--out")


def audit(
    target: Target = None,
    all_of: All = None,
    arg: Arg = None,
    like: Like = None,
    part: Part = None,
    seed: Seed = 0,
    out: Page = None,
    jobs: Jobs = "auto",
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
):
    """Say which rule an optimizer obeys, and where it deviates.

    It needs no reference implementation: its motion under scripted gradients is compared with the rules, and
    its rounding with what its own operations may round.
    """
    from noether.campaigns.audit.finding import PARTS
    from noether.campaigns.audit.process import audited
    from noether.cli.progress import busy
    from noether.plan.choices import whole
    from noether.report.audit import terminal
    from noether.report.table import say
    from noether.runs.decision import decide, shown
    from noether.system.named import options_of

    if (target is None) == (all_of is None):
        raise UsageError("audit takes one of TARGET and --all PACKAGE, must be given one of them")
    check_page(out)
    parts = PARTS if part is None else tuple(x.strip() for x in part.split(","))
    seed = whole("--seed", seed, 0, 2**63 - 1)
    if all_of is not None:
        if arg or like:
            raise UsageError("--arg and --like are of one target: must not be given with --all")
        return whole_package(all_of, parts, seed, jobs, out, as_json=as_json, quiet=quiet)
    with busy(f"auditing {target}", quiet=quiet):
        found = audited(target, options_of(arg or []), like, seed, parts)
    decide(found.exit_code, f"{found.target}: {found.verdict}")
    if out is not None:
        shown("the page", written, [found], out)
    if as_json:
        return printed(found.plain())
    say(terminal.heading(found)) if quiet else say(*terminal.ending(found, whole=verbose))


def check_page(out) -> None:
    """Refuse a page that cannot be written, before anything is audited. Raises UsageError."""
    if out is not None and (out.is_dir() or not out.absolute().parent.is_dir()):
        raise UsageError(f"--out is {str(out)!r}, must be the name of a file in a folder that is there")


def whole_package(name: str, parts, seed: int, jobs: str, out, *, as_json: bool, quiet: bool) -> None:
    """Every optimizer of a package, several at a time."""
    from concurrent.futures import ThreadPoolExecutor

    from noether.campaigns.audit.process import audited_class, package_of
    from noether.cli.progress import working
    from noether.report.audit import table
    from noether.report.table import say
    from noether.runs.decision import decide, shown
    from noether.system.jobs import jobs as how_many

    listed, failed = package_of(name)
    for module, why in failed.items():
        complain(f"note: {module} cannot be imported: {why}")
    with working("optimizers", quiet=quiet) as progress, ThreadPoolExecutor(how_many(jobs)) as pool:
        progress.expect(len(listed))

        def one(x: dict):
            found = audited_class(x, seed, parts)
            progress.ended(x["word"], found.verdict)
            return found

        audits = list(pool.map(one, listed))
    for x in audits:
        if x.fault:
            complain(f"please report this with the output of noether doctor: {x.fault}")
    decide(table.exit_code(audits), f"{name}: {len(audits)} optimizers")
    if out is not None:
        shown("the page", written, audits, out)
    if as_json:
        printed(table.summary(audits))
    else:
        say(*table.table(audits))


def written(audits: list, path) -> None:
    """The page of some audits, in a file."""
    from noether.report.audit.page import page

    path.write_text(page(audits, about()), encoding="utf-8")
    complain(f"wrote {path}")


def about() -> list[tuple[str, str]]:
    """What was audited with what."""
    from noether.system.machine import __version__, version_of

    names = ("torch", "numpy", "triton")
    found = [(name, version_of(name)) for name in names]
    return [("noether", __version__), *((name, version) for name, version in found if version)]
