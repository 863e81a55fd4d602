"""The page docs/findings.md with its pictures: what became of published statements, written from the records
of a run."""

from __future__ import annotations

import json

from noether.report.findings.facts import facts
from noether.report.findings.page import page
from noether.report.findings.pictures import pictures
from noether.runs.saved_run import Run

FACTS = "findings/findings.json"


def files(run: Run) -> dict[str, str]:
    """Path from the folder of the page -> text: the page itself, its pictures, and the facts that both are
    written from. Raises UsageError naming what the run does not have."""
    return written(facts(run))


def written(found: dict) -> dict[str, str]:
    """The same of facts that were kept, as `files` writes them."""
    kept = json.dumps(found, indent=1, ensure_ascii=False) + "\n"
    return {"findings.md": page(found), FACTS: kept, **pictures(found)}


def listed(run: Run) -> list[dict]:
    """The statements for machines, without their pictures. Raises UsageError where one is missing."""
    return [{k: v for k, v in s.items() if k != "figure"} for s in facts(run)["statements"]]
