"""The baseline file: the worst spent of each law, case, rule and precision in a kept run.

    choice    what was run (profile, cases, laws, ...): a run of another choice has other entries and is
              refused
    run       seed, backend, processor, versions: a run that differs here is compared, and the difference is
              told
    entries   one a line: `LAW CASE RULE PRECISION [SYMMETRY] [| STATEMENT]`, worst spent of the verdicts that
              hold,
              how many hold, and for an order its slope and the uncertainty of it

    check     of all that stands before it (harness/system/seal.py), so that a flipped digit is found. Whoever
              edits the file by
              hand takes this line out, and the next --update-baseline writes it again.

What may become of an entry is decided in harness/runs/regression.py.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from decimal import ROUND_CEILING, Context
from pathlib import Path

from noether.runs.records_file import plain
from noether.system import seal
from noether.system.fields import FINITE, OBJECT, Kind, check, whole
from noether.system.files import write_whole
from noether.system.strict_reading import first_line, read_json, reason, shortened
from noether.system.usage import UsageError
from noether.verdicts.record import HOLDS, ORDER, Record

SCHEMA = 1
FILE = Path("baseline.json")
NUMBERS = ("eta", "beta", "decay", "eps", "steps", "lanes")
CHOICE = ("profile", "cases", "law", "rule", "precision", *NUMBERS, "files")
"""The arguments on which it depends which entries a run has."""
VERSIONS = ("python", "numpy", "scipy", "sympy", "mpmath", "torch", "triton")
DIGITS = 4


@dataclass(frozen=True)
class Entry:
    """What a baseline keeps of one law at one place.

    spent  the worst, rounded up to DIGITS digits, so that the same run never rises above its own baseline
    holds  how many verdicts hold
    slope  of an order, and its uncertainty `within`
    """

    spent: float
    holds: int
    slope: float | None = None
    within: float | None = None

    def as_dict(self) -> dict:
        """The entry as plain data, without what it does not have."""
        return {k: v for k, v in asdict(self).items() if v is not None}


@dataclass(frozen=True)
class Baseline:
    """The entries of a run, by key.

    others  key -> verdicts of a run that do not hold; a file keeps none
    """

    choice: dict
    run: dict
    entries: dict[str, Entry]
    others: dict[str, frozenset[str]] = field(default_factory=dict)


# ---- from a run to entries


def key(r: Record) -> str:
    """The place of a record: law, case, rule, precision, symmetry and statement in a line."""
    backend = r.backend if r.law == "B1" else ""  # the one law whose subject is the backend
    words = " ".join(x for x in (r.law, r.case, r.rule, r.precision, r.symmetry or "", backend) if x)
    return f"{words} | {r.parameters['statement']}" if r.parameters.get("statement") else words


def up(x: float) -> float:
    """The number x in DIGITS decimal digits, not below x."""
    return float(Context(prec=DIGITS, rounding=ROUND_CEILING).create_decimal(repr(float(x))))


def entries(records: list[Record]) -> dict[str, Entry]:
    """The entries of a baseline: of the verdicts that hold, in the order of their keys."""
    found: dict[str, list[Record]] = {}
    for r in records:
        if r.fault is None and r.verdict == HOLDS:
            found.setdefault(key(r), []).append(r)
    out = {}
    for name, mine in sorted(found.items()):
        worst = max(mine, key=lambda r: r.spent)
        order = (float(f"{worst.measured:.6g}"), up(worst.bound)) if worst.kind == ORDER else (None, None)
        out[name] = Entry(up(worst.spent), len(mine), *order)
    return out


def of_run(about: dict, records: list[Record]) -> Baseline:
    """The baseline of a run, of which `about` is run.json."""
    given = about["arguments"]
    run = {"seed": given["seed"], "backend": about.get("backend")}
    run |= {"processor": about.get("machine", {}).get("processor")}
    run |= {f"version of {v}": about["versions"].get(v) for v in VERSIONS}
    others: dict[str, set[str]] = {}
    for r in records:
        if r.fault is None and r.verdict != HOLDS:
            others.setdefault(key(r), set()).add(r.verdict)
    choice = {name: plain(given.get(name)) for name in CHOICE}
    return Baseline(choice, run, entries(records), {k: frozenset(v) for k, v in others.items()})


# ---- the file


def text(b: Baseline) -> str:
    """The text of a baseline file: strict JSON, keys sorted, one a line."""

    def lines(mapping: dict) -> str:
        plainly = lambda v: json.dumps(v, allow_nan=False, sort_keys=True)
        each = (f"{json.dumps(k)}: {plainly(v)}" for k, v in sorted(mapping.items()))
        return "{\n" + ",\n".join(each) + "\n}"

    kept = {name: e.as_dict() for name, e in b.entries.items()}
    head = f'"schema": {SCHEMA},\n"choice": {lines(b.choice)},\n"run": {lines(b.run)}'
    return seal.sealed(f'{{\n{head},\n"entries": {lines(kept)}\n}}', indent="")


def write(path: Path, b: Baseline) -> None:
    """Write a baseline file. Raises UsageError where the disk refuses."""
    try:
        write_whole(path, text(b))
    except (OSError, ValueError) as error:
        raise UsageError(f"baseline {path} cannot be written: {reason(error)}") from None


def read(path: Path) -> Baseline:
    """Read a baseline file. Raises UsageError with one line: what is, what it must be."""
    missing = "is not there: noether verify --update-baseline writes it"
    return parsed(*read_json(path, f"baseline {path}", missing=missing), path)


def parsed(value, raw: str, path: Path | str) -> Baseline:
    """The baseline in a JSON value, of which `raw` is the text and `path` the file. Raises UsageError."""
    schema = value.get("schema") if isinstance(value, dict) else None
    if not isinstance(schema, int) or isinstance(schema, bool):
        raise UsageError(f"baseline {path} is no baseline of noether: it must be an object with a schema")
    if value["schema"] != SCHEMA:
        raise UsageError(
            f"baseline {path}: schema is {value['schema']}, this noether reads {SCHEMA}: use the version "
            "that wrote it"
        )
    try:
        own = seal.verified(raw)
    except ValueError as error:
        raise UsageError(
            f'baseline {path}: {error}: take the line "check" out where it was changed on purpose, and '
            "--update-baseline writes it again"
        ) from None
    if own is None and seal.FIELD in value:
        raise UsageError(f"baseline {path} is corrupt: check must be its last field")
    try:
        check(value, FIELDS)
        found = {name: entry(name, e) for name, e in value["entries"].items()}
    except ValueError as error:
        raise UsageError(f"baseline {path} is corrupt: {first_line(error)}") from None
    if not found:
        raise UsageError(f"baseline {path} has no entry: nothing would be compared")
    return Baseline(value["choice"], value["run"], found)


FIELDS = {"schema": whole(), "choice": OBJECT, "run": OBJECT, "entries": OBJECT}
ENTRY = {
    "spent": Kind("a number, spent in [0, 1]", lambda x: FINITE.fits(x) and 0 <= x <= 1),
    "holds": Kind("holds of 1 or more", whole(1).fits),
    "slope": FINITE.optional,
    "within": Kind("a finite number from 0", lambda x: FINITE.fits(x) and x >= 0, False),
}


def entry(name: str, value) -> Entry:
    """One entry of a baseline file, checked. Raises ValueError."""
    where = f"entry {shortened(repr(name))}: "
    check(value, ENTRY, where)
    strange = set(value) - set(ENTRY)
    if strange or len(name.split(" ")) < 4:
        raise ValueError(
            f"{where}it has {', '.join(sorted(strange)) or 'a key of too few words'}, must have "
            f"{', '.join(ENTRY)} under LAW CASE RULE PRECISION"
        )
    if ("slope" in value) != ("within" in value):
        raise ValueError(f"{where}it must have slope and within, both or none")
    return Entry(**value)


def same_choice(path: Path, before: Baseline, choice: dict) -> None:
    """Raise UsageError before anything runs when a run would have other entries than its baseline."""
    for name in CHOICE:
        was, now = before.choice.get(name), plain(choice.get(name))
        if was != now:
            raise UsageError(
                f"baseline {path} was made with {name} {was!r}, this run has {now!r}: they must be the same "
                "(--baseline OTHER.json keeps another)"
            )
