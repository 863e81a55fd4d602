"""Printing on a terminal: its width, its colours, and how tables and numbers look."""

from __future__ import annotations

import io
import os
import shutil
import sys

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.measure import Measurement
from rich.padding import Padding
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from noether.system.outside import lines
from noether.verdicts.record import HOLDS, INCONCLUSIVE, OUTSIDE, VIOLATED

# Columns: beyond it an eye loses its line.
WIDEST = 200
NUMBERS = ("cells", "worst", "cases", "folders", "size", "checks", "lanes", "replayed")
NUMBERS += ("batches", "steps", "ratio", "total")
"""Columns of tables that are set to the right."""
NAMES = ("law", "case", "rule")
"""Columns whose words are names to type: never broken."""
# Columns where there is no terminal: what the logs of a CI show without wrapping.
LOG = 120
KNOWN = "known"
"""What stands for the verdict of a law that is violated in nothing but what is known."""
COLOUR = {HOLDS: "green", VIOLATED: "bold red", INCONCLUSIVE: "yellow", OUTSIDE: "dim", KNOWN: "yellow"}


def console(*, stderr: bool = False) -> Console:
    """The console: as wide as the terminal, at most WIDEST; in a log LOG columns, unless COLUMNS says
    otherwise."""
    stream = sys.stderr if stderr else sys.stdout
    width = shutil.get_terminal_size((LOG, 24)).columns if stream.isatty() or "COLUMNS" in os.environ else LOG
    plainly = dict(highlight=False, markup=False, soft_wrap=False)
    return Console(file=stream, width=max(40, min(WIDEST, width)), **plainly)


def say(*contents) -> None:
    """Print on stdout; where that is no terminal, without the blanks with which a table fills its lines.

    A str is a line to copy: it is printed whole, however long.
    """
    out = console()
    text = rendered(out, contents)
    sys.stdout.write(text if out.is_terminal else trimmed(text))


def as_text(*contents) -> str:
    """The same as one text without colours, as wide as a log."""
    out = Console(file=io.StringIO(), width=LOG, highlight=False, markup=False, soft_wrap=False)
    return trimmed(rendered(out, contents))


def rendered(out: Console, contents) -> str:
    with out.capture() as captured:
        for content in contents:
            out.print(Harmless(hanging(content)), soft_wrap=isinstance(content, str))
    return captured.get()


def trimmed(text: str) -> str:
    """Without the blanks with which a table fills its lines."""
    return "".join(line.rstrip() + "\n" for line in text.splitlines())


def hanging(content):
    """A text that begins with blanks, so laid out that the lines after its first begin with them too."""
    blanks = len(content.plain) - len(content.plain.lstrip(" ")) if isinstance(content, Text) else 0
    return Padding(content[blanks:], (0, 0, 0, blanks)) if 0 < blanks < len(content.plain) else content


class Harmless:
    """Anything to print, without the control characters that came from outside: those of colours are put in
    later."""

    def __init__(self, content):
        self.content = content

    def __rich_console__(self, out: Console, options):
        for segment in out.render(self.content, options):
            yield segment if segment.control else Segment(lines(segment.text), segment.style)

    def __rich_measure__(self, out: Console, options):
        return Measurement.get(out, options, self.content)


def number(x: float | None) -> str:
    """A number with three digits, in at most eight characters."""
    return "-" if x is None else f"{x:.3f}" if 0.001 <= abs(x) < 100 else f"{x:.3g}"


def listing(*columns: str) -> Table:
    """An empty table with these columns."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False)
    for name in columns:
        side = "right" if name in NUMBERS else "left"
        table.add_column(name, overflow="fold", justify=side, no_wrap=name in NAMES)
    return table
