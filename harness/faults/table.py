"""The kill matrix on a terminal: one mark for a fault and a law, then what killed each, how soon, and by how much."""

from __future__ import annotations

from rich.text import Text

from harness.faults.campaign import INTERNAL, Campaign
from harness.faults.findings import LAWS, Row, rows
from harness.faults.harmless import EQUIVALENT
from harness.table import listing

CLEAR = 1e3  # bounds: a fault beyond it cannot be a matter of a bound's size
WORD = {0: "every planted fault is killed", 1: "a law is violated with nothing planted", 3: "the harness is blind", INTERNAL: "internal error"}


def mark(row: Row, law: str) -> str:
    if law in row.kills:
        return "#" if row.kills[law].ratio >= CLEAR else "+"
    return "." if law in row.shown else ""


def matrix_table(matrix: list[Row]):
    laws = [law for law in LAWS if any(law in row.shown for row in matrix)]
    table = listing("fault", *laws)
    table.padding = (0, 0, 0, 1)
    kind = None
    for row in matrix:
        if row.kind != kind:
            kind = row.kind
            table.add_row(Text(kind, style="bold"))
        style = "" if row.kills else "dim" if row.name in EQUIVALENT else "bold red"
        table.add_row(Text(f" {row.name}", style=style), *(mark(row, law) for law in laws))
    return table


def kills_table(matrix: list[Row]):
    table = listing("fault", "killed by", "steps", "lanes", "ratio")
    for row in matrix:
        if row.kills:
            steps, lanes = ("-" if x is None else str(x) for x in row.fewest)
            by = [law for law in LAWS if law in row.kills] + sorted(set(row.kills) - set(LAWS))
            table.add_row(row.name, " ".join(by), steps, lanes, size(row.best.ratio))
        else:
            table.add_row(row.name, Text("no fault, see its proof" if row.name in EQUIVALENT else "nothing: it survives"), "-", "-", "-")
    return table


def size(ratio: float) -> str:
    return "inf" if ratio == float("inf") else f"{ratio:.2g}"


def ending(result: Campaign) -> list:
    matrix = rows(result.records)
    parts = [matrix_table(matrix), Text(f"# killed beyond {CLEAR:g} bounds   + killed   . shown, not seen", style="dim"), Text(), kills_table(matrix), Text()]
    v = result.verdict
    for name, error in result.errors.items():
        parts.append(Text(f"internal error in {name}: {error.strip().splitlines()[-1]}", style="bold red"))
    parts += [Text(reason, style="bold red") for reason in v.reasons]
    parts.append(Text(WORD[result.exit_code], style="bold green" if result.exit_code == 0 else "bold red"))
    where_to = f"; {result.folder}/report.html" if result.folder else ""
    totals = f"{v.faults} faults: {v.killed} killed, {v.equivalent} proven to be none, {v.faults - v.killed - v.equivalent} survive"
    parts.append(Text(f"{totals}; {len(result.records)} verdicts, {result.cells} cells, {result.seconds:.1f} s{where_to}", style="dim", overflow="fold"))
    return parts
