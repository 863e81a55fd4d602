"""`noether bench`: measure the same work in other tools and in this project's kernels, side by side."""

from __future__ import annotations

import sys
from pathlib import Path

import typer

from noether.cli.commands import AsJson, Quiet, complain, option, printed, written_file
from noether.system.files import check_writable
from noether.system.usage import UsageError
from noether.verdicts import exit_codes

TOOLS = "Comma list: triton-cpu, numba, torch.compile, jax (default: those that are installed)."

Cases = option(str | None, "Comma list of cases (default: all that the heavy ball runs on).")
Precision = option(str | None, "Comma list of float64, float32 (default both).")
Work = option(str | None, "Comma list: checked (update and residual of D2), update (default both).")
Tools = option(str | None, TOOLS)
Lanes = option(int | None, "Trajectories (default 16384).")
Steps = option(int | None, "Steps (default 64).")
Rounds = option(int | None, "Interleaved timings of each tool (default 15).")
Quick = option(bool, "One case, few rounds, the first shape of each tool, no scaling.")
Scale = option(bool, "Also over lanes, steps and dimension.", "--scale/--no-scale")
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
    scale: Scale = True,
    as_json: AsJson = False,
    quiet: Quiet = False,
    out: Page = None,
):
    """Measure ours against numba, jax and torch.compile.

    The same operations, agreement checked, ratios with their spread.

    Exit code: 0 measured, 1 a tool that ran did other work (no ratio is printed for it), 3 a tool that was
    asked for by name is missing, or ours was faster than the machine can be: that limit is wrong.
    """
    from noether.cli.progress import working
    from noether.labs.bench import campaign as of
    from noether.labs.bench import page
    from noether.runs.decision import decide

    if out is not None:
        check_writable("--out", out)
    chosen = campaign(cases, precision, work, tools, lanes, steps, rounds, quick, scale)
    for name, why in chosen.missing.items():
        complain(f"note: {name} is left out: {why}")
    if tools and chosen.missing:
        raise typer.Exit(exit_codes.UNDECIDED)
    keep = Keeper(out, page.write) if out else lambda found: None
    with working("works", quiet=quiet) as progress:
        done = of.run(chosen, watch=watcher(progress, chosen), keep=keep)
    ours_failed = any(": triton-cpu: " in text for text in done.failures)
    internal = ours_failed and not done.disagreements
    code = exit_codes.of(violated=done.disagreements, undecided=done.beyond, internal=internal)
    decide(code, "; ".join(done.disagreements + done.beyond))
    tell(done, as_json, quiet)
    if out:
        complain(f"note: {keep.fault}" if keep.fault else f"note: wrote {out}")
    told = {"another result": done.disagreements, "the limit is wrong": done.beyond}
    for words, texts in (told | {"note: could not run": done.failures}).items():
        for text in texts:
            complain(f"{words}: {text}")


def tell(done, as_json: bool, quiet: bool) -> None:
    """What was measured, on stdout."""
    from noether.labs.bench import results
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
    words = list(sys.argv[2:])
    if "--out" in words:
        del words[words.index("--out") : words.index("--out") + 2]
    defaults = dict(scale=scale)
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
    return of.Campaign(names, missing, words=" ".join(words), **options)


def watcher(progress, campaign):
    """What the bench calls with what it is doing; its works are counted."""
    progress.expect(campaign.expected)

    def watch(text: str) -> None:
        progress.reach(len(campaign.measurements) + len(campaign.scaling))
        progress.runs(lambda: [text])

    return watch
