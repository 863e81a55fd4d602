"""The verdict of a run as a badge: a file that shields.io turns into a picture (its endpoint schema, version
1: schemaVersion, label, message, color)."""

from __future__ import annotations

import json

from noether.runs.saved_run import Run
from noether.system.outside import plural
from noether.verdicts import exit_codes
from noether.verdicts.known import SEEN, excuse, of_about
from noether.verdicts.record import HOLDS, VIOLATED, summarise

COLOUR = {exit_codes.HOLDS: "brightgreen", exit_codes.VIOLATED: "red", exit_codes.UNDECIDED: "yellow"}
NAMED = 3  # laws in a message


def badge(run: Run) -> dict:
    """The badge of a run as plain data."""
    code = run.about.get("exit_code")
    colour = "lightgrey" if code is None else COLOUR.get(code, "orange")
    return {"schemaVersion": 1, "label": "noether", "message": message(run, code), "color": colour}


def message(run: Run, code: int | None) -> str:
    """The words on the badge."""
    known = of_about(run.about)
    wrong = [r.law for r in run.records if r.verdict == VIOLATED and r.fault is None and not excuse(r, known)]
    if code is None:
        return "unfinished"
    if code == exit_codes.VIOLATED:
        laws = list(dict.fromkeys(law for law in run.about["laws"] if law in wrong))
        more = f" and {len(laws) - NAMED} more" if len(laws) > NAMED else ""
        return f"{', '.join(laws[:NAMED])}{more} violated" if laws else "not as expected"
    if code != exit_codes.HOLDS:
        return "undecided" if code == exit_codes.UNDECIDED else "no result"
    hold = sum(row.verdict == HOLDS for row in summarise(run.records, run.about["laws"]))
    seen = sum(s.violations for s in known if s.status == SEEN)
    return plural(hold, "law holds", "laws hold") + (f", {plural(seen, 'known violation')}" if seen else "")


def text(run: Run) -> str:
    """The text of a badge file."""
    return json.dumps(badge(run), indent=1) + "\n"
