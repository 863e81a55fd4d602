"""Errors of usage, told to the user in one line: what was given, what it must be, where."""

from __future__ import annotations

import difflib
import os
import shlex
from collections.abc import Iterable

from noether.system.outside import printable

LONGEST = 4096  # characters of a word: no path is longer


words: list[str] = []
"""What `noether` was called with in this process, as harness/cli/main.py sets it; [] from Python."""


def repeated(*more: str) -> str:
    """The command of this process, with more words: as it is typed."""
    return shlex.join(["noether", *words, *more])


class UsageError(ValueError):
    """Wrong usage or input: exit code 2, the message and no traceback."""


class CannotRun(RuntimeError):
    """This machine, or what was asked to do the work, cannot do it now: exit code 3, the message and no
    traceback."""


def check_words(words: Iterable[str]) -> None:
    """Refuse words of the command line that cannot be printed on a line, or be a path or a name at all.
    Raises UsageError."""
    for number, word in enumerate(words, 1):
        if not word.isprintable():
            told = printable(word[:60]) + " ..." * (len(word) > 60)
            raise UsageError(
                f"word {number} of the command is '{told}', must be text that can be printed on a line"
            )
        if len(word) > LONGEST:
            raise UsageError(
                f"word {number} of the command, '{word[:40]} ...', has {len(word)} characters, must have at "
                f"most {LONGEST}"
            )


def number(variable: str, *, usual: float, most: int, unit: str) -> float:
    """What an environment variable says, above 0; `usual` where it is empty. Raises UsageError."""
    word = os.environ.get(variable, "").strip()
    try:
        value = float(word) if word else usual
    except ValueError:
        value = 0.0
    if not 0 < value <= most:
        raise UsageError(f"{variable} is {word!r}, must be a number of {unit} above 0, at most {most}")
    return value


NAMED = 64  # of more names the nearest are told, and how many there are: a wall of them hides the answer


def unknown(kind: str, word, known: Iterable[str], *, listed: str = "") -> UsageError:
    """The error for a word that is none of the known ones: all of them, then the nearest.

    word    what was given, a text or not;  known  at least one
    listed  where all are listed, a command or a page, for the case that there are more than NAMED
    """
    names = list(known)
    spelled = {name.lower(): name for name in names}
    near = difflib.get_close_matches(str(word).lower(), spelled, n=3, cutoff=0.5)
    nearest = [spelled[x] for x in near]
    hint = f"; did you mean {' or '.join(nearest)}?" if nearest else ""
    if len(names) <= NAMED:
        return UsageError(f"{kind} is {brief(word)}, must be one of {', '.join(names)}{hint}")
    place = f"; {listed}" if listed else ""
    return UsageError(f"{kind} is {brief(word)}, must be one of {len(names)} names{hint}{place}")


def brief(value, most: int = 80) -> str:
    """What somebody gave, shortened to stand in a line."""
    try:
        text = repr(value)
    except Exception:  # of an object of somebody else; or a whole number of thousands of digits
        text = f"a {type(value).__name__} that cannot be told"
    return printable(text if len(text) <= most else f"{text[: most - 4]} ...")
