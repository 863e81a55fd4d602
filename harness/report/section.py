"""A section of docs/theory.md on a terminal: formulas as plain text, paragraphs as wide as the terminal.

Of Markdown it reads what our pages use: headings, paragraphs, lists, tables, displayed formulas between two
lines of $$, indented or fenced code, and inside a line $formula$, **bold**, `code` and [words](link).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import groupby

from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from noether.laws.latex import parts, plain
from noether.report.terminal import listing

INDENT = 4
ITEM = re.compile(r"(?:[-*]|\d+\.) ")
INLINE = re.compile(
    r"\$([^$]+)\$|\*\*(.+?)\*\*|`([^`]+)`|\[([^]]*)\]\([^)]*\)|\\(\W)"
    r"|(?<!\w)([*_])(?=\S)(.+?)(?<=\S)\6(?!\w)"
)


@dataclass(frozen=True)
class Block:
    """A part of a page that stands for itself.

    kind   heading, prose, item, table, formula or code
    lines  as written, without what marks the kind
    """

    kind: str
    lines: tuple[str, ...]


def section(anchor: str, page: str) -> str:
    """The Markdown of the section that an anchor opens, without the anchor; '' where there is none."""
    begin = rf'^### <a id="{re.escape(anchor)}"></a>'
    found = re.search(rf"{begin}.*?(?=^##|\Z)", page, re.MULTILINE | re.DOTALL)
    return re.sub(r'<a id="\w+"></a>', "", found.group(0)).strip() if found else ""


def notation(page: str, text: str) -> list[str]:
    """The table of letters of a page, the first with a column `symbol`, as Markdown: the rows of which some
    letter stands in a formula of `text`. [] where the page has no such table.
    """
    found = re.search(r"^\| symbol \|.*\n\|[-|]+\n((?:\|.*\n)+)", page, re.MULTILINE)
    used = " ".join(re.findall(r"\$\$?([^$]+)\$", text))
    rows = [re.split(r" *(?<!\\)\| *", row.strip("| \n")) for row in found[1].splitlines()] if found else []
    kept = [
        f"| {row[0]} | {row[-1]} |" for row in rows if any(stands(x, used) for x in row[0].split("$")[1::2])
    ]
    return ["| letter | meaning |", "|---|---|", *kept] if kept else []


def stands(symbol: str, formulas: str) -> bool:
    """Whether a letter, without its index or argument, stands in formulas."""
    letter = re.sub(r"(?<=[A-Za-z])(_\w|\(.*)$", "", symbol)
    return bool(re.search(rf"(?<![A-Za-z\\]){re.escape(letter)}(?![A-Za-z])", formulas))


def blocks(markdown: str) -> list[Block]:
    """The page in blocks."""
    out: list[Block] = []
    fence = ""  # what closes the formula or code that is open
    for line in markdown.splitlines():
        if fence:
            if line.strip() == fence:
                fence = ""
            else:
                out[-1] = Block(out[-1].kind, (*out[-1].lines, line))
        elif line.strip() == "$$" or line.startswith("```"):
            fence = line.strip()[:3]
            out.append(Block("formula" if fence == "$$" else "code", ()))
        elif not line.strip():
            out.append(Block("end", ()))
        else:
            kind = kind_of(line, out)
            goes_on = out and out[-1].kind == kind and kind != "heading" and not ITEM.match(line)
            text = line.strip() if kind != "code" else line[INDENT:]
            out[-1:] = [Block(kind, (*out[-1].lines, text))] if goes_on else [*out[-1:], Block(kind, (text,))]
    return [block for block in out if block.kind != "end"]


def kind_of(line: str, before: list[Block]) -> str:
    """What kind of block a line begins, or goes on with."""
    if line.startswith("#"):
        return "heading"
    if line[0] == line.rstrip()[-1] == "|":
        return "table"
    if ITEM.match(line) or (before and before[-1].kind == "item"):
        return "item"
    return "code" if line.startswith(" " * INDENT) else "prose"


def inline(text: str) -> Text:
    """A line of Markdown as it is printed. Raises LatexError."""
    out, at = Text(), 0
    for found in INLINE.finditer(text):
        out.append(text[at : found.start()])
        formula, bold, code, words, escaped, _, slanted = found.groups()
        if formula is not None:
            out.append(plain(formula))
        elif bold is not None:
            out.append(inline(bold).plain, style="bold")
        elif words is not None:
            out.append(inline(words))
        elif slanted is not None:
            out.append(inline(slanted).plain, style="italic")
        else:
            out.append(escaped if code is None else code.replace("\\|", "|"))
        at = found.end()
    out.append(text[at:])
    return out


def beside(mark: str, text: Text, indent: int = 2) -> Table:
    """A text behind a mark, with its further lines below its beginning."""
    grid = Table.grid()
    grid.add_column(width=indent)
    grid.add_column(overflow="fold")
    grid.add_row(mark, text)
    return grid


def formula(lines: tuple[str, ...], width: int) -> list[Table]:
    """A displayed formula, its parts on one line where there is room. Raises LatexError."""
    found = parts("\n".join(lines))
    together = "    ".join(found)
    return [beside("", Text(x), INDENT) for x in ([together] if len(together) <= width - INDENT else found)]


def table(lines: tuple[str, ...]) -> Table:
    """A table of Markdown. Raises LatexError."""
    split = [re.split(r"(?<!\\)\|", line.strip().strip("|")) for line in lines]
    head, _, *rows = ([inline(cell.strip()) for cell in row] for row in split)
    out = listing(*(cell.plain for cell in head))
    for row in rows:
        out.add_row(*row)
    return out


def printed(markdown: str, width: int) -> Group:
    """A page to print, so many columns wide. Raises LatexError where a formula is none of ours."""
    out: list = []
    for is_item, group in groupby(blocks(markdown), key=lambda block: block.kind == "item"):
        for block in group:
            text = " ".join(block.lines)
            if block.kind == "formula":
                out += formula(block.lines, width)
            elif block.kind == "table":
                out.append(table(block.lines))
            elif block.kind == "code":
                out.append(Padding(Text("\n".join(block.lines)), (0, 0, 0, INDENT)))
            elif is_item:
                mark, _, words = text.partition(" ")
                out.append(beside(mark, inline(words), len(mark) + 1))
            elif block.kind == "heading":
                out.append(Text(inline(text.lstrip("# ")).plain, style="bold"))
            else:
                out.append(inline(text))
            out += [] if is_item else [Text()]
        out += [Text()] if is_item else []
    return Group(*out[:-1])
