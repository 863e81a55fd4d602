"""A case of the user's own: path/to/case.py or path/to/case.py:NAME.

The file is executed, so it is trusted as any Python file that is run. Whatever is wrong with it is told in one
line. Its module gets a name made of its path, under which worker processes load it again: functions are
pickled by name.
"""

from __future__ import annotations

import hashlib
import importlib.util
import re
import sys
import traceback
from pathlib import Path

import numpy as np

from cases import CATALOG, Case
from cases.case import BREGMAN, DIAGONAL, CaseError, Metric, Symmetry
from harness.usage import UsageError, unknown

LOADED: dict[str, Case] = {}
"""Cases from files, by name: what `choices.case_named` finds beside the catalogue."""
NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def is_file_word(word: str) -> bool:
    """Whether a word of the command line means a file and not a name of the catalogue."""
    return "/" in word or "\\" in word or word.endswith(".py") or ".py:" in word


def split(word: str) -> tuple[Path, str]:
    path, mark, name = word.rpartition(":")
    return (Path(path), name) if mark and path.endswith(".py") else (Path(word), "")


def digest(word: str) -> str:
    """sha256 of the file: a resumed or replayed run must be of the same text."""
    return hashlib.sha256(split(word)[0].read_bytes()).hexdigest()


def load_module(path: Path):
    """Execute a case file. Raises UsageError, whatever the file does."""
    if not path.exists():
        raise UsageError(f"case file {path} does not exist")
    if path.is_dir():
        raise UsageError(f"case file {path} is a folder, must be a python file")
    if path.suffix != ".py":
        raise UsageError(f"case file {path} ends in {path.suffix or 'nothing'!r}, must be a .py file")
    name = "noether_case_" + hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:16]
    spec = importlib.util.spec_from_file_location(name, path.resolve())
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # also SystemExit: the file may do anything
        sys.modules.pop(name, None)
        raise UsageError(f"case file {path} {told(error, path)}") from None
    return module


def told(error: BaseException, path: Path) -> str:
    """One line about an exception raised by a user's file, with the line of the file."""
    if isinstance(error, SyntaxError):
        return f"is no valid python: {error.msg}, line {error.lineno}"
    if isinstance(error, UnicodeDecodeError | OSError):
        return f"cannot be read: {first_line(error)}"
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if Path(f.filename) == path.resolve()]
    where = f" at line {lines[-1]}" if lines else ""
    if isinstance(error, CaseError):
        return f"declares what cannot be{where}: {first_line(error)}"
    return f"raises {type(error).__name__}{where}: {first_line(error)}"


def first_line(error: BaseException) -> str:
    return (str(error).strip() or "no message").splitlines()[0]


def load(word: str) -> Case:
    """The one case that `word` means, not yet tried out."""
    path, wanted = split(word)
    module = load_module(path)
    every = {key: value for key, value in vars(module).items() if isinstance(value, Case)}
    catalogued = {id(c) for c in CATALOG}
    own = {key: value for key, value in every.items() if id(value) not in catalogued} or every
    if not own:
        raise UsageError(f"case file {path} declares no Case: it must have NAME = Case(...) at top level")
    if wanted:
        by_name = {**{c.name: c for c in own.values()}, **own}
        if wanted not in by_name:
            raise unknown(f"case file {path}: name", wanted, own)
        case = by_name[wanted]
    elif len({id(c) for c in own.values()}) > 1:
        raise UsageError(f"case file {path} declares {len(own)} cases: say which one, as {path}:{next(iter(own))}; it has {', '.join(own)}")
    else:
        case = next(iter(own.values()))
    check_types(case, path)
    LOADED[case.name] = case
    return case


def check_types(case: Case, path: Path) -> None:
    """Raises UsageError where a field has a type that a Case cannot have."""

    def refuse(field, value, must):
        raise UsageError(f"case file {path}: {field} is {value!r}, must be {must}")

    if not isinstance(case.name, str) or not NAME.fullmatch(case.name):
        refuse("name", case.name, "lower-case words joined by hyphens")
    for field in ("title", "source"):
        if not isinstance(getattr(case, field), str):
            refuse(field, getattr(case, field), "a line of text")
    for field in ("loss", "breaking"):
        if not callable(getattr(case, field)):
            refuse(field, getattr(case, field), f"a function {field}(q, xp)")
    if not isinstance(case.metric, Metric):
        refuse("metric", case.metric, "a Metric(...)")
    if not isinstance(case.symmetries, tuple) or not all(isinstance(s, Symmetry) for s in case.symmetries):
        refuse("symmetries", case.symmetries, "a tuple of Symmetry")
    if not isinstance(case.box, tuple) or not all(isinstance(b, tuple) and len(b) == 2 for b in case.box):
        refuse("box", case.box, "a tuple of (low, high)")
    if isinstance(case.kick, bool) or not isinstance(case.kick, int | float) or not 0 < case.kick < float("inf"):
        refuse("kick", case.kick, "a finite number above 0")


def try_out(case: Case, path: Path) -> None:
    """Evaluate, trace and prove a case before any work; raises UsageError with what is wrong."""
    q = case.draw(np.random.default_rng(0), 4)
    functions = [("loss", lambda x: case.loss(x, np), None), ("breaking", lambda x: case.breaking(x, np), None)]
    if case.metric.kind == DIAGONAL:
        functions.append(("metric", lambda x: case.metric.entries(x, 0.5, np), case.dim))
    if case.metric.kind == BREGMAN:
        functions.append(("metric potential", lambda x: case.metric.potential(x, np), None))
    for name, function, length in functions:
        evaluate(name, function, length, q, case, path)
    from harness.symbolic import prove
    from harness.trace import gradient

    try:
        gradient(case)
    except Exception as error:
        raise UsageError(f"case {case.name} cannot be traced to a kernel: {told(error, path)}; use + - * /, whole powers and xp.exp, xp.log, xp.sqrt") from None
    try:
        prove(case)
    except CaseError as error:
        raise UsageError(f"case file {path}: {first_line(error)}") from None
    except Exception as error:
        raise UsageError(f"case {case.name}: its invariance cannot be decided: {told(error, path)}") from None


def evaluate(name: str, function, length: int | None, q: np.ndarray, case: Case, path: Path) -> None:
    """Run one function of a case on arrays (lanes) and on plain numbers; both must be finite and of one shape."""
    for point in (list(q), [float(x) for x in q[:, 0]]):
        at = f"at q = [{', '.join(f'{float(np.ravel(x)[0]):.4g}' for x in point)}]"
        try:
            with np.errstate(all="ignore"):
                value = function(point)
        except Exception as error:
            raise UsageError(f"case file {path}: {name} {told(error, path)}, {at}") from None
        if length is not None:
            if not isinstance(value, list | tuple) or len(value) != length:
                raise UsageError(f"case file {path}: {name} gives {describe(value)}, must be a list of {length} entries")
        for x in value if length is not None else [value]:
            try:
                numbers = np.asarray(x, dtype=float)
            except (TypeError, ValueError):
                raise UsageError(f"case file {path}: {name} gives {describe(x)}, must be a number") from None
            if numbers.shape not in ((), np.shape(point[0])):
                raise UsageError(f"case file {path}: {name} gives shape {numbers.shape}, must be {np.shape(point[0])}, {at}")
            if not np.isfinite(numbers).all():
                raise UsageError(f"case file {path}: {name} is {float(np.ravel(numbers)[0])} {at}: the box must lie inside its domain")


def describe(value) -> str:
    return f"{type(value).__name__} of length {len(value)}" if isinstance(value, list | tuple) else f"{type(value).__name__} {value!r}"[:60]
