"""The equation of a law, as browsers set it: MathML, made from the LaTeX of the law."""

from __future__ import annotations

import html
import re
from functools import cache

from markupsafe import Markup

KEPT = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


@cache
def mathml(latex: str) -> Markup:
    """A formula as MathML; '' where there is none, or where nothing is here that could convert it.

    The converter is imported when the first page is written, for no verdict needs it.
    """
    if not latex:
        return Markup("")
    try:
        from latex2mathml.converter import convert
    except ImportError:
        return Markup("")
    made = convert(latex, display="block").replace(' xmlns="http://www.w3.org/1998/Math/MathML"', "")
    # Letters instead of their numbers: half as long.
    return Markup(re.sub(r"&#x[\dA-Fa-f]+;", lambda m: html.unescape(m[0]).translate(KEPT), made))
