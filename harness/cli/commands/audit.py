"""`noether audit`: which rule somebody's optimizer obeys, in which arithmetic, and where it deviates."""

from __future__ import annotations

from noether.cli.commands import AsJson, Quiet, argument, option, printed, written_file
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
    as_json: AsJson = False,
    quiet: Quiet = False,
):
    """Say which rule an optimizer obeys, and where it deviates.

    It needs no reference implementation: its motion under scripted gradients is compared with the rules, and
    its rounding with what its own operations may round.
    """
    from noether.campaigns.audit.finding import PARTS
    from noether.campaigns.audit.process import audited
    from noether.campaigns.audit.target import options_of
    from noether.cli.progress import busy
    from noether.plan.choices import whole
    from noether.runs.decision import decide

    if (target is None) == (all_of is None):
        raise UsageError("audit takes one of TARGET and --all PACKAGE, must be given one of them")
    parts = PARTS if part is None else tuple(part.split(","))
    options = options_of(arg or [])
    seed = whole("--seed", seed, 0, 2**63 - 1)
    with busy(f"auditing {target}", quiet=quiet):
        found = audited(target, options, like, seed, parts)
    decide(found.exit_code, f"{found.target}: {found.verdict}")
    if as_json:
        printed(found.plain())
        return
    print(f"{found.target}: {found.verdict}" + (f", {found.trouble}" if found.trouble else ""))
    for finding in [] if quiet else found.findings:
        spent = "" if finding.spent is None else f"{finding.spent:.3g}"
        print(f"  {finding.verdict:13} {finding.part:15} {finding.name:22} {spent:>9}  {finding.reason}")
