"""Which case files may be run because a run folder or corpus file names them: those that the user ran before.

Whoever sends a run folder chooses what it names. What is run of it without a word is what this user has run
from there before, by naming it: a command that is given case files remembers, for every file that they read,
its sha256, its place and the working directory. Anything else needs --trust, for that command alone.

What is remembered lies in XDG_STATE_HOME/noether/trusted, or .local/state/noether/trusted below HOME, a line
a file. It is read and written only where nobody else can have written it; else nothing is remembered.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from noether.kernels import cache_folders
from noether.plan.casefiles import load
from noether.plan.casefiles.rule_words import file_words
from noether.plan.casefiles.source import canonical, file_digest, split
from noether.system import usage
from noether.system.strict_reading import loads
from noether.system.usage import UsageError

VARIABLE, NAME = "XDG_STATE_HOME", "trusted"
MOST = 10_000  # lines; the oldest half goes when there are more


def place() -> Path | None:
    """The file in which trusted case files are remembered; None where there is no home folder."""
    word = os.environ.get(VARIABLE)
    if word and os.path.isabs(word):
        return Path(word) / "noether" / NAME
    try:
        home = Path(os.environ["HOME"]) if os.environ.get("HOME") else Path.home()
    except RuntimeError:
        return None
    return home / ".local/state/noether" / NAME if home.is_absolute() else None


def remembered() -> list[tuple[str, str, str]]:
    """(sha256, absolute path, working directory), oldest first."""
    file = place()
    try:
        text = (
            cache_folders.read(file) if file is not None and not cache_folders.unsafe(file.parent) else None
        )
    except (OSError, ValueError):
        text = None
    out = []
    for line in (text or b"").splitlines():
        with suppress(ValueError):
            fact = loads(line.decode())
            if isinstance(fact, list) and len(fact) == 3 and all(isinstance(x, str) for x in fact):
                out.append(tuple(fact))
    return out


def remember(words: Iterable[str]) -> None:
    """What these words have read, which their user has named; nothing where that cannot be kept safely."""
    now = os.getcwd()
    facts = [(digest, path, now) for source in load.sources(words) for path, digest in source.files.items()]
    known = remembered()
    new = [fact for fact in dict.fromkeys(facts) if fact not in set(known)]
    file = place()
    if not new or file is None:
        return
    with suppress(OSError, ValueError):
        if cache_folders.unsafe(file.parent):
            return
        for part in (*reversed(file.parent.parents), file.parent):
            if not part.exists():
                part.mkdir(mode=0o700)
        os.chmod(file.parent, 0o700)
        keep(file, known, new)


def keep(file: Path, known: list, new: list) -> None:
    """Remember files as trusted. Raises OSError. Lines are appended at once, so that two commands do not lose
    each other's."""
    if len(known) + len(new) > MOST:
        cache_folders.write(file, lines([*known[len(known) // 2 :], *new]))
        return
    how = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
    handle = os.open(file, how, 0o600)
    try:
        os.write(handle, lines(new))
    finally:
        os.close(handle)


def lines(facts: list) -> bytes:
    return "".join(json.dumps(fact) + "\n" for fact in facts).encode()


def allow(what: str, files: Mapping[str, str], *, start: str | None, trust: bool) -> None:
    """Refuse files, absolute path -> sha256, that this user has not run from there. Raises UsageError.

    what   names the data file, as in "run runs/1"
    start  the working directory that the data file asks for, None for our own
    """
    if trust or not files:
        return
    known = {(d, p) for d, p, cwd in remembered() if start in (None, os.getcwd(), cwd)}
    foreign = {p: d for p, d in files.items() if (d, p) not in known}
    if foreign:
        first = next(iter(foreign))
        more = f" and {len(foreign) - 1} more" if len(foreign) > 1 else ""
        raise UsageError(
            f"{what} names {first}{more}, of sha256 {foreign[first] or 'unknown'}, which you have not run "
            f"from there: none of it was run; read it, and if you trust it: {again()}"
        )


def again() -> str:
    """The command line of this process with --trust added."""
    return usage.repeated("--trust") if usage.words else "trust=True"


def recorded(
    about: Mapping, what: str, kinds: Iterable[str] = ("cases", "rule")
) -> tuple[tuple[str, ...], dict[str, str]]:
    """The words of files in run.json, and name -> sha256 of what they read. Raises UsageError.

    kinds  the arguments whose words are meant: the cases, the rule
    """
    arguments = about.get("arguments") or {}
    cases, files = arguments.get("cases") or [], arguments.get("files") or {}
    if not isinstance(cases, list | tuple) or not all(isinstance(w, str) for w in cases):
        raise UsageError(f"{what} is corrupt: cases is {cases!r:.60}, must be a list of text")
    if not isinstance(rule := arguments.get("rule"), str | None):
        raise UsageError(f"{what} is corrupt: rule is {rule!r:.60}, must be text")
    if not isinstance(files, dict) or not all(isinstance(d, str) for d in files.values()):
        raise UsageError(f"{what} is corrupt: files is {files!r:.60}, must be an object of text")
    words = tuple(word for word in cases if "cases" in kinds and load.is_file_word(word))
    words += file_words(rule) if "rule" in kinds else ()
    return words, {**dict.fromkeys(words, ""), **files}  # a word without a digest is nobody's


def located(
    files: Mapping[str, str], words: Iterable[str], where: Callable[[str], str] = str
) -> dict[str, str]:
    """The files of `recorded` by absolute path, as a Source has them.

    words  those of the names that are words of case files
    where  the name as it is meant from here
    Raises UsageError.
    """
    out = {}
    for name, digest in files.items():
        try:
            path = split(where(name))[0]
            out[str(path.resolve()) if name in words else canonical(path)] = digest
        except (OSError, ValueError, RuntimeError) as error:
            raise UsageError(f"file {name!r:.60} cannot be found: {error}") from None
    return out


def check_unchanged(what: str, files: Mapping[str, str]) -> None:
    """Refuse files, absolute path -> sha256, that are gone or have changed. Raises UsageError."""
    for path, digest in files.items():
        if not os.path.isfile(path):
            gone = "is no regular file" if os.path.exists(path) else "is gone"
            raise UsageError(f"file {path} of {what} {gone}: it must be there to be run again")
        try:
            found = file_digest(path)
        except OSError as error:
            raise UsageError(f"file {path} of {what} cannot be read: {error.strerror or error}") from None
        if found != digest:
            raise UsageError(f"file {path} has changed since {what}: it must be of the same text")
