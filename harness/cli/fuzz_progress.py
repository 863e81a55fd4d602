"""Progress of a fuzzing run, shown while it goes on (harness/cli/progress.py)."""

from __future__ import annotations

from noether.campaigns.fuzz.batch import Finding
from noether.campaigns.fuzz.campaign import run
from noether.campaigns.fuzz.outcome import Campaign, Outcome
from noether.cli.progress import working


def watched(campaign: Campaign, *, quiet: bool = False, verbose: bool = False) -> Outcome:
    """Fuzz, and show how far it is."""
    unit = "s" if campaign.seconds is not None else "batches"
    with working(unit, quiet=quiet, verbose=verbose) as progress:
        progress.stage("replaying the corpus, compiling")

        def watch(outcome: Outcome, finding) -> None:
            if progress.total is None:
                progress.expect(campaign.seconds if unit == "s" else campaign.batches)
            progress.detail = told(outcome, progress.clock() - progress.begin)
            progress.ended(*named(finding))

        outcome = run(campaign, watch)
    return outcome


def told(outcome: Outcome, spent: float) -> str:
    """What a run has done so far, in a line."""
    rate = outcome.checks / max(spent, 1e-9)
    visited = f"{len(outcome.visits)} of {len(outcome.cells)} cells"
    return f"{outcome.batches} batches, {outcome.checks:.2g} checks, {rate:.2g} a second, {visited} visited"


def named(finding) -> tuple[str, str]:
    """A batch and what it came to, for --verbose."""
    if not isinstance(finding, Finding):
        return "a batch", "failed inside the harness"
    return (
        f"batch {finding.batch.number}",
        f"{finding.batch.cell.name}: {finding.batch.lanes} lanes, {finding.batch.steps} steps",
    )
