"""Known violations: what a user knows to be violated, each entry with its reason, so that a run can go on to
tell everything else.

An entry excuses the violations of its law on its case (of its rule and precision, where it names them). The
records keep the verdict `violated`: the exit code alone knows of entries. Verdicts on planted faults are
never excused.

    seen     the violation occurs, and is excused
    expired  the last day of the entry is over: what it names counts like any other violation
    gone     the run covered what the entry names, all of it holds, and the entry says `strict`: the run fails
             until the entry is taken out
    mended   the same without `strict`: told, and no failure
    unseen   the run did not cover what it names, or could not decide it
"""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from noether.system.fields import NAME, TRUTH, Kind, check
from noether.verdicts.record import HOLDS, INCONCLUSIVE, OUTSIDE, VIOLATED, Record

SEEN, EXPIRED, GONE, MENDED, UNSEEN = "seen", "expired", "gone", "mended", "unseen"
STATUSES = (SEEN, EXPIRED, GONE, MENDED, UNSEEN)
NARROWED = {"rule": "rules", "precision": "precisions"}
"""Field of an entry -> the word by which a run was narrowed that leaves the entry half covered, unless it
names that field."""


def is_day(x) -> bool:
    """Whether something is a day: a date, or text in the form 2027-01-31."""
    if isinstance(x, str):
        try:
            return datetime.date.fromisoformat(x) is not None and len(x) == 10
        except ValueError:
            return False
    return isinstance(x, datetime.date) and not isinstance(x, datetime.datetime)


SAID = Kind("text that says why, on one line", lambda x: NAME.fits(x) and bool(x.strip()))
DAY = Kind("a day, as in 2027-01-31", is_day)
FIELDS = {"law": NAME, "case": NAME, "reason": SAID, "rule": NAME.or_null.optional}
FIELDS |= {"precision": NAME.or_null.optional, "until": DAY.or_null.optional, "strict": TRUTH.optional}
"""What an entry has: law, case and reason always."""


@dataclass(frozen=True)
class Known:
    """One known violation.

    rule, precision   None for all of them
    until             the last day on which it excuses anything; None for no such day
    strict            whether a run fails that covers it and finds no violation
    """

    law: str
    case: str
    reason: str
    rule: str | None = None
    precision: str | None = None
    until: datetime.date | None = None
    strict: bool = True

    def covers(self, r: Record) -> bool:
        """Whether a verdict is one of those that this entry speaks of."""
        here = (r.law, r.case) == (self.law, self.case) and self.rule in (None, r.rule)
        return here and self.precision in (None, r.precision) and r.fault is None

    @property
    def place(self) -> str:
        """What it names, in a line."""
        return " ".join(x for x in (self.law, self.case, self.rule, self.precision) if x)

    @property
    def told(self) -> str:
        """The reason, and the last day where there is one."""
        return self.reason if self.until is None else f"{self.reason} (until {self.until.isoformat()})"


@dataclass(frozen=True)
class Standing:
    """What became of an entry in a run: one of the words above, and how many violations it names."""

    entry: Known
    status: str
    violations: int = 0

    def as_dict(self) -> dict:
        """The entry and its standing as plain data, as run.json keeps them."""
        until = self.entry.until.isoformat() if self.entry.until else None
        return {**asdict(self.entry), "until": until, "status": self.status, "violations": self.violations}

    @property
    def line(self) -> str:
        """What is to be said of it, in a line."""
        said = {
            SEEN: f"{self.violations} known: {self.entry.told}",
            EXPIRED: f"the entry expired, so that {self.violations} violations count: {self.entry.told}",
            GONE: f"is violated no more: take its entry out ({self.entry.told})",
            MENDED: f"is violated no more: its entry may be taken out ({self.entry.told})",
            UNSEEN: f"was not decided in this run: {self.entry.told}",
        }
        return f"{self.entry.place}: {said[self.status]}"


def entry(value: Mapping) -> Known:
    """An entry from plain data, as [[tool.noether.known]] of a pyproject.toml has it. Raises ValueError
    naming the field."""
    made = check(dict(value) if isinstance(value, Mapping) else value, FIELDS)
    strange = sorted(set(made) - set(FIELDS))
    if strange:
        raise ValueError(f"has {', '.join(strange)}, must have none but {', '.join(FIELDS)}")
    until = made.get("until")
    return Known(**{**made, "until": datetime.date.fromisoformat(until) if isinstance(until, str) else until})


def standings(
    records: Sequence[Record],
    entries: Iterable[Known],
    *,
    today: datetime.date,
    narrowed: Collection[str] = (),
    whole: bool = True,
) -> list[Standing]:
    """What became of each entry in a run.

    narrowed   by which words the run was narrowed: "rules", "precisions", "overrides" ...
    whole      whether the run came to its end, and is no part of another: else nothing is gone
    """
    return [standing(records, e, today=today, narrowed=narrowed, whole=whole) for e in entries]


def standing(records: Sequence[Record], e: Known, *, today, narrowed, whole: bool) -> Standing:
    """What became of one entry."""
    mine = [r.verdict for r in records if e.covers(r)]
    count = mine.count(VIOLATED)
    if e.until is not None and e.until < today:
        return Standing(e, EXPIRED, count)
    if count:
        return Standing(e, SEEN, count)
    half = any(word in narrowed and getattr(e, name) is None for name, word in NARROWED.items())
    judged = {v for v in mine if v != OUTSIDE}
    if judged != {HOLDS} or half or "overrides" in narrowed or not whole:
        return Standing(e, UNSEEN)
    return Standing(e, GONE if e.strict else MENDED)


def excuse(r: Record, found: Iterable[Standing]) -> Known | None:
    """The entry that excuses a violation; None for one that counts, and for every other verdict."""
    if r.verdict != VIOLATED or r.fault is not None:
        return None
    return next((s.entry for s in found if s.status == SEEN and s.entry.covers(r)), None)


VAIN = "the law is violated here without the fault too, as is known: that shows nothing about the fault"


def proving(records: Sequence[Record], found: Iterable[Standing]) -> Sequence[Record]:
    """The records as evidence that planted faults are seen: what they are, but for a fault that was planted
    where its law is violated without it, and excused. There the verdict would be `violated` whatever was
    planted, so that it is `inconclusive` here.

    A place is a law, a case, a rule, a precision and a backend. What is recorded stays as it is.
    """
    found = list(found)
    place = lambda r: (r.law, r.case, r.rule, r.precision, r.backend)
    excused = {place(r) for r in records if excuse(r, found)}
    is_vain = lambda r: r.fault is not None and r.verdict == VIOLATED and place(r) in excused
    if not excused:
        return records
    return [replace(r, verdict=INCONCLUSIVE, reason=VAIN) if is_vain(r) else r for r in records]


def of_about(about: Mapping) -> list[Standing]:
    """The standings that run.json keeps, [] for a run without any."""
    kept = about.get("known") or []
    plain = [{k: v for k, v in s.items() if k not in ("status", "violations")} for s in kept]
    return [Standing(entry(e), s["status"], s["violations"]) for e, s in zip(plain, kept, strict=True)]
