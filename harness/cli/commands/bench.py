"""`noether bench`: measure the same work in other tools and in this project's kernels, side by side."""

from __future__ import annotations

import sys
from pathlib import Path

import typer

from noether.cli.commands import AsJson, Quiet, complain, option, printed, written_file
from noether.system.files import check_writable
from noether.system.usage import UsageError
from noether.verdicts import exit_codes

TOOLS = (
    "Comma list: triton-cpu, numba, torch.compile, jax; of ode noether, heyoka, diffrax, scipy "
    "(default: those that are installed)."
)

Cases = option(str | None, "Comma list of cases (default: all that the heavy ball runs on).")
Precision = option(str | None, "Comma list of float64, float32 (default both).")
Work = option(
    str | None, "Comma list: checked (with the residual of D2), update (default both); or ode alone."
)
Tools = option(str | None, TOOLS)
Lanes = option(int | None, "Trajectories (default 16384).")
Steps = option(int | None, "Steps (default 64).")
Rounds = option(int | None, "Interleaved timings of each tool (default 15).")
Quick = option(bool, "One case, few rounds, the first shape of each tool, no scaling.")
Scale = option(
    bool | None, "Also over lanes, steps and dimension (default; not of ode).", "--scale/--no-scale"
)
Page = written_file("Write the tables and a picture as a Markdown file.", "--out")


def bench(
    cases: Cases = None,
    precision: Precision = None,
    work: Work = None,
    tools: Tools = None,
    lanes: Lanes = None,
    steps: Steps = None,
    rounds: Rounds = None,
    quick: Quick = False,
    scale: Scale = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    out: Page = None,
):
    """Measure ours against numba, jax and torch.compile.

    The same operations, agreement checked, ratios with their spread. --work ode: solutions of the equations
    of motion at one measured accuracy, against heyoka, diffrax and SciPy.

    Exit code: 0 measured, 1 a tool that ran did other work (no ratio is printed for it), 3 a tool that was
    asked for by name is missing, ours was faster than the machine can be: that limit is wrong, or the
    reference of ode is not known well enough.
    """
    from noether.cli.progress import working
    from noether.labs.bench import campaign as of
    from noether.labs.bench import page, results

    if out is not None:
        check_writable("--out", out)
    if work and "ode" in work.split(","):
        from noether.labs.bench.ode import comparison as of
        from noether.labs.bench.ode import report as page

        results = page
        chosen = trajectories(cases, precision, work, tools, lanes, steps, rounds, quick, scale)
    else:
        chosen = campaign(cases, precision, work, tools, lanes, steps, rounds, quick, scale)
    for name, why in chosen.missing.items():
        complain(f"note: {name} is left out: {why}")
    if tools and chosen.missing:
        raise typer.Exit(exit_codes.UNDECIDED)
    keep = Keeper(out, page.write) if out else lambda found: None
    with working("works", quiet=quiet) as progress:
        done = of.run(chosen, watch=watcher(progress, chosen), keep=keep)
    settle(done, of.OURS_FAILED)
    tell(done, results, as_json, quiet)
    if out:
        complain(f"note: {keep.fault}" if keep.fault else f"note: wrote {out}")
    complain_of(done, of.BEYOND)


def settle(done, ours_failed: str) -> None:
    """The exit code, which printing may not lose.  ours_failed  what a line of `failures` of ours has"""
    from noether.runs.decision import decide

    internal = any(ours_failed in text for text in done.failures) and not done.disagreements
    code = exit_codes.of(violated=done.disagreements, undecided=done.beyond, internal=internal)
    decide(code, "; ".join(done.disagreements + done.beyond))


def complain_of(done, beyond: str) -> None:
    """What is wrong with the works, on stderr, a line each.  beyond  what stands before those of `beyond`"""
    told = {"another result": done.disagreements, beyond: done.beyond}
    for words, texts in (told | {"note: could not run": done.failures}).items():
        for text in texts:
            complain(f"{words}: {text}")


def tell(done, results, as_json: bool, quiet: bool) -> None:
    """What was measured, on stdout, in the words of the module `results`."""
    from noether.report.table import say

    if as_json:
        printed(results.plain(done))
    else:
        say(*(results.sentences(done) if quiet else results.tables(done)))


class Keeper:
    """Writes the page after every work; a disk that refuses ends no measurement, and is told at the end."""

    def __init__(self, out: Path, write):
        self.out, self.write, self.fault = out, write, ""

    def __call__(self, found) -> None:
        try:
            self.write(found, self.out)
            self.fault = ""
        except OSError as error:
            self.fault = f"{self.out} cannot be written: {error.strerror or error}"


def campaign(cases, precision, work, tools, lanes, steps, rounds, quick, scale):
    """The words of the command line as a Campaign. Raises UsageError."""
    from noether.labs.bench import campaign as of
    from noether.labs.bench import peers
    from noether.labs.bench.work import KINDS
    from noether.plan.choices import several, whole

    asked = several("tools", tools, peers.PEERS) if tools else peers.PEERS
    missing = {name: why for name in asked if (why := peers.missing(name))}
    names = [name for name in asked if name not in missing]
    defaults = dict(scale=scale is not False)
    if quick:
        defaults = dict(cases=("rayleigh",), kinds=KINDS[:1], rounds=5, scale=False, tune=False)
    given = dict(
        cases=several("cases", cases, of.CASES) if cases else None,
        precisions=several("precision", precision, ("float64", "float32")) if precision else None,
        kinds=several("work", work, KINDS) if work else None,
        lanes=None if lanes is None else whole("--lanes", lanes, 1, 2**20),
        steps=None if steps is None else whole("--steps", steps, 1, 4096),
        rounds=None if rounds is None else whole("--rounds", rounds, 1, 1000),
    )
    if not names and not missing:
        raise UsageError("--tools names none")
    options = {**defaults, **{name: value for name, value in given.items() if value is not None}}
    return of.Campaign(names, missing, words=given_words(), **options)


def given_words() -> str:
    """The options of the command line, without where the page is written."""
    words = list(sys.argv[2:])
    if "--out" in words:
        del words[words.index("--out") : words.index("--out") + 2]
    return " ".join(words)


def trajectories(cases, precision, work, tools, lanes, steps, rounds, quick, scale):
    """The words of the command line as a Campaign of solutions in continuous time. Raises UsageError."""
    from noether.labs.bench.ode import comparison as of
    from noether.labs.bench.ode.problem import CASES
    from noether.labs.bench.ode.tools import TOOLS, missing
    from noether.plan.choices import several, whole

    if work != "ode":
        raise UsageError(f"--work is {work}, must be ode alone: it is measured apart from the other works")
    for name, value in (("--precision", precision), ("--steps", steps)):
        if value is not None:
            raise UsageError(f"{name} is {value}, must not be given with --work ode: it is solved in float64")
    if scale is not None:
        word = "--scale" if scale else "--no-scale"
        raise UsageError(f"{word} must not be given with --work ode: it has one size, of --lanes")
    asked = several("tools", tools, TOOLS) if tools else TOOLS
    lacking = {name: why for name in asked if (why := missing(name))}
    defaults = dict(cases=("mexican-hat",), lanes=(64,), rounds=3) if quick else {}
    given = dict(
        cases=several("cases", cases, CASES) if cases else None,
        lanes=None if lanes is None else (whole("--lanes", lanes, 1, 2**14),),
        rounds=None if rounds is None else whole("--rounds", rounds, 1, 1000),
    )
    options = {**defaults, **{name: value for name, value in given.items() if value is not None}}
    names = tuple(name for name in asked if name not in lacking)
    return of.Campaign(names, lacking, words=given_words(), **options)


def watcher(progress, campaign):
    """What the bench calls with what it is doing; its works are counted."""
    progress.expect(campaign.expected)

    def watch(text: str) -> None:
        progress.reach(campaign.done)
        progress.runs(lambda: [text])

    return watch
