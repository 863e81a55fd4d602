"""The kill matrix, its survivors and the exit code, made from the records of a run over planted faults."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from noether.faults.harmless import EQUIVALENT
from noether.laws.exact import EXACT
from noether.laws.registry import LAWS as BOOK
from noether.verdicts import exit_codes
from noether.verdicts.record import VIOLATED, Record, undecided_faults

LAWS: tuple[str, ...] = (
    *EXACT,
    *(key for key, law in BOOK.items() if key not in EXACT and not (law.on_request or law.only_full)),
)
"""The columns of the matrix: first the laws that every kernel fault is shown to; without those that need an
extra package, and those that only a full run of `verify` has."""
OF_LAUNCHES: tuple[str, ...] = (*EXACT, "D13", "E1", "B1")
"""The laws that judge a launch, and so can be shown any fault of one."""
GUARD = "guard"
"""The law of a record about a fault of the harness itself."""
FLOWS = "law of flows and orders"
"""The kind of a fault that `verify` shows to a law without launches."""


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
        """The kill with the largest ratio."""
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
        about = r.data if "kind" in r.data else {"kind": FLOWS, "what": r.reason}
        row = found.setdefault(r.fault, Row(r.fault, about["kind"], about["what"]))
        if row.kind == FLOWS and about["kind"] != row.kind:
            row.kind, row.what = about["kind"], about["what"]
        row.shown.add(r.law)
        row.points.add(f"{r.case} {r.rule} {r.precision}")
        if r.verdict != VIOLATED:
            continue
        kill = row.kills.setdefault(r.law, Kill(0.0))
        # Violated within its bound: for want of motion, say. That is no matter of size.
        kill.ratio = max(kill.ratio, r.spent if r.spent is not None and r.spent > 1 else float("inf"))
        kill.steps = least(kill.steps, r.data.get("first_step"))
        kill.lanes = least(kill.lanes, after(r.data.get("first_lane")))
    return sorted(found.values(), key=place)


def of_launches(matrix: Iterable[Row]) -> tuple[list[Row], list[str]]:
    """The rows that a law of launches was shown, and those laws: what a table of both can hold. The others
    bring their own faults."""
    mine = [row for row in matrix if row.shown & set(OF_LAUNCHES)]
    return mine, [law for law in OF_LAUNCHES if any(law in row.shown for row in mine)]


def least(a: int | None, b: int | None) -> int | None:
    """The smaller of two numbers, either of which may be missing."""
    return b if a is None else a if b is None else min(a, b)


def after(lane: int | None) -> int | None:
    """How many lanes there are up to this one."""
    return None if lane is None else lane + 1


def place(row: Row) -> tuple:
    """Where a row stands: by its kind, by the order in which faults are declared, by its name."""
    from noether.faults import KERNEL
    from noether.laws.exact import law_faults

    faults = (*KERNEL, *law_faults.FAULTS)
    order, kinds = [f.name for f in faults], list(dict.fromkeys(f.kind for f in faults))
    kind = kinds.index(row.kind) if row.kind in kinds else len(kinds) + (row.shown != {GUARD})
    return kind, order.index(row.name) if row.name in order else len(order), row.name


def of_kind(records: Iterable[Record], key: str) -> list[Record]:
    """The records whose data have an entry of this name: generated, graded."""
    return [r for r in records if key in r.data]


@dataclass(frozen=True)
class Verdict:
    """What a run over faults came to.

    exit_code  0: every fault was killed; 1: a law is violated with nothing planted; 3: blind, for `reasons`
    killed     how many of the `faults`; by_bits of them by B1 alone
    equivalent how many are proven to be none
    """

    exit_code: int
    reasons: tuple[str, ...]
    faults: int
    killed: int
    equivalent: int
    by_bits: int = 0  # of those killed, by B1 alone


def verdict(records: list[Record], asked: Iterable[str] = (), *, whole: bool = True) -> Verdict:
    """The verdict of a run over faults, and every reason against it.

    asked  the faults that had to be shown
    whole  every law must have killed something, for nothing was left out
    """
    matrix = rows(records)
    undecided = undecided_faults(records)
    reasons = [*of_matrix(matrix, asked, whole, undecided), *of_other_faults(records)]
    broken = [
        f"{r.law} on {r.case} {r.rule} {r.precision} is violated with nothing planted"
        for r in records
        if r.fault is None and r.verdict == VIOLATED
    ]
    if not matrix and not of_kind(records, "generated") and not of_kind(records, "graded"):
        reasons.append("nothing was shown")
    code = exit_codes.of(violated=broken, undecided=reasons)
    killed = [{*row.kills} for row in matrix if row.kills]
    equivalent = sum(row.name in EQUIVALENT for row in matrix)
    return Verdict(code, (*broken, *reasons), len(matrix), len(killed), equivalent, killed.count({"B1"}))


def of_matrix(
    matrix: list[Row], asked: Iterable[str], whole: bool, undecided: Collection[str] = ()
) -> list[str]:
    """Survivors, faults that are killed though they are called equivalent, faults never shown, idle laws.

    undecided  faults that nothing can be said of
    """
    excused = {*EQUIVALENT, *undecided}
    out = [f"no law kills {row.name!r}" for row in matrix if not row.kills and row.name not in excused]
    for row in matrix:
        if row.kills and row.name in EQUIVALENT:
            out.append(f"{row.name!r} is listed as equivalent but {' '.join(row.kills)} kills it")
    names, killers = {row.name for row in matrix}, {law for row in matrix for law in row.kills}
    out += [f"{name!r} applies at no point: nothing was shown" for name in asked if name not in names]
    return out + [f"{law} kills no fault" for law in LAWS if whole and law not in killers]


def of_other_faults(records: list[Record]) -> list[str]:
    """Generated faults that survive, and graded ones that are seen too late."""
    out = []
    for r in of_kind(records, "generated"):
        survivors = r.data["generated"]["survivors"]
        out += [f"{r.case} {r.rule}: generated fault survives: {name}" for name in survivors]
    for r in of_kind(records, "graded"):
        out += list(r.data.get("lost", ()))
    return out
