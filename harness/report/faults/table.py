"""The kill matrix on a terminal: one mark for a fault and a law, then what killed each fault and by how
much."""

from __future__ import annotations

from rich.text import Text

from noether.campaigns.kill_matrix.campaign import Campaign
from noether.campaigns.kill_matrix.findings import LAWS, Row, of_kind, of_launches, rows
from noether.faults.harmless import EQUIVALENT
from noether.kernels.programs.precision import UNIT
from noether.report.terminal import console, listing
from noether.system.memorypeak import told as told_peak
from noether.system.outside import plural
from noether.verdicts import exit_codes

# Columns from which on the matrix stands wide.
ROOMY = 100
# In bounds: a fault beyond it cannot be a matter of a bound's size.
CLEAR = 1e3
RATIO = (
    "steps, lanes: the fewest after which some law other than B1 sees it. ratio: the largest error in units "
    "of the bound of the law; inf: not finite, a wrong bit, or violated for another reason than size"
)
WORD = {
    exit_codes.HOLDS: "every planted fault is killed",
    exit_codes.VIOLATED: "a law is violated with nothing planted",
    exit_codes.UNDECIDED: "the harness is blind",
    exit_codes.INTERNAL: "internal error",
}


def mark(row: Row, law: str) -> str:
    """The mark of a fault under a law: killed beyond CLEAR bounds, killed, shown, or not shown."""
    if law in row.kills:
        return "#" if row.kills[law].ratio >= CLEAR else "+"
    return "." if law in row.shown else ""


def matrix_table(matrix: list[Row]):
    """The table of faults and laws of launches."""
    matrix, laws = of_launches(matrix)
    table = listing("fault", *laws)
    table.padding = (0, 0, 0, 1 if console().width >= ROOMY else 0)
    kind = None
    for row in matrix:
        if row.kind != kind:
            kind = row.kind
            table.add_row(Text(kind, style="bold"))
        style = "" if row.kills else "dim" if row.name in EQUIVALENT else "bold red"
        table.add_row(Text(f" {row.name}", style=style), *(mark(row, law) for law in laws))
    return table


def kills_table(matrix: list[Row]):
    """The table of what killed each fault, after how many steps and lanes, and by how much."""
    table = listing("fault", "killed by", "steps", "lanes", "ratio")
    for row in matrix:
        if row.kills:
            steps, lanes = ("-" if x is None else str(x) for x in row.fewest)
            by = [law for law in LAWS if law in row.kills] + sorted(set(row.kills) - set(LAWS))
            table.add_row(row.name, " ".join(by), steps, lanes, size(row.best.ratio))
        else:
            words = "no fault, see its proof" if row.name in EQUIVALENT else "nothing: it survives"
            table.add_row(row.name, Text(words), "-", "-", "-")
    return table


def generated_table(records):
    """The table of generated faults: one line a case and rule, how many changed operations, and what became
    of them."""
    table = listing("generated faults of", "total", "killed by D0", "by B1 only", "proven equal", "untold")
    total = [0] * 5
    for r in of_kind(records, "generated"):
        g = r.data["generated"]
        bits = len(g["rearranged"]) + len(g["below rounding"])
        counts = [g["total"], g["killed"], bits, len(g["equivalent"]), len(g["untold"])]
        total = [a + b for a, b in zip(total, counts, strict=True)]
        table.add_row(f"{r.case} {r.rule} {r.precision}, the {g['what']}", *map(str, counts))
    table.add_row(Text(f"all, {share(total)} by D0", style="bold"), *map(str, total))
    return table


def share(total: list[int]) -> str:
    """How many of all D0 kills, in per cent."""
    return f"{100 * total[1] / total[0]:.2f} %" if total[0] else "none"


def sensitivity_table(records):
    """For each term and law the largest j whose relative error 2^-j it still kills, type by type, over the
    cells."""
    best = graded(records)
    precisions = [p for p in UNIT if any(p in by for by in best.values())]
    table = listing("term x (1 + 2^-j)", "law", *precisions)
    for (term, law), by in best.items():
        table.add_row(term, law, *(spread(by[p]) if p in by else "" for p in precisions))
    return table


def graded(records) -> dict[tuple[str, str], dict[str, list[int]]]:
    """What is seen of graded faults, {(term, law): {precision: [largest j of each cell]}}, in the order of
    terms and laws."""
    found: dict[tuple[str, str], dict[str, list[int]]] = {}
    for r in of_kind(records, "graded"):
        for term, by in r.data["graded"].items():
            for law, j in by.items():
                found.setdefault((term, law), {}).setdefault(r.precision, []).append(int(j))
    terms = list(dict.fromkeys(term for term, _ in found))
    return dict(sorted(found.items(), key=lambda x: (terms.index(x[0][0]), LAWS.index(x[0][1]))))


def spread(js: list[int]) -> str:
    """The range of some numbers, or the one number."""
    return str(js[0]) if min(js) == max(js) else f"{min(js)} to {max(js)}"


def size(ratio: float) -> str:
    """A ratio to the bound, to two digits."""
    return "inf" if ratio == float("inf") else f"{ratio:.2g}"


def ending(result: Campaign) -> list:
    """All that is printed, from the matrix to the verdict."""
    matrix = rows(result.records)
    legend = Text(f"# killed beyond {CLEAR:g} bounds   + killed   . shown, not seen", style="dim")
    parts = [matrix_table(matrix), legend, Text(), kills_table(matrix), Text(RATIO, style="dim"), Text()]
    if of_kind(result.records, "generated"):
        parts += [generated_table(result.records), Text(), sensitivity_table(result.records), Text()]
    v = result.verdict
    for name, error in result.errors.items():
        parts.append(Text(f"internal error in {name}: {error.strip().splitlines()[-1]}", style="bold red"))
    parts += [Text(reason, style="bold red") for reason in v.reasons]
    style = "bold green" if result.exit_code == exit_codes.HOLDS else "bold red"
    where_to = f"; {result.folder}/report.html" if result.folder else ""
    killed = f"{v.killed} killed ({v.by_bits} by B1 alone), {v.equivalent} proven to be none"
    faults = f"{plural(v.faults, 'fault')}: {killed}, {v.faults - v.killed - v.equivalent} survive"
    counts = f"{plural(len(result.records), 'verdict')}, {plural(result.cells, 'cell')}"
    took = ", ".join(filter(None, [f"{result.seconds:.1f} s", told_peak(result.memory)]))
    work = f"{counts}, {took}{where_to}"
    last = Text(f"{faults}; {work}", style="dim", overflow="fold")
    return [*parts, Text(WORD[result.exit_code], style=style), last]
