"""Many audits on a terminal, and as plain data: a row an optimizer, then the symmetries that each keeps."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from noether.campaigns.audit.finding import DEVIATES, OUTSIDE, UNDECIDED, VIOLATED, Audit, Finding
from noether.report.audit import fingerprint
from noether.report.audit.facts import (
    AS_FINDING,
    SYMBOL,
    TYPES,
    counted,
    names_of,
    remark,
    row_of,
    rule_of,
    spent_of,
    tally,
)
from noether.report.terminal import COLOUR, listing, number
from noether.system.outside import plural
from noether.verdicts import exit_codes

LEGEND = "spent: the largest error in units of its bound, in each type; -: refused, or not looked at"


def table(audits: Sequence[Audit]) -> list:
    """All that is printed of many audits."""
    parts: list = [optimizers(audits), Text(LEGEND, style="dim"), Text()]
    if any(row_of(a) for a in audits):
        parts += [fingerprint.table(audits), Text(fingerprint.LEGEND, style="dim"), Text()]
    for a in audits:
        for x in a.deviations:
            parts.append(Text(f"{a.target}, {x.part} {x.name}: {x.reason}", style=COLOUR[VIOLATED]))
            parts += [*x.script.rstrip("\n").splitlines(), Text()] if x.script else []
    n = counted(audits)
    style = COLOUR[VIOLATED] if n[DEVIATES] else "yellow" if n[UNDECIDED] else "bold green"
    seconds = sum(a.seconds for a in audits)
    told = f"{plural(len(audits), 'optimizer')}: {tally(audits)}" if audits else "no optimizer was audited"
    return [*parts, Text(told, style=style), Text(f"{seconds:.1f} s of audits", style="dim")]


def optimizers(audits: Sequence[Audit]) -> Table:
    """The table of the optimizers."""
    found = listing("optimizer", "", "rule", *TYPES, "wrong", "s", "remark")
    for column in found.columns[3:-1]:
        column.justify, column.no_wrap = "right", True
    for name, a in zip(names_of(audits), audits, strict=True):
        style, worst = COLOUR[AS_FINDING[a.verdict]], spent_of(a)
        wrong = Text(str(len(a.deviations)), style=style) if a.deviations else Text("")
        sizes = [spent(worst.get(kind)) for kind in TYPES]
        found.add_row(
            name,
            Text(SYMBOL[a.verdict], style=style),
            rule_of(a),
            *sizes,
            wrong,
            f"{a.seconds:.1f}",
            remark(a),
        )
    return found


def spent(worst: Finding | None) -> Text:
    """What a type spends."""
    if worst is None or worst.verdict == OUTSIDE or worst.spent is None:
        return Text("-", style="dim")
    return Text(number(worst.spent), style=COLOUR[VIOLATED] if worst.verdict == VIOLATED else "")


def exit_code(audits: Sequence[Audit]) -> int:
    """70 where this project failed, 1 where one deviates, 3 where none was decided, else 0: what a package
    refuses is a row."""
    n, failed = counted(audits), any(a.fault for a in audits)
    return exit_codes.of(internal=failed, violated=bool(n[DEVIATES]), undecided=n[UNDECIDED] == len(audits))


def summary(audits: Sequence[Audit]) -> dict:
    """Many audits as plain data: what --json prints."""
    each = [{**a.plain(), "rule": rule_of(a), "spent": by_type(a), "symmetries": row_of(a)} for a in audits]
    return {"exit_code": exit_code(audits), "verdicts": counted(audits), "audits": each}


def by_type(audit: Audit) -> dict[str, float | None]:
    """The worst spent of each type."""
    return {kind: x.spent for kind, x in spent_of(audit).items()}
