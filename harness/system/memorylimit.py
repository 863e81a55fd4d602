"""A limit on the memory that a user's case file may take while it is tried out.

What counts is private memory that can be written, not address space: what a library maps and never touches
costs nothing. A system without such limits has none here.
"""

from __future__ import annotations

import os

from noether.system.usage import UsageError

VARIABLE, GIB = "NOETHER_CASE_MEMORY", 4.0


def allowed() -> int:
    """Bytes that a process which tries out a case file may hold. Raises UsageError."""
    word = os.environ.get(VARIABLE, "").strip()
    try:
        size = float(word) if word else GIB
    except ValueError:
        size = 0.0
    if not 0 < size <= 2**20:
        raise UsageError(f"{VARIABLE} is {word!r}, must be a number of GiB above 0, at most {2**20}")
    return int(size * 2**30)


_limit = 0


def limit(size: int) -> None:
    """Set the limit for this process and what it starts."""
    global _limit
    try:
        import resource
    except ImportError:  # no such limits on this system
        return
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    least = size if most == resource.RLIM_INFINITY else min(size, most)
    resource.setrlimit(resource.RLIMIT_DATA, (least, least))
    _limit = least


def exceeded(error: MemoryError) -> str:
    """The words for a process that asked for more memory than it may hold, or than there is."""
    asked = f": {str(error).splitlines()[0]}" if str(error) else ""
    most = f"{_limit / 2**30:g} GiB ({VARIABLE} sets another limit)" if _limit else "there is"
    return f"needs more memory than {most}{asked}"
