"""Formulas and sections of the theory as they are printed on a terminal."""

import io
import re

import pytest
from rich.console import Console

from noether.laws.latex import LatexError, parts, plain, sentence
from noether.laws.registry import LAWS
from noether.report.catalogue import THEORY, explain
from noether.report.section import blocks, notation, printed, section, stands

LEFT = re.compile(r"[\\{}$]")
PAGE = THEORY.read_text(encoding="utf-8")
TOLD = [
    (r"J_{n+1} = \beta J_n - \eta \langle g_n, \xi(q_n) \rangle", "Jₙ₊₁ = β Jₙ − η <gₙ, ξ(qₙ)>"),
    (r"\frac{a}{b}", "a/b"),
    (r"\frac{a + b}{c d}", "(a + b)/(c d)"),
    (r"\frac{m}{2} \langle \dot q, G \dot q \rangle", "(m/2) <q̇, G q̇>"),
    (r"\frac{\eta^2}{(1-\beta)^2} = 1", "η²/(1−β)² = 1"),
    (r"\frac{\frac{a}{b}}{c}", "(a/b)/c"),
    (r"\left( \frac{a}{b} \right)^2", "(a/b)²"),
    (r"\frac{a}{b}^2", "(a/b)²"),
    (r"\sqrt{2} + \sqrt{2 \eta k}", "√2 + √(2 η k)"),
    (r"2^{-53}, \beta^n, \beta^{N-1-n}, e^{-\mu t/m}, e^\alpha", "2⁻⁵³, βⁿ, β^(N−1−n), e^(−μ t/m), e^α"),
    (r"A^\top q + x^* + x_N", "Aᵀ q + x* + x_N"),
    (r"u_{\text{store}} \lvert q_{n+1} \rvert_i \le \lambda_{\max}", "u_store |qₙ₊₁|ᵢ ≤ λ_max"),
    (r"\nabla f, \ddot q, \dddot X, \hat g", "∇f, q̈, X⃛, \u011d"),
    (r"\sum_{n=0}^{N} \operatorname{sign} q", "Σₙ₌₀ᴺ sign q"),
    (r"\begin{aligned} a &= b \\ c &= d \end{aligned}", "a = b c = d"),
    (r"a = b \tag{3}", "a = b (3)"),
]
REFUSED = [
    (r"\unheard x", r"\\unheard is not known"),
    (r"\frac{a}{b", "'}' is missing"),
    (r"\frac{a}", "something is missing at the end"),
    (r"a } b", "'}' closes nothing"),
    (r"\dot{qr}", r"\\dot stands over 'qr', must stand over one letter"),
    (r"\text{a \beta}", "have a command in them"),
]


def shown(content, width: int) -> str:
    """What a terminal of so many columns prints."""
    file = io.StringIO()
    Console(file=file, width=width, highlight=False, markup=False).print(content)
    return file.getvalue()


@pytest.mark.parametrize("latex, text", TOLD, ids=[text for _, text in TOLD])
def test_a_formula_is_told_in_letters(latex, text):
    assert plain(latex) == text


@pytest.mark.parametrize("latex, why", REFUSED, ids=[why for _, why in REFUSED])
def test_what_is_not_known_is_refused_with_the_formula(latex, why):
    with pytest.raises(LatexError, match=why):
        plain(latex)


def test_parts_of_a_displayed_formula_stand_apart():
    assert parts(r"a = b, \qquad c = d \\ e") == ["a = b,", "c = d", "e"]


@pytest.mark.parametrize("law", LAWS)
def test_a_law_is_explained_with_its_equation_and_its_section_of_the_theory(law):
    told = shown(explain(law), 120)
    heading = plain_heading(law)
    assert f"equation  {parts(LAWS[law].equation)[0]}"[:100] in told and heading in told
    assert not LEFT.findall(told.replace(f"noether explain {law} RUN", ""))


def plain_heading(law: str) -> str:
    return section(law, PAGE).splitlines()[0].lstrip("# ")


@pytest.mark.parametrize("law", LAWS.values(), ids=LAWS)
def test_what_an_equation_leaves_out_is_told_beside_it_and_without_a_command_of_latex(law):
    assert law.statement == "; ".join(filter(None, [plain(law.equation), sentence(law.adds)]))
    assert not LEFT.search(law.statement)
    assert ("\nand  " in shown(explain(law.key), 120)) == bool(law.adds)


def test_paragraphs_are_as_wide_as_the_terminal_and_formulas_stand_alone():
    page = "A line\nof a_file.py and $a_n$ another, with *weight* and [a link](x.md).\n\n"
    page += "$$\nx = y, \\qquad\nz = w\n$$\n\n- one\n  two\n"
    assert [block.kind for block in blocks(page)] == ["prose", "formula", "item"]
    told = "A line of a_file.py and aₙ another, with weight and a link.\n\n    x = y,    z = w\n\n- one two\n"
    assert shown(printed(page, 60), 60) == told
    assert "    x = y,\n    z = w\n" in shown(printed(page, 16), 16)


def test_tables_and_lists_keep_their_rows():
    page = "| a | b |\n|---|---|\n| $\\lvert v \\rvert$ | `\\|w\\|` |\n\n1. one\n2. two\n"
    told = [line.split() for line in shown(printed(page, 60), 60).splitlines()]
    assert ["|v|", "|w|"] in told and ["1.", "one"] in told and ["2.", "two"] in told


def test_an_explanation_ends_with_the_letters_that_it_uses_and_no_others():
    of = lambda law: [row.split(" | ")[0] for row in notation(PAGE, section(law, PAGE))[2:]]
    assert {"| $\\xi(q)$", "| $v_n$", "| $F_n$, $\\theta_n$"} <= set(of("D2")), "which the section writes"
    assert "| $T$" in of("T1") and "| $T$" not in of("D2") and "| $1_A$" not in of("D2")
    assert stands(r"\eta", r"2 \eta k") and not stands("t", r"\beta + \text") and notation("", "$q$") == []


def test_a_prime_is_told_to_be_a_step_and_two_to_be_two():
    assert (
        LAWS["D1"].primes == "a prime means one step later, two primes two steps later; it is no derivative"
    )
    assert "two" not in LAWS["D2"].primes and LAWS["T1"].primes == ""
    assert LAWS["D1"].primes in shown(explain("D1"), 120) and "primes" not in shown(explain("T1"), 120)


def test_a_section_that_is_not_there_is_empty():
    assert section("D99", PAGE) == "" and section("D2", PAGE).startswith("### D2 ")
