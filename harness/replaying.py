"""Which record of a run is replayed, and whether its case files are still the same."""

from __future__ import annotations

from harness import casefile
from harness.folder import Run
from harness.usage import UsageError, unknown
from harness.verdicts import Record


def pick(run: Run, number: int | None, law: str | None, cell: str | None, symmetry: str | None) -> Record:
    """The record of that number, else the worst one that fits and has a worst lane. Raises UsageError."""
    records = run.records
    if not records:
        raise UsageError(f"{run.path} has no record: there is nothing to replay")
    if number is not None:
        if not 1 <= number <= len(records):
            raise UsageError(f"--record is {number}, must be from 1 to {len(records)}")
        return records[number - 1]
    fits = [r for r in records if not r.control]
    for name, word in (("law", law.upper() if law else None), ("cell", cell), ("symmetry", symmetry)):
        if word is not None:
            known = sorted({getattr(r, name) for r in fits if getattr(r, name)})
            if word not in known:
                raise unknown(name, word, known)
            fits = [r for r in fits if getattr(r, name) == word]
    from harness.laws import EXACT

    laned = [r for r in fits if r.worst and r.law in EXACT]
    if not laned:
        raise UsageError(f"{run.path}: none of these {len(fits)} records has a lane that can be replayed: choose a law among {', '.join(EXACT)}")
    return max(laned, key=lambda r: (r.verdict == "violated", r.spent if r.spent is not None and r.spent == r.spent else float("inf")))


def same_files(run: Run) -> None:
    """Raises UsageError when a case file of the run is gone or has changed."""
    for word, digest in run.about["arguments"].get("files", {}).items():
        path, _ = casefile.split(word)
        if not path.exists():
            raise UsageError(f"case file {path} of {run.path} is gone: it must be there to replay")
        if casefile.digest(word) != digest:
            raise UsageError(f"case file {path} has changed since {run.path}: a replay must be of the same text")
