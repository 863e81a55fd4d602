"""What `noether verify` prints at the end of a run, as tables and as plain data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict

from rich.table import Table
from rich.text import Text

from noether.report import known_violations
from noether.report.law_table import laws_table, legend, titled
from noether.report.next_step import next_step
from noether.report.remainder import SHOWN, explained, remainder
from noether.report.terminal import COLOUR, console, listing, number, say  # noqa: F401
from noether.runs.result import Result
from noether.system.memorypeak import told as told_peak
from noether.system.outside import plural
from noether.verdicts import exit_codes
from noether.verdicts.known import excuse, proving
from noether.verdicts.power import of_law
from noether.verdicts.record import (
    HOLDS,
    INCONCLUSIVE,
    OUTSIDE,
    VIOLATED,
    LawSummary,
    Record,
    undecided_faults,
    undecided_forms,
    where,
)

WORD = {
    exit_codes.HOLDS: "everything holds",
    exit_codes.VIOLATED: "a law is violated",
    exit_codes.WRONG: "the baseline was not updated",
    exit_codes.UNDECIDED: "could not decide",
    exit_codes.INTERNAL: "internal error",
    exit_codes.INTERRUPTED: "interrupted",
}
PARTLY = "everything that was decided holds"
"""The verdict of a run that holds and leaves something undecided."""
STYLE = {exit_codes.HOLDS: "bold green", exit_codes.UNDECIDED: "yellow"}
# Planted faults: a whole run has three times as many, and a table of them would push the laws off the screen.
LISTED = 40
NAMED = 6
"""How many statements or faults the last line names."""


def killers(records: Iterable[Record], laws: Iterable[str]) -> dict[str, list[str]]:
    """Planted fault -> the laws that killed it, in the order of `laws`; [] for a survivor. Without those that
    nothing can be said of (`undecided_faults`)."""
    records = list(records)
    order = {law: i for i, law in enumerate(laws)}
    found: dict[str, list[str]] = {}
    for r in records:
        if r.fault:
            by = found.setdefault(r.fault, [])
            if r.verdict == VIOLATED and r.law not in by:
                by.append(r.law)
    for fault in undecided_faults(records):
        del found[fault]
    return {fault: sorted(by, key=lambda x: order.get(x, len(order))) for fault, by in sorted(found.items())}


def of_result(result: Result) -> dict[str, list[str]]:
    """The killers of a run: a law that is violated anyway, as is known, kills nothing there."""
    return killers(proving(result.records, result.known), result.laws)


def not_decided(result: Result) -> list[str]:
    """The planted faults of a run that nothing can be said of."""
    return undecided_faults(proving(result.records, result.known))


def killers_table(result: Result) -> Table:
    """The table of planted faults, each with the laws that killed it."""
    table = listing("planted fault", "killed by")
    for fault, by in of_result(result).items():
        table.add_row(fault, " ".join(by) if by else Text("no law: it survived", style="bold red"))
    return table


def few(words: list[str]) -> list[str]:
    """The first of many words, and how many more there are."""
    more = len(words) - NAMED
    return words if more <= 1 else [*words[:NAMED], f"{more} more"]


def in_few(forms: list[str]) -> str:
    """The forms of laws, or how many each law has where they are many."""
    if len(forms) <= NAMED:
        return "; ".join(forms)
    count = Counter(name.split(" ")[0] for name in forms)
    return ", ".join(f"{law} ({plural(n, 'statement')})" for law, n in count.items())


def why(result: Result) -> str:
    """The reason behind the exit code, in a few words."""
    if result.exit_code == exit_codes.VIOLATED:
        found = {r.law for r in known_violations.counting(result)}
        return f": {' '.join([x for x in result.laws if x in found] + sorted(found - set(result.laws)))}"
    if result.exit_code == exit_codes.UNDECIDED:
        survivors = [c for c, laws in of_result(result).items() if not laws]
        judged = [row for row in result.rows if row.law not in result.unjudged]
        has_any = lambda row: (
            row.counts[HOLDS] or row.counts[VIOLATED]
        )  # which is known, or the code were another
        blind = [row.law for row in judged if not has_any(row)]
        unkilled = [row.law for row in judged if has_any(row) and not row.killed]
        forms = undecided_forms(result.records, result.laws)
        forms = [name for name in forms if name.split(" ")[0] not in blind]
        parts = [f"no cell holds for {' '.join(blind)}"] if blind else []
        parts += [f"undecided wherever it was asked: {in_few(forms)}"] if forms else []
        if set(result.unjudged) == set(result.laws):
            parts += [f"nothing is left to judge but {' '.join(result.unjudged)}"]
        anyway = " where it is not violated anyway" if any(row.counts[VIOLATED] for row in judged) else ""
        parts += [f"no fault was killed by {' '.join(unkilled)}{anyway}"] if unkilled else []
        parts += [f"faults survived: {', '.join(few(survivors))}"] if survivors else []
        parts += (
            [f"{len(result.lost)} of {plural(result.cells, 'cell')} came to no end"] if result.lost else []
        )
        broken = plural(len(result.blind), "promise is broken", "promises are broken")
        parts += [broken] if result.blind else []
        return ": " + ("; ".join(parts) or "cells are inconclusive, which --strict refuses")
    if result.exit_code == exit_codes.INTERNAL:
        return f" in {len(result.errors)} of {plural(result.cells, 'cell')}"
    return ""


def against_baseline(result: Result, most: int = SHOWN) -> list[Text]:
    """Each marked rise and each lost entry, with what is, what it was, what is allowed; else one line that
    says how much was compared."""
    found = result.baseline
    if found is None:
        return []
    if not found.fails:
        entries = plural(found.compared, "entry", "entries")
        return [Text(f"baseline: {entries} compared, no marked rise, none lost", style=COLOUR[HOLDS])]
    out = []
    for what, lines in (("marked rises", found.rises), ("lost entries", found.lost)):
        if lines:
            out.append(Text(f"{what} against the baseline: {len(lines)}", style=COLOUR[VIOLATED]))
            out += [Text(f"  {name}: {line}") for name, line in list(lines.items())[:most]]
            out += [Text(f"  and {len(lines) - most} more")] if len(lines) > most else []
    return out


def verdict(result: Result) -> str:
    """The last line: what the exit code says, and why."""
    found = result.baseline
    violated, gone = bool(known_violations.counting(result)), known_violations.gone(result)
    if found is not None and found.fails and not violated:
        lost = plural(len(found.lost), "lost entry", "lost entries")
        return f"not as the baseline: {plural(len(found.rises), 'marked rise')}, {lost}"
    if result.exit_code == exit_codes.VIOLATED and gone and not violated:
        return f"known violations that are gone: {'; '.join(gone)}: take their entries out"
    left = inconclusive(result.records, result.laws)
    if result.exit_code == exit_codes.HOLDS and result.shard:
        return f"nothing is violated in part {result.shard}; noether merge decides the whole"
    if result.exit_code == exit_codes.HOLDS and (left or result.unjudged):
        told = [left] if left else []
        told += [f"not judged: {' '.join(result.unjudged)}"] if result.unjudged else []
        return f"{known_violations.closing(result) or PARTLY}; {'; '.join(told)}"
    if result.exit_code == exit_codes.HOLDS and known_violations.closing(result):
        return known_violations.closing(result)
    return f"{WORD[result.exit_code]}{why(result)}"


def inconclusive(records: Iterable[Record], laws: Iterable[str]) -> str:
    """How many verdicts on right steps are inconclusive, and of which laws; '' where none is."""
    found = [r.law for r in records if r.verdict == INCONCLUSIVE and not r.fault]
    counts = ", ".join(f"{law} {found.count(law)}" for law in laws if law in found)
    return f"{len(found)} inconclusive ({counts})" if found else ""


def closing(result: Result) -> Text:
    """The verdict in its colour."""
    return Text(verdict(result), style=STYLE.get(result.exit_code, "bold red"))


def footing(result: Result) -> str:
    """How much there was, how long it took, what it held in memory, and where its page is."""
    real = sum(not r.fault for r in result.records)
    where_to = f"; {result.folder}/report.html" if result.folder else ""
    planted = f"{len(result.records) - real} on planted faults"
    counts = f"{plural(real, 'verdict')}, {planted}, {plural(result.cells, 'cell')}"
    took = ", ".join(filter(None, [f"{result.seconds:.1f} s", told_peak(result.memory)]))
    return f"{counts}, {took}{where_to}"


def ending(result: Result, *, whole: bool = False) -> list:
    """All that is printed, from the table of laws to the verdict.

    whole  nothing is counted that could be named
    """
    most, listed = SHOWN, LISTED
    if whole:
        most, listed = len(result.records) + len(result.errors) + 1, len(result.records)
    parts: list = [laws_table(result), Text()]
    faults = of_result(result)
    if 0 < len(faults) <= listed:
        parts += [killers_table(result), Text()]
    elif faults:
        killed = f"{sum(map(bool, faults.values()))} of them killed by some law"
        words = f"{plural(len(faults), 'planted fault')}, {killed}; report.html has them with their killers"
        parts += [Text(words), Text()]
    if unsaid := not_decided(result):
        what = "1 more planted fault was" if len(unsaid) == 1 else f"{len(unsaid)} more planted faults were"
        words = f"{what} shown only where the right one is undecided too, which says nothing of it"
        parts += [Text(f"{words}: {'; '.join(unsaid)}", style="yellow"), Text()]
    rest = remainder(result, most) + against_baseline(result, most)
    parts += [*rest, Text()] if rest else []
    parts += [*legend(result), Text()] if result.rows else []
    parts += [closing(result), Text(footing(result), style="dim", overflow="fold")]
    return [*parts, *filter(None, [next_step(result)])]


def summary(result: Result) -> dict:
    """The run as plain data: what --json prints."""
    real = [r for r in result.records if not r.fault]
    of_verdict = lambda verdict: [r for r in real if r.verdict == verdict]
    told = lambda r: {"where": where(r), "reason": r.reason}
    return {
        "exit_code": result.exit_code,
        "verdict": verdict(result),
        "run": str(result.folder) if result.folder else None,
        "seconds": round(result.seconds, 3),
        "memory": result.memory,
        "cells": result.cells,
        "laws": [law_summary(row, real) for row in result.rows],
        "faults": of_result(result),
        "undecided_faults": not_decided(result),
        "violated": [
            {
                **{**told(r), "spent": r.spent, "diagnosis": explained(r), "replay": r.replay},
                "known": getattr(excuse(r, result.known), "reason", None),
            }
            for r in of_verdict(VIOLATED)
        ],
        "known": [s.as_dict() for s in result.known],
        "inconclusive": [told(r) for r in of_verdict(INCONCLUSIVE)],
        "outside": [told(r) for r in of_verdict(OUTSIDE)],
        "baseline": asdict(result.baseline) if result.baseline else None,
        "blind": list(result.blind),
        "left_out": list(result.left_out),
        "errors": result.errors,
        "lost": result.lost,
        "notes": result.notes,
    }


def law_summary(row: LawSummary, real: list[Record]) -> dict:
    """One law of a run as plain data."""
    told = {"law": row.law, "title": titled(row.law), "cells": row.cells, **row.counts}
    told |= {"worst_spent": row.worst_spent, "worst_where": row.worst_where}
    told |= {"faults": row.faults, "killed": row.killed, "survivors": list(row.survivors)}
    return {**told, "verdict": row.verdict, "power": of_law(real, row.law).as_dict()}
