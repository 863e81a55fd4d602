"""What one finding is, and how findings become a verdict on a law.

    holds          spent <= 1 on real evidence
    violated       spent > 1, or a non-finite value inside the domain
    inconclusive   too little evidence either way
    outside        the statement does not cover this point (decided from parameters or reference, never
                   from the output under test)

A record on a planted fault carries its name in `fault`; a fault is killed when at least one of
its records is violated, and undecided when each of them is undecided beside a right one that is, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

HOLDS, VIOLATED, INCONCLUSIVE, OUTSIDE = "holds", "violated", "inconclusive", "outside"
VERDICTS = (HOLDS, VIOLATED, INCONCLUSIVE, OUTSIDE)
ROUNDING, ORDER, STATISTICAL, BITWISE = "rounding", "order", "statistical", "bitwise"
SCHEMA = 3
"""Of records.jsonl and run.json. 2: every line and run.json end in a check (harness/system/seal.py). 3: the
planted fault of a record is its `fault`, which was `control`."""


@dataclass
class Record:
    """One verdict, one line of records.jsonl.

    measured, predicted, bound   numbers in the units of the law (worst point);  spent = |measured -
                                 predicted| / bound
    worst                        {"lane": int, "step": int, "component": int | None, "q": [hex], "v": [hex],
                                 parameters hex...}
    replay                       one shell line that gives these numbers again: the worst lane alone, or the
                                 cell
    fault                        None, or the planted fault that this record is about
    data                         plain numbers for the report's plots ({"x": [...], "y": [...]}), small
    powers                       {coefficient: x}: a prediction in which this coefficient were 1 + x times as
                                 large, or any
                                 larger x, would have been violated by what was measured here (rule of
                                 evidence 9)
    """

    law: str
    case: str
    rule: str
    backend: str
    precision: str
    lanes: int
    steps: int
    parameters: dict
    predicted: float | None
    measured: float | None
    bound: float | None
    spent: float | None
    verdict: str
    reason: str
    kind: str = ROUNDING
    symmetry: str | None = None
    worst: dict | None = None
    replay: str | None = None
    seconds: float = 0.0
    fault: str | None = None
    cell: str = ""
    data: dict = field(default_factory=dict)
    powers: dict = field(default_factory=dict)
    schema: int = SCHEMA

    def __post_init__(self):
        if self.verdict not in VERDICTS:
            raise ValueError(f"verdict is {self.verdict!r}, must be one of {VERDICTS}")
        if self.verdict == HOLDS and (self.spent is None or not self.spent <= 1):
            raise ValueError(
                f"{self.law} on {self.case}: verdict is holds but spent is {self.spent}: must be <= 1"
            )

    @property
    def severity(self) -> float:
        """A number to sort by: what was not judged first, then by what was spent, NaN last."""
        return -1.0 if self.spent is None else self.spent if self.spent == self.spent else float("inf")

    def as_dict(self) -> dict:
        """The record as plain data, as a line of records.jsonl has it."""
        return asdict(self)


def where(r: Record) -> str:
    """What a record is about, in a line: law, case, symmetry, rule, precision, backend."""
    return " ".join(x for x in (r.law, r.case, r.symmetry or "", r.rule, r.precision, r.backend) if x)


def undecided_shows(records: Sequence[Record]) -> list[Record]:
    """The records on planted faults that can say nothing of them: they are undecided, and so is all that is
    right at their place, or what the same statement says of it."""
    place = lambda r: (r.cell, r.law, r.case, r.rule, r.precision, r.backend, r.symmetry)
    statement = lambda r: (*place(r), form(r))
    right: dict[tuple, set[str]] = {}
    for r in records:
        if r.fault is None:
            for where in (place(r), statement(r)):
                right.setdefault(where, set()).add(r.verdict)
    silent, decided = {INCONCLUSIVE, OUTSIDE}, {HOLDS}
    is_open = lambda r: any(right.get(x, decided) <= silent for x in (place(r), statement(r)))
    return [r for r in records if r.fault is not None and r.verdict in silent and is_open(r)]


def undecided_faults(records: Sequence[Record]) -> list[str]:
    """The planted faults that nothing can be said of, by name: each was shown only where the right one is
    undecided too. They are neither killed nor survivors."""
    open_shows = undecided_shows(records)
    ids = {id(r) for r in open_shows}
    told = {r.fault for r in records if r.fault is not None and id(r) not in ids}
    return sorted({r.fault for r in open_shows} - told)


@dataclass(frozen=True)
class LawSummary:
    """One row of the table at the end of a run."""

    law: str
    cells: int
    counts: dict
    worst_spent: float | None
    worst_where: str
    faults: int
    killed: int
    survivors: tuple[str, ...]
    verdict: str


def summarise(records: list[Record], laws: list[str]) -> list[LawSummary]:
    """One summary for each law in `laws`, in that order; a law without a record is inconclusive (blind)."""
    rows = []
    killed_by: dict[str, bool] = {}
    for r in records:
        if r.fault:
            killed_by[r.fault] = killed_by.get(r.fault, False) or r.verdict == VIOLATED
    undecided = {*undecided_faults(records)}
    for law in laws:
        mine = [r for r in records if r.law == law and r.fault is None]
        counts = {v: sum(r.verdict == v for r in mine) for v in VERDICTS}
        judged = [r for r in mine if r.spent is not None]
        worst = max(judged, key=lambda r: r.severity, default=None)
        faults = {r.fault for r in records if r.law == law and r.fault}
        killed = {r.fault for r in records if r.law == law and r.fault and r.verdict == VIOLATED}
        if counts[VIOLATED]:
            verdict = VIOLATED
        elif counts[HOLDS] and killed:
            verdict = HOLDS
        else:
            verdict = OUTSIDE if mine and counts[OUTSIDE] == len(mine) else INCONCLUSIVE
        where = f"{worst.case} {worst.rule} {worst.precision}".strip() if worst else ""
        spent = worst.spent if worst else None
        alive = tuple(sorted(c for c in faults if not killed_by[c] and c not in undecided))
        sizes = (len(faults), len(killed))
        rows.append(LawSummary(law, len(mine), counts, spent, where, *sizes, alive, verdict))
    return rows


FORMS = ("statement", "window", "part", "charge")
# A rotation's charge decays with the state, a translation's without: of the others the statement is one.
OF_KIND = ("D3",)


def form(r: Record) -> str:
    """What a record speaks of, in words: its law, the statement, window, part or charge that its parameters
    name, and the kind of its symmetry where it matters."""
    told = [r.parameters[name] for name in FORMS if isinstance(r.parameters.get(name), str)]
    kind = [r.symmetry.split("-")[0]] if r.symmetry and r.law in OF_KIND else []
    return " | ".join([r.law, *told, *kind])


def undecided_forms(records: list[Record], laws: list[str]) -> list[str]:
    """The forms of these laws that were asked, are not outside, and hold nowhere."""
    found: dict[str, set[str]] = {}
    for r in records:
        if r.fault is None and r.law in laws:
            found.setdefault(form(r), set()).add(r.verdict)
    return [name for name, verdicts in found.items() if INCONCLUSIVE in verdicts and HOLDS not in verdicts]
