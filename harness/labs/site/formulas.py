"""Formulas of the site, from LaTeX to MathML while it is built, which browsers draw without a script."""

from __future__ import annotations

import re
from functools import cache
from html import unescape

TICKED = re.compile(r"\$`([^`\n]+)`\$")
FORMULA = re.compile(r'<(span|div) class="arithmatex">\\(?P<open>[(\[])(?P<latex>.*?)\\[)\]]</\1>', re.DOTALL)
BRACE = re.compile(r"(?<!\\)[{}]")
LONG = 56  # letters of LaTeX from which on a formula in a line may be wider than a phone
BARS = re.compile(r"(?<!left)(?<!right)(?<!\\)\|([^|]+)(?<!left)(?<!right)(?<!\\)\|")
"""A size |x|: of a bar alone no reader of MathML knows whether something opens or closes."""
PRIME = re.compile(r"<msup>((?:(?!<msup>).)*?)<mi>(&#x0203[23];)</mi></msup>")
RAISED = re.compile(r"<msubsup>((?:(?!<msubsup>).)*?)<mi>(&#x0203[23];)</mi></msubsup>")
PRIMED = '<mo lspace="0" rspace="0">\\2</mo>'
"""Beside the letter and not raised: the sign is high by itself, and raised again it would be a dot."""
LEFT = re.compile(r"<m[a-z]+[^>]*>\s*(?:\\[a-zA-Z]+|&</mi>)|linebreak")


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
    plain = (
        latex.strip()
        .replace("{aligned}", "{align*}")
        .replace("\\lvert", "\\left|")
        .replace("\\rvert", "\\right|")
    )
    try:
        made = convert(BARS.sub(r"\\left|\1\\right|", plain), display="block" if is_block else "inline")
    except Exception as error:
        raise ValueError(f"{latex}: {error or type(error).__name__}") from error
    unknown = LEFT.search(made)
    if unknown:
        raise ValueError(f"{latex}: {unknown[0]} is left as it is")
    made = PRIME.sub(rf"<mrow>\1{PRIMED}</mrow>", made)
    return RAISED.sub(rf"<mrow><msub>\1</msub>{PRIMED}</mrow>", made)


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
        if is_block:
            return f'<div class="formula" tabindex="0">{made}</div>'
        return f'<span class="long">{made}</span>' if len(found["latex"]) > LONG else made

    return FORMULA.sub(formula, html), wrong
