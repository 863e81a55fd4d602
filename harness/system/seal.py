"""A checksum at the end of each file and line that a run writes, so that damage is found when it is read.

    {"law":"D2",...,"seconds":0.1,"check":"f00dfeed12345678"}

The check is the beginning of the sha256 of all that stands before it. In cells.jsonl the run and the check of
the line before go in too, and each line has the digest of its cell's records: lines that are missing,
doubled, out of order or of another run are found. It guards against accidents: whoever means to deceive can
compute it as we do.
"""

from __future__ import annotations

import hashlib
import re

LENGTH = 16
REACH = 64  # characters from the end in which the check is looked for
FIELD = "check"
TAIL = re.compile(r',\s*"check"\s*:\s*"([^"\\]*)"\s*\}\s*$')


def of(head: str, *beside: str) -> str:
    """The checksum of a text, which also covers the run that it belongs to and the checksum before it."""
    return hashlib.sha256("\n".join((*beside, head)).encode("utf-8", "surrogatepass")).hexdigest()[:LENGTH]


def sealed(text: str, *beside: str, indent: str | None = None) -> str:
    """The text of a JSON object, with its check as the last field.  indent  of its fields; None where it is
    one line"""
    head = text.rstrip().removesuffix("}").rstrip()
    check = of(head, *beside)
    if indent is None:
        return f'{head},"{FIELD}":"{check}"}}\n'
    return f'{head},\n{indent}"{FIELD}": "{check}"\n}}\n'


def check_of(text: str) -> str | None:
    """The check that a text carries, or None."""
    found = TAIL.search(text[-REACH:])
    return found and found[1]


def verified(text: str, *beside: str) -> str | None:
    """The check that a text carries; None without one. Raises ValueError where it is not that of the text."""
    tail = text[-REACH:]
    found = TAIL.search(tail)
    if found and found[1] != of(text[: len(text) - len(tail) + found.start()], *beside):
        raise ValueError("its check is not that of its content")
    return found and found[1]
