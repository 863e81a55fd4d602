"""Known violations in words: the lines of the table, and plain data."""

from __future__ import annotations

from rich.text import Text

from noether.report.terminal import KNOWN
from noether.runs.result import Result
from noether.system.outside import plural, printable
from noether.verdicts.known import EXPIRED, GONE, SEEN, excuse, proving
from noether.verdicts.record import VIOLATED, LawSummary, Record

STYLE = {SEEN: "yellow", EXPIRED: "bold red", GONE: "bold red"}


def counting(result: Result) -> list[Record]:
    """The violations that are not known: those that decide the exit code."""
    found = (r for r in result.records if r.verdict == VIOLATED and not r.fault)
    return [r for r in found if excuse(r, result.known) is None]


def word(row: LawSummary, result: Result) -> str:
    """The verdict of a law as a table says it: `known` where nothing of it is violated but what is known."""
    is_known = row.verdict == VIOLATED and all(r.law != row.law for r in counting(result))
    return KNOWN if is_known else row.verdict


def gone(result: Result) -> list[str]:
    """What is known to be violated, was covered, and is violated no more: each fails the run."""
    return [s.entry.place for s in result.known if s.status == GONE]


def told(result: Result) -> list[Text]:
    """One line an entry of the known violations of a run; nothing where it has none."""
    if not result.known:
        return []
    lines = [Text(f"  {printable(s.line)}", style=STYLE.get(s.status, "dim")) for s in result.known]
    seen = proving(result.records, result.known)
    vain = sum(a is not b for a, b in zip(result.records, seen, strict=True))
    if vain:
        count = plural(vain, "verdict")
        told = f"  {count} on planted faults left out: there the law is violated without them too"
        lines.append(Text(told, style="dim"))
    return [
        Text(f"known violations: {plural(len(result.known), 'entry', 'entries')}", style="yellow"),
        *lines,
    ]


def closing(result: Result) -> str:
    """The verdict of a run in which nothing is violated but what is known, '' for any other."""
    seen = [s for s in result.known if s.status == SEEN]
    if not seen:
        return ""
    laws = " ".join(dict.fromkeys(s.entry.law for s in seen))
    count = sum(excuse(r, result.known) is not None for r in result.records)
    return f"everything else holds; {plural(count, 'known violation')} ({laws})"
