"""Words of `noether verify` that ask for a family of laws about no case: `noether verify networks`."""

from __future__ import annotations

from collections.abc import Iterable

from noether.laws.registry import GROUPS
from noether.system.usage import UsageError, brief


def words() -> tuple[str, ...]:
    """All such words."""
    return tuple(GROUPS)


def chosen(asked: Iterable) -> tuple[str, ...]:
    """Those of the words that are such, in order. Raises UsageError where cases or files stand beside."""
    asked = list(asked)
    found = tuple(dict.fromkeys(word for word in asked if isinstance(word, str) and word in GROUPS))
    others = [word for word in asked if word not in found] if found else []
    if others:
        told = ", ".join(word if isinstance(word, str) else brief(word) for word in others)
        raise UsageError(
            f"{', '.join(found)} is a group of laws about no case, and {told} stands beside it: a run must "
            "have either cases or groups; make two runs"
        )
    return found


def laws(grouped: Iterable[str]) -> tuple[str, ...]:
    """The keys of the laws of these groups."""
    return tuple(law.key for word in grouped for law in GROUPS[word].laws)


def of_law(law: str) -> str:
    """The group that a law belongs to, or ''."""
    return next((word for word in GROUPS if law in laws([word])), "")
