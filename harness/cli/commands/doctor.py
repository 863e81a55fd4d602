"""`noether doctor`: what this machine can run."""

from __future__ import annotations

from noether.cli.commands import AsJson, printed
from noether.verdicts import exit_codes


def doctor(as_json: AsJson = False):
    """Say what this machine can run, and why not the rest.

    Exit code: 0 it can verify, 3 something is missing without which it cannot.
    """
    from noether.cli import doctor as physician
    from noether.cli.progress import busy
    from noether.report.table import say
    from noether.runs.decision import decide

    with busy("asking each backend"):
        findings = physician.examine()
    decide(exit_codes.of(undecided=physician.lacking(findings)))
    printed(physician.told(findings)) if as_json else say(physician.page(findings))
