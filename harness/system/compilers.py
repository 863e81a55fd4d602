"""Triton's version: which one is installed, which one was tested, and which are known to compile wrongly.

A verdict on a kernel is a verdict on its compiler too: law B1 says so, and a run names a compiler that is not
the tested one.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterable
from pathlib import Path

TESTED = "3.7.1"  # of constraints.txt, which no installed package has; a test compares the two

WRONG = {
    "3.8.0": (
        "it adds the terms of some strict sums in another order than written, in float64, float32 and "
        "float16 (docs/findings/triton-3.8.md)"
    ),
}
"""Release of Triton -> what it does."""


def release() -> str | None:
    """The version of the Triton that would be imported, read from its text: to import it takes a second.

    None without one. Not from a package's metadata: builds of other names are imported as triton too.
    """
    try:
        found = importlib.util.find_spec("triton")
        text = Path(found.origin).read_text(encoding="utf-8")
    except (AttributeError, TypeError, ValueError, OSError):  # absent, or a folder without __init__.py
        return None
    said = re.search(r"""^__version__\s*=\s*['"]([^'"]+)['"]""", text, re.MULTILINE)
    return said[1] if said else "unknown"


def complaint(version: str) -> str:
    """The complaint about a version of Triton; '' for the tested one. 3.8.0+git1234567 is a 3.8.0."""
    base = version.partition("+")[0]
    if base in WRONG:
        return f"Triton {version} is known to be wrong: {WRONG[base]}; Triton {TESTED} is the tested one"
    return "" if base == TESTED else f"Triton {version} is not the tested one, which is {TESTED}"


def told(cells: Iterable) -> list[str]:
    """The complaint about Triton for a run, where any of its cells uses a kernel that Triton compiles."""
    compiled = any(str(getattr(cell, "backend", "")).startswith("triton") for cell in cells)
    version = release() if compiled else None
    return [complaint(version)] if version and complaint(version) else []
