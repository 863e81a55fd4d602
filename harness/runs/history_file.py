"""One run as a small file, made to be committed: what must be kept of it to see what changes over time.

    id, start, commit     which run it is, when it began, and the commit of the project
    choice, run           what was run and on what, as a baseline has them (harness/runs/baseline.py)
    laws                  of each law: verdict, how many verdicts hold, worst spent and where, power and its
                          coefficient, planted faults, seconds
    groups                of each law and group of precisions whose scatter is known
                          (harness/runs/seed_scatter.py): how many entries there are above 0, the mean of the
                          logarithms of their spent, the worst of them, and a digest of their names: two means
                          are compared where it is the same
    orders                of each law of orders the measured ones with their uncertainty, and a digest of
                          their names

and a check of all of it (harness/system/seal.py). What is compared, and how, is told in
harness/runs/trend_marks.py.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from noether.runs.baseline import Baseline
from noether.runs.baseline import of_run as baseline_of
from noether.runs.comparison import seconds as seconds_of_laws
from noether.runs.records_file import plain
from noether.runs.saved_run import Run
from noether.runs.seed_scatter import SCATTER, SILENT, group
from noether.system import seal
from noether.system.fields import FINITE, NAME, NUMBER, OBJECT, TEXT, Kind, check, list_of, object_of, whole
from noether.system.git import commit_before
from noether.system.strict_reading import first_line, loads, read_json
from noether.system.usage import UsageError
from noether.verdicts.power import of_law
from noether.verdicts.record import HOLDS, VERDICTS, summarise

SCHEMA = 1
DAY_FIRST = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ].*)?")
KIND = "noether history"


def moment(text: str) -> datetime:
    """The time that a text says, in UTC where it names no other zone. Raises ValueError."""
    if not DAY_FIRST.fullmatch(text):
        raise ValueError(f"{text!r} is no time: it must be as 2027-01-31T12:00:00+00:00")
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def is_time(x) -> bool:
    """Whether something is a text that says a time."""
    try:
        return isinstance(x, str) and moment(x) is not None
    except ValueError:
        return False


@dataclass(frozen=True)
class LawPoint:
    """One law in one run. power: of its weakest coefficient, whose name is `weakest`."""

    holds: int
    worst: float | None = None
    where: str = ""
    verdict: str | None = None
    power: float | None = None
    weakest: str | None = None
    faults: int | None = None
    killed: int | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class Group:
    """The entries of one law in one group of precisions whose spent is above 0.

    keys   a digest of their names;  mean  of log spent;  worst  the largest spent, at the entry `at`
    """

    entries: int
    keys: str
    mean: float
    worst: float
    at: str


@dataclass(frozen=True)
class Orders:
    """The measured orders of one law, in the order of their names, of which `keys` is a digest."""

    keys: str
    slopes: tuple[float, ...]
    within: tuple[float, ...]


@dataclass(frozen=True)
class Point:
    """One run. origin: where it was read from."""

    id: str
    start: str
    commit: str | None
    choice: dict
    run: dict
    laws: dict[str, LawPoint]
    groups: dict[str, Group] = field(default_factory=dict)
    orders: dict[str, Orders] = field(default_factory=dict)
    exit_code: int | None = None
    seconds: float | None = None
    cells: int | None = None
    cpus: int | None = None
    origin: str = ""

    @property
    def when(self) -> datetime:
        """When it began: runs are in the order of this, whatever the zones of their machines."""
        return moment(self.start)

    @property
    def name(self) -> str:
        """The run in a word: its day and its commit."""
        return f"{self.start[:10]} {(self.commit or '')[:8]}".strip()


# ---- a point from a run or a baseline


def digest(names) -> str:
    """What tells a set of entries from every other."""
    return hashlib.sha256("\n".join(names).encode()).hexdigest()[:8]


def sums(b: Baseline) -> tuple[dict[str, Group], dict[str, Orders]]:
    """The groups and the orders of the entries of a baseline."""
    groups: dict[str, dict[str, float]] = {}
    orders: dict[str, dict] = {}
    for name, e in sorted(b.entries.items()):
        if e.slope is not None:
            orders.setdefault(name.split(" ")[0], {})[name] = e
        elif e.spent > SILENT and group(name) in SCATTER:
            groups.setdefault(" ".join(group(name)), {})[name] = e.spent
    made = {}
    for name, mine in groups.items():
        mean, at = sum(map(math.log, mine.values())) / len(mine), max(mine, key=mine.get)
        made[name] = Group(len(mine), digest(mine), round(mean, 6), mine[at], at)
    few = lambda xs, digits: tuple(float(f"{x:.{digits}g}") for x in xs)
    slopes = lambda mine: (few((e.slope for e in mine), 5), few((e.within for e in mine), 3))
    return made, {law: Orders(digest(mine), *slopes(mine.values())) for law, mine in orders.items()}


def of_run(run: Run) -> Point:
    """The point of a run folder that was read."""
    b, about = baseline_of(run.about, run.records), run.about
    took, laws = seconds_of_laws(run.records), {}
    for row in summarise(run.records, about["laws"]):
        weakest = of_law(run.records, row.law).weakest or (None, None)
        worst = row.worst_spent if row.worst_spent is None else float(f"{row.worst_spent:.4g}")
        power = weakest[1] if weakest[1] is None else float(f"{weakest[1]:.3g}")
        told = dict(
            verdict=row.verdict, power=power, weakest=weakest[0], faults=row.faults, killed=row.killed
        )
        told |= dict(where=row.worst_where, seconds=round(took.get(row.law, 0.0), 3))
        laws[row.law] = LawPoint(row.counts[HOLDS], worst, **told)
    start = about.get("start") or ""
    if not is_time(start):
        raise UsageError(f"{run.path}/run.json: start is {start!r}, must be {TIME.must}")
    commit = about["versions"].get("commit") or (start and commit_before(Path(about.get("cwd", ".")), start))
    ends = dict(exit_code=about.get("exit_code"), seconds=about.get("seconds"), cells=about.get("cells"))
    ends |= dict(cpus=about["machine"].get("cpus"), origin=str(run.path))
    return Point(about.get("id", ""), start, commit or None, b.choice, b.run, laws, *sums(b), **ends)


def of_baseline(b: Baseline, commit: str, time: str) -> Point:
    """The point of one version of a baseline file, which has entries alone."""
    mine: dict[str, list] = {}
    for name, e in b.entries.items():
        mine.setdefault(name.split(" ")[0], []).append((e.spent, name, e.holds))
    laws = {
        law: LawPoint(sum(n for *_, n in found), max(found)[0], max(found)[1].removeprefix(f"{law} "))
        for law, found in mine.items()
    }
    return Point(commit, time, commit, b.choice, b.run, laws, *sums(b), origin=commit[:12])


# ---- the file


def text(p: Point) -> str:
    """The text of a history file: one law, one group a line, so that a change can be read."""
    each = lambda found: {k: short(asdict(v)) for k, v in found.items()}
    kept = {k: v for k, v in asdict(p).items() if k not in ("origin", "laws", "groups", "orders")}
    parts = [f'"kind": "{KIND}",\n"schema": {SCHEMA}']
    parts += [f"{json.dumps(k)}: {written(v)}" for k, v in kept.items()]
    for name, found in (("laws", each(p.laws)), ("groups", each(p.groups)), ("orders", each(p.orders))):
        lines = ",\n".join(f"{json.dumps(k)}: {written(v)}" for k, v in found.items())
        parts.append(f'"{name}": {{\n{lines}\n}}')
    return seal.sealed("{\n" + ",\n".join(parts) + "\n}", indent="")


def written(value) -> str:
    """Strict JSON on one line."""
    return json.dumps(plain(value), allow_nan=False, separators=(",", ":"))


def short(value: dict) -> dict:
    """An object without what it does not have."""
    return {k: v for k, v in value.items() if v is not None}


TIME = Kind("a time, as in 2027-01-31T12:00:00+00:00", is_time)
COUNT, REAL = whole().or_null.optional, FINITE.or_null.optional
FIELDS = {"schema": whole(), "id": NAME, "start": TIME, "commit": NAME.or_null, "choice": OBJECT}
FIELDS |= {"run": OBJECT, "laws": object_of(OBJECT), "groups": object_of(OBJECT)}
FIELDS |= {"orders": object_of(OBJECT), "exit_code": COUNT, "seconds": REAL, "cells": COUNT, "cpus": COUNT}
OF_LAW = {"holds": whole(), "worst": NUMBER.optional, "where": TEXT.optional, "weakest": TEXT.optional}
OF_LAW |= {"verdict": NAME.optional, "power": NUMBER.optional, "faults": whole().optional}
OF_LAW |= {"killed": whole().optional, "seconds": FINITE.optional}
OF_GROUP = {"entries": whole(1), "keys": NAME, "mean": FINITE, "worst": FINITE, "at": NAME}
OF_ORDERS = {"keys": NAME, "slopes": list_of(FINITE), "within": list_of(FINITE)}


def is_one(value) -> bool:
    """Whether the value of a JSON file calls itself a history file."""
    return isinstance(value, dict) and value.get("kind") == KIND


def parsed(value, raw: str, where: str) -> Point:
    """The point in a JSON value, of which `raw` is the text. Raises UsageError."""
    if not is_one(value):
        raise UsageError(f'{where} is no history file: its kind must be "{KIND}"')
    if value.get("schema") != SCHEMA:
        raise UsageError(f"{where}: schema is {value.get('schema')!r}, this noether reads {SCHEMA}")
    try:
        if seal.verified(raw) is None:
            raise ValueError("it has no check")
        check(value, FIELDS)
        laws = {k: LawPoint(**fields(v, OF_LAW, k)) for k, v in value["laws"].items()}
        if strange := {p.verdict for p in laws.values()} - {*VERDICTS, None}:
            raise ValueError(f"a verdict is {sorted(strange)[0]!r}, must be one of {', '.join(VERDICTS)}")
        groups = {k: Group(**fields(v, OF_GROUP, k)) for k, v in value["groups"].items()}
        orders = {k: Orders(**fields(v, OF_ORDERS, k)) for k, v in value["orders"].items()}
        if odd := [k for k, o in orders.items() if len(o.slopes) != len(o.within)]:
            raise ValueError(f"{odd[0]}: slopes and within must have one number an order each")
    except ValueError as error:
        raise UsageError(f"{where} is corrupt: {first_line(error)}") from None
    kept = {k: value.get(k) for k in ("exit_code", "seconds", "cells", "cpus")}
    head = (value["id"], value["start"], value["commit"], value["choice"], value["run"])
    return Point(*head, laws, groups, orders, **kept, origin=where)


def fields(value: dict, table: dict, where: str) -> dict:
    """The fields of one object, checked; numbers that are not finite are made of their words."""
    check(value, table, f"{where}: ")
    if strange := set(value) - set(table):
        raise ValueError(
            f"{where}: it has {', '.join(sorted(strange))}, must have none but {', '.join(table)}"
        )
    number = lambda k, x: float(x) if isinstance(x, str) and k in ("worst", "power") else x
    return {k: tuple(x) if isinstance(x, list) else number(k, x) for k, x in value.items()}


def read(path: Path) -> Point:
    """Read a history file. Raises UsageError."""
    return parsed(*read_json(path, str(path)), str(path))


def of_text(raw: str, where: str) -> Point:
    """The point of a text of a history file. Raises UsageError."""
    try:
        value = loads(raw)
    except ValueError as error:
        raise UsageError(f"{where} is corrupt: {first_line(error)}") from None
    return parsed(value, raw, where)
