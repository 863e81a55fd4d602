"""The corpus: violations as plain JSON, replayed before anything new is tried.

    {"schema": 1, "case", "rule", "precision", "backend", "law", "symmetry", "plant", "file",
     "minimal": example, "worst": example, "versions": {...}, "origin": {...}}

    example   {"lanes", "steps", "start": [[hex, ...] one list a lane], "kick": likewise, "eta": [hex ...], "beta", "k", "eps",
               "found": {"lane", "step", "component", "spent", "measured", "predicted", "bound", "reason"}}

One start and more lanes means copies of it. Numbers are hex floats: exact, and the same on every machine.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from noether.choices import case_named
from noether.fuzz.example import PARAMETERS, Example, Subject, source
from noether.fuzz.minimise import fails
from noether.fuzz.probe import Probe
from noether.kernels import launch
from noether.kernels.precision import parse, representable
from noether.kernels.rules import RULES
from noether.laws import EXACT
from noether.machine import versions
from noether.records import plain, strict, write_whole
from noether.usage import UsageError, unknown

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
    """What an entry does today. again: the example ("minimal", "worst") that is violated; '' where both hold."""

    entry: Entry
    backend: str
    again: str
    spent: float | None

    @property
    def line(self) -> str:
        name, was = self.entry.path, self.entry.subject
        where = was.place if self.backend == was.backend else f"{was.place}, now on {self.backend}"
        if self.again:
            return f"{name}: violated again: {where}, {self.again} example, {self.spent:.3g} bounds"
        return f"{name}: fixed: {where} holds, kept as a regression"


def write(folder: Path, entry: Entry) -> Path:
    """A new file whose name tells the law and the place. Raises OSError."""
    subject = entry.subject
    value = plain({"schema": SCHEMA, **asdict(subject), "minimal": entry.minimal.as_dict(), "worst": entry.worst.as_dict(),
                   "versions": entry.versions or versions(), "origin": entry.origin})  # fmt: skip
    text = json.dumps(value, allow_nan=False, indent=1) + "\n"
    mark = hashlib.sha256(text.encode()).hexdigest()[:8]
    name = "-".join((subject.law, subject.case, subject.rule, subject.precision.replace("/", "-"), mark)) + ".json"
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / name, text)
    return folder / name


def read(path: Path) -> Entry:
    """Raises UsageError saying what is wrong with the file."""
    try:
        value = strict(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(f"corpus file {path} does not exist") from None
    except OSError as error:
        raise UsageError(f"corpus file {path} cannot be read: {error.strerror}") from None
    except ValueError as error:  # also UnicodeDecodeError
        raise UsageError(f"corpus file {path} is corrupt: {str(error).splitlines()[0]}") from None
    try:
        return parsed(value, path)
    except UsageError as error:
        raise UsageError(f"corpus file {path}: {error}") from None
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        what = f"has no {error}" if isinstance(error, KeyError) else str(error).splitlines()[0]
        raise UsageError(f"corpus file {path} is corrupt: {what}") from None


def parsed(value, path: Path) -> Entry:
    """Raises UsageError, KeyError, TypeError, ValueError."""
    if not isinstance(value, dict):
        raise ValueError(f"is a {type(value).__name__}, must be an object")
    schema = value["schema"]
    if not isinstance(schema, int) or isinstance(schema, bool) or schema != SCHEMA:
        raise ValueError(f"schema is {schema!r}, must be {SCHEMA}")
    for name in TEXT:
        if not isinstance(value[name], str):
            raise ValueError(f"{name} is {value[name]!r}, must be text")
    for name in ("plant", "file"):
        if not isinstance(value.get(name, ""), str):
            raise ValueError(f"{name} is {value[name]!r}, must be text")
    subject = Subject(*(value[n] for n in TEXT), value["symmetry"], value.get("plant", ""), value.get("file", ""))
    for name, word, known in (("rule", subject.rule, RULES), ("law", subject.law, EXACT), ("backend", subject.backend, launch.BACKENDS)):
        if word not in known:
            raise unknown(name, word, known)
    parse(subject.precision)
    source(subject)
    case = case_named(subject.case)
    if EXACT[subject.law].about_symmetry and subject.symmetry not in [s.name for s in case.symmetries]:
        raise unknown("symmetry", str(subject.symmetry), [s.name for s in case.symmetries])
    examples = [example(value[name], subject, case.dim, name) for name in ("minimal", "worst")]
    about = [value.get(name, {}) for name in ("versions", "origin")]
    if not all(isinstance(x, dict) for x in about):
        raise ValueError("versions and origin must be objects")
    return Entry(subject, *examples, *about, path)


def example(value: dict, subject: Subject, d: int, name: str) -> Example:
    lanes, steps = value["lanes"], value["steps"]
    for word, x in (("lanes", lanes), ("steps", steps)):
        if isinstance(x, bool) or not isinstance(x, int) or not 1 <= x <= 2**21:
            raise ValueError(f"{name}: {word} is {x!r}, must be a whole number from 1 to {2**21}")
    read_column = lambda column: [float.fromhex(x) for x in column]  # noqa: E731
    start, kick = ([read_column(c) for c in value[n]] for n in ("start", "kick"))
    params = np.array([read_column(value[n]) for n in (*PARAMETERS, *(("kappa",) if "kappa" in value else ()))])
    columns = len(start)
    if columns not in (1, lanes) or len(kick) != columns or params.shape != (4, columns) or any(len(c) != d for c in (*start, *kick)):
        raise ValueError(f"{name}: start, kick and parameters must be of 1 or {lanes} lanes of {d} numbers each")
    q0, v0 = np.array(start).T, np.array(kick).T
    p = parse(subject.precision)
    for word, x, kind in (("start", q0, p.q_store), ("kick", v0, p.v_store), ("parameters", params, p.arith)):
        with np.errstate(all="ignore"):
            if not np.isfinite(x).all() or not np.array_equal(representable(x, kind), x):
                raise ValueError(f"{name}: {word} has a number that {kind} does not have")
    found = value.get("found", {})
    if not isinstance(found, dict):
        raise ValueError(f"{name}: found is {found!r}, must be an object")
    return Example(q0, v0, params, steps, lanes, found)


def entries(folder: Path) -> list[Entry]:
    """Every entry of a corpus folder, by name; none where there is no folder. Raises UsageError."""
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"corpus {folder} is a file, must be a folder")
    return [read(path) for path in sorted(folder.glob("*.json"))]


def replay(entry: Entry) -> Replayed:
    """Both examples again, on the backend that found them where it is here, else in numpy."""
    subject = entry.subject
    backend = "numpy" if subject.plant or launch.missing(subject.backend) else subject.backend
    probe = Probe(backend, subject.plant)
    case_named(subject.case)
    for name, it in (("minimal", entry.minimal), ("worst", entry.worst)):
        again = fails(subject, it, probe)
        if again is not None:
            return Replayed(entry, backend, name, again.found["spent"])
    return Replayed(entry, backend, "", None)
