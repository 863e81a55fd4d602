"""`noether verify`: decide every law on every case: table, run folder, exit code."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import typer

from noether.cli.commands import (
    AsJson,
    Baseline,
    Jobs,
    NoConfig,
    Out,
    Quiet,
    Rule,
    Sarif,
    Seed,
    Trust,
    Verbose,
    argument,
    option,
)
from noether.cli.commands.defaults import Defaults, said
from noether.cli.commands.ending import conclude
from noether.system.files import check_writable
from noether.system.usage import UsageError, check_words

BACKENDS = "auto (default), numpy, triton-interpreted, triton-ptx, triton-cpu or triton-gpu."
TYPES = "Comma list: float64,float32,float16,bfloat16, or with a mode as in bfloat16/eager."
TRUE_ERROR = "Know the true error of every trajectory of T1 to T5, by heyoka in 113 bits (V1)."
LIMIT = "How long one cell may take before it is given up (default 600)."

Verified = argument(
    list[str] | None,
    "[CASE|FILE|GROUP]...",
    "Cases, files as path/to/case.py[:NAME], or networks (laws about no case); all when none is given.",
)
Profile = option(str, "quick (default), full or stress.")
Backend = option(str, BACKENDS)
Precision = option(str | None, TYPES)
Law = option(str | None, "Comma list of laws, as in D2,O3; see noether laws.")
Eta = option(float | None, "One step size for every lane.")
Beta = option(float | None, "One momentum for every lane.")
Decay = option(float | None, "One weight decay for every lane.")
Eps = option(float | None, "One breaking magnitude for every lane.")
Steps = option(int | None, "Steps of every launch.")
Lanes = option(int | None, "Trajectories of every launch.")
Reference = option(bool, TRUE_ERROR, "--reference")
Resume = option(Path | None, "Go on with a run that was cut off.")
Executor = option(str, "process (default), loky, dask:ADDRESS, mpi or module:factory; see docs/cluster.md.")
Shard = option(str | None, "I/N: the I-th of N parts of the run; noether merge puts them together.")
CellSeconds = option(float | None, LIMIT, "--cell-seconds")
Strict = option(bool, "Inconclusive cells end with exit code 3; with --baseline, any rise with 1.")
Update = option(bool, "Write the baseline: marked falls and new entries; nothing rises.")
AcceptRise = option(bool, "With --update-baseline: take this run as it is, rises and lost entries too.")


def verify(
    context: typer.Context,
    cases: Verified = None,
    profile: Profile = "quick",
    backend: Backend = "auto",
    precision: Precision = None,
    rule: Rule = None,
    law: Law = None,
    seed: Seed = 0,
    eta: Eta = None,
    beta: Beta = None,
    decay: Decay = None,
    eps: Eps = None,
    steps: Steps = None,
    lanes: Lanes = None,
    reference: Reference = False,
    out: Out = None,
    resume: Resume = None,
    jobs: Jobs = "auto",
    trust: Trust = False,
    executor: Executor = "process",
    shard: Shard = None,
    cell_seconds: CellSeconds = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    strict: Strict = False,
    baseline: Baseline = None,
    update_baseline: Update = False,
    accept_rise: AcceptRise = False,
    no_config: NoConfig = False,
    sarif: Sarif = None,
):
    """Decide every law on every case: table, run folder, exit code."""
    # Not context.params: before typer 0.29 a path is a str there.
    given = {name: value for name, value in locals().items() if name != "context"}
    usual = Defaults.of(context, no_config)
    asked = wanted(context, usual, given)
    result = decided(asked)
    result.notes += usual.notes
    conclude(result, as_json, sarif, **asked.watching)


REQUEST = ("cases", "law", "rule", "precision", "backend", "profile", "seed", "eta", "beta", "decay", "eps")
REQUEST += ("steps", "lanes", "reference")
"""The parameters of `verify` that say what is run: the fields of its Request."""


@dataclass(frozen=True)
class Asked:
    """What a command line asks of a run.

    words     the fields of its Request
    spoken    those of them that were given, and so win over the words of a run that is resumed
    guarding  how it is compared with a baseline: path, update, accept, strict
    watching  quiet and verbose
    known     violations that are known and do not count
    means     jobs, executor and cell_seconds: by what it is run
    """

    words: dict
    spoken: dict
    guarding: dict
    watching: dict
    out: Path | None
    resume: Path | None
    trust: bool
    shard: str | None
    known: tuple
    means: dict


def wanted(context: typer.Context, usual: Defaults, parameters: dict) -> Asked:
    """What a command line and the defaults of a project ask for together. Raises UsageError.

    parameters  what `verify` was given, by name
    """
    if parameters["sarif"] is not None:
        check_writable("--sarif", parameters["sarif"])
    said_so = dict(parameters, cases=tuple(parameters["cases"] or ()))
    spoken = {name: said_so[name] for name in REQUEST if said(context, name)}
    usual.leave_baseline(spoken, said_so["shard"], said_so["resume"])
    given = usual.over(said_so)
    usual.note({} if said_so["resume"] is None else dict.fromkeys(REQUEST))
    some = lambda *names: {name: given[name] for name in names}
    guarding = dict(path=given["baseline"], update=given["update_baseline"], accept=given["accept_rise"])
    return Asked(
        words=some(*REQUEST),
        spoken=spoken,
        guarding={**guarding, "strict": given["strict"]},
        watching=some("quiet", "verbose"),
        **some("out", "resume", "trust", "shard"),
        known=usual.settings.known,
        means=some("jobs", "executor", "cell_seconds"),
    )


def decided(asked: Asked):
    """The Result of the run that is asked for. Raises UsageError before any work."""
    from noether.cli.progress import watched
    from noether.plan.casefiles.load import expecting
    from noether.plan.choices import Request
    from noether.runs.executors import engine
    from noether.runs.run import How
    from noether.system.jobs import jobs as how_many

    workers, strict = how_many(asked.means["jobs"]), asked.guarding["strict"]
    words, files = (asked.words, None) if asked.resume is None else continued(asked)
    with expecting(files):
        request = Request(**words)
        guard = guarded(request, **asked.guarding)
        part = part_of(asked, guard)
        how = How(workers, asked.means["cell_seconds"], engine(asked.means["executor"], workers), part)
        where = dict(out=asked.out, resume=asked.resume, known=asked.known)
        result = watched(request, how=how, strict=strict, **where, **asked.watching)
    if guard:
        guard.conclude(result)
    elif not result.shard:
        from noether.runs.regression import gone

        result.notes += gone(result)
    return result


def continued(asked: Asked) -> tuple[dict, dict | None]:
    """The words of a run that is gone on with, and what its case files must be. Raises UsageError."""
    if asked.out is not None:
        raise UsageError(
            f"--resume {asked.resume} goes on in its own folder: --out {asked.out} must not be given"
        )
    kept, files = recorded(asked.resume, asked.trust, replaced=asked.spoken)
    return {**kept, **asked.spoken}, files


def part_of(asked: Asked, guard) -> tuple[int, int] | None:
    """Which part of a run is asked for, or was interrupted. Raises UsageError."""
    from noether.runs.saved_run import read_about
    from noether.runs.shards import parsed

    if asked.shard is not None and guard:
        raise UsageError(
            f"--shard {asked.shard} is a part of a run, which has no baseline: noether merge takes --baseline"
        )
    if asked.shard is not None or asked.resume is None:
        return parsed(asked.shard)
    return parsed(read_about(asked.resume).get("shard") or None)


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


def recorded(run: Path, trust: bool, *, replaced: Collection[str]) -> tuple[dict, dict | None]:
    """The words of an interrupted run, and what its files must be.

    replaced  the parameters that were given beside it: other cases or rules, which are run instead
    Raises UsageError, also where it names files that this user has not run from here, unless trusted.
    """
    from noether.plan.casefiles import trust as casetrust
    from noether.plan.choices import Request
    from noether.runs.saved_run import read_about

    about = read_about(run)
    kept = {k: v for k, v in about["arguments"].items() if k in Request.__dataclass_fields__}
    kinds = [name for name in ("cases", "rule") if name not in replaced]
    words, digests = casetrust.recorded(about, f"run {run}", kinds)
    kept["cases"] = tuple(kept.get("cases") or ())
    if not words:
        return kept, None
    files = casetrust.located(digests, words)
    casetrust.allow(f"run {run}", files, start=None, trust=trust)
    casetrust.check_unchanged(f"run {run}", files)
    return kept, files
