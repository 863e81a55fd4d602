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
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from noether.system.fields import NAME, TRUTH, Kind, check
from noether.system.outside import plural
from noether.verdicts.record import HOLDS, INCONCLUSIVE, OUTSIDE, VIOLATED, Record

SEEN, EXPIRED, GONE, MENDED, UNSEEN = "seen", "expired", "gone", "mended", "unseen"
STATUSES = (SEEN, EXPIRED, GONE, MENDED, UNSEEN)
NARROWED = {"rule": "rules", "precision": "precisions"}
"""Field of an entry -> the word by which a run was narrowed that leaves the entry half covered, unless it
names that field."""


DAYS = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
"""ISO 8601 has other forms of a day, as 2027-W05-1, which fromisoformat reads too."""


def is_day(x) -> bool:
    """Whether something is a day: a date, or text in the form 2027-01-31."""
    if isinstance(x, str):
        try:
            return DAYS.fullmatch(x) is not None and datetime.date.fromisoformat(x) is not None
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


OPEN = "this run did not decide what the entry names"
ABSENT = "no verdict on what the entry names was in this run"
NO_CASE = "no case of that name was in this run"
PARTLY = "it holds as far as this run asked, which is only a part of what the entry names"
BEYOND = "what the entry names is outside of what the law states"


@dataclass(frozen=True)
class Standing:
    """What became of an entry in a run: one of the words above, and how many violations it names.

    why  of an entry that is unseen: what the run lacked
    """

    entry: Known
    status: str
    violations: int = 0
    why: str = ""

    def as_dict(self) -> dict:
        """The entry and its standing as plain data, as run.json keeps them."""
        until = self.entry.until.isoformat() if self.entry.until else None
        told = {"status": self.status, "violations": self.violations, "why": self.why}
        return {**asdict(self.entry), "until": until, **told}

    @property
    def line(self) -> str:
        """What is to be said of it, in a line."""
        counted = plural(self.violations, "violation counts", "violations count") + " of"
        said = {
            SEEN: f"{plural(self.violations, 'known violation')}: {self.entry.told}",
            EXPIRED: f"the entry expired, so that {counted} what it names: {self.entry.told}",
            GONE: f"is violated no more: take its entry out ({self.entry.told})",
            MENDED: f"is violated no more: its entry may be taken out ({self.entry.told})",
            UNSEEN: f"{self.why or OPEN}: {self.entry.told}",
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
        return Standing(e, UNSEEN, why=unseen(records, e, mine, judged))
    return Standing(e, GONE if e.strict else MENDED)


def unseen(records: Sequence[Record], e: Known, mine: Sequence[str], judged: set[str]) -> str:
    """Why an entry is unseen, in words. mine: the verdicts that it covers;  judged: those that are not
    outside."""
    if not mine:
        return ABSENT if any(r.case == e.case for r in records) else NO_CASE
    return PARTLY if judged == {HOLDS} else OPEN if judged else BEYOND


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
    plain = [{k: v for k, v in s.items() if k in FIELDS} for s in kept]
    told = lambda s: (s["status"], s["violations"], s.get("why", ""))
    return [Standing(entry(e), *told(s)) for e, s in zip(plain, kept, strict=True)]
