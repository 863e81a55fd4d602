"""Loading a case or a learning rule of the user's own, named as path/to/file.py or path/to/file.py:NAME.

The file is executed, so it is trusted as any Python file that is run; trial_process.py tries it out first,
in a process that may hang or crash. It is read once: what is digested is what runs, here and in workers, to
which its text travels (source.py, package.py). What it does to the process is taken back (processstate.py).
"""

from __future__ import annotations

import contextlib
import os
import sys
import types
from collections.abc import Iterable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

from noether.cases import Case
from noether.cases.rule import Rule
from noether.plan.casefiles import reads
from noether.plan.casefiles.complaint import Origin, told
from noether.plan.casefiles.kind import CASE, KINDS, RULE, Kind
from noether.plan.casefiles.package import HOMES, Home, ready
from noether.plan.casefiles.source import Refused, Source, file_digest, read, split
from noether.plan.casefiles.trial import check_types
from noether.system import processstate
from noether.system.timelimit import allowed, limited
from noether.system.usage import UsageError, unknown

LOADED: dict[str, Case] = CASE.loaded
"""Cases from files, by name: what `choices.case_named` finds beside the catalogue."""
READ: dict[str, Home] = {}
"""What was read for a word, by word."""
_expected: ContextVar[Mapping[str, str] | None] = ContextVar("expected", default=None)


@dataclass(frozen=True)
class Report:
    """What trying out a case file has found.

    text     of the file, as it was read before the trial
    files    absolute path -> sha256 of everything that was read; None in the trial itself
    modules  (name, path) of the modules beside it that were imported, also by a loss
    """

    text: bytes
    files: dict[str, str] | None = None
    modules: tuple[str, ...] = ()


def is_file_word(word: str) -> bool:
    """Whether a word of the command line means a file and not a name of the catalogue."""
    return "/" in word or "\\" in word or word.endswith(".py") or ".py:" in word


def digest(word: str, kind: Kind = CASE) -> str:
    """sha256 of the file as it lies there now. Raises UsageError."""
    path = split(word)[0]
    try:
        return file_digest(path)
    except OSError as error:
        raise UsageError(f"{kind.label(path)} cannot be read: {error.strerror or error}") from None


def check_path(path: Path, kind: Kind = CASE) -> None:
    """Refuse a path where there is no file to execute. Raises UsageError."""
    label = kind.label(path)
    try:
        there, folder = path.exists(), path.is_dir()
    except (OSError, ValueError) as error:  # too long a name, a zero byte
        why = getattr(error, "strerror", None) or error
        raise UsageError(f"{kind.label(repr(str(path)[:60]))} cannot be read: {why}") from None
    if not there:
        raise UsageError(f"{label} does not exist")
    if folder:
        raise UsageError(f"{label} is a folder, must be a python file")
    if path.suffix != ".py":
        raise UsageError(f"{label} ends in {path.suffix or 'nothing'!r}, must be a .py file")


def text_of(path: Path, kind: Kind = CASE) -> bytes:
    """The bytes of a file of the user's own. Raises UsageError."""
    check_path(path, kind)
    try:
        return read(path)
    except OSError as error:
        raise UsageError(f"{kind.label(path)} cannot be read: {error.strerror or error}") from None


@contextlib.contextmanager
def expecting(files: Mapping[str, str] | None) -> Iterator[None]:
    """A context in which case files and all that they read must be these, by absolute path, or are not
    run."""
    before = _expected.set(files)
    try:
        yield
    finally:
        _expected.reset(before)


def expected() -> Mapping[str, str] | None:
    """What `expecting` allows: absolute path -> sha256; None outside of it."""
    return _expected.get()


def load_module(path: Path, report: Report | None = None, kind: Kind = CASE):
    """Execute a file of the user's own, within its time. Raises UsageError, whatever the file does."""
    text = report.text if report is not None else text_of(path, kind)
    files = expected() if report is None or report.files is None else report.files
    return executed(Home(path.resolve(), text, label=kind.label(path), expected=files), report)


@contextlib.contextmanager
def to_stderr() -> Iterator[None]:
    """A context in which whatever is printed goes to stderr, also by a child process or a library in C.

    Both numbers are put back, whatever is done to them.
    """
    try:
        sys.stdout.flush()
        kept = [(fd, os.dup(fd)) for fd in (1, 2)]
    except (OSError, ValueError, AttributeError):  # one of them is closed
        kept = []
    try:
        if kept:
            os.dup2(2, 1)
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        for fd, copy in kept:
            os.dup2(copy, fd)
            os.close(copy)


def executed(home: Home, report: Report | None = None):
    """The module of a case file, executed; what it prints goes to stderr."""
    origin = Origin(home.label, home.path)
    ready()
    try:
        with processstate.kept(deep=True), limited(allowed()), to_stderr():
            module = home.run()
            for name in report.modules if report is not None else ():
                __import__(f"{home.name}.{name}")  # by a loss alone, which has not run here yet
    except KeyboardInterrupt:
        raise
    except Refused:
        raise
    except BaseException as error:  # also SystemExit: the file may do anything
        home.forget()
        raise UsageError(f"{origin.label} {told(error, origin)}") from None
    if home.refusals:
        home.forget()
        raise Refused(home.refusals[0])
    if report is not None and report.files is not None:
        home.data |= {p: d for p, d in report.files.items() if p not in home.files()}
    return module


def load(word: str, report: Report | None = None, kind: Kind = CASE) -> Case | Rule:
    """The one that `word` means, not yet tried out, or as a trial has found it. Raises UsageError."""
    path, wanted = split(word)
    return declared(module_of(word, path, report, kind), path, wanted, kind)


def module_of(word: str, path: Path, report: Report | None = None, kind: Kind = CASE):
    """The module of the file that `word` means, executed once for all that is taken of it. Raises
    UsageError."""
    module = already(word, path, report, kind) or load_module(path, report, kind)
    READ[word] = vars(module)[reads.MARK]
    READ[word].served.add((word, kind.word))
    return module


def already(word: str, path: Path, report: Report | None, kind: Kind):
    """The module of a file of which something else was taken before."""
    for other, home in READ.items():
        alike = home.path == path.resolve() and HOMES.get(home.name) is home
        again = (word, kind.word) in home.served
        if alike and not again and report is not None and home.source(other).files == report.files:
            return sys.modules.get(home.name)
    return None


def declared(module, path: Path, wanted: str, kind: Kind = CASE) -> Case | Rule:
    """The one of a kind that is meant among those that a module declares. Raises UsageError."""
    every = {key: value for key, value in vars(module).items() if isinstance(value, kind.type)}
    catalogued, label = {id(x) for x in kind.known}, kind.label(path)
    own = {key: value for key, value in every.items() if id(value) not in catalogued} or every
    if not own:
        raise UsageError(f"{kind.none(path)}: it must have {kind.must}")
    if wanted:
        by_name = {**{x.name: x for x in own.values()}, **own}
        if wanted not in by_name:
            raise unknown(f"{label}: name", wanted, own)
        found = by_name[wanted]
    elif len({id(x) for x in own.values()}) > 1:
        names = f"say which one, as {path}:{next(iter(own))}; it has {', '.join(own)}"
        raise UsageError(f"{label} declares {len(own)} {kind.word}s: {names}")
    else:
        found = next(iter(own.values()))
    check_types(found, Origin.of_file(path, kind))
    kind.loaded[found.name] = found
    return found


def named(word: str, kind: Kind = CASE) -> str:
    """The name of what a word means, which has been loaded."""
    home = READ[word]
    return declared(sys.modules[home.name], home.path, split(word)[1], kind).name


def sources(words: Iterable[str]) -> tuple[Source, ...]:
    """The texts of these case files as they were loaded, as plain data that can be sent to workers."""
    return tuple(READ[word].source(word) for word in words)


def own(words: Iterable[str], rules: Iterable[str]) -> dict[tuple[str, str], Source]:
    """What has a text of its own among the cases and rules of these words: (kind, name) -> the text."""
    every = [(CASE, word) for word in words] + [(RULE, word) for word in rules]
    names = [(kind, word, named(word, kind)) for kind, word in every]
    return {(kind.word, name): READ[word].source(word, kind.word, name) for kind, word, name in names}


def files(words: Iterable[str], kind: Kind = CASE) -> dict[str, str]:
    """Every file that these words read, as run.json names it: name -> sha256."""
    out: dict[str, str] = {}
    for word in words:
        out |= READ[word].source(word).named if word in READ else {word: digest(word, kind)}
    return out


def seen(word: str) -> dict:
    """What a trial tells of a word that it has loaded: the fields of a Report but for its text."""
    source = READ[word].source(word)
    return {"files": source.files, "modules": [t.module for t in source.texts if t.module]}


def install(given: Iterable[Source]) -> list[str]:
    """Make the cases and rules of texts that were sent to this worker, without reading any file. Returns
    complaints.

    A case that cannot be made, or whose data are other ones here, stays as functions that raise why: its
    cells fail by name, and the others go on.
    """
    said = []
    for source in given:
        home, kind = HOMES.get(source.module), KINDS[source.kind]
        here = home is not None and home.source(source.word, source.kind, source.name) == source
        if here and (source.word, source.kind) in home.served:
            continue
        home = home if here else Home.of(source)
        READ[source.word] = home
        home.served.add((source.word, source.kind))
        try:
            home.check_data(source.data)
            module = sys.modules[home.name] if here else executed(home)
            declared(module, home.path, split(source.word)[1], kind)
        except UsageError as error:
            said.append(str(error))
            sys.modules[source.module] = Broken(source.module, str(error))
            if kind is not CASE:
                kind.loaded[source.name] = Lost(str(error))
    return said


class Lost:
    """A stand-in for a rule that could not be made, which is found by its name: using it raises the
    reason."""

    def __init__(self, why: str):
        self.__dict__["__why__"] = why

    def __getattr__(self, name: str):
        if name.startswith("__"):
            raise AttributeError(name)
        raise UsageError(self.__dict__["__why__"])


class Broken(types.ModuleType):
    """A stand-in for a case that could not be made: using it raises the reason."""

    def __init__(self, name: str, why: str):
        super().__init__(name)
        self.__dict__["__why__"] = why

    def __getattr__(self, name: str):
        if name.startswith("__"):
            raise AttributeError(name)

        def fails(*arguments, **named):
            raise UsageError(self.__dict__["__why__"])

        return fails


def refusals() -> list[str]:
    """The files that were refused to any case since it was loaded, even where its code caught the error."""
    return [text for home in HOMES.values() for text in home.refusals]
