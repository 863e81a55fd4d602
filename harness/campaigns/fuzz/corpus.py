"""The corpus: violations as plain JSON, replayed before anything new is tried.

    {"schema": 1, "case", "rule", "precision", "backend", "law", "symmetry", "plant", "file", "files",
     "minimal": example, "worst": example, "versions": {...}, "origin": {...}, "check": of all that stands
     before it}

    files     name -> sha256 of the case file and of what it reads, where there is one
    example   {"lanes", "steps", "start": [[hex, ...] one list a lane], "kick": likewise, "eta": [hex ...],
              "beta", "k", "eps",
               "found": {"lane", "step", "component", "spent", "measured", "predicted", "bound", "reason"}}

One start and more lanes means copies of it. Numbers are hex floats: exact, and the same on every machine. A
file that is written or changed by hand has no check (harness/system/seal.py): without one it is taken as it
stands.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from noether.campaigns.fuzz.example import PARAMETERS, Example, Subject, admit
from noether.campaigns.fuzz.minimise import fails
from noether.campaigns.fuzz.probe import Probe, fault
from noether.cases.rules import RULES
from noether.kernels.loops import launch
from noether.kernels.programs.precision import parse, representable
from noether.laws.exact import EXACT
from noether.laws.exact.cell import rules_of
from noether.plan.casefiles import load
from noether.plan.choices import case_named
from noether.runs.records_file import plain
from noether.system import fields, seal
from noether.system.fields import HEX, NAME, OBJECT, Kind, check, is_whole, list_of, whole
from noether.system.files import write_whole
from noether.system.machine import versions
from noether.system.strict_reading import first_line, kind_of, read_json
from noether.system.usage import UsageError, unknown

SCHEMA = 1
CORPUS = Path("corpus")
TEXT = ("case", "rule", "precision", "backend", "law")


@dataclass(frozen=True)
class Entry:
    """One file of the corpus."""

    subject: Subject
    minimal: Example
    worst: Example
    versions: dict = field(default_factory=dict)
    origin: dict = field(default_factory=dict)
    path: Path | None = None


@dataclass(frozen=True)
class Replayed:
    """What an entry does today. again: the example ("minimal", "worst") that is violated; '' where both
    hold."""

    entry: Entry
    backend: str
    again: str
    spent: float | None

    @property
    def line(self) -> str:
        """What an entry does today, in a line."""
        name, was = self.entry.path, self.entry.subject
        where = was.place if self.backend == was.backend else f"{was.place}, now on {self.backend}"
        if self.again:
            return f"{name}: violated again: {where}, {self.again} example, {self.spent:.3g} bounds"
        return f"{name}: fixed: {where} holds, kept as a regression"


def write(folder: Path, entry: Entry) -> Path:
    """Write a violation as a new file of the corpus, named by law and place. Raises OSError."""
    subject, text = entry.subject, seal.sealed(text_of(entry), indent=" ")
    mark = hashlib.sha256(text.encode()).hexdigest()[:8]
    precision = subject.precision.replace("/", "-")
    name = "-".join((subject.law, subject.case, subject.rule, precision, mark)) + ".json"
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / name, text)
    return folder / name


def text_of(entry: Entry) -> str:
    """The text of a corpus file, without its check."""
    subject = entry.subject
    files = load.files([subject.file]) if subject.file in load.READ else {}
    value = {"schema": SCHEMA, **asdict(subject), "files": files}
    value |= {"minimal": entry.minimal.as_dict(), "worst": entry.worst.as_dict()}
    value |= {"versions": entry.versions or versions(), "origin": entry.origin}
    return json.dumps(plain(value), allow_nan=False, indent=1)


def read(path: Path, *, trust: bool = False) -> Entry:
    """Read a corpus file. Raises UsageError saying what is wrong with it, or which case file may not be run
    without `trust`."""
    value, raw = read_json(path, f"corpus file {path}")
    try:
        if seal.verified(raw) is None and isinstance(value, dict) and seal.FIELD in value:
            raise ValueError("check must be its last field")
    except ValueError as error:
        cure = 'take the line "check" out where it was changed on purpose'
        raise UsageError(f"corpus file {path} is corrupt: {error}; {cure}") from None
    try:
        return parsed(value, path, trust)
    except UsageError as error:
        raise UsageError(f"corpus file {path}: {error}") from None
    except ValueError as error:
        raise UsageError(f"corpus file {path} is corrupt: {first_line(error)}") from None


# Lanes and steps.
MOST = 2**21
HEXES = list_of(HEX)
FIELDS = {
    **{"schema": Kind(str(SCHEMA), lambda x: is_whole(x, SCHEMA, SCHEMA)), **dict.fromkeys(TEXT, NAME)},
    **{"symmetry": NAME.or_null, "plant": NAME.optional, "file": fields.TEXT.optional},
    **{"files": fields.object_of(fields.TEXT).optional, "minimal": OBJECT, "worst": OBJECT},
    **{"versions": OBJECT.optional, "origin": OBJECT.optional},
}
"""The fields of a corpus file, but for its check."""
EXAMPLE = {
    **{"lanes": whole(1, MOST), "steps": whole(1, MOST), "start": list_of(HEXES), "kick": list_of(HEXES)},
    **{**dict.fromkeys(PARAMETERS, HEXES), "kappa": HEXES.optional, "found": OBJECT.optional},
}
"""The fields of the examples in it."""


def parsed(value, path: Path, trust: bool) -> Entry:
    """The entry that the text of a corpus file holds. Raises UsageError, ValueError."""
    check(value, FIELDS)
    subject = Subject(
        *(value[n] for n in TEXT), value["symmetry"], value.get("plant", ""), value.get("file", "")
    )
    for name, word, known in (
        ("rule", subject.rule, RULES),
        ("law", subject.law, EXACT),
        ("backend", subject.backend, launch.BACKENDS),
    ):
        if word not in known:
            raise unknown(name, word, known)
    parse(subject.precision)
    if subject.plant:
        fault(subject.plant)
    admit(subject, value.get("files", {}), "it", trust)
    case = case_named(subject.case)
    if subject.rule not in rules_of(case):
        raise unknown(f"rule of case {case.name}", subject.rule, rules_of(case))
    if EXACT[subject.law].about_symmetry and subject.symmetry not in [s.name for s in case.symmetries]:
        raise unknown("symmetry", str(subject.symmetry), [s.name for s in case.symmetries])
    examples = [example(value[name], subject, case.dim, name) for name in ("minimal", "worst")]
    return Entry(subject, *examples, value.get("versions", {}), value.get("origin", {}), path)


def example(value: dict, subject: Subject, d: int, name: str) -> Example:
    """One example of a corpus file, checked. Raises ValueError."""
    check(value, EXAMPLE, f"{name}: ")
    lanes, steps = value["lanes"], value["steps"]
    if lanes * steps > MOST:
        raise ValueError(f"{name}: lanes x steps is {lanes * steps}, must be at most {MOST}")
    read_column = lambda column: [float.fromhex(x) for x in column]
    start, kick = ([read_column(c) for c in value[n]] for n in ("start", "kick"))
    rows = [read_column(value[n]) for n in RULES[subject.rule].parameters if n in value]
    columns = len(start)
    if (
        columns not in (1, lanes)
        or len(kick) != columns
        or {len(row) for row in rows} != {columns}
        or any(len(c) != d for c in (*start, *kick))
    ):
        raise ValueError(
            f"{name}: start, kick and parameters must be of 1 or {lanes} lanes of {d} numbers each"
        )
    if len(rows) != len(RULES[subject.rule].parameters):
        raise ValueError(
            f"{name}: rule {subject.rule} has the parameters {', '.join(RULES[subject.rule].parameters)}: "
            "each must be there"
        )
    q0, v0, params = np.array(start).T, np.array(kick).T, np.array(rows)
    p = parse(subject.precision)
    for word, x, kind in (("start", q0, p.q_store), ("kick", v0, p.v_store), ("parameters", params, p.arith)):
        with np.errstate(all="ignore"):
            if not np.isfinite(x).all() or not np.array_equal(representable(x, kind), x):
                raise ValueError(f"{name}: {word} has a number that {kind} does not have")
    return Example(q0, v0, params, steps, lanes, value.get("found", {}))


def entries(folder: Path, *, trust: bool = False) -> list[Entry]:
    """Every entry of a corpus folder, by name; none where there is no folder. Raises UsageError."""
    there = kind_of(folder, f"corpus {folder}")
    if there not in ("", "a folder"):
        raise UsageError(f"corpus {folder} is {there}, must be a folder")
    return [read(path, trust=trust) for path in sorted(folder.glob("*.json"))]


def replay(entry: Entry) -> Replayed:
    """Run both examples of an entry again, on the backend that found them where it is here, else in numpy."""
    subject = entry.subject
    backend = "numpy" if subject.plant or launch.missing(subject.backend) else subject.backend
    probe = Probe(backend, subject.plant)
    case_named(subject.case)
    for name, it in (("minimal", entry.minimal), ("worst", entry.worst)):
        again = fails(subject, it, probe)
        if again is not None:
            return Replayed(entry, backend, name, again.found["spent"])
    return Replayed(entry, backend, "", None)
