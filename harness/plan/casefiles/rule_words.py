"""The words of --rule: a comma list, or from Python a sequence, of names, files and Rule objects."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from noether.cases.rule import Rule
from noether.plan.casefiles.load import is_file_word
from noether.plan.casefiles.source import split

MODELS = ("lagrangian", "bregman-lagrangian", "scale-invariant-lagrangian", "curved")
"""What a record on a law of continuous time has as its rule."""
Words = str | Iterable[str | Rule] | None


def parts(words: Words) -> list[str | Rule]:
    """The words of a comma list or a sequence, each once. A list that is the path of one file is this
    file."""
    if words is None:
        return []
    if isinstance(words, str):
        whole = is_file_word(words) and "," in words and is_there(words)
        words = [words] if whole else words.split(",")
    stripped = (x if isinstance(x, Rule) else str(x).strip() for x in words)
    found: list[str | Rule] = []
    for x in stripped:
        if isinstance(x, Rule) or (x and x not in found):
            found.append(x)
    return found


def is_there(word: str) -> bool:
    """Whether a word names a file."""
    try:
        return Path(split(word)[0]).is_file()
    except (OSError, ValueError):
        return False


def file_words(words: Words) -> tuple[str, ...]:
    """Those of the words that are files."""
    return tuple(x for x in parts(words) if isinstance(x, str) and is_file_word(x))


def has_own(words: Words) -> bool:
    """Whether any of the words means a rule beside the catalogue."""
    return bool(file_words(words)) or any(isinstance(x, Rule) for x in parts(words))
