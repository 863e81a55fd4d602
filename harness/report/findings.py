"""The page docs/findings.md: published claims and the map of one run, written from its records."""

from __future__ import annotations

from collections.abc import Sequence

from noether.laws.map.printed import map_of, markdown
from noether.laws.published.book import BOOK
from noether.report.table import number
from noether.runs.saved_run import Run
from noether.system.usage import UsageError
from noether.verdicts.record import HOLDS, Record

HEAD = """# Findings

Written by `noether findings` from the records of a run; change it by running `make findings`. What is
published, what is measured, and what holds instead; each section is a law of `noether laws`, with the
published statement as the fault that must be violated.
"""
MAP_TEXT = """## Which rule keeps which charge

exact: the charge keeps its law to rounding at every step size. A number p: over a fixed time it leaves it by
O(eta^p), so that 0 is broken however small the step. -: there is no charge. [theory.md](theory.md#M1) has the
charges; `noether map` measures it again.
"""
NEVER = """## Checked to a tolerance here

No published work that was found checks NLD Eq. 10, the balance of a Bregman charge, to a tolerance. Law T2:
|j - S|, measured against predicted, is at most {relative} of the summed terms W over {count} flows, and at
most {spent} of its bound.

    noether verify --law T2
"""


def claims(records: Sequence[Record]) -> dict[str, Record]:
    """{law: the record that carries its claim}. Raises UsageError naming every claim that is missing or
    incomplete."""
    found = {
        r.law: r
        for r in records
        if r.fault is None and isinstance(r.data.get("claim"), dict) and r.law in BOOK
    }
    missing = [law for law in BOOK if law not in found]
    if missing:
        raise UsageError(
            f"the run has no record of {', '.join(missing)}: run noether verify --law {','.join(missing)}, "
            "or all of it"
        )
    for law, r in found.items():
        gone = [
            name
            for name in ("statement", "source", "published", "measured", "verdict", "corrected")
            if not r.data["claim"].get(name)
        ]
        if gone:
            raise UsageError(
                f"the record of {law} has no {', '.join(gone)} in its claim: the run is of another version"
            )
    return found


def section(record: Record) -> list[str]:
    claim = record.data["claim"]
    lines = [
        f"## {record.law}: {claim['title']}",
        "",
        f"> {claim['statement']}",
        "",
        f"{claim['source']}.",
        "",
        "| published | measured | verdict | law |",
        "|---|---|---|---|",
        f"| {claim['published']} | {claim['measured']} | **{claim['verdict']}** | "
        f"[{record.law}](theory.md#{record.law}) |",
        "",
        claim["corrected"],
    ]
    if "setup" in claim:
        lines += ["", f"Set-up: {claim['setup']}."]
    return [*lines, "", f"    noether verify --law {record.law}", ""]


def checked(records: Sequence[Record]) -> str:
    """The result of T2 on its flows. Raises UsageError where a run has none that holds."""
    flows = [
        r for r in records if r.law == "T2" and "relative" in r.parameters
    ]  # the Lagrangian's own derivation has no flow
    mine = [r for r in flows if r.fault is None and r.verdict == HOLDS]
    if not mine:
        raise UsageError("the run has no record of T2 that holds: run noether verify --law T2, or all of it")
    return NEVER.format(
        relative=number(max(r.parameters["relative"] for r in mine)),
        spent=number(max(r.spent for r in mine)),
        count=len(mine),
    )


def counted(records: Sequence[Record]) -> list[str]:
    """The numbers of independent charges, from M1."""
    mine = [r for r in records if r.law == "M1" and r.fault is None and r.case == "map" and r.rule != "all"]
    rows = [
        f"| {r.symmetry} | {r.measured:.0f} | {r.predicted:.0f} |"
        for r in sorted(mine, key=lambda r: r.symmetry)
    ]
    return ["| independent charges of | counted | formula |", "|---|---|---|", *rows, ""] if rows else []


def page(run: Run) -> str:
    """The text of docs/findings.md. Raises UsageError where a claim, T2 or the map is missing."""
    found, atlas, about = claims(run.records), map_of(run.records), run.about
    versions = ", ".join(f"{name} {v}" for name, v in sorted(about["versions"].items()) if name != "commit")
    arguments = about["arguments"]
    lines = [
        HEAD,
        f"Run of {about['start'][:10]}, profile {arguments['profile']}, seed {arguments['seed']}: "
        f"{versions}.",
        "",
    ]
    for law in BOOK:
        lines += section(found[law])
    lines += [
        checked(run.records),
        MAP_TEXT,
        *markdown(atlas),
        "",
        f"{atlas.reason}.",
        "",
        *counted(run.records),
    ]
    return "\n".join(lines).rstrip("\n") + "\n"


def listed(run: Run) -> list[dict]:
    """The claims for machines. Raises UsageError where one is missing."""
    names = ("title", "statement", "source", "published", "measured", "verdict", "corrected")
    return [
        {"law": law, **{n: r.data["claim"].get(n) for n in names}} for law, r in claims(run.records).items()
    ]
