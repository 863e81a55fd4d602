"""The page docs/findings.md: published claims and the map of one run, written from its records."""

from __future__ import annotations

from collections.abc import Sequence

from noether.laws.map.printed import map_of, maps_of, markdown
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


WORDS = ("statement", "source", "published", "measured", "verdict", "corrected")
"""What a claim must say."""


def claim_of(records: Sequence[Record]) -> dict[str, Record]:
    """The record that carries the claim of each law, where a run has one."""
    is_claim = lambda r: r.fault is None and isinstance(r.data.get("claim"), dict) and r.law in BOOK
    return {r.law: r for r in records if is_claim(r)}


NEEDED = (*BOOK, "T2", "M1")
"""The laws of which the page takes something."""


def check_whole(records: Sequence[Record]) -> None:
    """Raises UsageError naming every needed law of which the run has nothing to take."""
    found = {
        *claim_of(records),
        *(["T2"] if flows_of(records) else []),
        *(["M1"] if maps_of(records) else []),
    }
    missing = [law for law in NEEDED if law not in found]
    if missing:
        raise UsageError(
            f"the run has no record of {', '.join(missing)} that the page could take: one run must have all "
            f"that noether verify --law {','.join(NEEDED)} measures"
        )


def claims(records: Sequence[Record]) -> dict[str, Record]:
    """The record that carries the claim of each law. Raises UsageError naming what is missing or
    incomplete."""
    check_whole(records)
    found = claim_of(records)
    for law, r in found.items():
        gone = [name for name in WORDS if not r.data["claim"].get(name)]
        if gone:
            raise UsageError(
                f"the record of {law} has no {', '.join(gone)} in its claim: the run is of another version"
            )
    return found


def section(record: Record) -> list[str]:
    """The lines of one claim."""
    claim, law = record.data["claim"], record.law
    lines = [f"## {law}: {claim['title']}", "", f"> {claim['statement']}", "", f"{claim['source']}.", ""]
    lines += ["| published | measured | verdict | law |", "|---|---|---|---|"]
    found = f"| {claim['published']} | {claim['measured']} | **{claim['verdict']}**"
    lines += [f"{found} | [{law}](theory.md#{law}) |", "", claim["corrected"]]
    if "setup" in claim:
        lines += ["", f"Set-up: {claim['setup']}."]
    return [*lines, "", f"    noether verify --law {record.law}", ""]


def flows_of(records: Sequence[Record]) -> list[Record]:
    """The records of T2 on its flows, where it holds; the Lagrangian's own derivation has no flow."""
    mine = [r for r in records if r.law == "T2" and r.fault is None and "relative" in r.parameters]
    return [r for r in mine if r.verdict == HOLDS]


def checked(records: Sequence[Record]) -> str:
    """The result of T2 on its flows, of which there must be one."""
    mine = flows_of(records)
    relative = number(max(r.parameters["relative"] for r in mine))
    return NEVER.format(relative=relative, spent=number(max(r.spent for r in mine)), count=len(mine))


def counted(records: Sequence[Record]) -> list[str]:
    """The numbers of independent charges, from M1."""
    mine = [r for r in records if r.law == "M1" and r.fault is None and r.case == "map" and r.rule != "all"]
    mine.sort(key=lambda r: r.symmetry)
    rows = [f"| {r.symmetry} | {r.measured:.0f} | {r.predicted:.0f} |" for r in mine]
    return ["| independent charges of | counted | formula |", "|---|---|---|", *rows, ""] if rows else []


def page(run: Run) -> str:
    """The text of docs/findings.md. Raises UsageError where a claim, T2 or the map is missing."""
    found, atlas, about = claims(run.records), map_of(run.records), run.about
    versions = ", ".join(f"{name} {v}" for name, v in sorted(about["versions"].items()) if name != "commit")
    profile, seed = about["arguments"]["profile"], about["arguments"]["seed"]
    lines = [HEAD, f"Run of {about['start'][:10]}, profile {profile}, seed {seed}: {versions}.", ""]
    for law in BOOK:
        lines += section(found[law])
    lines += [checked(run.records), MAP_TEXT, *markdown(atlas)]
    lines += ["", f"{atlas.reason}.", "", *counted(run.records)]
    return "\n".join(lines).rstrip("\n") + "\n"


def listed(run: Run) -> list[dict]:
    """The claims for machines. Raises UsageError where one is missing."""
    told = lambda claim: {name: claim.get(name) for name in ("title", *WORDS)}
    return [{"law": law, **told(r.data["claim"])} for law, r in claims(run.records).items()]
