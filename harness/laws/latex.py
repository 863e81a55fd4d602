r"""LaTeX of our own pages and laws as plain text: $\beta J_n$ becomes β Jₙ, \frac{a + b}{c} (a + b)/c.

What is read is the part of LaTeX that docs/ and the laws use: names of letters and signs, subscripts and
superscripts, \frac, \sqrt, accents, \text, \operatorname and the lines of `aligned`. Anything else is
refused, so that no page shows a command by its name.
"""

from __future__ import annotations

import re
import unicodedata

NAMES = "log ln exp sin cos tan max min lim det dim rank sup inf arctan arcsin"
SIGNS = {name: name for name in NAMES.split()} | dict(
    zip(
        "alpha beta gamma delta epsilon varepsilon zeta eta theta kappa lambda mu nu xi pi rho sigma tau phi "
        "varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega".split(),
        "αβγδεεζηθκλμνξπρστφφχψωΓΔΘΛΞΠΣΦΨΩ",
        strict=True,
    )
)
SIGNS |= dict(
    zip(
        "partial nabla infty le leq lt ge geq gt ne neq approx ll gg in times cdot pm mp to mapsto "
        "leftrightarrow sum prod int prime top ast star ldots cdots dots sim propto ell equiv langle rangle "
        "lvert rvert vert lVert rVert Vert lbrace rbrace Rightarrow iff circ mid perp".split(),
        "∂∇∞≤≤<≥≥>≠≠≈≪≫∈×·±∓→↦↔ΣΠ∫'T**………~∝l≡<>|||‖‖‖()⇒⇔∘|⊥",
        strict=True,
    )
)
ACCENTS = dict(dot="\u0307", ddot="\u0308", dddot="\u20db", hat="\u0302", bar="\u0304", tilde="\u0303")
WORDS = ("text", "mathrm", "operatorname", "mathbf", "mathcal", "mathbb", "boldsymbol", "mathit")
SPACES = {",": " ", ";": " ", ":": " ", " ": " ", "!": "", "quad": "\t", "qquad": "\t", "\\": "\t"}
SILENT = "left right big Big bigl bigr Bigl Bigr displaystyle textstyle limits".split()
SUPER = dict(zip("0123456789+−=()nijkTNJ", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿⁱʲᵏᵀᴺᴶ", strict=True))
SUB = dict(zip("0123456789+−=()aehijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ", strict=True))
LONG = 3  # characters: a longer superscript is easier to read in parentheses than as small letters
TOKEN = re.compile(r"\\[A-Za-z]+|\\.|\s+|.", re.DOTALL)
BRACKETS = dict.fromkeys("( [ langle lvert lVert lbrace".split(), "open") | dict.fromkeys(
    ") ] , ; rangle rvert rVert rbrace".split(), "close"
)
SCRIPTS = "".join({*SUPER.values(), *SUB.values()} - set("()"))
ATOM = re.compile(
    rf"[−∂∇√Δ]?(\d*\.?\d+|[^\W\d_][\u0300-\u036f\u20db]?|[A-Za-z]{{2,}})[{SCRIPTS}'*]*(\^.|_\w+)?|"
    rf"(\([^()]*\)|\|[^|]*\||<[^<>]*>|[^\W\d_]\([^()]*\))[{SCRIPTS}]*"
)


class LatexError(ValueError):
    """Raised for LaTeX that is not of the part that is read here."""


def plain(latex: str) -> str:
    """A formula on one line. Raises LatexError."""
    return " ".join(parts(latex))


def sentence(text: str) -> str:
    """Words with formulas between dollars, as text. Raises LatexError."""
    return re.sub(r"\$([^$]+)\$", lambda formula: plain(formula[1]), text)


def parts(latex: str) -> list[str]:
    r"""What stands between \quad, \qquad and \\ in a formula, each on one line. Raises LatexError."""
    text = re.sub(r"(∇[²³]) ", r"\1", Reader(latex).whole())
    tidy = (re.sub(r" +", " ", part).strip() for part in text.split("\t"))
    return [part for part in tidy if part]


class Reader:
    """A formula that is read from left to right."""

    def __init__(self, latex: str):
        self.latex, self.rest = latex, TOKEN.findall(latex)[::-1]

    def whole(self) -> str:
        """The text of the whole formula."""
        text = self.sequence(end="")
        if self.rest:
            raise self.refused(f"{self.rest[-1]!r} closes nothing")
        return text

    def refused(self, what: str) -> LatexError:
        """An error that names the formula."""
        return LatexError(f"{what} in the formula {' '.join(self.latex.split())!r}")

    def sequence(self, end: str) -> str:
        """Everything up to the token `end`, which is taken too."""
        out: list[tuple[str, str]] = []  # (text, kind): frac, script, open, close or ''
        while self.rest:
            token = self.rest.pop()
            if token == end:
                return joined(out)
            if token == "}":
                self.rest.append(token)
                break
            if token in "^_":
                out.append((script(self.argument(), token), "script"))
            else:
                out.append(self.piece(token))
        if end:
            raise self.refused(f"{end!r} is missing")
        return joined(out)

    def piece(self, token: str) -> tuple[str, str]:
        """One token with what belongs to it."""
        if token == "{":
            return self.sequence(end="}"), ""
        if not token.startswith("\\"):
            text = " " if token.isspace() else "" if token == "&" else "−" if token == "-" else token
            return text, BRACKETS.get(token, "")
        name = token[1:]
        if name in ("frac", "tfrac", "dfrac"):
            return fraction(self.argument()[0], self.argument()[0]), "frac"
        if name == "sqrt":
            inner = self.argument()[0]
            return f"√{inner}" if ATOM.fullmatch(inner) else f"√({inner})", ""
        if name in ACCENTS:
            base = self.argument()[0]
            if len(base) != 1:
                raise self.refused(f"\\{name} stands over {base!r}, must stand over one letter")
            return unicodedata.normalize("NFC", base + ACCENTS[name]), ""
        if name in ("begin", "end", "tag"):
            label = self.verbatim()
            return (f"  ({label})" if name == "tag" else ""), ""
        if name in WORDS:
            return self.verbatim(), ""
        found = "" if name in SILENT else SPACES.get(name, SIGNS.get(name))
        if found is None:
            raise self.refused(f"\\{name} is not known")
        return found, BRACKETS.get(name, "")

    def token(self) -> str:
        """The next token that is no blank."""
        while self.rest:
            token = self.rest.pop()
            if not token.isspace():
                return token
        raise self.refused("something is missing at the end")

    def argument(self) -> tuple[str, bool]:
        """The next group or piece, and whether it is a word."""
        token = self.token()
        is_word = token[1:] in (*WORDS, *NAMES.split())
        if token == "{":
            is_word = bool(self.rest) and self.rest[-1][1:] in (*WORDS, *NAMES.split())
        return self.piece(token)[0].strip(), is_word

    def verbatim(self) -> str:
        """The letters of the next group."""
        if self.token() != "{":
            raise self.refused("a group in braces is missing")
        letters = []
        while self.rest and self.rest[-1] != "}":
            letters.append(self.rest.pop())
        if not self.rest:
            raise self.refused("'}' is missing")
        self.rest.pop()
        text = "".join(letters)
        if "\\" in text or "{" in text:
            raise self.refused(f"the words {text!r} have a command in them")
        return text


def joined(pieces: list[tuple[str, str]]) -> str:
    """Pieces one after the other: a fraction that a factor follows in parentheses, no blank inside
    brackets."""
    out = ""
    for i, (text, kind) in enumerate(pieces):
        if kind == "frac":
            after = next((x for x, _ in pieces[i + 1 :] if x.strip()), " ")
            follows = after[0].isalnum() or after[0] in "([<|ΣΠ∫∂∇√"
            raised = i + 1 < len(pieces) and pieces[i + 1][1] == "script"
            text = f"({text})" if follows or raised else text
        before = pieces[i - 1] if i else ("", "open")
        if text == " " and (before[1] == "open" or before[0] in ("∇", "∂")):
            continue
        out = out.rstrip(" ") if kind in ("close", "script") else out
        out += text
    return out


def script(argument: tuple[str, bool], mark: str) -> str:
    """A superscript or subscript in small letters where there are some, else behind its mark."""
    text, is_word = argument
    table = SUPER if mark == "^" else SUB
    short = mark == "_" or len(text) <= LONG or not any(c.isalpha() for c in text)
    if not text.strip("*'"):
        return text
    if not is_word and short and all(c in table for c in text):
        return "".join(table[c] for c in text)
    return mark + (text if is_word or len(text) == 1 else f"({text})")


def fraction(top: str, below: str) -> str:
    """A fraction on one line: a sum above, and anything but one factor below, in parentheses."""
    bare = outside_brackets(top)[1:]
    top = f"({top})" if any(c in bare for c in "+−±=/,") else top
    return f"{top}/{below}" if ATOM.fullmatch(below) else f"{top}/({below})"


def outside_brackets(text: str) -> str:
    """What of a text stands in no parentheses or angle brackets."""
    before = None
    while before != text:
        before, text = text, re.sub(r"\([^()]*\)|<[^<>]*>|\[[^][]*\]|\|[^|]*\|", "x", text)
    return text
