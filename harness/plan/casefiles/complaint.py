"""The one line that a user is told when their case file fails, with the line of the file.

What is, what it must be, where; our own names say nothing to whoever wrote a loss.
"""

from __future__ import annotations

import re
import traceback
from dataclasses import dataclass
from pathlib import Path

from noether.cases.case import Case, CaseError
from noether.cases.rule import Rule
from noether.plan.casefiles.kind import CASE, RULE, Kind
from noether.system import memorylimit
from noether.system.timelimit import TimeUp


@dataclass(frozen=True)
class Origin:
    """Where a case comes from: how a complaint begins, and the file whose lines it names."""

    label: str
    path: Path | None

    @classmethod
    def of_file(cls, path: Path, kind: Kind = CASE) -> Origin:
        """The origin of what a file declares."""
        return cls(kind.label(path), path.resolve())

    @classmethod
    def of_object(cls, found: Case | Rule) -> Origin:
        """The origin of a case or a rule that was handed over as an object."""
        kind, function = (CASE, "loss") if isinstance(found, Case) else (RULE, "update")
        code = getattr(getattr(found, function), "__code__", None)
        return cls(f"{kind.word} {found.name}", Path(code.co_filename) if code else None)

    def frames(self, error: BaseException) -> list[traceback.FrameSummary]:
        """The frames of an exception that are of the user's file, the last one called last."""
        every = traceback.extract_tb(error.__traceback__)
        return [f for f in every if self.path and Path(f.filename) == self.path]

    def line(self, error: BaseException) -> str:
        """The line of the user's file at which an exception was raised, in words; '' where there is none."""
        frames = self.frames(error)
        return f" at line {frames[-1].lineno}" if frames else ""


class UndeclaredParameter(IndexError):
    """Raised when a function of a case reads what the box does not declare."""


def told(error: BaseException, origin: Origin) -> str:
    """One line about an exception raised by a user's file, with the line of the file."""
    where = origin.line(error)
    if isinstance(error, SyntaxError):
        at = f", line {error.lineno}" if error.lineno else ""
        return f"is no valid python: {error.msg}{at}"
    if isinstance(error, UndeclaredParameter):
        return f"{first_line(error)}{where}"
    if isinstance(error, MemoryError):
        return f"{memorylimit.exceeded(error)}{where and ': it was' + where}"
    if isinstance(error, UnicodeDecodeError | OSError):
        return f"cannot be read{where}: {first_line(error)}{lost(error, origin)}"
    if isinstance(error, ValueError) and "inhomogeneous" in str(error):
        must = "entries of q must be combined by + - * / and python's sum alone"
        return f"makes a numpy array of parameters{where}: {must}"
    if isinstance(error, TimeUp):
        return f"{first_line(error)}{where and ': it was' + where}"
    if isinstance(error, ImportError) and module_of(error).split(".")[0] in MOVED:
        return f"cannot be imported{where}: {first_line(error)}{moved(error, origin)}"
    if type(error).__name__ in ("TraceError", "NoOperation"):
        return f"{first_line(error)}{where}"
    if isinstance(error, AttributeError) and (asked := ABSENT.search(str(error))):
        return f"asks for {asked[1]}{where}: {OF_A_RULE}"
    if isinstance(error, TypeError) and "does not support ufuncs" in str(error):
        return f"calls a function of numpy's{where}: a step must use + - * /, whole powers and xp alone"
    if isinstance(error, CaseError):
        return f"declares what cannot be{where}: {first_line(error)}"
    said = INSIDE.sub("a parameter", WITHIN.sub("", first_line(error)))
    return f"raises {type(error).__name__}{where}: {said}"


MOVED = ("cases", "kernels", "harness")
"""The top-level packages of version 0.1."""


def module_of(error: ImportError) -> str:
    """What could not be imported, as the file calls it: modules beside it have longer names here."""
    return re.sub(r"^noether_case_[0-9a-f]+\.", "", error.name or "")


def moved(error: ImportError, origin: Origin) -> str:
    """The hint for an import of a module that version 0.1 had under another name: where it is now."""
    said = [f.line or "" for f in origin.frames(error)[-1:]]
    top, _, rest = module_of(error).partition(".")
    written = re.search(rf"\b(?:from|import)\s+({top}[\w.]*)", said[0]) if said else None
    rest = written.group(1).partition(".")[2] if written else rest
    now = ".".join(x for x in ("noether", top, rest) if x) if top == "cases" else "noether"
    return f"; what noether 0.1 had as {top} is within noether now: from {now} import ..."


def lost(error: BaseException, origin: Origin) -> str:
    """The hint for a data file that lies beside the case file and not where the command was called."""
    name = Path(str(getattr(error, "filename", None) or first_line(error).split(" not found")[0])).name
    beside = bool(origin.path and name) and (origin.path.parent / name).exists()
    if not isinstance(error, FileNotFoundError) or not beside:
        return ""
    named = f"must be named as Path(__file__).parent / {name!r}"
    return f"; it lies beside the case file, and {named} to be found from anywhere"


# Our own names say nothing to whoever wrote a loss: what modules of a case file are called, and numbers.
WITHIN = re.compile(r"\bnoether_case_[0-9a-f]{16}\.?")
INSIDE = re.compile(r"'?\b(Node|Dual|Exact|Number|Lanes|Step)\b'?( object)?")
ABSENT = re.compile(r"'types.SimpleNamespace' object has no attribute '(\w+)'")  # what p and xp of a rule are
OF_A_RULE = (
    "p has eta, beta, k, G where there is a metric, and what extra and known name; xp has sqrt, exp, log, "
    "step, sign, absolute, maximum, store and store_buffer"
)


def first_line(error: BaseException) -> str:
    """The first line of what an exception says; "no message" where it says nothing."""
    return (str(error).strip() or "no message").splitlines()[0]
