"""The kill matrix, its survivors and the exit code, made from the records of a run over planted faults."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from noether.faults.harmless import EQUIVALENT
from noether.laws.exact import EXACT
from noether.laws.registry import LAWS as BOOK
from noether.verdicts import exit_codes
from noether.verdicts.record import VIOLATED, Record

LAWS: tuple[str, ...] = (
    *EXACT,
    *(key for key, law in BOOK.items() if key not in EXACT and not law.on_request),
)
"""The columns of the matrix: first the laws that every kernel fault is shown to; without those that need an
extra package."""
OF_LAUNCHES: tuple[str, ...] = (*EXACT, "D13", "E1", "B1")
GUARD = "guard"  # the law of a record about a fault of the harness itself


@dataclass
class Kill:
    """How one law saw one fault, over all points: the largest ratio to the bound, the fewest steps and lanes
    that show it."""

    ratio: float
    steps: int | None = None
    lanes: int | None = None


@dataclass
class Row:
    """One fault: the laws that it was shown to, and those that killed it."""

    name: str
    kind: str
    what: str
    shown: set[str] = field(default_factory=set)
    kills: dict[str, Kill] = field(default_factory=dict)
    points: set[str] = field(default_factory=set)

    @property
    def best(self) -> Kill:
        return max(self.kills.values(), key=lambda k: k.ratio)

    @property
    def fewest(self) -> tuple[int | None, int | None]:
        """Steps and lanes after which some law sees it; B1 is asked last, for a wrong bit is a wrong bit at
        once."""
        mine = [k for law, k in self.kills.items() if law != "B1"] or list(self.kills.values())
        known = lambda xs: min((x for x in xs if x is not None), default=None)
        return known(k.steps for k in mine), known(k.lanes for k in mine)


def rows(records: Iterable[Record]) -> list[Row]:
    """The matrix, in the order in which faults were declared; faults of verify's own cells come after."""
    found: dict[str, Row] = {}
    for r in records:
        if not r.fault or "graded" in r.data or "generated" in r.data:
            continue
        about = r.data if "kind" in r.data else {"kind": "law of flows and orders", "what": r.reason}
        row = found.setdefault(r.fault, Row(r.fault, about["kind"], about["what"]))
        if row.kind == "law of flows and orders" and about["kind"] != row.kind:
            row.kind, row.what = about["kind"], about["what"]
        row.shown.add(r.law)
        row.points.add(f"{r.case} {r.rule} {r.precision}")
        if r.verdict != VIOLATED:
            continue
        kill = row.kills.setdefault(r.law, Kill(0.0))
        # Violated within its bound: for want of motion, say. That is no matter of size.
        kill.ratio = max(kill.ratio, r.spent if r.spent is not None and r.spent > 1 else float("inf"))
        kill.steps, kill.lanes = (
            least(kill.steps, r.data.get("first_step")),
            least(kill.lanes, after(r.data.get("first_lane"))),
        )
    return sorted(found.values(), key=place)


def of_launches(matrix: Iterable[Row]) -> tuple[list[Row], list[str]]:
    """The rows that a law of launches was shown, and those laws: what a table of both can hold. The others
    bring their own faults."""
    mine = [row for row in matrix if row.shown & set(OF_LAUNCHES)]
    return mine, [law for law in OF_LAUNCHES if any(law in row.shown for row in mine)]


def least(a, b):
    return b if a is None else a if b is None else min(a, b)


def after(lane):
    return None if lane is None else lane + 1


def place(row: Row) -> tuple:
    from noether.faults import KERNEL
    from noether.laws.exact import law_faults

    faults = (*KERNEL, *law_faults.FAULTS)
    order, kinds = [f.name for f in faults], list(dict.fromkeys(f.kind for f in faults))
    return (
        kinds.index(row.kind) if row.kind in kinds else len(kinds) + (row.shown != {GUARD}),
        order.index(row.name) if row.name in order else len(order),
        row.name,
    )


def of_kind(records: Iterable[Record], key: str) -> list[Record]:
    return [r for r in records if key in r.data]


@dataclass(frozen=True)
class Verdict:
    """exit_code 0: every fault was killed; 1: a law is violated with nothing planted; 3: blind, for
    `reasons`."""

    exit_code: int
    reasons: tuple[str, ...]
    faults: int
    killed: int
    equivalent: int
    by_bits: int = 0  # of those killed, by B1 alone


def verdict(records: list[Record], asked: Iterable[str] = (), *, whole: bool = True) -> Verdict:
    """asked: the faults that had to be shown;  whole: every law must have killed something, for nothing was
    left out."""
    matrix = rows(records)
    names = {row.name for row in matrix}
    survivors = [row.name for row in matrix if not row.kills and row.name not in EQUIVALENT]
    reasons = [f"no law kills {name!r}" for name in survivors]
    reasons += [
        f"{row.name!r} is listed as equivalent but {' '.join(row.kills)} kills it"
        for row in matrix
        if row.kills and row.name in EQUIVALENT
    ]
    reasons += [f"{name!r} applies at no point: nothing was shown" for name in asked if name not in names]
    killers = {law for row in matrix for law in row.kills}
    reasons += [f"{law} kills no fault" for law in LAWS if whole and law not in killers]
    for r in of_kind(records, "generated"):
        reasons += [
            f"{r.case} {r.rule}: generated fault survives: {name}"
            for name in r.data["generated"]["survivors"]
        ]
    for r in of_kind(records, "graded"):
        reasons += list(r.data.get("lost", ()))
    broken = [
        f"{r.law} on {r.case} {r.rule} {r.precision} is violated with nothing planted"
        for r in records
        if r.fault is None and r.verdict == VIOLATED
    ]
    if not matrix and not of_kind(records, "generated") and not of_kind(records, "graded"):
        reasons.append("nothing was shown")
    code = exit_codes.of(violated=broken, undecided=reasons)
    equivalent = sum(row.name in EQUIVALENT for row in matrix)
    return Verdict(code, (*broken, *reasons), len(matrix), sum(bool(row.kills) for row in matrix), equivalent,
                   sum({*row.kills} == {"B1"} for row in matrix))  # fmt: skip
