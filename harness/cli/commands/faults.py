"""`noether faults`: plant every fault, show it to every law, print the kill matrix."""

from __future__ import annotations

from noether.cli.commands import AsJson, Jobs, Out, Quiet, Seed, Verbose, annotate, argument, option, printed

Faults = argument(
    list[str] | None, "[FAULT]...", "Faults by name, or by the beginning of one; all when none is given."
)
Profile = option(str, "quick (default) or full.")


def faults(
    names: Faults = None,
    profile: Profile = "quick",
    seed: Seed = 0,
    out: Out = None,
    jobs: Jobs = "auto",
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
):
    """Plant every fault, and show which law kills it.

    Exit code: 0 every fault is killed, 1 a law is violated with nothing planted, 3 a fault survives that is
    not proven to be none, or a law kills nothing.
    """
    from noether.campaigns.kill_matrix.campaign import run
    from noether.cli.progress import busy, watcher
    from noether.plan.choices import whole
    from noether.report.faults.table import WORD
    from noether.report.publish import publish_faults
    from noether.runs.decision import decide, shown
    from noether.system.jobs import jobs as how_many

    workers = how_many(jobs)
    seed = whole("--seed", seed, 0, 2**63 - 1)
    with busy("planning", quiet=quiet, verbose=verbose) as progress:
        how = dict(profile=profile, seed=seed, jobs=workers, out=out, watch=watcher(progress))
        result = run(tuple(names or ()), **how)
    decide(result.exit_code, WORD[result.exit_code], result.folder)
    shown("the pages of the run", publish_faults, result)
    if as_json:
        from noether.report.faults.summary import summary

        printed(summary(result))
    else:
        from noether.report.faults.table import ending
        from noether.report.table import say

        say(WORD[result.exit_code]) if quiet else say(*ending(result))
    annotate(result, quiet=quiet)
