"""A docstring as a page: paragraphs, formulas and tables of a text that is written to be read in an editor.

What is indented is formulas, or a table where its columns stand below one another; what has two columns and
is not indented is a list of names with their meaning.
"""

from __future__ import annotations

import re

from noether.labs.site.letters import FUNCTIONS, LETTERS, latex

WORD = re.compile(
    r"[(\"]?(?:[A-Za-z]{2,}|[A-Za-z]-[a-z]{2,})(?:[-'/][A-Za-z]+)*[)\",.;:]*|\(?\d{4}[a-z]?\)[,.;:]*"
)
MATH = {*LETTERS, *FUNCTIONS} - {"so"}
MARKED = re.compile(r"(?!what|that)[a-zA-Z]{1,3}(dot|hat|bar)$|d[a-zA-Z]+(/d[a-zA-Z]+)$|d[a-zA-Z]$")
PHRASES = {r"\bxi\.dG\b": r"$\\xi \\cdot \\partial G$", r"\bDxi\b": r"$D\\xi$"}
SURE = re.compile(r"[_^=<>|∈]|->|dot\b|^[a-zA-Z]$|^(log|grad|sum) \w")
THEORY = re.compile(r"\(?theory\.md(?:#([TDEBOSMPVR]\d+))?(?: section \d+)?\)?")
PAIR = re.compile(r"(\S.*?) {2,}(\S.*)")
GAP = re.compile(r"(?<=[,;]) {2,}| {3,}")


def paper(docstring: str, root: str, *, is_code: bool = False) -> list[str]:
    """The blocks of a docstring in Markdown, its first sentence among them.

    root      from the page to docs/, as in "../../"
    is_code   it speaks of code: names stay as they are, and what is indented is code where it is no table
    """
    out: list[str] = []
    for block in re.split(r"\n\s*\n", docstring.strip("\n")):
        lines = block.rstrip().split("\n")
        if is_code and all(line.startswith("    ") for line in lines):
            out += listing([line[4:] for line in lines]) or [block]
        elif all(line.startswith("    ") for line in lines):
            out.append(table(lines, root) or formulas(lines))
        elif listed := listing(lines):
            out += listed
        else:
            out += [" ".join(line.strip() for line in lines)] if is_code else prose(lines, root)
    return [part for part in out if part]


def is_word(tokens: list[str], n: int) -> bool:
    """Whether the n-th word of a line is language and no part of a formula."""
    token = tokens[n]
    if token in "aA":
        return n + 1 < len(tokens) and bool(re.match(r"[A-Z]?[a-z]{3,}|[a-z]+-", tokens[n + 1]))
    bare = token.strip('()",.;:')
    return bool(WORD.fullmatch(token)) and bare not in MATH and not MARKED.fullmatch(bare)


def mixed(text: str, *, is_prose: bool = False) -> str:
    """A line with the formulas in it set as such.

    is_prose   only what is certainly a formula: one letter, and what has a sign of a formula
    """
    out: list[str] = []
    run: list[str] = []
    tokens = re.findall(
        r"`[^`]*`|\$[^$]*\$\S*|\(?\[[^\]]*\]\([^)]*\)\S*|\S+", re.sub(r"\bin R(?=\^|\b)", "∈ ℝ", text)
    )

    def flush():
        if run:
            out.append(set_as(" ".join(run), is_prose))
            run.clear()

    for n, token in enumerate(tokens):
        is_open = bool(run) and not balanced(run)
        if (token[0] in "`$" and len(token) > 1) or "](" in token:
            flush()
            out.append(token)
        elif not is_open and (is_word(tokens, n) or (token == "-" and not run)):
            flush()
            out.append(token)
        else:
            run.append(token)
            is_next_number = n + 1 < len(tokens) and tokens[n + 1][0] in "-0123456789"
            ends = ";:." if not is_prose or is_next_number else ",;:."
            if token[-1] in ends and not token.endswith("...") and balanced(run):
                flush()
    flush()
    return " ".join(out)


def set_as(words: str, is_prose: bool) -> str:
    """A run of words as a formula, with the stops at its end beside it."""
    bare = words.rstrip(",;:.") if not words.endswith("...") else words
    is_greek = bare in LETTERS
    if not bare or (is_prose and not SURE.search(bare) and not is_greek):
        return words
    return f"${latex(bare.rstrip())}${words[len(bare) :].strip()}"


def balanced(run: list[str]) -> bool:
    """Whether every bracket in a run of words is closed."""
    words = " ".join(run)
    pairs = [(words.count(a), words.count(b)) for a, b in ("()", "[]", "{}")]
    pairs.append((len(re.findall(r"<(?=\w)", words)), len(re.findall(r"(?<=[\w)'])>", words))))
    return all(a <= b for a, b in pairs) and words.count("|") % 2 == 0


def prose(lines: list[str], root: str) -> list[str]:
    """Paragraphs; a line that begins a statement of its own, as the source of a case, begins a paragraph."""
    parts: list[list[str]] = [[]]
    for line in lines:
        if re.match(r"(Breaking|Source|Data): ", line) and parts[-1]:
            parts.append([])
        parts[-1].append(line.strip())
    out = []
    for part in parts:
        text = THEORY.sub(lambda found: cited(found, root), " ".join(part))
        head = re.match(r"(Breaking|Source|Data): ", text)
        if head and head[1] != "Breaking":
            out.append(f"**{head[1]}.** {text[head.end() :]}")
            continue
        for phrase, formula in PHRASES.items():
            text = re.sub(phrase, formula, text)
        begin = f"**{head[1]}.** " if head else ""
        out.append(begin + mixed(text[head.end() :] if head else text, is_prose=True))
    return out


def cited(found: re.Match, root: str) -> str:
    """A citation of the theory as a link to it."""
    anchor, whole = found[1], found[0]
    opened, closed = ("(" if whole[0] == "(" else ""), (")" if whole[-1] == ")" else "")
    if anchor:
        return f"{opened}[{anchor}]({root}theory.md#{anchor}){closed}"
    return f"{opened}[theory]({root}theory.md){whole.strip('()').removeprefix('theory.md')}{closed}"


def formulas(lines: list[str]) -> str:
    """Formulas, one line each; what has no sign of a statement goes on with the line before."""
    told: list[str] = []
    for line in lines:
        text = line.strip()
        is_new = re.search(r"=|->|^invariant|\b(sum|mean)\b", text) and not line.startswith(" " * 12)
        if told and not is_new:
            told[-1] += " " + text
        else:
            told.append(text)
    shown = []
    for text in told:
        parts = [part.strip() for part in GAP.split(text) if part.strip()]
        shown.append(' <span class="gap"></span> '.join(mixed(part) for part in parts))
    return '<div class="formulas" markdown>\n\n' + "\n\n".join(shown) + "\n\n</div>"


def columns(lines: list[str]) -> list[int]:
    """Where the columns of a table begin; [] where the lines are none.

    A column begins where half of the lines have a word after two spaces, and all of them a space before it.
    """
    width = max(map(len, lines))
    padded = [line.ljust(width) for line in lines]
    begins = [4]
    for at in range(6, width):
        fresh = sum(line[at] != " " and line[at - 2 : at] == "  " for line in padded)
        if 2 * fresh >= len(lines) and all(line[at - 1] == " " for line in padded):
            begins.append(at)
    names = [line[4 : begins[1]] if len(begins) > 1 else "=" for line in padded]
    return begins if len(lines) > 1 and not any("=" in name or not name.strip() for name in names) else []


def table(lines: list[str], root: str) -> str:
    """A table whose columns stand below one another; '' where the lines are none."""
    begins = columns(lines)
    if not begins:
        return ""
    rows = [[line[a:b].strip() for a, b in zip(begins, [*begins[1:], None], strict=True)] for line in lines]
    head, *body = rows
    cells = [[THEORY.sub(lambda found: cited(found, root), cell) for cell in row] for row in body]
    body = [[mixed(cell, is_prose=n == 0) for n, cell in enumerate(row)] for row in cells]
    return rows_of([[mixed(cell) for cell in head], *body])


def rows_of(rows: list[list[str]]) -> str:
    """A table in Markdown, its first row the head."""
    head, *body = ["| " + " | ".join(cell_of(cell) for cell in row) + " |" for row in rows]
    return "\n".join([head, "|" + "---|" * len(rows[0]), *body])


def cell_of(text: str) -> str:
    """The text of a cell: a bar in it is none of the table. In code it stays, in a formula it has a name."""
    parts = re.split(r"(`[^`]*`|\$[^$]*\$)", text)
    for n, part in enumerate(parts):
        if part.startswith("$"):
            named = re.sub(r"\|([^|]*)\|", r"\\lvert \1\\rvert ", part.strip("$")).replace("|", "\\vert ")
            parts[n] = f"${named.strip()}$"
        elif not part.startswith("`"):
            parts[n] = part.replace("|", "\\|")
    return "".join(parts)


def listing(lines: list[str]) -> list[str]:
    """Names with their meaning as tables, and the sentences between them; [] where there are none."""
    out: list[str | list[list[str]]] = []
    for line in lines:
        found = PAIR.fullmatch(line)
        if found and not line.startswith("  "):
            if not out or isinstance(out[-1], str):
                out.append([["", ""]])
            out[-1].append([f"`{found[1]}`", found[2].strip()])
        elif line.startswith("  ") and out and isinstance(out[-1], list):
            out[-1][-1][1] += " " + line.strip()
        elif out and isinstance(out[-1], str):
            out[-1] += " " + line.strip()
        else:
            out.append(line.strip())
    has_names = any(isinstance(part, list) for part in out)
    return [part if isinstance(part, str) else rows_of(part) for part in out] if has_names else []
