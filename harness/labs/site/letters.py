"""Formulas of docstrings, in letters of a keyboard, as LaTeX: `f(q) = (|q|^2 - 1)^2 / 4` and the like.

Names of Greek letters become the letters, `qdot` a q with a dot, `<a, b>` a bracket, `a / b` a fraction where
both sides are one thing, `sum_i` and `sqrt(...)` what they are; any other name of several letters stays a
word.
"""

from __future__ import annotations

import re

GREEK = "alpha beta gamma delta eps eta kappa lambda mu nu xi rho sigma tau phi psi Delta".split()
LETTERS = {name: f"\\{name}" for name in GREEK} | {
    "eps": "\\varepsilon",
    "grad": "\\nabla",
    "hess": "\\nabla^2",
}
FUNCTIONS = {
    "log": "\\log",
    "exp": "\\exp",
    "max": "\\max",
    "sum": "\\sum",
    "Re": "\\operatorname{Re}",
    "Im": "\\operatorname{Im}",
}
FUNCTIONS |= {name: f"\\operatorname{{{name}}}" for name in "mean var diag softmax sign Lie".split()}
FUNCTIONS |= {name: f"\\mathrm{{{name}}}" for name in "SO GL so".split()}
ENGLISH = {"what", "that"}
MARKS = {"dot": "\\dot", "hat": "\\hat", "bar": "\\bar"}
SPLIT = {"dr", "de", "df", "dt", "dW", "dT", "deps"}
"""A d and what it is the differential of."""
SIGNS = {
    "->": "\\to",
    ">=": "\\ge",
    "<=": "\\le",
    "~": "\\sim",
    "...": "\\ldots",
    "%": "\\%",
    "×": "\\times",
    "∈": "\\in",
    "ℝ": "\\mathbb{R}",
}
TOKEN = re.compile(r"\s+|[A-Za-z]{3,}'s|\ba(?= [a-z]{4,} )|[A-Za-z]+|\d+\.?\d*|\.\d+|->|>=|<=|\.\.\.|.")
OPEN, CLOSE = "([{⟨", ")]}⟩"
BRACKET = re.compile(r"<([^<>=]*,[^<>=]*)>")


def latex(text: str) -> str:
    """A formula in LaTeX."""
    text = re.sub(r"\bin R\b", "∈ ℝ", re.sub(r"\b(\w) x (?=\w\b)", r"\1 × ", text))
    return Reader(bracketed(text)).all()


def bracketed(text: str) -> str:
    """A text with its brackets <a, b> marked, from the inner ones on; other signs < and > are comparisons."""
    while BRACKET.search(text):
        text = BRACKET.sub(r"⟨\1⟩", text)
    return text


class Reader:
    """The tokens of one formula, and where its reader stands."""

    def __init__(self, text: str):
        self.tokens = [t for t in TOKEN.findall(text)]
        self.at = 0

    def all(self) -> str:
        return joined(self.items(""))

    def items(self, until: str) -> list[str]:
        """What stands up to a closing bracket, each thing with its scripts; a fraction is one thing."""
        out: list[str] = []
        while self.at < len(self.tokens) and self.tokens[self.at] != until:
            if self.tokens[self.at] == "/" and is_thing(out) and self.follows():
                self.at += 1
                self.skip()
                below = self.called()
                out.append(fraction(joined(product(out)), below))
            else:
                out.append(self.thing())
        self.at += 1
        return out

    def called(self) -> str:
        """One thing, with the brackets of what it is a function of."""
        out = self.thing()
        is_call = self.tokens[self.at : self.at + 1] == ["("] and out[-1] not in ")]"
        return out + self.thing() if is_call else out

    def skip(self) -> None:
        while self.at < len(self.tokens) and self.tokens[self.at].isspace():
            self.at += 1

    def follows(self) -> bool:
        """Whether something that can stand below a line comes after the sign at which the reader stands."""
        rest = [t for t in self.tokens[self.at + 1 :] if not t.isspace()]
        return bool(rest) and (rest[0][0].isalnum() or rest[0] in ("(", "|", "⟨"))

    def thing(self) -> str:
        """One thing: a name, a number, a sign or what is in brackets, with its scripts."""
        token = self.tokens[self.at]
        self.at += 1
        if token.isspace():
            return " "
        if token == "sqrt" and self.tokens[self.at : self.at + 1] == ["("]:
            self.at += 1
            return f"\\sqrt{{{joined(self.items(')'))}}}"
        if token == "|":
            return self.scripts(self.size())
        if token in OPEN:
            inner = joined(self.items(CLOSE[OPEN.index(token)]))
            left, right = {"⟨": ("\\langle ", " \\rangle"), "{": ("\\{", "\\}")}.get(
                token, (token, CLOSE[OPEN.index(token)])
            )
            return self.scripts(
                f"\\left{left}{inner}\\right{right}" if "\\frac" in inner else left + inner + right
            )
        name = named(token)
        if token in GREEK and self.tokens[self.at : self.at + 1] and self.tokens[self.at].isdigit():  # beta2
            name += f"_{{{self.tokens[self.at]}}}"
            self.at += 1
        return self.scripts(name)

    def size(self) -> str:
        """What stands between two bars; one bar alone is a bar."""
        rest = self.tokens[self.at :]
        if "|" not in rest:
            return "|"
        inner = Reader("".join(rest[: rest.index("|")])).all()
        self.at += rest.index("|") + 1
        return f"|{inner}|"

    def scripts(self, base: str) -> str:
        """A thing with the subscript, the superscript and the primes that follow it."""
        while self.at < len(self.tokens) and self.tokens[self.at] in ("_", "^", "'"):
            mark = self.tokens[self.at]
            self.at += 1
            base += "'" if mark == "'" else f"{mark}{{{self.script()}}}"
        return base

    def script(self) -> str:
        """What is raised or lowered: in braces, or a sign, a number and a name."""
        if self.tokens[self.at : self.at + 1] == ["{"]:
            self.at += 1
            return re.sub(r"\\text\{(\w{1,2})\}", r"\1", joined(self.items("}")))  # e^{is}
        out = ""
        if self.tokens[self.at : self.at + 1] == ["-"]:
            out, self.at = "-", self.at + 1
        taken = 0
        while self.at < len(self.tokens) and taken < 2 and self.tokens[self.at].isalnum():
            token = self.tokens[self.at]
            out += token if len(token) < 4 and token not in LETTERS else named(token)
            self.at, taken = self.at + 1, taken + 1
        return out


def is_thing(items: list[str]) -> bool:
    """Whether the last thing read can stand above a line."""
    last = next((x for x in reversed(items) if x != " "), "")
    return bool(last) and (
        last[-1].isalnum() or last[-1] in ")]}|'" or last.endswith(("\\rangle", "\\rvert"))
    )


def product(items: list[str]) -> list[str]:
    """The last things read, taken away, as far as they are multiplied; a sum and a mean stay before them."""
    taken: list[str] = []
    while items:
        last = items[-1]
        is_call = last.startswith("\\") and taken and taken[0].startswith(("(", "\\left("))
        is_stop = last.startswith(("\\sum", "\\operatorname{mean}", "\\text", "\\to", "\\in"))
        if is_stop or not (last == " " or is_call or is_thing([last])):
            break
        taken.insert(0, items.pop())
    while taken and taken[0] == " ":
        items.append(taken.pop(0))
    return taken or [items.pop()]


def fraction(above: str, below: str) -> str:
    """One thing over another, without the brackets that the line makes needless."""
    return f"\\frac{{{bare(above)}}}{{{bare(below)}}}"


def bare(thing: str) -> str:
    """What is in round brackets, where they are all around it."""
    plain = re.sub(
        r"^\\left\((.*)\\right\)$|^\((.*)\)$", lambda found: found[1] or found[2], thing, flags=re.S
    )
    depth = 0
    for sign in plain:
        depth += (sign in "([") - (sign in ")]")
        if depth < 0 or (depth == 0 and sign == ","):
            return thing
    return plain


def named(token: str) -> str:
    """A name, a number or a sign in LaTeX."""
    if token in LETTERS or token in FUNCTIONS or token in SIGNS:
        return LETTERS.get(token) or FUNCTIONS.get(token) or SIGNS[token]
    marked = re.fullmatch(r"([A-Za-z]+?)(dot|hat|bar)", token)
    if marked and token not in ENGLISH and (len(marked[1]) == 1 or marked[1] in LETTERS):
        return f"{MARKS[marked[2]]}{{{LETTERS.get(marked[1], marked[1])}}}"
    if token in SPLIT:
        return f"d{LETTERS.get(token[1:], token[1:])}"
    if token[0].isalpha() and len(token) > 1:
        return f"\\text{{{token}}}"
    return "\\%" if token == "%" else token


def joined(items: list[str]) -> str:
    """Things side by side; words keep the spaces between them."""
    out = ""
    for n, item in enumerate(items):
        if item != " ":
            out += (
                item
                if not out or not re.search(r"\\[a-zA-Z]+$", out) or not item[0].isalpha()
                else " " + item
            )
            continue
        before, after = items[n - 1 : n], items[n + 1 : n + 2]
        is_word = any(x and x[0].startswith("\\text{") for x in (before, after))
        out += "\\ " if is_word else " "
    return out.strip()
