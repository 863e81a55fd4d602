"""What a run says at its end, on a terminal or in a log: at most 100 columns, readable at 80."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable
from dataclasses import asdict

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from noether.power import of_law, percent
from noether.run import INTERNAL, INTERRUPTED, Result
from noether.verdicts import (
    BITWISE,
    HOLDS,
    INCONCLUSIVE,
    ORDER,
    OUTSIDE,
    VIOLATED,
    LawSummary,
    Record,
    undecided_forms,
)

WIDEST = 100
COLOUR = {HOLDS: "green", VIOLATED: "bold red", INCONCLUSIVE: "yellow", OUTSIDE: "dim"}
WORD = {0: "everything holds", 1: "a law is violated", 2: "the baseline was not updated", 3: "could not decide", INTERNAL: "internal error", INTERRUPTED: "interrupted"}
LISTED = 40  # planted faults: a whole run has three times as many, and a table of them would push the laws off the screen
ROOMY = 20  # columns that the place of the worst value must have before a column more is shown
SHOWN = 8  # violations, reasons, errors: the rest is in the run folder


def console(stream=None, *, stderr: bool = False) -> Console:
    """At most WIDEST columns; colours only where `stream` is a terminal."""
    stream = stream or (sys.stderr if stderr else sys.stdout)
    width = shutil.get_terminal_size((WIDEST, 24)).columns if stream.isatty() or "COLUMNS" in os.environ else WIDEST
    return Console(file=stream, width=max(40, min(WIDEST, width)), highlight=False, markup=False, soft_wrap=False)


def say(*contents) -> None:
    """Print on stdout; where that is no terminal, without the blanks with which a table fills its lines.

    A str is a line to copy: it is printed whole, however long.
    """
    out = console()
    with out.capture() as captured:
        for content in contents:
            out.print(content, soft_wrap=isinstance(content, str))
    text = captured.get()
    sys.stdout.write(text if out.is_terminal else "".join(line.rstrip() + "\n" for line in text.splitlines()))


def number(x: float | None) -> str:
    """Three digits, no more than eight characters."""
    return "-" if x is None else f"{x:.3f}" if 0.001 <= abs(x) < 100 else f"{x:.3g}"


def listing(*columns: str) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1), show_edge=False)
    for name in columns:
        table.add_column(name, overflow="fold", justify="right" if name in ("cells", "worst") else "left")
    return table


def laws_table(result: Result) -> Table:
    """One line a law, however narrow the terminal: forty of them must be read at a glance."""
    names = ("law", "cells", "worst", "worst in", "power", "killed", "verdict")
    lines = [law_line(row, [r for r in result.records if r.law == row.law and not r.control]) for row in result.rows]
    wide = [max(map(len, column)) for column in zip(names, *lines, strict=True)]
    room = console().width - sum(wide) + wide[3] - 3 * (len(names) - 1)
    has_power = room >= ROOMY and any(line[4] for line in lines)
    room = max(12, room if has_power else room + wide[4] + 3)
    table = listing(*(n for n in names if n != "power" or has_power))
    for law, cells, spent, where_worst, power, killed, verdict in lines:
        told = where_worst if len(where_worst) <= room else where_worst[: room - 1] + "…"
        seen = Text(killed, style="" if not killed.startswith("0/") else "yellow")
        table.add_row(law, cells, spent, told, *([power] if has_power else []), seen, Text(verdict, style=COLOUR[verdict]))
    return table


def law_line(row: LawSummary, mine: list[Record]) -> tuple[str, ...]:
    """The columns of `laws_table`, as words; power is that of the weakest coefficient."""
    weakest = of_law(mine, row.law).weakest
    power = "" if weakest is None else "none" if weakest[1] == float("inf") else percent(weakest[1])
    killed = f"{row.killed}/{row.controls}"
    return row.law, str(row.cells), worst_of(mine), row.worst_where, power, killed, row.verdict


def kind_of(records: list[Record]) -> str:
    """The kind of most of them: a law may have an order and a bound."""
    kinds = [r.kind for r in records]
    return max(dict.fromkeys(kinds), key=kinds.count, default="")


def worst_of(mine: list[Record]) -> str:
    """The largest spent of a law, or the order that is farthest from the stated one."""
    judged = [r for r in mine if r.spent is not None]
    orders = [r for r in judged if r.kind == ORDER and isinstance(r.measured, float) and isinstance(r.predicted, float)]
    if kind_of(mine) == ORDER and orders:
        worst = max(orders, key=lambda r: abs(r.measured - r.predicted))
        return f"{worst.measured:.3f} of {worst.predicted:.3g}"
    if kind_of(mine) == BITWISE and judged:
        wrong = sum(r.spent != 0 for r in judged)
        return f"{wrong} differ" if wrong else "equal"
    return number(max((r.spent if r.spent == r.spent else float("inf") for r in judged), default=None))


def killers(records: Iterable[Record], laws: Iterable[str]) -> dict[str, list[str]]:
    """Planted fault -> the laws that killed it, in the order of `laws`; [] for a survivor."""
    order = {law: i for i, law in enumerate(laws)}
    found: dict[str, list[str]] = {}
    for r in records:
        if r.control:
            by = found.setdefault(r.control, [])
            if r.verdict == VIOLATED and r.law not in by:
                by.append(r.law)
    return {control: sorted(by, key=lambda x: order.get(x, len(order))) for control, by in sorted(found.items())}


def killers_table(result: Result) -> Table:
    table = listing("planted fault", "killed by")
    for control, by in killers(result.records, result.laws).items():
        table.add_row(control, " ".join(by) if by else Text("no law: it survived", style="bold red"))
    return table


def where(r: Record) -> str:
    return " ".join(x for x in (r.law, r.case, r.symmetry or "", r.rule, r.precision, r.backend) if x)


def explained(r: Record) -> str:
    """What the diagnosis of a violation says, or ''."""
    found = r.data.get("diagnosis")
    return str(found.get("line", "")) if isinstance(found, dict) else ""


def unsaid(r: Record) -> str:
    """The diagnosis, where the reason does not say it already."""
    return "" if explained(r) in r.reason else explained(r)


def remainder(result: Result) -> list[Text | str]:
    """Violations, what was not decided, what was left out: each named."""
    out: list[Text | str] = []
    real = [r for r in result.records if not r.control]
    for verdict in (VIOLATED, INCONCLUSIVE, OUTSIDE):
        mine = [r for r in real if r.verdict == verdict]
        if not mine:
            continue
        out.append(Text(f"{verdict}: {len(mine)} of {len(real)}", style=COLOUR[verdict]))
        for r in mine[:SHOWN]:
            out.append(Text(f"  {where(r)}: {r.reason}"))
            if verdict == VIOLATED and unsaid(r):
                out.append(Text(f"    {unsaid(r)}"))
            if verdict == VIOLATED and r.replay:
                out.append(f"    {r.replay}")
        if len(mine) > SHOWN:
            out.append(Text(f"  and {len(mine) - SHOWN} more, all in records.jsonl"))
    out += [Text(f"blind: {told}", style="yellow") for told in result.blind[:SHOWN]]
    if len(result.blind) > SHOWN:
        out.append(Text(f"and {len(result.blind) - SHOWN} more"))
    beyond = {row.law for row in result.rows if row.verdict == OUTSIDE}
    for reason, laws in (("no planted fault applies to this choice", [k for k in result.unjudged if k not in beyond]),
                         ("this choice is outside what they state", [k for k in result.unjudged if k in beyond])):  # fmt: skip
        if laws:
            out.append(Text(f"left out of judgement, {reason}: {' '.join(laws)}", style="yellow"))
    if result.left_out:
        out.append(Text(f"not covered by this choice: {' '.join(result.left_out)}", style="dim"))
    for cell, error in list(result.errors.items())[:SHOWN]:
        out.append(Text(f"internal error in {cell}: {error.strip().splitlines()[-1]}", style="bold red"))
    if len(result.errors) > SHOWN:
        out.append(Text(f"and {len(result.errors) - SHOWN} more internal errors"))
    return out


def why(result: Result) -> str:
    """The reason behind the exit code, in a few words."""
    if result.exit_code == 1:
        found = {r.law for r in result.records if r.verdict == VIOLATED and not r.control}
        return f": {' '.join([x for x in result.laws if x in found] + sorted(found - set(result.laws)))}"
    if result.exit_code == 3:
        survivors = [c for c, laws in killers(result.records, result.laws).items() if not laws]
        blind = [row.law for row in result.rows if not row.counts[HOLDS] and row.law not in result.unjudged]
        uncontrolled = [row.law for row in result.rows if row.counts[HOLDS] and not row.killed and row.law not in result.unjudged]
        forms = [name for name in undecided_forms(result.records, result.laws) if name.split(" ")[0] not in blind]
        parts = [f"no cell holds for {' '.join(blind)}" if blind else "", f"undecided wherever it was asked: {'; '.join(forms)}" if forms else "",
                 f"nothing is left to judge but {' '.join(result.unjudged)}" if set(result.unjudged) == set(result.laws) else "",
                 f"no control was killed by {' '.join(uncontrolled)}" if uncontrolled else "",
                 f"controls survived: {', '.join(survivors)}" if survivors else ""]  # fmt: skip
        parts += [f"{len(result.blind)} promises are broken"] if result.blind else []
        return ": " + ("; ".join(p for p in parts if p) or "cells are inconclusive, which --strict refuses")
    if result.exit_code == INTERNAL:
        return f" in {len(result.errors)} of {result.cells} cells"
    return ""


def against_baseline(result: Result) -> list[Text]:
    """Each marked rise and each lost entry, with what is, what it was, what is allowed."""
    found = result.baseline
    if found is None or not found.fails:
        return []
    out = []
    for what, lines in (("marked rises", found.rises), ("lost entries", found.lost)):
        if lines:
            out.append(Text(f"{what} against the baseline: {len(lines)}", style=COLOUR[VIOLATED]))
            out += [Text(f"  {name}: {line}") for name, line in list(lines.items())[:SHOWN]]
            out += [Text(f"  and {len(lines) - SHOWN} more")] if len(lines) > SHOWN else []
    return out


def verdict(result: Result) -> str:
    """The last line: what the exit code says, and why."""
    found = result.baseline
    violated = any(r.verdict == VIOLATED and not r.control for r in result.records)
    if found is not None and found.fails and not violated:
        return f"not as the baseline: {len(found.rises)} marked rises, {len(found.lost)} lost entries"
    open_ones = [r.law for r in result.records if r.verdict == INCONCLUSIVE and not r.control]
    if result.exit_code == 0 and (open_ones or result.unjudged):
        counts = ", ".join(f"{law} {open_ones.count(law)}" for law in result.laws if law in open_ones)
        told = [f"{len(open_ones)} inconclusive ({counts})"] * bool(open_ones) + [f"not judged: {' '.join(result.unjudged)}"] * bool(result.unjudged)
        return f"everything that was decided holds; {'; '.join(told)}"
    return f"{WORD[result.exit_code]}{why(result)}"


def closing(result: Result) -> Text:
    return Text(verdict(result), style={0: "bold green", 3: "yellow"}.get(result.exit_code, "bold red"))


def footing(result: Result) -> str:
    real = sum(not r.control for r in result.records)
    where_to = f"; {result.folder}/report.html" if result.folder else ""
    return f"{real} verdicts, {len(result.records) - real} on planted faults, {result.cells} cells, {result.seconds:.1f} s{where_to}"


def ending(result: Result) -> list:
    """Everything, from the table of laws to the verdict."""
    parts: list = [laws_table(result), Text()]
    faults = killers(result.records, result.laws)
    if 0 < len(faults) <= LISTED:
        parts += [killers_table(result), Text()]
    elif faults:
        parts += [Text(f"{len(faults)} planted faults, {sum(map(bool, faults.values()))} of them killed by some law; report.html has them with their killers"), Text()]
    rest = remainder(result) + against_baseline(result)
    parts += [*rest, Text()] if rest else []
    return [*parts, closing(result), Text(footing(result), style="dim", overflow="fold")]


def summary(result: Result) -> dict:
    """The same for machines: what --json prints."""
    real = [r for r in result.records if not r.control]
    return {
        "schema": 1,
        "exit_code": result.exit_code,
        "verdict": verdict(result),
        "run": str(result.folder) if result.folder else None,
        "seconds": round(result.seconds, 3),
        "cells": result.cells,
        "laws": [
            {"law": r.law, "cells": r.cells, **r.counts, "worst_spent": r.worst_spent, "worst_where": r.worst_where, "controls": r.controls,
             "killed": r.killed, "survivors": list(r.survivors), "verdict": r.verdict, "power": of_law(real, r.law).as_dict()}
            for r in result.rows
        ],
        "controls": killers(result.records, result.laws),
        "violated": [{"where": where(r), "reason": r.reason, "spent": r.spent, "diagnosis": explained(r), "replay": r.replay} for r in real if r.verdict == VIOLATED],
        "inconclusive": [{"where": where(r), "reason": r.reason} for r in real if r.verdict == INCONCLUSIVE],
        "outside": [{"where": where(r), "reason": r.reason} for r in real if r.verdict == OUTSIDE],
        "baseline": asdict(result.baseline) if result.baseline else None,
        "blind": list(result.blind),
        "left_out": list(result.left_out),
        "errors": result.errors,
        "notes": result.notes,
    }  # fmt: skip

