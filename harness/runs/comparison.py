"""What changed from one run to another: verdicts, spent, laws, faults.

Worse is, and nothing else is:

    a law      that held and does not any more, or was undecided and is violated
    a place    (law, case, rule, precision, symmetry, statement) that is violated and was not
    a rise     of spent, or of an order, marked by the rule of harness/runs/regression.py: more than another
               seed or another order
               of the same roundings would show; laws whose scatter was never measured are compared for
               coverage alone
    a loss     a place that held and is not there or not decided, or a fault that was planted and is not,
               where both runs
               were asked for the same; where they were not, it is told and counts for nothing
    a fault    that some law saw and none sees now

Times are told, never judged: they are the machine's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

from noether.runs.baseline import CHOICE, Baseline, key, of_run
from noether.runs.regression import Comparison, compare
from noether.runs.saved_run import Run, read_run
from noether.system.usage import UsageError
from noether.verdicts.record import HOLDS, INCONCLUSIVE, OUTSIDE, VIOLATED, LawSummary, Record, summarise

BADNESS = {HOLDS: 0, INCONCLUSIVE: 1, VIOLATED: 2}
MOVED = 8
NOT_THERE = "not there"


@dataclass(frozen=True)
class LawChange:
    """One law in both runs.

    was, now  its summaries, None where a run does not have it
    seconds   what its records took in each
    """

    law: str
    was: LawSummary | None
    now: LawSummary | None
    seconds: tuple[float, float]

    @property
    def verdicts(self) -> tuple[str, str]:
        """The verdict of the law in each run."""
        return tuple(r.verdict if r else NOT_THERE for r in (self.was, self.now))

    @property
    def worse(self) -> bool:
        """Whether the law held and does not, or was undecided and is violated."""
        a, b = self.verdicts
        return a != NOT_THERE and b != NOT_THERE and BADNESS[b] > BADNESS[a]


@dataclass
class Difference:
    """Two runs side by side. Of all that is here `worse` alone, one line each, decides the exit code."""

    a: Run
    b: Run
    laws: list[LawChange]
    marked: Comparison
    entries: tuple[Baseline, Baseline]
    same: bool
    violated: list[str] = field(default_factory=list)
    mended: list[str] = field(default_factory=list)
    surviving: list[str] = field(default_factory=list)
    seen_again: list[str] = field(default_factory=list)
    planted_no_more: list[str] = field(default_factory=list)
    planted_now: list[str] = field(default_factory=list)
    worse: list[str] = field(default_factory=list)

    def spent(self, name: str) -> tuple[float, float]:
        """The worst spent of an entry in each run."""
        return tuple(e.entries[name].spent for e in self.entries)

    @property
    def moved(self) -> list[tuple[str, float, float]]:
        """The entries whose spent moved by the largest factor, up or down: told, not judged."""
        both = [(n, *self.spent(n)) for n in self.entries[0].entries if n in self.entries[1].entries]
        moved = [x for x in both if x[1] > 0 and x[2] > 0 and x[1] != x[2]]
        return sorted(moved, key=lambda x: -abs(math.log(x[2] / x[1])))[:MOVED]


def compared(first: Path, second: Path) -> Difference:
    """The difference of two runs. Their schemas may differ, for the reader gives both in the words of today.

    Raises UsageError for a folder that is no run, for a run of another command, and for an unknown schema.
    """
    a, b = read_run(first), read_run(second)
    for run in (a, b):
        if run.about.get("command", "verify") != "verify":
            what = f"{run.path} is a run of noether {run.about['command']}"
            raise UsageError(f"{what}: only runs of noether verify can be compared")
    return difference(a, b)


def difference(a: Run, b: Run) -> Difference:
    """What changed from the first run to the second."""
    before, now = of_run(a.about, a.records), of_run(b.about, b.records)
    marked = compare(before, now)
    marked.differs = differing(a, b)
    whole = all(r.about.get("end") is not None for r in (a, b))
    d = Difference(a, b, law_changes(a, b), marked, (before, now), whole and before.choice == now.choice)
    places = [places_of(r.records) for r in (a, b)]
    bad = [{p for p, verdicts in found.items() if VIOLATED in verdicts} for found in places]
    d.violated = sorted(bad[1] - bad[0])
    d.mended = sorted((bad[0] & set(places[1])) - bad[1])
    faults = [seen(r.records) for r in (a, b)]
    d.surviving = sorted(f for f, killed in faults[1].items() if not killed and faults[0].get(f, True))
    d.seen_again = sorted(f for f, killed in faults[1].items() if killed and faults[0].get(f) is False)
    d.planted_no_more = sorted(set(faults[0]) - set(faults[1]))
    d.planted_now = sorted(set(faults[1]) - set(faults[0]))
    d.worse = reasons(d)
    return d


def reasons(d: Difference) -> list[str]:
    """Why the second run is worse, one line a kind."""
    fell = [c.law for c in d.laws if c.worse]
    gone = [c.law for c in d.laws if c.now is None]
    kinds = [("laws that hold no more", fell), ("places now violated", d.violated)]
    kinds += [("marked rises", list(d.marked.rises)), ("planted faults seen no more", d.surviving)]
    if d.same:
        kinds += [("laws that are gone", gone), ("places lost", list(d.marked.lost))]
        kinds += [("faults planted no more", d.planted_no_more)]
    few = lambda names: "; ".join(names[:3]) + ("; ..." if len(names) > 3 else "")
    return [f"{words}: {len(names)} ({few(names)})" for words, names in kinds if names]


def differing(a: Run, b: Run) -> list[str]:
    """Everything that may explain a change but is none itself, one line each."""
    schemas = [r.about["schema"] for r in (a, b)]
    out = [f"schema of the records was {schemas[0]}, is {schemas[1]}"] if schemas[0] != schemas[1] else []
    for what, part in (("arguments", "arguments"), ("version of", "versions"), ("machine", "machine")):
        x, y = a.about[part], b.about[part]
        names = sorted({*x, *y}, key=lambda n: (n not in CHOICE, n))
        out += [f"{what} {n} was {x.get(n)!r}, is {y.get(n)!r}" for n in names if x.get(n) != y.get(n)]
    for name in ("backend", "strict"):
        was, now = (r.about.get(name) for r in (a, b))
        out += [f"{name} was {was!r}, is {now!r}"] if was != now else []
    return out + [f"{r.path} is unfinished" for r in (a, b) if r.about.get("end") is None]


def law_changes(a: Run, b: Run) -> list[LawChange]:
    """The laws of both runs, in the order of the second; laws of the first alone come last."""
    rows = [{row.law: row for row in summarise(r.records, r.about["laws"])} for r in (a, b)]
    took = [seconds(r.records) for r in (a, b)]
    return [
        LawChange(law, rows[0].get(law), rows[1].get(law), (took[0].get(law, 0.0), took[1].get(law, 0.0)))
        for law in dict.fromkeys((*rows[1], *rows[0]))
    ]


def seconds(records: list[Record]) -> dict[str, float]:
    """How many seconds each law took."""
    out: dict[str, float] = {}
    for r in records:
        out[r.law] = out.get(r.law, 0.0) + (r.seconds if math.isfinite(r.seconds) else 0.0)
    return out


def places_of(records: list[Record]) -> dict[str, set[str]]:
    """The verdicts at each place, without planted faults and without what is outside."""
    out: dict[str, set[str]] = {}
    for r in records:
        if r.fault is None and r.verdict != OUTSIDE:
            out.setdefault(key(r), set()).add(r.verdict)
    return out


def seen(records: list[Record]) -> dict[str, bool]:
    """For each planted fault, whether any law killed it."""
    out: dict[str, bool] = {}
    for r in records:
        if r.fault:
            out[r.fault] = out.get(r.fault, False) or r.verdict == VIOLATED
    return out
