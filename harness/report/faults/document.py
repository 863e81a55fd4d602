"""The kill matrix as a markdown page, docs/faults.md, which `noether faults` writes into its run folder."""

from __future__ import annotations

from noether.campaigns.kill_matrix import harness_faults
from noether.campaigns.kill_matrix.findings import GUARD, LAWS, Row, of_kind, of_launches, rows, verdict
from noether.faults.harmless import EQUIVALENT
from noether.kernels.programs.precision import UNIT
from noether.report.faults.page import decades, totals
from noether.report.faults.table import graded, spread
from noether.system.outside import plural
from noether.verdicts.record import Record

HEAD = """# Planted faults

Written by `noether faults --profile {profile} --seed {seed}` (faults.md in its run folder), {start}. A row is
one fault, planted alone; a column is a law. The number is log10 of the worst residual in units of the law's
bound (∞: not finite), a dot was shown and not seen, empty was not shown. Steps and lanes: the fewest after
which some law other than B1 sees it. Faults are declared in harness/faults, one record each.
"""
PARTS = """\
Of these, {shown} are faults of a launch (the kill matrix), {others} of flows, orders, statistics and
claims, {guards} of the harness itself. `noether faults NAME` takes the names of the first and the last kind.
`noether verify` shows its laws only faults that they must kill, some of the first kind and nearly all of the
second, and counts those.
"""


def row_of(row: Row, laws: list[str]) -> str:
    """The row of one fault: a number for a law that kills it, a dot for one that does not see it."""
    seen = lambda law: decades(row.kills[law].ratio) if law in row.kills else "." if law in row.shown else ""
    fewest = " | ".join("" if x is None else str(x) for x in row.fewest) if row.kills else " | "
    return f"| {row.name} | {' | '.join(map(seen, laws))} | {fewest} |"


def table(*columns: str) -> list[str]:
    """The head of a table."""
    return [f"| {' | '.join(columns)} |", "|" + "---|" * len(columns)]


def document(records: list[Record], about: dict) -> str:
    """The text of docs/faults.md."""
    matrix, asked = rows(records), about["arguments"]["faults"]
    found = verdict(records, asked, whole=not asked)
    shown, laws = of_launches(matrix)
    killed = f"{found.killed} killed ({found.by_bits} by B1 alone), {found.equivalent} proven to be none"
    survive = found.faults - found.killed - found.equivalent
    lines = [HEAD.format(**about["arguments"], start=about["start"][:10])]
    lines += [f"{plural(found.faults, 'fault')}: {killed}, {survive} survive.", ""]
    guards = sum(row.shown == {GUARD} for row in matrix)
    others = len(matrix) - len(shown) - guards
    lines += [PARTS.format(shown=len(shown), others=others, guards=guards), "## Kill matrix", ""]
    lines += table("fault", *laws, "steps", "lanes")
    lines += [row_of(row, laws) for row in shown]
    lines += ["", "## Faults of flows, orders, statistics and claims", ""]
    lines += table("fault", "killed by", "log10 of the ratio")
    for row in matrix:
        if row not in shown and row.shown != {GUARD}:
            killers, size = " ".join(law for law in LAWS if law in row.kills), ""
            if row.kills:
                size = decades(row.best.ratio)
            lines.append(f"| {row.name} | {killers} | {size} |")
    lines += ["", "## No faults", "", *(f"- {name}: {proof}" for name, proof in EQUIVALENT.items())]
    lines += harness_lines(records) + generated_lines(records) + graded_lines(records)
    return "\n".join(lines) + "\n"


def harness_lines(records: list[Record]) -> list[str]:
    """The section about faults of the harness itself; nothing where none was shown."""
    noticed = {r.fault: r for r in records if r.law == GUARD}
    lines = ["", "## Faults of the harness itself", ""]
    lines += ["Each is patched into a small run that holds without it.", ""]
    lines += table("fault", "what", "guards", "noticed")
    for f in harness_faults.FAULTS:
        if f.name in noticed:
            how = noticed[f.name].reason.split(":")[0]
            lines.append(f"| {f.name} | {f.what} | {', '.join(f.guards)} | {how} |")
    return lines if noticed else []


def generated_lines(records: list[Record]) -> list[str]:
    """The section about generated faults; nothing where there are none."""
    mine = of_kind(records, "generated")
    if not mine:
        return []
    total, killed, bits, equal, untold = totals(mine)
    share = f"{killed} killed by D0 ({100 * killed / total:.2f} %)"
    rest = f"{bits} by B1 only, {equal} proven equal, {untold} not told from the right one"
    lines = ["", "## Generated faults", "", f"{total} changed operations: {share}, {rest}.", ""]
    lines += table("of", "total", "D0", "B1 only", "proven equal", "not told")
    for r in mine:
        counts = " | ".join(map(str, totals([r])))
        what = r.data["generated"]["what"]
        lines.append(f"| {r.case} {r.rule} {r.precision}, the {what} | {counts} |")
    left = [(r, r.data["generated"]["untold"]) for r in mine if r.data["generated"]["untold"]]
    if left:
        lines += ["", "Not told from the right one, a rounding left out in each:", ""]
        lines += [f"- {r.case} {r.rule} {r.precision}: {'; '.join(names)}" for r, names in left]
    return lines


def graded_lines(records: list[Record]) -> list[str]:
    """The section about graded faults; nothing where there are none."""
    best = graded(records)
    lines = ["", "## Sensitivity", ""]
    lines += ["The largest j such that a term times 1 + 2^-j is killed, over the cells.", ""]
    lines += table("term", "law", *UNIT)
    for (term, law), by in best.items():
        lines.append(f"| {term} | {law} | {' | '.join(spread(by[p]) if p in by else '' for p in UNIT)} |")
    return lines if best else []
