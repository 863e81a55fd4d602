"""`noether verify`: decide every law on every case: table, run folder, exit code."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from noether.cli.commands import AsJson, Jobs, Quiet, Trust, Verbose, annotate, complain, option, printed
from noether.system.outside import orders
from noether.system.usage import UsageError, check_words

SHOWN = 5  # cells without a verdict
Names = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[CASE|FILE]...",
        help="Cases of the catalogue, or path/to/case.py[:NAME]; all when none is given.",
    ),
]


def verify(
    context: typer.Context,
    cases: Names = None,
    profile: option(str, "quick (default), full or stress.") = "quick",
    backend: option(
        str, "auto (default), numpy, triton-interpreted, triton-ptx, triton-cpu or triton-gpu."
    ) = "auto",
    precision: option(
        str | None, "Comma list: float64,float32,float16,bfloat16, or with a mode as in bfloat16/eager."
    ) = None,
    rule: option(str | None, "Comma list of learning rules.") = None,
    law: option(str | None, "Comma list of laws, as in D2,O3; see noether laws.") = None,
    seed: option(int, "Every cell's seed derives from it (default 0).") = 0,
    eta: option(float | None, "One step size for every lane.") = None,
    beta: option(float | None, "One momentum for every lane.") = None,
    decay: option(float | None, "One weight decay for every lane.") = None,
    eps: option(float | None, "One breaking magnitude for every lane.") = None,
    steps: option(int | None, "Steps of every launch.") = None,
    lanes: option(int | None, "Trajectories of every launch.") = None,
    reference: option(
        bool,
        "Know the true error of every trajectory of T1 to T5, by heyoka in 113 bits (V1).",
        "--reference",
    ) = False,
    out: option(Path | None, "The run folder (default runs/<time>).") = None,
    resume: option(Path | None, "Go on with a run that was cut off.") = None,
    jobs: Jobs = "auto",
    trust: Trust = False,
    executor: option(
        str, "process (default), loky, dask:ADDRESS, mpi or module:factory; see docs/cluster.md."
    ) = "process",
    shard: option(
        str | None, "I/N: the I-th of N parts of the run; noether merge puts them together."
    ) = None,
    cell_seconds: option(
        float | None, "How long one cell may take before it is given up (default 600).", "--cell-seconds"
    ) = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    strict: option(
        bool, "Inconclusive cells end with exit code 3; with --baseline, any rise with 1."
    ) = False,
    baseline: option(Path | None, "Fail on a marked rise above FILE.json (default baseline.json).") = None,
    update_baseline: option(bool, "Write the baseline: marked falls and new entries; nothing rises.") = False,
    accept_rise: option(
        bool, "With --update-baseline: take this run as it is, rises and lost entries too."
    ) = False,
):
    """Decide every law on every case: table, run folder, exit code."""
    from noether.cli.progress import watched
    from noether.plan.casefiles.load import expecting
    from noether.plan.choices import Request
    from noether.runs.executors import engine
    from noether.runs.run import How
    from noether.runs.shards import parsed
    from noether.system.jobs import jobs as how_many

    workers = how_many(jobs)
    words = dict(cases=tuple(cases or ()), law=law, rule=rule, precision=precision, backend=backend,
        profile=profile, seed=seed,
                 eta=eta, beta=beta, decay=decay, eps=eps, steps=steps, lanes=lanes,
                 reference=reference)  # fmt: skip
    files = None
    if resume is not None:
        if out is not None:
            raise UsageError(f"--resume {resume} goes on in its own folder: --out {out} must not be given")
        kept, files = recorded(resume, trust, named=said(context, "cases"))
        words = {**kept, **{n: v for n, v in words.items() if said(context, n)}}
    watching = dict(quiet=quiet, verbose=verbose)
    with expecting(files):
        guard = guarded(Request(**words), baseline, update=update_baseline, accept=accept_rise, strict=strict)
        if shard is not None and guard:
            raise UsageError(
                f"--shard {shard} is a part of a run, which has no baseline: noether merge takes --baseline"
            )
        part = parsed(shard) if shard is not None or resume is None else part_of(resume)
        how = How(workers, cell_seconds, engine(executor, workers), part)
        result = watched(Request(**words), out=out, resume=resume, how=how, strict=strict, **watching)
    if guard:
        guard.conclude(result)
    elif not result.shard:
        from noether.runs.regression import gone

        result.notes += gone(result)
    conclude(result, as_json, **watching)


def part_of(run: Path) -> tuple[int, int] | None:
    """Which part of a run an interrupted run was. Raises UsageError."""
    from noether.runs.folder import read_about
    from noether.runs.shards import parsed

    return parsed(read_about(run).get("shard") or None)


def guarded(request, path: Path | None, *, update: bool, accept: bool, strict: bool):
    """The baseline that was asked for, or None. Raises UsageError before any work."""
    if accept and not update:
        raise UsageError("--accept-rise goes with --update-baseline: it must not be given alone")
    if path is None and not update:
        return None
    from noether.plan.choices import select
    from noether.runs.baseline import FILE
    from noether.runs.regression import Guard
    from noether.runs.run import arguments

    select(request)  # what cannot be run at all is told first
    return Guard(path or FILE, arguments(request), update=update, accept=accept, strict=strict)


def with_baseline_file(words: list[str]) -> list[str]:
    """`--baseline` without a FILE.json behind it means baseline.json; an option cannot say that of itself."""
    check_words(words)
    out: list[str] = []
    for here, following in zip(words, [*words[1:], ""], strict=False):
        out.append(here)
        if here == "--baseline" and not following.endswith(".json"):
            out.append("baseline.json")
    return out


def said(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def recorded(run: Path, trust: bool, *, named: bool) -> tuple[dict, dict | None]:
    """The words of an interrupted run, and what its case files must be.

    named  other case files were named beside it, which are run instead
    Raises UsageError, also where it names case files that this user has not run from here, unless trusted.
    """
    from noether.plan.casefiles import trust as casetrust
    from noether.plan.choices import Request
    from noether.runs.folder import read_about

    about = read_about(run)
    kept = {k: v for k, v in about["arguments"].items() if k in Request.__dataclass_fields__}
    words, digests = casetrust.recorded(about, f"run {run}")
    kept["cases"] = tuple(kept.get("cases") or ())
    if named or not words:
        return kept, None
    files = casetrust.located(digests, words)
    casetrust.allow(f"run {run}", files, start=None, trust=trust)
    casetrust.check_unchanged(f"run {run}", files)
    return kept, files


def conclude(result, as_json: bool, **watching) -> None:
    """Decide, then write the pages, then tell: what cannot be written or printed changes nothing."""
    from noether.report.publish import publish
    from noether.report.table import verdict
    from noether.runs.decision import decide, shown

    decide(result.exit_code, verdict(result), result.folder)
    shown("the pages of the run", publish, result)
    tell(result, as_json, **watching)


def tell(result, as_json: bool, *, quiet: bool = False, verbose: bool = False) -> None:
    """The tables or the summary on stdout, then notes and what to do next on stderr.

    Annotations are for stdout (docs.github.com, workflow commands), but --json promises that nothing else is
    there.
    """
    from noether.report.github import announce

    if as_json:
        from noether.report.table import summary

        printed(summary(result))
    else:
        from noether.report.table import ending, say, verdict

        say(verdict(result)) if quiet else say(*ending(result, whole=verbose))
    announce(result, orders(sys.stderr if as_json else sys.stdout).write)
    annotate(result, quiet=quiet)
    for cell, why in list(result.lost.items())[:SHOWN]:
        complain(f"cell {cell}: {why}")
    if result.lost:
        more = f", {len(result.lost) - SHOWN} more than shown" if len(result.lost) > SHOWN else ""
        go_on = f": go on with noether verify --resume {result.folder}" if result.folder else ""
        complain(f"{len(result.lost)} of {result.cells} cells are undecided{more}{go_on}")
    if result.interrupted:
        complain(f"interrupted; what was found is kept: go on with noether verify --resume {result.folder}")
