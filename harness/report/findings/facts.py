"""What the page of findings says, taken from the records of a run: plain data, of which page and pictures are
written."""

from __future__ import annotations

from collections.abc import Sequence

from noether.laws.map.printed import map_of, maps_of
from noether.laws.published.book import BOOK, OPEN
from noether.laws.published.elsewhere import MEASURED, Measured
from noether.report.findings.figures import DRAWN, figure_of
from noether.report.table import number
from noether.runs.saved_run import Run
from noether.system.outside import plural
from noether.system.usage import UsageError
from noether.verdicts.record import HOLDS, ORDER, OUTSIDE, Record

WORDS = ("statement", "source", "published", "measured", "verdict", "corrected")
"""What a claim must say."""
NEEDED = (*BOOK, *(s.law for s in MEASURED), "M1")
"""The laws of which the page takes something."""


def facts(run: Run) -> dict:
    """The statements with their verdicts and figures, the map and the counts of charges, and of which run.

    Raises UsageError naming every needed law of which the run has nothing to take.
    """
    real = [r for r in run.records if r.fault is None]
    check_whole(real)
    about, found = run.about, claims(real)
    statements = [*(published(found[law]) for law in BOOK), *(elsewhere(s, real) for s in MEASURED)]
    atlas = map_of(real)
    drawn = {name: list(atlas.data[name]) for name in ("rows", "columns")}
    drawn |= {"labels": [[cell["label"] for cell in cells] for cells in atlas.data["cells"]]}
    return {
        "run": {
            "date": about["start"][:10],
            "profile": about["arguments"]["profile"],
            "seed": about["arguments"]["seed"],
            "versions": {name: v for name, v in sorted(about["versions"].items()) if v and name != "commit"},
        },
        "statements": statements,
        "map": {**drawn, "told": atlas.reason},
        "counts": counted(real),
    }


def claim_of(records: Sequence[Record]) -> dict[str, Record]:
    """The record that carries the claim of each law, where a run has one."""
    return {r.law: r for r in records if isinstance(r.data.get("claim"), dict) and r.law in BOOK}


def judged(records: Sequence[Record], law: str) -> list[Record]:
    """The records of a law that were decided one way or the other, or could not be."""
    return [r for r in records if r.law == law and r.verdict != OUTSIDE]


def check_whole(real: Sequence[Record]) -> None:
    """Refuse a run that lacks something. Raises UsageError."""
    found = {*claim_of(real), *(s.law for s in MEASURED if judged(real, s.law))}
    found |= {"M1"} if maps_of(real) else set()
    missing = [law for law in NEEDED if law not in found]
    if missing:
        raise UsageError(
            f"the run has no record of {', '.join(missing)} that the page could take: one run must have all "
            f"that noether verify --law {','.join(NEEDED)} measures"
        )


def claims(real: Sequence[Record]) -> dict[str, Record]:
    """The record that carries the claim of each law. Raises UsageError naming what is incomplete."""
    found = claim_of(real)
    for law, r in found.items():
        gone = [name for name in WORDS if not r.data["claim"].get(name)]
        if gone:
            raise UsageError(
                f"the record of {law} has no {', '.join(gone)} in its claim: the run is of another version"
            )
    return found


def published(record: Record) -> dict:
    """One statement that has a law of its own."""
    claim = record.data["claim"]
    told = {name: claim[name] for name in ("title", *WORDS)} | {"setup": claim.get("setup")}
    plain = BOOK[record.law].plain
    return {"law": record.law, "plain": plain, **told, "figure": figure_of(record.law, [record])}


def elsewhere(s: Measured, real: Sequence[Record]) -> dict:
    """One statement that a law of another family measures."""
    mine = judged(real, s.law)
    told = {"title": s.title, "statement": s.statement, "source": s.source, "published": ""}
    told |= {"measured": measured(mine), "corrected": s.corrected, "setup": None}
    verdict = s.word if all(r.verdict == HOLDS for r in mine) else OPEN
    figure = figure_of(s.law, mine) if s.law in DRAWN else None
    return {"law": s.law, "plain": s.plain, **told, "verdict": verdict, "figure": figure}


def measured(mine: Sequence[Record]) -> str:
    """What the verdicts of a law come to, in one phrase."""
    hold = [r for r in mine if r.verdict == HOLDS]
    cases = plural(len({r.case for r in mine}), "case")
    told = f"{len(hold)} of {len(mine)} verdicts hold, on {cases}"
    orders = [r for r in hold if r.kind == ORDER and r.data.get("x")]  # not the constants in front of them
    spent = max((r.spent for r in hold if r.spent is not None and r.kind != ORDER), default=None)
    if orders:
        stated = sorted({r.predicted for r in orders}, reverse=True)
        off = max(abs(r.measured - r.predicted) for r in orders)
        words = " and ".join(f"{x:g}" for x in stated)
        return f"{told}; orders {words} are met within {number(off)}"
    if spent == 0:
        return f"{told}; every bit is equal"
    relative = [r.parameters["relative"] for r in hold if isinstance(r.parameters.get("relative"), float)]
    apart = f"{number(max(relative))} of the sum of its terms apart" if relative else ""
    spends = f"{number(spent)} of the bound apart"
    return f"{told}; measured and predicted are at most {f'{apart}, ' if apart else ''}{spends}"


def counted(real: Sequence[Record]) -> list[dict]:
    """The numbers of independent charges, from M1."""
    mine = [r for r in real if r.law == "M1" and r.case == "map" and r.rule != "all"]
    mine.sort(key=lambda r: r.symmetry or "")
    return [{"of": r.symmetry, "counted": int(r.measured), "formula": int(r.predicted)} for r in mine]
