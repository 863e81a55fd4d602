"""The kill matrix as a markdown page, docs/faults.md, which `noether faults` writes into its run folder."""

from __future__ import annotations

from noether.campaigns.kill_matrix import harness_faults
from noether.campaigns.kill_matrix.findings import GUARD, LAWS, Row, of_kind, of_launches, rows, verdict
from noether.faults.harmless import EQUIVALENT
from noether.kernels.programs.precision import UNIT
from noether.report.faults.page import decades, totals
from noether.report.faults.table import graded, spread
from noether.verdicts.record import Record

HEAD = """# Planted faults

Written by `noether faults --profile {profile} --seed {seed}` (faults.md in its run folder), {start}. A row is
one fault, planted alone; a column is a law. The number is log10 of the worst residual in units of the law's
bound (∞: not finite), a dot was shown and not seen, empty was not shown. Steps and lanes: the fewest after
which some law other than B1 sees it. Faults are declared in harness/faults, one record each.
"""


def row_of(row: Row, laws: list[str]) -> str:
    cells = [
        decades(row.kills[law].ratio) if law in row.kills else "." if law in row.shown else "" for law in laws
    ]
    return (
        f"| {row.name} | {' | '.join(cells)} | "
        f"{' | '.join('' if x is None else str(x) for x in row.fewest) if row.kills else ' | '} |"
    )


def table(*columns: str) -> list[str]:
    return [f"| {' | '.join(columns)} |", "|" + "---|" * len(columns)]


def document(records: list[Record], about: dict) -> str:
    """The text of docs/faults.md."""
    matrix, asked = rows(records), about["arguments"]["faults"]
    found = verdict(records, asked, whole=not asked)
    shown, laws = of_launches(matrix)
    lines = [HEAD.format(**about["arguments"], start=about["start"][:10])]
    lines += [f"{found.faults} faults: {found.killed} killed ({found.by_bits} by B1 alone), "
              f"{found.equivalent} proven to be none, "
              f"{found.faults - found.killed - found.equivalent} survive.", "", "## Kill matrix", "",
                  *table("fault", *laws, "steps", "lanes")]  # fmt: skip
    lines += [row_of(row, laws) for row in shown]
    lines += [
        "",
        "## Faults of flows, orders, statistics and claims",
        "",
        *table("fault", "killed by", "log10 of the ratio"),
    ]
    flows = [row for row in matrix if row not in shown and row.shown != {GUARD}]
    lines += [
        f"| {row.name} | {' '.join(law for law in LAWS if law in row.kills)} | "
        f"{decades(row.best.ratio) if row.kills else ''} |"
        for row in flows
    ]
    lines += ["", "## No faults", "", *(f"- {name}: {proof}" for name, proof in EQUIVALENT.items())]
    lines += harness_lines(records) + generated_lines(records) + graded_lines(records)
    return "\n".join(lines) + "\n"


def harness_lines(records: list[Record]) -> list[str]:
    noticed = {r.fault: r for r in records if r.law == GUARD}
    lines = [
        "",
        "## Faults of the harness itself",
        "",
        "Each is patched into a small run that holds without it.",
        "",
        *table("fault", "what", "guards", "noticed"),
    ]
    lines += [
        f"| {f.name} | {f.what} | {', '.join(f.guards)} | {noticed[f.name].reason.split(':')[0]} |"
        for f in harness_faults.FAULTS
        if f.name in noticed
    ]
    return lines if noticed else []


def generated_lines(records: list[Record]) -> list[str]:
    mine = of_kind(records, "generated")
    if not mine:
        return []
    total, killed, bits, equal, untold = totals(mine)
    lines = ["", "## Generated faults", "", f"{total} changed operations: {killed} killed by D0 "
                                            f"({100 * killed / total:.2f} %), {bits} by B1 only, {equal} "
                                            "proven equal, "
             f"{untold} not told from the right one.", "", *table("of", "total", "D0", "B1 only",
                 "proven equal", "not told")]  # fmt: skip
    for r in mine:
        g = r.data["generated"]
        counts = (
            g["total"],
            g["killed"],
            len(g["below rounding"]) + len(g["rearranged"]),
            len(g["equivalent"]),
            len(g["untold"]),
        )
        lines.append(f"| {r.case} {r.rule} {r.precision}, the {g['what']} | {' | '.join(map(str, counts))} |")
    names = [
        f"{r.case} {r.rule} {r.precision}: {'; '.join(r.data['generated']['untold'])}"
        for r in mine
        if r.data["generated"]["untold"]
    ]
    return [
        *lines,
        *(
            ["", "Not told from the right one, a rounding left out in each:", "", *(f"- {x}" for x in names)]
            if names
            else []
        ),
    ]


def graded_lines(records: list[Record]) -> list[str]:
    best = graded(records)
    lines = [
        "",
        "## Sensitivity",
        "",
        "The largest j such that a term times 1 + 2^-j is killed, over the cells.",
        "",
        *table("term", "law", *UNIT),
    ]
    lines += [
        f"| {term} | {law} | {' | '.join(spread(by[p]) if p in by else '' for p in UNIT)} |"
        for (term, law), by in best.items()
    ]
    return lines if best else []
