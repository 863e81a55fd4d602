"""Complaints about what a user asked for: one line, what is, what it must be, where."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class UsageError(ValueError):
    """Wrong usage or input: exit code 2, the message and no traceback."""


def unknown(kind: str, word: str, known: Iterable[str]) -> UsageError:
    """`word` is none of `known`: the nearest names first, then all of them."""
    names = list(known)
    near = difflib.get_close_matches(word.lower(), names, n=3, cutoff=0.5)
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    return UsageError(f"{kind} is {word!r}, must be one of {', '.join(names)}{hint}")


class CannotRun(RuntimeError):
    """This machine, or what was asked to do the work, cannot do it now: exit code 3, the message and no traceback."""
