"""Formulas of the site, from LaTeX to MathML while it is built, which browsers draw without a script."""

from __future__ import annotations

import re
from functools import cache
from html import unescape

TICKED = re.compile(r"\$`([^`\n]+)`\$")
FORMULA = re.compile(r'<(span|div) class="arithmatex">\\(?P<open>[(\[])(?P<latex>.*?)\\[)\]]</\1>', re.DOTALL)
BRACE = re.compile(r"(?<!\\)[{}]")
LEFT = re.compile(r"<m[a-z]+[^>]*>\s*\\[a-zA-Z]+")


def dollars(markdown: str) -> str:
    """The other way in which GitHub writes a formula in a line, $`x`$, as $x$."""
    return TICKED.sub(r"$\1$", markdown)


@cache
def mathml(latex: str, is_block: bool = False) -> str:
    """A formula as MathML. Raises ValueError where the LaTeX is not understood."""
    from latex2mathml.converter import convert

    braces = BRACE.findall(latex)
    if braces.count("{") != braces.count("}"):
        raise ValueError(f"{latex}: {braces.count('{')} braces open and {braces.count('}')} close")
    try:
        made = convert(latex.strip(), display="block" if is_block else "inline")
    except Exception as error:
        raise ValueError(f"{latex}: {error or type(error).__name__}") from error
    unknown = LEFT.search(made)
    if unknown:
        raise ValueError(f"{latex}: {unknown[0]} is left as it is")
    return made


def typeset(html: str) -> tuple[str, list[str]]:
    """A page with its formulas as MathML, and what is wrong in those that are none."""
    wrong: list[str] = []

    def formula(found: re.Match) -> str:
        is_block = found["open"] == "["
        try:
            made = mathml(unescape(found["latex"]), is_block)
        except ValueError as error:
            wrong.append(str(error))
            return found[0]
        return f'<div class="formula" tabindex="0">{made}</div>' if is_block else made

    return FORMULA.sub(formula, html), wrong
