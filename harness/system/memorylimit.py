"""A limit on the memory that a user's case file may take while it is tried out.

What counts is private memory that can be written, not address space: what a library maps and never touches
costs nothing. A system without such limits has none here.
"""

from __future__ import annotations

from noether.system.usage import number

VARIABLE, GIB = "NOETHER_CASE_MEMORY", 4.0


def allowed() -> int:
    """Bytes that a process which tries out a case file may hold. Raises UsageError."""
    return int(number(VARIABLE, usual=GIB, most=2**20, unit="GiB") * 2**30)


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
