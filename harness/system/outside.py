"""Text from outside (names, paths, error messages) made safe for a terminal, a log or a page.

Printed as it is, it could move the cursor, turn the reading direction round, end a line and begin another, or
give an order to the machine that keeps the log (`::stop-commands::` in GitHub Actions, `##vso[` in Azure,
`##teamcity[`).
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager

ORDER = re.compile(r"##(?=\[|vso\[|teamcity\[)")
BEGINS = re.compile(r"^(\s*):(?=:)")
LINES = str.maketrans("", "", "\n\t")
LONGEST = 80  # characters of a name


def plural(count: int, one: str, many: str = "") -> str:
    """A count with its noun: "1 law", "2 laws"; `many` where the plural is not made with an s."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def is_printable(text: str) -> bool:
    """Whether a text consists of characters that can stand on a line."""
    return text.isprintable()


def escaped(character: str) -> str:
    """A text with what cannot be printed escaped as JSON does, so that JSON stays JSON."""
    code = ord(character)
    if code < 0x10000:
        return f"\\u{code:04x}"
    return f"\\u{0xD800 + (code - 0x10000 >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"


def printable(text: str, keep: str = "") -> str:
    """A text on one line, as it may be printed anywhere; what is in `keep` is let through all the same."""
    if not text.isprintable():
        text = "".join(c if c.isprintable() or c in keep else escaped(c) for c in text)
    return unordered(text)


def unordered(text: str) -> str:
    """A text in which no line is a command to a CI service that reads logs (`::error::` and the like)."""
    if "##" in text:
        text = ORDER.sub(r"#\\u0023", text)
    if "::" in text:
        text = "\n".join(BEGINS.sub(r"\1\\u003a", line) for line in text.split("\n"))
    return text


def lines(text: str) -> str:
    """A text of several lines, each as it may be printed."""
    return printable(text, keep="\n")


def on_page(value):
    """A value made printable for a template, before it is escaped; markup made by this project stays."""
    return lines(value) if type(value) is str else value


class Guarded:
    """A stream that lets no command to a CI service through from outside text.

    On a terminal everything passes, for colours and bars are made of control characters: what is printed
    there is made printable by who prints it.
    """

    def __init__(self, stream):
        self.stream, self.line = stream, ""  # what was printed of a line that has not ended
        try:
            self.terminal = stream.isatty()
        except ValueError:  # closed
            self.terminal = False

    def __getattr__(self, name: str):
        return getattr(self.stream, name)

    def write(self, text: str) -> int:
        self.stream.write(text if self.terminal else self.disarmed(text))
        return len(text)

    def writelines(self, texts) -> None:
        for text in texts:
            self.write(text)

    def disarmed(self, text: str) -> str:
        """A piece of a line, harmless together with what was printed of the line before: pieces may become an
        order."""
        if not text.translate(LINES).isprintable():
            text = "".join(c if c.isprintable() or c in "\n\t" else escaped(c) for c in text)
        first, mark, rest = text.partition("\n")
        whole = unordered(self.line + first)
        ours = whole.startswith(self.line)
        first = whole[len(self.line) :] if ours else escaped(first[0]) + unordered(first[1:])
        rest = unordered(rest)
        self.line = rest.rpartition("\n")[2] if mark else self.line + first
        return first + mark + rest


@contextmanager
def guarded() -> Iterator[None]:
    """A context in which printed text cannot give commands to a CI service."""
    before = sys.stdout, sys.stderr
    # A stream is None where it was closed at the start.
    sys.stdout, sys.stderr = (stream and Guarded(stream) for stream in before)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def orders(stream):
    """The unguarded stream below, for the commands that this project itself gives to a CI service."""
    return stream.stream if isinstance(stream, Guarded) else stream
