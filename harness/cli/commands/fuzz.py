"""`noether fuzz`: random launches at volume, guided towards high spent; what is found is made small and
kept."""

from __future__ import annotations

from pathlib import Path

from noether.cli.commands import (
    AsJson,
    Jobs,
    Names,
    Out,
    Quiet,
    Rule,
    Trust,
    Verbose,
    annotate,
    complain,
    option,
    printed,
)
from noether.system.usage import UsageError
from noether.verdicts import exit_codes

For = option(str | None, "How long, as in 60s, 10m (default 60s, or no limit with --batches).", "--for")
Batches = option(int | None, "How many batches; with the same --seed and backend they are the same ones.")
Seed = option(int, "Every draw derives from it and the number of its batch (default 0).")
Backend = option(str, "auto (default), or one of the backends of noether verify that can screen.")
Precision = option(str | None, "Comma list of precisions, as in float64,bfloat16/eager.")
Corpus = option(Path | None, "The folder of kept violations, replayed first (default corpus).")
Replay = option(Path | None, "Replay one file of a corpus, and nothing else.")
Plant = option(str | None, "Run a planted fault instead of an honest kernel; see noether faults.")


def fuzz(
    cases: Names = None,
    time: For = None,
    batches: Batches = None,
    seed: Seed = 0,
    backend: Backend = "auto",
    rule: Rule = None,
    precision: Precision = None,
    corpus: Corpus = None,
    replay: Replay = None,
    plant: Plant = None,
    out: Out = None,
    jobs: Jobs = "auto",
    trust: Trust = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
):
    """Try random launches under six exact laws.

    They are the laws that the screen computes: D0, D2, D3, D4, D6 and D7.

    Exit code: 0 nothing false, 1 a law is violated (the smallest and the worst launch are kept in the corpus)
    or the corpus is violated again, 3 no check, an alarm that the host does not confirm, or a planted fault
    not found.
    """
    if replay is not None:
        return replay_one(replay, trust, as_json)
    from noether.cli.fuzz_progress import watched
    from noether.report.fuzz_table import ending, summary, verdict
    from noether.report.table import say
    from noether.runs.decision import decide
    from noether.system import compilers

    asked = campaign(cases, time, batches, seed, backend, rule, precision, corpus, plant, out, jobs, trust)
    result = watched(asked, quiet=quiet, verbose=verbose)
    decide(result.exit_code, verdict(result), result.folder)
    result.notes += compilers.told([asked.probe])
    if as_json:
        printed(summary(result))
    else:
        say(verdict(result)) if quiet else say(*ending(result))
    annotate(result, quiet=quiet, what="batches", where="crash-*.json")
    if result.interrupted:
        complain(f"interrupted; what was found is kept in {result.folder}")


def campaign(cases, time, batches, seed, backend, rule, precision, corpus, plant, out, jobs, trust):
    """The words of the command line as a campaign. Raises UsageError, BackendMissing."""
    from noether.campaigns.fuzz.campaign import resolve
    from noether.campaigns.fuzz.corpus import CORPUS
    from noether.campaigns.fuzz.outcome import Campaign
    from noether.campaigns.fuzz.probe import Probe, fault
    from noether.plan import design, large
    from noether.plan.choices import backends, chosen_cases, one, refuse_impossible_rules, several, whole
    from noether.system.jobs import jobs as how_many

    if plant is not None:
        fault(plant)
        if backend not in ("auto", "numpy"):
            raise UsageError(
                f"--backend is {backend}: a fault is planted in the numpy step, it must be numpy or auto"
            )
    chosen, files = chosen_cases(cases or ())
    large.refuse(chosen, "the screen of fuzzing keeps a lane in registers", "noether verify judges it")
    rules = several("rule", rule, tuple(design.RULES))
    if rule:
        refuse_impossible_rules(chosen, rules, named=bool(cases))
    if batches is not None:
        whole("--batches", batches, 1, 2**31)
    seconds = duration(time) if time is not None else None if batches is not None else 60.0
    name = resolve(one("backend", backend, ("auto", *backends())), plant or "")
    kept = corpus if corpus is not None else None if plant else CORPUS
    precisions = several("precision", precision, tuple(design.PRECISIONS))
    what = (chosen, rules, precisions, Probe(name, plant or ""), whole("--seed", seed, 0, 2**63 - 1))
    return Campaign(*what, seconds, batches, how_many(jobs), files, kept, out, trust=trust)


def duration(word: str) -> float:
    """Seconds of '60s', '10m', '1h' or '90'. Raises UsageError."""
    units = {"s": 1, "m": 60, "h": 3600}
    number, unit = (word[:-1], units[word[-1]]) if word[-1:] in units else (word, 1)
    try:
        seconds = float(number) * unit
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise UsageError(f"--for is {word!r}, must be a time such as 60s, 10m or 1h")
    return seconds


def replay_one(path: Path, trust: bool, as_json: bool) -> None:
    """Replay one corpus file and say what it does today; 1 where it is violated again."""
    from noether.campaigns.fuzz import corpus
    from noether.report.table import say
    from noether.runs.decision import decide

    found = corpus.replay(corpus.read(path, trust=trust))
    code = decide(exit_codes.of(violated=found.again), found.line)
    if as_json:
        printed({"entry": str(path), "again": found.again, "exit_code": code, "line": found.line})
    else:
        say(found.line)
